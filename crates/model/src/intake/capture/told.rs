//! What servers tell of others, and the log of the gatherer of all: what should be in an archive.

use std::sync::Arc;

use nats_hindsight_bundle::{Gather, Reader, document};
use nats_hindsight_snapshot::wire::{Accountz, Routez};

use super::super::Problem;
use super::super::place::Place;

/// A server that others tell of and of which nothing is there.
pub(super) const NOT_GATHERED: &str = "server_not_gathered";

/// Characters of a line of the log that are repeated.
const LINE: usize = 200;

/// The servers that one names as its peers, as (id, name).
pub(super) fn peers(reader: &mut Reader<'_>, entry: usize) -> Vec<(Arc<str>, String)> {
    let Ok(bytes) = reader.read(entry) else { return Vec::new() };
    let Ok(document) = document::split(bytes) else { return Vec::new() };
    let body = document.body.unwrap_or("{}");
    let Ok(told) = serde_json::from_str::<Routez<'_>>(body) else { return Vec::new() };
    let peers = told.routes.iter().filter_map(|route| {
        let id = route.remote_id.as_deref().filter(|id| !id.is_empty())?;
        Some((Arc::from(id), route.remote_name.as_deref().unwrap_or(id).to_owned()))
    });
    peers.collect()
}

/// The servers that the gatherer says it discovered, as (id, name).
pub(super) fn discovered(log: &str) -> impl Iterator<Item = (Arc<str>, String)> {
    log.lines().filter_map(|line| {
        let (name, id) = line.strip_prefix("Discovered server '")?.rsplit_once("' (")?;
        let id = id.trim_end().strip_suffix(')').filter(|id| !id.is_empty())?;
        Some((Arc::from(id), name.to_owned()))
    })
}

/// That of a server nothing is there, and what the log says of it.
pub(super) fn not_gathered(name: &str, gather: &Gather, place: &Place, uuid: &str) -> Problem {
    let log = gather.log.as_deref().unwrap_or_default();
    let said = log.lines().find(|line| line.contains(name) && !line.starts_with("Discovered"));
    let said = match said {
        Some(line) => {
            format!("its log says: {}", line.trim().chars().take(LINE).collect::<String>())
        }
        None => "its log does not say why".to_owned(),
    };
    Problem {
        epoch: Some(uuid.to_owned()),
        kind: NOT_GATHERED,
        text: format!("of server {name}, which others tell of, nothing is in the archive; {said}"),
        where_: Some(place.name.clone()),
    }
}

/// The accounts that a server lists.
pub(super) fn accounts(reader: &mut Reader<'_>, entry: usize) -> Vec<Arc<str>> {
    let Ok(bytes) = reader.read(entry) else { return Vec::new() };
    let Ok(document) = document::split(bytes) else { return Vec::new() };
    let body = document.body.unwrap_or("{}");
    let Ok(told) = serde_json::from_str::<Accountz<'_>>(body) else { return Vec::new() };
    told.accounts.iter().map(|account| Arc::from(&**account)).collect()
}
