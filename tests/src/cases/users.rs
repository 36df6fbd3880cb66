//! Edits of users, by name.

use super::Edit;
use crate::recording::Epoch;

/// Applies an edit of this family; false if the name is of another one.
pub(super) fn apply(epoch: &mut Epoch, edit: &Edit) -> bool {
    match edit.name.as_str() {
        "expire user" => epoch.set_expiry(edit.text("user"), Some(edit.duration("in"))),
        "hide jwt" => epoch.hide_jwt(edit.text("user")),
        "disconnect user" => epoch.disconnect(edit.text("user")),
        "leave operator mode" => epoch.leave_operator_mode(),
        _ => return false,
    }
    true
}
