//! What one epoch leaves to the next: whom to expect.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use nats_hindsight_snapshot::lines::{ExpectedServer, ExpectedService, ExpectsLine};

use crate::epoch::{Seen, ServiceKey};
use crate::glance::Server;

/// Services that are remembered; the newest.
const SERVICES: usize = 10_000;

/// Bytes that the services may take in a header, whose size readers limit.
const BYTES: usize = 6 << 20;

/// Servers that are remembered; the newest.
const SERVERS: usize = 4096;

/// Joins what was expected and what was seen to what is expected next.
pub(crate) fn remember(
    expects: &ExpectsLine,
    seen: &Seen,
    start: Timestamp,
    forget_after: Duration,
) -> ExpectsLine {
    let forget_after = SignedDuration::try_from(forget_after).unwrap_or(SignedDuration::MAX);
    let fresh = |last_seen: Option<Timestamp>| {
        last_seen.is_some_and(|last_seen| start.duration_since(last_seen) <= forget_after)
    };
    let servers = servers(expects, seen, start, &fresh);
    let (services, services_overflow) = newest(services(expects, seen, start, &fresh));
    ExpectsLine { servers, services, services_overflow }
}

fn servers(
    expects: &ExpectsLine,
    seen: &Seen,
    start: Timestamp,
    fresh: &dyn Fn(Option<Timestamp>) -> bool,
) -> Vec<ExpectedServer> {
    let seats: BTreeSet<(&str, Option<&str>)> = seen
        .answered
        .values()
        .map(|server| (server.name.as_str(), server.cluster.as_deref()))
        .collect();
    let mut servers: BTreeMap<String, ExpectedServer> = BTreeMap::new();
    for known in &expects.servers {
        // Its process ended and another one answers under its name: nothing is missing.
        let replaced = seen.gone.contains(&known.id)
            && seats.contains(&(known.name.as_str(), known.cluster.as_deref()));
        if fresh(known.last_seen) && !replaced {
            servers.insert(known.id.clone(), known.clone());
        }
    }
    for named in seen.named.values() {
        servers.entry(named.id.clone()).or_insert_with(|| expected_server(named, None));
    }
    for answered in seen.answered.values() {
        servers.insert(answered.id.clone(), expected_server(answered, Some(start)));
    }
    let mut servers: Vec<_> = servers.into_values().collect();
    if servers.len() > SERVERS {
        servers.sort_by(|a, b| b.last_seen.cmp(&a.last_seen).then_with(|| a.id.cmp(&b.id)));
        servers.truncate(SERVERS);
        servers.sort_by(|a, b| a.id.cmp(&b.id));
    }
    servers
}

fn expected_server(server: &Server, last_seen: Option<Timestamp>) -> ExpectedServer {
    ExpectedServer {
        id: server.id.clone(),
        name: server.name.clone(),
        cluster: server.cluster.clone(),
        version: server.version.clone(),
        last_seen,
    }
}

fn services(
    expects: &ExpectsLine,
    seen: &Seen,
    start: Timestamp,
    fresh: &dyn Fn(Option<Timestamp>) -> bool,
) -> Vec<ExpectedService> {
    let mut services: BTreeMap<ServiceKey, ExpectedService> = expects
        .services
        .iter()
        .filter(|service| fresh(service.last_seen))
        .map(|service| (key_of(service), service.clone()))
        .collect();
    for (key, sighting) in &seen.services {
        let mut instances: BTreeSet<String> = sighting.alive().into_iter().cloned().collect();
        instances.extend(sighting.listed.iter().cloned());
        if instances.is_empty() && sighting.servers.is_empty() {
            continue;
        }
        let before = services.remove(key);
        let instances: Vec<String> = instances.into_iter().collect();
        services.insert(
            key.clone(),
            ExpectedService {
                account: key.account.clone(),
                account_name: seen.account_names.get(&key.account).cloned(),
                name: key.name.clone(),
                last_seen: Some(start),
                servers: holders(&sighting.servers, &instances, before.as_ref()),
                instances,
            },
        );
    }
    services.into_values().collect()
}

/// The servers that hold the connections. Where no list of connections came, those of before still
/// hold if the instances are the same ones.
fn holders(
    listed: &BTreeSet<String>,
    instances: &[String],
    before: Option<&ExpectedService>,
) -> Vec<String> {
    let same = before.filter(|before| before.instances == instances);
    match same {
        Some(before) if listed.is_empty() => before.servers.clone(),
        _ => listed.iter().cloned().collect(),
    }
}

fn key_of(service: &ExpectedService) -> ServiceKey {
    ServiceKey { account: service.account.clone(), name: service.name.clone() }
}

/// The newest services that fit, in order of account and name, and how many did not fit.
fn newest(mut services: Vec<ExpectedService>) -> (Vec<ExpectedService>, u64) {
    let total = services.len();
    services.sort_by(|a, b| b.last_seen.cmp(&a.last_seen).then_with(|| key_of(a).cmp(&key_of(b))));
    let mut bytes = 0;
    services.truncate(SERVICES);
    services.retain(|service| {
        bytes += size(service);
        bytes <= BYTES
    });
    services.sort_by_key(key_of);
    let overflow = total.saturating_sub(services.len()) as u64;
    (services, overflow)
}

fn size(service: &ExpectedService) -> usize {
    let ids = service.instances.iter().chain(&service.servers);
    200 + service.account.len() + service.name.len() + ids.map(|id| id.len() + 3).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::glance::Listed;

    const HOUR: Duration = Duration::from_hours(1);

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + hours * 3600).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    fn key(name: &str) -> ServiceKey {
        ServiceKey { account: "APP".to_owned(), name: name.to_owned() }
    }

    fn one_service() -> Seen {
        let mut seen = Seen::default();
        seen.answer(key("a"), "PING", "i1".to_owned());
        let service = "a".to_owned();
        let instance = Some("i1".to_owned());
        let listed = Listed { account: None, account_name: None, service, instance };
        seen.listed("N1", Some("APP"), listed);
        seen
    }

    #[test]
    fn a_service_is_remembered_with_its_holders_until_it_is_forgotten() {
        let first = remember(&ExpectsLine::default(), &one_service(), at(0), 48 * HOUR);
        assert_eq!(first.services.len(), 1);
        let later = remember(&first, &Seen::default(), at(40), 48 * HOUR);
        assert_eq!(later.services, first.services, "absence changes nothing");
        let gone = remember(&later, &Seen::default(), at(49), 48 * HOUR);
        assert!(gone.services.is_empty());
    }

    #[test]
    fn a_restarted_server_takes_the_place_of_its_last_process() {
        let server =
            |id: &str| Server { id: id.to_owned(), name: "a1".to_owned(), ..Server::default() };
        let mut seen = Seen::default();
        seen.server(&server("OLD"));
        let first = remember(&ExpectsLine::default(), &seen, at(0), HOUR);
        let mut seen = Seen::default();
        seen.server(&server("NEW"));
        seen.gone.insert("OLD".to_owned());
        let second = remember(&first, &seen, at(0), HOUR);
        let ids: Vec<_> = second.servers.iter().map(|server| server.id.as_str()).collect();
        assert_eq!(ids, ["NEW"]);
    }

    #[test]
    fn what_does_not_fit_is_counted() {
        let service = |n: usize| ExpectedService {
            name: format!("{n}"),
            last_seen: Some(at(i64::try_from(n).unwrap_or(0))),
            ..ExpectedService::default()
        };
        let (kept, overflow) = newest((0..SERVICES + 5).map(service).collect());
        assert_eq!((kept.len(), overflow), (SERVICES, 5));
        assert!(kept.iter().all(|service| service.name != "0"));
    }
}
