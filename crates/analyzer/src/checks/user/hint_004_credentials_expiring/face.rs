//! What is said of a user whose credentials expire.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use nats_hindsight_model::users::{Expiry, Held, User, UserKey};
use nats_hindsight_snapshot::Endpoint;
use serde_json::{Value, json};
use smol_str::SmolStr;

use super::{EXPIRING_WITHIN, URGENT_WITHIN};
use crate::check::Limits;
use crate::report::{Severity, rfc3339};
use crate::verdict::{Face, Fact, Step};

/// Most connections listed.
const LISTED: usize = 50;

type Place<'a> = (&'a (SmolStr, u64), &'a Held, Timestamp);

/// The face of a user, if one of its credentials expires soon enough. Where it has several, as
/// while they are renewed, the one that expires first counts.
pub(super) fn of(
    key: &UserKey,
    user: &User,
    servers: &BTreeMap<SmolStr, SmolStr>,
    limits: &Limits<'_>,
    step: &Step,
) -> Option<Face> {
    let left = |at: Timestamp| at.as_millisecond() - step.time.as_millisecond();
    let mut soon: Vec<Place<'_>> = user
        .connections
        .iter()
        .filter_map(|(place, held)| match held.expires {
            Expiry::At(at) if left(at) <= limits.millis(&EXPIRING_WITHIN) => {
                Some((place, held, at))
            }
            _ => None,
        })
        .collect();
    soon.sort_by_key(|(place, _, at)| (*at, *place));
    let (_, first, at) = *soon.first()?;
    let stage = match left(at) {
        left if left <= 0 => "expired",
        left if left <= limits.millis(&URGENT_WITHIN) => "urgent",
        _ => "expiring",
    };
    let services: BTreeSet<&SmolStr> =
        soon.iter().flat_map(|(_, held, _)| &held.services).collect();
    Some(Face {
        severity: if stage == "expiring" { Severity::Info } else { Severity::Warning },
        summary: summary(stage, at, left(at), soon.len(), &services),
        face: BTreeMap::from([("stage", stage.into())]),
        details: json!({
            "stage": stage,
            "name": user.name,
            "user": key.1,
            "issuer": first.issuer,
            "expires": rfc3339(at),
            "expires_in_s": left(at).div_euclid(1000),
            "services": services,
            "connections": rows(&soon, servers),
            "connections_in_all": user.connections.len(),
        }),
        evidence: soon.iter().map(|row| fact(row, servers)).collect(),
        members: soon.iter().map(|((server, _), ..)| server.clone()).collect(),
    })
}

fn summary(
    stage: &str,
    at: Timestamp,
    left_ms: i64,
    connections: usize,
    services: &BTreeSet<&SmolStr>,
) -> String {
    let when = rfc3339(at);
    let carried = match connections {
        1 => "1 connection uses them".to_owned(),
        many => format!("{many} connections use them"),
    };
    let served = match services.first() {
        None => String::new(),
        Some(first) if services.len() == 1 => format!(", for service {first}"),
        Some(first) => format!(", for service {first} and {} more", services.len() - 1),
    };
    if stage == "expired" {
        return format!("expired at {when} and not disconnected yet; {carried}{served}");
    }
    format!("expires in {}, at {when}; {carried}{served}", span(left_ms))
}

/// A time to come, rounded down to hours or days: what is left is never more than it says.
fn span(left_ms: i64) -> String {
    let minutes = left_ms / 60_000;
    match (minutes / 1440, minutes / 60, minutes) {
        (days, ..) if days >= 2 => format!("{days} days"),
        (_, hours, _) if hours >= 2 => format!("{hours} hours"),
        (.., minutes) => format!("{minutes} min"),
    }
}

fn rows(soon: &[Place<'_>], servers: &BTreeMap<SmolStr, SmolStr>) -> Vec<Value> {
    soon.iter()
        .take(LISTED)
        .map(|((server, cid), held, at)| {
            json!({
                "server": servers.get(server).unwrap_or(server),
                "cid": cid,
                "connection": held.name,
                "kind": held.kind,
                "expires": rfc3339(*at),
            })
        })
        .collect()
}

fn fact(((server, cid), _, at): &Place<'_>, servers: &BTreeMap<SmolStr, SmolStr>) -> Fact {
    let name = servers.get(server).unwrap_or(server);
    let path = format!("data.connections[cid={cid}].jwt exp");
    Fact::new("expires", rfc3339(*at), Endpoint::CONNZ, name.clone(), path)
}
