//! Checks about services.

mod hint_002_single_instance;
mod service_001_version_mismatch;
mod service_002_down;

use nats_hindsight_model::census::SERVER_ENDPOINTS;
use nats_hindsight_model::roster::ServiceKey;
use nats_hindsight_model::services::{Doubt, Patience, ServiceFacts, ServiceTracker, Services};
use nats_hindsight_snapshot::Endpoint;
use smol_str::SmolStr;

use super::server::server;
use crate::check::Check;
use crate::report::Subject;
use crate::verdict::{Judgement, Reason, Step};

/// The family.
pub const CHECKS: &[&Check] = &[
    &hint_002_single_instance::CHECK,
    &service_001_version_mismatch::CHECK,
    &service_002_down::CHECK,
];

/// Endpoints by which services and the servers that hold them are seen.
const ENRICHING: &[Endpoint] = SERVER_ENDPOINTS;

/// The same with what servers say by themselves of those that go.
const ENRICHING_WITH_EVENTS: &[Endpoint] = &[
    Endpoint::VARZ,
    Endpoint::STATSZ,
    Endpoint::ROUTEZ,
    Endpoint::CONNZ,
    Endpoint::CONNZ_CLOSED,
    Endpoint::ACCOUNTZ,
    Endpoint::LEAFZ,
    Endpoint::EVENTS,
];

/// The services of the next epoch; the report is told the names of their accounts. A server younger
/// than `settle_after_ms` may still be getting its clients back.
pub(crate) fn services(
    tracker: &mut ServiceTracker,
    facts: &ServiceFacts,
    settle_after_ms: i64,
    step: &Step,
    out: &mut Judgement,
) -> Services {
    let patience = Patience { confirm_after_ms: step.confirm_after_ms, settle_after_ms };
    let services = tracker.step(facts, step.epoch, step.time, patience);
    for seen in &services.all {
        out.name_account(&seen.key.0, &seen.account);
    }
    services
}

/// A service as a subject. The engine shows the account by name where one is known.
pub(crate) fn service(key: &ServiceKey) -> Subject {
    Subject::Service { account: key.0.clone(), account_id: key.0.clone(), service: key.1.clone() }
}

/// Name of a server that answers, or its id.
pub(crate) fn server_name(id: &str, facts: &ServiceFacts) -> String {
    facts.census.servers.get(id).map_or(id, |server| &server.name).to_owned()
}

/// Why nothing can be said, in the words of the engine, and what hides it.
pub(crate) fn reason(doubt: &Doubt) -> (Reason, Vec<Subject>) {
    let servers = |all: &[(SmolStr, SmolStr)]| all.iter().map(|(c, s)| server(c, s)).collect();
    match doubt {
        Doubt::Contradiction => (Reason::Contradiction, Vec::new()),
        Doubt::ServerSilent(hides) => (Reason::ServerSilent, servers(hides)),
        Doubt::BehindLeaf(leafs) => {
            let hides = leafs.iter().map(|leaf| Subject::LeafNode { leaf: leaf.clone() });
            (Reason::BehindLeaf, hides.collect())
        }
        Doubt::AccountUnreachable => (Reason::AccountUnreachable, Vec::new()),
        Doubt::Denied => (Reason::Denied, Vec::new()),
        Doubt::ConnectionsIncomplete(hides) => (Reason::ConnectionsIncomplete, servers(hides)),
        Doubt::Settling(hides) => (Reason::Settling, servers(hides)),
        Doubt::InstanceSilent => (Reason::InstanceSilent, Vec::new()),
        Doubt::Unaskable => (Reason::Unaskable, Vec::new()),
        Doubt::ZeroUnproven => (Reason::ZeroUnproven, Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::{ENRICHING, ENRICHING_WITH_EVENTS, Endpoint};

    #[test]
    fn events_are_what_is_more() {
        assert_eq!(ENRICHING_WITH_EVENTS.split_last(), Some((&Endpoint::EVENTS, ENRICHING)));
    }
}
