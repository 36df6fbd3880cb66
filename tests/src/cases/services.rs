//! Edits of services, by name.

use super::Edit;
use crate::recording::Epoch;

/// Applies an edit of this family; false if the name is of another one.
pub(super) fn apply(epoch: &mut Epoch, edit: &Edit) -> bool {
    match edit.name.as_str() {
        "service down" => epoch.down(edit.text("account"), edit.text("service")),
        "app version" => {
            let id = instance(epoch, edit);
            epoch.set_app_version(&id, edit.text("to"));
        }
        "mute instance" => {
            let id = instance(epoch, edit);
            epoch.mute_instance(&id);
        }
        "end instance" => {
            let id = instance(epoch, edit);
            epoch.end_instance(&id);
        }
        _ => return false,
    }
    true
}

/// Id of the instance an edit is about, counted from 0 in the order of their ids.
fn instance(epoch: &Epoch, edit: &Edit) -> String {
    let index = usize::try_from(edit.number("instance")).unwrap_or_default();
    let (account, service) = (edit.text("account"), edit.text("service"));
    match epoch.instances(account, service).get(index) {
        Some(id) => id.clone(),
        None => panic!("no instance {index} of {account}/{service}"),
    }
}
