//! `HINT_004`: the credentials of a connected user expire soon.

mod face;
mod sight;

use std::collections::{BTreeMap, BTreeSet};

use nats_hindsight_model::View;
use nats_hindsight_model::census::SERVER_ENDPOINTS;
use nats_hindsight_model::clusters::ClusterTracker;
use nats_hindsight_model::users::{Expiry, User, UserFacts, UserKey};
use nats_hindsight_snapshot::Endpoint;

use super::user;
use crate::check::{Check, Follow, Followed, Kind, Limits, Scan, Threshold};
use crate::report::{Severity, Subject};
use crate::verdict::{Judgement, Reason, Step};
use sight::{Seat, Sight};

pub(super) static CHECK: Check = Check {
    code: "HINT_004",
    slug: "credentials-expiring",
    title: "the credentials of a connected user expire soon",
    severity: Severity::Warning,
    category: "Health",
    subject: "user, server",
    required: REQUIRED,
    enriching: SERVER_ENDPOINTS,
    thresholds: &[&EXPIRING_WITHIN, &URGENT_WITHIN],
    scan: Scan::Follow(Followed::of::<CredentialsExpiring>()),
    page: include_str!("page.md"),
};

static EXPIRING_WITHIN: Threshold = Threshold::seconds(
    "expiring_within",
    30 * 86_400,
    "credentials that expire this soon are worth knowing",
);

static URGENT_WITHIN: Threshold = Threshold::seconds(
    "urgent_within",
    86_400,
    "credentials that expire this soon while they are in use are a warning",
);

/// Without connections there is nothing to be said of users, nor of the servers that hold them.
const REQUIRED: &[&[Endpoint]] = &[&[Endpoint::CONNZ]];

/// What is missing where only connections of services were listed.
const WITHOUT_SERVICES: &str = "connections_without_services";

struct CredentialsExpiring;

/// What is carried from epoch to epoch.
#[derive(Default)]
struct State {
    tracker: ClusterTracker,
    /// Users that were found, and whether all of their connections carried services: then a list
    /// of services is enough to see that they are gone.
    found: BTreeMap<UserKey, bool>,
    /// Users that were connected when connections were last seen, found or not.
    seen: BTreeSet<UserKey>,
}

impl Follow for CredentialsExpiring {
    type Facts = UserFacts;
    type State = State;
    const KINDS: &'static [Kind] = &[
        Kind { subject: "user", required: REQUIRED },
        Kind { subject: "server", required: REQUIRED },
    ];

    fn observe(view: &View<'_>) -> UserFacts {
        UserFacts::of(view)
    }

    fn judge(
        state: &mut Self::State,
        facts: &UserFacts,
        limits: &Limits<'_>,
        step: &Step,
        out: &mut Judgement,
    ) {
        let clusters = state.tracker.step(&facts.census, step.time);
        let sight = Sight::of(facts, &clusters);
        name(facts, out);
        for (subject, seat) in &sight.seats {
            match seat {
                Seat::Foreign => out.not_applicable(subject.clone()),
                Seat::Hidden(reason) => out.unknown(subject.clone(), *reason, Vec::new()),
                Seat::Seen { restricted } => {
                    if *restricted {
                        out.unseen(WITHOUT_SERVICES, subject.clone());
                    }
                    out.ok(subject.clone(), BTreeSet::new());
                }
            }
        }
        for (key, one) in &facts.users {
            judge(state, key, one, &sight, limits, step, out);
        }
        state.part(facts, &sight, out);
        state.lose(facts, &sight, out);
    }
}

/// Names that the report shows in place of keys.
fn name(facts: &UserFacts, out: &mut Judgement) {
    for (id, name) in &facts.account_names {
        out.name_account(id, name);
    }
    for ((_, id), user) in &facts.users {
        if let Some(name) = &user.name {
            out.name_user(id, name);
        }
    }
}

fn judge(
    state: &mut State,
    key: &UserKey,
    one: &User,
    sight: &Sight,
    limits: &Limits<'_>,
    step: &Step,
    out: &mut Judgement,
) {
    let subject = user(key);
    if let Some(face) = face::of(key, one, &sight.names, limits, step) {
        let with_services = one.connections.values().all(|held| !held.services.is_empty());
        state.found.insert(key.clone(), with_services);
        out.finding(subject, face);
        return;
    }
    let unreadable = one.connections.values().any(|held| held.expires == Expiry::Unreadable);
    if unreadable {
        out.unknown(subject, Reason::JwtUnreadable, Vec::new());
    } else if let Some((reason, hides)) = sight.blind(&key.0) {
        out.unknown(subject, reason, hides);
    } else {
        if sight.restricted {
            out.unseen(WITHOUT_SERVICES, subject.clone());
        }
        // One that had connections of which this epoch's lists would not tell is not cured by them.
        match state.found.remove(key) {
            Some(false) if sight.restricted => {
                state.found.insert(key.clone(), false);
                out.unknown(subject, Reason::ConnectionsIncomplete, Vec::new());
            }
            _ => out.ok(subject, sight.whole.clone()),
        }
    }
}

impl State {
    /// Users that were found before and hold no connection any more.
    fn part(&mut self, facts: &UserFacts, sight: &Sight, out: &mut Judgement) {
        self.found.retain(|key, with_services| {
            if facts.users.contains_key(key) {
                return true;
            }
            let subject: Subject = user(key);
            if let Some((reason, hides)) = sight.blind(&key.0) {
                out.unknown(subject, reason, hides);
                return true;
            }
            if sight.restricted && !*with_services {
                out.unknown(subject, Reason::ConnectionsIncomplete, Vec::new());
                return true;
            }
            out.ended(subject, "no connection uses these credentials any more");
            false
        });
    }

    /// Users that were good before and of whose connections nobody can say whether they stand.
    fn lose(&mut self, facts: &UserFacts, sight: &Sight, out: &mut Judgement) {
        self.seen.retain(|key| {
            if facts.users.contains_key(key) || self.found.contains_key(key) {
                return false;
            }
            let Some((reason, hides)) = sight.blind(&key.0) else { return false };
            out.unknown(user(key), reason, hides);
            true
        });
        self.seen.extend(facts.users.keys().cloned());
    }
}
