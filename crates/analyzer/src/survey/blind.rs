//! Checks that lack what they require of everybody.

use std::collections::BTreeMap;

use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_snapshot::lines::Status;
use schemars::JsonSchema;
use serde::Serialize;

use super::EpochSurvey;
use crate::check::Check;

/// A check that lacks what it requires.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Blind {
    /// Code of the check.
    pub code: &'static str,
    /// Slug of the check.
    pub slug: &'static str,
    /// Endpoints of which one would be enough.
    pub needs: Vec<&'static str>,
    /// What became of the requests to them.
    pub why: String,
    /// What would cure it.
    pub cure: String,
    /// Epochs concerned.
    pub epochs: Vec<usize>,
}

/// Checks whose required groups did not answer, grouped over epochs.
pub(super) fn blind(epochs: &[EpochSurvey], checks: &[&'static Check]) -> Vec<Blind> {
    let mut blind: Vec<Blind> = Vec::new();
    for check in checks {
        for group in check.required {
            for epoch in epochs.iter().filter(|epoch| !group.iter().any(|e| answered(epoch, e))) {
                let why = outcomes(epoch, group);
                let needs: Vec<&str> = group.iter().map(Endpoint::as_str).collect();
                let same = |known: &&mut Blind| {
                    known.code == check.code && known.needs == needs && known.why == why
                };
                match blind.iter_mut().find(same) {
                    Some(known) => known.epochs.push(epoch.index),
                    None => blind.push(Blind {
                        code: check.code,
                        slug: check.slug,
                        cure: cure(epoch, group),
                        needs,
                        why,
                        epochs: vec![epoch.index],
                    }),
                }
            }
        }
    }
    blind
}

/// Whether anything came of the requests to an endpoint; that nobody responds is an answer too.
fn answered(epoch: &EpochSurvey, endpoint: &Endpoint) -> bool {
    let answers = [Status::Ok, Status::Partial, Status::NoResponders];
    epoch
        .requests
        .get(endpoint.as_str())
        .is_some_and(|outcomes| answers.iter().any(|status| outcomes.contains_key(status.as_str())))
}

/// What became of the requests to some endpoints, in words.
fn outcomes(epoch: &EpochSurvey, group: &[Endpoint]) -> String {
    // What a damaged epoch does not hold may have been asked all the same.
    let nothing = if epoch.whole { "not asked" } else { "not asked, or lost with the damage" };
    let mut endpoints: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for endpoint in group {
        let statuses: Vec<String> = epoch
            .requests
            .get(endpoint.as_str())
            .into_iter()
            .flat_map(|outcomes| outcomes.keys())
            .map(|status| status.replace('_', " "))
            .collect();
        let outcome = if statuses.is_empty() { nothing.to_owned() } else { statuses.join(", ") };
        endpoints.entry(outcome).or_default().push(endpoint.as_str());
    }
    let parts: Vec<String> = endpoints
        .iter()
        .map(|(outcome, endpoints)| format!("{outcome}: {}", endpoints.join(", ")))
        .collect();
    parts.join("; ")
}

/// What would cure it, from how the requests went: the one that is nearest to an answer decides.
fn cure(epoch: &EpochSurvey, group: &[Endpoint]) -> String {
    if !epoch.whole {
        return "send the whole file: this one was cut or damaged".to_owned();
    }
    let outcome = |status: Status| {
        group.iter().find(|endpoint| {
            let outcomes = epoch.requests.get(endpoint.as_str());
            outcomes.is_some_and(|outcomes| outcomes.contains_key(status.as_str()))
        })
    };
    let names: Vec<&str> = group.iter().map(Endpoint::as_str).collect();
    let services = group.iter().any(|endpoint| endpoint.as_str().starts_with("SRV_"));
    if outcome(Status::Denied).is_some() && services {
        return "allow the user of the account to publish to $SRV.> and to subscribe to its inbox"
            .to_owned();
    }
    if let Some(endpoint) = outcome(Status::Denied) {
        return format!("allow the user to publish to $SYS.REQ.SERVER.*.{endpoint}");
    }
    if outcome(Status::NotSupported).is_some() {
        return "the servers are too old for this endpoint: nothing but an upgrade".to_owned();
    }
    if outcome(Status::TooLarge).is_some() {
        return "the answers were larger than 64 MiB: record with --profile light".to_owned();
    }
    if outcome(Status::Timeout).is_some() || outcome(Status::Malformed).is_some() {
        return "look at the servers, which did not answer in time, and record again; a longer \
                --timeout helps slow ones"
            .to_owned();
    }
    if services {
        return "record with a connection of the account whose services matter (--account-server \
                or --account-context)"
            .to_owned();
    }
    format!(
        "record with a system account connection (--server or --context) or --http, and without \
         switching off {}",
        names.join(", ")
    )
}
