//! `SERVER_002`: the servers of one cluster run different versions.

mod face;
mod history;

use std::collections::BTreeMap;
use std::sync::Arc;

use nats_hindsight_model::View;
use nats_hindsight_model::census::{Census, SERVER_ENDPOINTS, Server};
use nats_hindsight_model::clusters::{Cluster, ClusterTracker};
use nats_hindsight_snapshot::Endpoint;
use smol_str::SmolStr;

use self::history::History;
use crate::check::{Check, Follow, Followed, Limits, Scan, Threshold};
use crate::checks::server::{hidden_members, nobody_answered, server};
use crate::report::{Severity, Subject};
use crate::verdict::{Judgement, Reason, Step};

pub(super) static CHECK: Check = Check {
    code: "SERVER_002",
    slug: "server-version-mismatch",
    title: "servers of one cluster run different versions",
    severity: Severity::Warning,
    category: "Consistency",
    subject: "cluster",
    required: &[SERVER_ENDPOINTS, &[Endpoint::ROUTEZ, Endpoint::VARZ]],
    enriching: &[],
    thresholds: &[&RECENT, &OVERDUE_AFTER],
    scan: Scan::Follow(Followed::of::<VersionMismatch>()),
    page: include_str!("page.md"),
};

static RECENT: Threshold = Threshold::seconds(
    "recent",
    3600,
    "a version that a server took up within this time is a rollout in progress",
);
static OVERDUE_AFTER: Threshold =
    Threshold::seconds("overdue_after", 86_400, "a mix that lasts longer is overdue");

struct VersionMismatch;

/// What is carried from epoch to epoch.
#[derive(Default)]
struct State {
    tracker: ClusterTracker,
    histories: BTreeMap<SmolStr, History>,
}

/// The servers of one cluster that answered, by version.
struct Mix<'a> {
    cluster: &'a Cluster,
    census: &'a Census,
    /// Ids by version.
    versions: BTreeMap<&'a str, Vec<&'a str>>,
    /// Ids of servers whose version no reply tells.
    unseen: Vec<&'a str>,
}

impl Follow for VersionMismatch {
    type Facts = Arc<Census>;
    type State = State;

    fn observe(view: &View<'_>) -> Arc<Census> {
        view.census()
    }

    fn judge(
        state: &mut Self::State,
        census: &Arc<Census>,
        limits: &Limits<'_>,
        step: &Step,
        out: &mut Judgement,
    ) {
        let clusters = state.tracker.step(census, step.time);
        for (kind, text) in &clusters.problems {
            out.problem(kind, text.clone());
        }
        for cluster in &clusters.all {
            if cluster.answered.is_empty() {
                let histories = &mut state.histories;
                nobody_answered(cluster, out, |_, _| drop(histories.remove(&cluster.key)));
                continue;
            }
            let subject = Subject::Cluster { cluster: cluster.key.clone() };
            let history = state.histories.entry(cluster.key.clone()).or_default();
            let mix = Mix::of(cluster, census);
            history.observe(&mix, step);
            judge(&mix, history, subject, limits, step, out);
        }
    }
}

fn judge(
    mix: &Mix<'_>,
    history: &mut History,
    subject: Subject,
    limits: &Limits<'_>,
    step: &Step,
    out: &mut Judgement,
) {
    let cluster = mix.cluster;
    if mix.versions.len() > 1 {
        let found = history.classify(mix, step, step.recent_ms(limits.millis(&RECENT)));
        let at_least_ms = history.at_least_ms(mix, step);
        let lasting_ms = history.lasting_ms(mix, step).map(|ms| ms.max(at_least_ms));
        let overdue = lasting_ms.is_some_and(|ms| ms > limits.millis(&OVERDUE_AFTER));
        out.finding(subject, face::of(mix, &found, (lasting_ms, at_least_ms), overdue));
        history.mixed(step);
    } else if !mix.unseen.is_empty() {
        let hides = mix.unseen.iter().map(|id| server(&cluster.key, mix.name(id))).collect();
        out.unknown(subject, Reason::VersionUnseen, hides);
    } else if let Some((reason, hides)) = hidden_members(cluster) {
        out.unknown(subject, reason, hides);
    } else {
        let members = cluster.seats.values().cloned();
        match history.vanished(mix) {
            Some(because) => out.ok_ended(subject, members, because),
            None => out.ok(subject, members),
        }
        history.agreed(mix, step);
    }
}

impl<'a> Mix<'a> {
    fn of(cluster: &'a Cluster, census: &'a Census) -> Self {
        let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        let mut unseen = Vec::new();
        for id in &cluster.answered {
            match census.servers.get(id).and_then(|server| server.version.as_ref()) {
                Some(version) => versions.entry(&version.value).or_default().push(id),
                None => unseen.push(id.as_str()),
            }
        }
        Self { cluster, census, versions, unseen }
    }

    fn name(&self, id: &'a str) -> &'a str {
        self.census.servers.get(id).map_or(id, |server| server.name.as_str())
    }

    fn version(&self, id: &str) -> Option<&'a str> {
        self.census.servers.get(id)?.version.as_ref().map(|told| told.value.as_str())
    }

    /// The version of more than half.
    fn majority(&self) -> Option<&'a str> {
        let all: usize = self.versions.values().map(Vec::len).sum();
        self.versions.iter().find(|(_, ids)| ids.len() * 2 > all).map(|(version, _)| *version)
    }

    /// The oldest version.
    fn oldest(&self) -> Option<&'a str> {
        self.versions.keys().copied().min_by(|a, b| nats_hindsight_model::version::order(a, b))
    }

    /// Ids of the servers that are not on the majority version; all where there is none.
    fn outliers(&self) -> Vec<&'a str> {
        let majority = self.majority();
        self.cluster
            .answered
            .iter()
            .map(SmolStr::as_str)
            .filter(|id| self.version(id).is_some_and(|version| Some(version) != majority))
            .collect()
    }

    /// Age of a server's process in milliseconds.
    fn age_ms(&self, id: &str) -> Option<i64> {
        self.census.servers.get(id)?.age_ms
    }

    /// Seat of a server, unless two servers hold it at once.
    fn seat(&self, id: &str) -> Option<&'a SmolStr> {
        self.own(self.cluster.seats.get(id)?, self.census.servers.get(id)?)
    }

    /// The seat, unless two servers hold what this one says is its seat.
    fn own(&self, seat: &'a SmolStr, server: &Server) -> Option<&'a SmolStr> {
        let name = server.seat().unwrap_or(seat);
        (!self.cluster.shared_seats.contains(name)).then_some(seat)
    }
}
