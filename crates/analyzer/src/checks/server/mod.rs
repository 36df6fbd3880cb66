//! Checks about servers and the clusters they form.

mod hint_001_server_lost;
mod hint_003_clock_skew;
mod server_002_version_mismatch;
mod skew_001_settings_skew;

use nats_hindsight_model::clusters::Cluster;
use smol_str::SmolStr;

use crate::check::Check;
use crate::report::Subject;
use crate::verdict::{Judgement, Reason};

/// The family.
pub const CHECKS: &[&Check] = &[
    &hint_001_server_lost::CHECK,
    &hint_003_clock_skew::CHECK,
    &server_002_version_mismatch::CHECK,
    &skew_001_settings_skew::CHECK,
];

/// Says of a cluster of which no server answered that it was renamed or joined to another, or that
/// it is out of sight. `at_end` is called before it is said that the cluster is over.
pub(crate) fn nobody_answered(
    cluster: &Cluster,
    out: &mut Judgement,
    at_end: impl FnOnce(&Subject, &mut Judgement),
) {
    let subject = Subject::Cluster { cluster: cluster.key.clone() };
    if let Some(name) = &cluster.renamed_to {
        at_end(&subject, out);
        out.ended(subject, format!("all of its servers answer as cluster {name} now"));
        return;
    }
    let missing = cluster.silent.values().chain(cluster.departed.values());
    let hides: Vec<Subject> = missing.map(|member| server(&cluster.key, &member.name)).collect();
    if hides.is_empty() {
        out.not_applicable(subject);
    } else {
        out.unknown(subject, Reason::ServerSilent, hides);
    }
}

/// Why a cluster may have servers that nobody saw, and which those are.
pub(crate) fn hidden_members(cluster: &Cluster) -> Option<(Reason, Vec<Subject>)> {
    let seat = |name: &SmolStr| server(&cluster.key, name);
    if !cluster.silent.is_empty() {
        let silent = cluster.silent.values().map(|member| seat(&member.name));
        Some((Reason::ServerSilent, silent.collect()))
    } else if !cluster.membership_known {
        let doubts = cluster.doubts.iter().map(|(name, _)| seat(name));
        Some((Reason::MembershipUnknown, doubts.collect()))
    } else {
        None
    }
}

/// The seat of a server as a subject.
pub(crate) fn server(cluster: &str, server: &str) -> Subject {
    Subject::Server { cluster: cluster.into(), server: server.into() }
}
