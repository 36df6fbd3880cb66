//! From `event` lines to records of what checks read.

use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_snapshot::lines::EventLine;
use nats_hindsight_snapshot::wire::{ClientEvent, ServerInfo};
use serde::Deserialize;

use super::{owned, time};
use crate::epoch::{Epoch, EventRecord, Malformed, What};
use crate::events::Leave;

/// Adds one event to the table, if it is one that checks read.
pub(super) fn event(epoch: &mut Epoch, line: &EventLine<'_>) {
    match heard(line) {
        Ok(Some(what)) => epoch.events.push(EventRecord { arrival: line.arrival, what }),
        Ok(None) => {}
        Err(why) => {
            let source = line.subject.clone();
            epoch.malformed.push(Malformed { endpoint: Endpoint::EVENTS, source, why });
        }
    }
}

fn heard(line: &EventLine<'_>) -> Result<Option<What>, String> {
    let tokens: Vec<&str> = line.subject.split('.').collect();
    Ok(match tokens.as_slice() {
        // Only a user of the system account can publish there.
        _ if line.account.is_some() => None,
        ["$SYS", "SERVER", id, "SHUTDOWN"] => Some(farewell(line, id, Leave::Shutdown)?),
        ["$SYS", "SERVER", id, "LAMEDUCK"] => Some(farewell(line, id, Leave::LameDuck)?),
        ["$SYS", "ACCOUNT", _, "DISCONNECT"] => disconnect(line)?,
        _ => None,
    })
}

fn event_body<'a, T: Deserialize<'a>>(line: &EventLine<'a>) -> Result<T, String> {
    let text = line.body.ok_or("the event is not JSON")?.get();
    serde_json::from_str(text).map_err(|error| error.to_string())
}

fn farewell(line: &EventLine<'_>, id: &str, leave: Leave) -> Result<What, String> {
    let info: ServerInfo<'_> = event_body(line)?;
    if info.id.is_some_and(|told| told != id) {
        return Err("the event is about another server than its subject".to_owned());
    }
    Ok(What::Farewell { server: id.into(), leave })
}

fn disconnect(line: &EventLine<'_>) -> Result<Option<What>, String> {
    let event: ClientEvent<'_> = event_body(line)?;
    let client = event.client.unwrap_or_default();
    let server = event.server.and_then(|server| owned(server.id.as_ref()));
    Ok(server.zip(client.id).map(|(server, cid)| What::Disconnect {
        server,
        cid,
        reason: owned(event.reason.as_ref()).unwrap_or_default(),
        name: owned(client.name.as_ref()),
        stop: time(client.stop.as_deref()),
    }))
}
