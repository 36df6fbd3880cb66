//! Edits of servers, by name.

use jiff::Timestamp;
use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_snapshot::lines::Status;

use super::Edit;
use crate::recording::Epoch;

/// Applies an edit of this family; false if the name is of another one.
pub(super) fn apply(epoch: &mut Epoch, edit: &Edit) -> bool {
    match edit.name.as_str() {
        "server version" => epoch.set_version(edit.text("server"), edit.text("to")),
        "server age" => epoch.set_age(edit.text("server"), edit.duration("to")),
        "restart server" => {
            epoch.restart(edit.text("server"), edit.number("number"), edit.duration("age"));
        }
        "rename server" => epoch.rename(edit.text("server"), edit.text("to")),
        "clone server" => epoch.clone_server(edit.text("server"), edit.text("to")),
        "kill server" => epoch.kill(edit.text("server")),
        "hang server" => epoch.hang(edit.text("server")),
        "lose server unasked" => {
            let id = epoch.id(edit.text("server"));
            epoch.kill(edit.text("server"));
            epoch.forget_requests(&id);
        }
        "expect server" => {
            let (server, id) = (edit.text("server"), "NEARLIER");
            epoch.expect_server(id, server, edit.text("cluster"), edit.text("version"));
            epoch.ask(id, Status::NoResponders);
        }
        "drop reply" => {
            let endpoint = Endpoint::named(edit.text("endpoint"));
            epoch.drop_reply(edit.text("server"), &endpoint);
        }
        "server setting" => {
            epoch.set_setting(edit.text("server"), edit.text("path"), &edit.value("to"));
        }
        "config age" => epoch.set_config_age(edit.text("server"), edit.duration("to")),
        "shift clock" => shift_clock(epoch, edit),
        "lose clock" => set_clock(epoch, edit.text("server"), |_| None),
        _ => return false,
    }
    true
}

fn shift_clock(epoch: &mut Epoch, edit: &Edit) {
    let by = edit.duration("by");
    set_clock(epoch, edit.text("server"), |now| now.checked_add(by).ok());
}

/// Changes what every reply of a server says of its clock.
fn set_clock(epoch: &mut Epoch, server: &str, to: impl Fn(Timestamp) -> Option<Timestamp>) {
    let id = epoch.id(server);
    for reply in epoch.replies.iter_mut().filter(|r| r.body["server"]["id"] == *id) {
        for (part, key) in [("server", "time"), ("data", "now"), ("statsz", "now")] {
            let Some(value) = reply.body.get_mut(part).and_then(|part| part.get_mut(key)) else {
                continue;
            };
            let now = value.as_str().and_then(|text| text.parse().ok());
            *value = now.and_then(&to).map_or(serde_json::Value::Null, |to| to.to_string().into());
        }
    }
}
