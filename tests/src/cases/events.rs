//! Edits of what servers published, by name.

use jiff::SignedDuration;

use super::Edit;
use crate::recording::Epoch;

/// Applies an edit of this family; false if the name is of another one.
pub(super) fn apply(epoch: &mut Epoch, edit: &Edit) -> bool {
    match edit.name.as_str() {
        "listen" => {
            let until = epoch.header.start + SignedDuration::from_secs(1);
            epoch.listen(until - edit.duration("for"), until);
        }
        "listening gap" => epoch.gap(),
        "farewell" => {
            let id = epoch.id(edit.text("server"));
            epoch.farewell(&id, edit.text("word"), edit.duration("before"));
        }
        "forget events" => epoch.events.clear(),
        _ => return false,
    }
    true
}
