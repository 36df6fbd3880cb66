//! Edits of what was asked, by name.

use nats_hindsight_snapshot::Endpoint;

use super::Edit;
use crate::recording::Epoch;

/// Applies an edit of this family; false if the name is of another one.
pub(super) fn apply(epoch: &mut Epoch, edit: &Edit) -> bool {
    match edit.name.as_str() {
        "drop endpoint" => {
            epoch.drop_endpoint(&Endpoint::named(edit.text("endpoint")));
        }
        _ => return false,
    }
    true
}
