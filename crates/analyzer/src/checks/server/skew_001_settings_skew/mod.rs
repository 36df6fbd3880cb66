//! `SKEW_001`: servers of one cluster are configured differently where they should agree.

mod face;
mod history;
mod skew;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use nats_hindsight_model::View;
use nats_hindsight_model::census::{Census, SERVER_ENDPOINTS};
use nats_hindsight_model::clusters::ClusterTracker;
use nats_hindsight_model::settings::Settings;
use nats_hindsight_snapshot::Endpoint;
use smol_str::SmolStr;

use self::history::History;
use self::skew::Skew;
use crate::check::{Check, Follow, Followed, Limits, Scan, Threshold};
use crate::checks::server::{hidden_members, nobody_answered, server};
use crate::report::{Severity, Subject};
use crate::verdict::{Judgement, Reason, Step};

pub(super) static CHECK: Check = Check {
    code: "SKEW_001",
    slug: "settings-skew",
    title: "servers of one cluster are configured differently",
    severity: Severity::Warning,
    category: "Consistency",
    subject: "cluster",
    required: &[SERVER_ENDPOINTS, &[Endpoint::VARZ]],
    enriching: &[],
    thresholds: &[&RECENT],
    scan: Scan::Follow(Followed::of::<SettingsSkew>()),
    page: include_str!("page.md"),
};

static RECENT: Threshold = Threshold::seconds(
    "recent",
    3600,
    "a setting that a server took up within this time is a change being rolled out",
);

struct SettingsSkew;

/// What one epoch says.
struct Facts {
    census: Arc<Census>,
    /// What VARZ says of the settings, by server id.
    told: BTreeMap<SmolStr, Told>,
}

/// The settings of one server and where its VARZ holds them.
struct Told {
    settings: Settings,
    /// What stands before a path of VARZ in the reply.
    prefix: &'static str,
}

/// What is carried from epoch to epoch.
#[derive(Default)]
struct State {
    tracker: ClusterTracker,
    histories: BTreeMap<SmolStr, History>,
}

impl Follow for SettingsSkew {
    type Facts = Facts;
    type State = State;
    const SETTINGS: bool = true;

    fn observe(view: &View<'_>) -> Facts {
        // Over HTTP some settings are those of the start: an envelope is believed first.
        let mut records: Vec<_> = view.settings().iter().collect();
        records.sort_by_key(|record| !record.bare);
        let told = records.into_iter().map(|record| {
            let prefix = if record.bare { "" } else { "data." };
            (record.server.clone(), Told { settings: record.settings().clone(), prefix })
        });
        Facts { census: view.census(), told: told.collect() }
    }

    fn judge(
        state: &mut Self::State,
        facts: &Facts,
        limits: &Limits<'_>,
        step: &Step,
        out: &mut Judgement,
    ) {
        let clusters = state.tracker.step(&facts.census, step.time);
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
            let skew = Skew::of(cluster, facts);
            history.observe(&skew, step);
            for text in skew.unreadable() {
                out.problem("unreadable_setting", text);
            }
            judge(&skew, history, subject, limits, step, out);
        }
    }
}

fn judge(
    skew: &Skew<'_>,
    history: &mut History,
    subject: Subject,
    limits: &Limits<'_>,
    step: &Step,
    out: &mut Judgement,
) {
    let cluster = skew.cluster;
    if !skew.differences.is_empty() {
        let stage = history.stage(skew, step, step.recent_ms(limits.millis(&RECENT)));
        let at_least_ms = history.at_least_ms(skew, step);
        let lasting_ms = history.lasting_ms(skew, step).map(|ms| ms.max(at_least_ms));
        out.finding(subject, face::of(skew, stage, (lasting_ms, at_least_ms)));
        history.differed(skew, step);
    } else if let Some((reason, hides)) = hidden_members(cluster) {
        out.unknown(subject, reason, hides);
    } else if cluster.answered.len() < 2 {
        // One server agrees with itself; what it differed in is over with the others.
        match history.over(skew) {
            Some(because) => out.ended(subject, because),
            None => out.not_applicable(subject),
        }
        history.agreed(step);
    } else if !skew.unseen.is_empty() {
        let unseen = skew.unseen.keys();
        let hides = unseen.map(|id| server(&cluster.key, skew.name(id))).collect();
        out.unknown(subject, Reason::SettingsUnseen, hides);
    } else {
        let members: BTreeSet<SmolStr> = cluster.seats.values().cloned().collect();
        match history.over(skew) {
            Some(because) => out.ok_ended(subject, members, because),
            None => out.ok(subject, members),
        }
        history.agreed(step);
    }
}
