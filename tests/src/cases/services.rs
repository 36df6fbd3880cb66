//! Edits of services, by name.

use nats_hindsight_snapshot::lines::Status;

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
        "instance queue group" => {
            let id = instance(epoch, edit);
            epoch.set_queue_group(&id, Some(&edit.text("to").into()));
        }
        "instance announces" => {
            let id = instance(epoch, edit);
            epoch.announce(&id, edit.text("endpoint"), edit.text("subject"));
        }
        "drop info" => {
            let id = instance(epoch, edit);
            epoch.drop_info(&id);
        }
        "end instance" => {
            let id = instance(epoch, edit);
            epoch.end_instance(&id);
        }
        "end service" => epoch.end_service(edit.text("account"), edit.text("service")),
        "mute service" => {
            for id in epoch.instances(edit.text("account"), edit.text("service")) {
                epoch.mute_instance(&id);
            }
        }
        "ask service" => {
            let outcomes = [status(edit.text("first")), status(edit.text("second"))];
            epoch.asked(edit.text("account"), edit.text("service"), &outcomes);
        }
        "instance language" => {
            let id = instance(epoch, edit);
            epoch.set_language(&id, edit.text("to"));
        }
        "instance library" => {
            let id = instance(epoch, edit);
            epoch.set_library(&id, edit.text("to"));
        }
        "instance age" => {
            let id = instance(epoch, edit);
            epoch.set_connected_for(&id, edit.duration("to"));
        }
        "move instance" => {
            let id = instance(epoch, edit);
            epoch.move_connection(&id, edit.text("server"));
        }
        "put behind leaf" => epoch.put_behind_leaf(edit.text("service"), edit.text("leaf")),
        "drop connections" => epoch.drop_connections(),
        "cut connections" => epoch.cut_connections(edit.text("server")),
        "lose account" => epoch.lose_account(edit.text("account")),
        "without verbs" => epoch.without_verbs(),
        _ => return false,
    }
    true
}

/// An outcome as it stands in a snapshot.
fn status(text: &str) -> Status {
    match text {
        "timeout" => Status::Timeout,
        "no_responders" => Status::NoResponders,
        "denied" => Status::Denied,
        other => panic!("{other:?} is no outcome that a case can tell"),
    }
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
