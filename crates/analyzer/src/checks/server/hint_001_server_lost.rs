//! `HINT_001`: a server that was there answers nothing now.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use nats_hindsight_model::View;
use nats_hindsight_model::census::{Census, SERVER_ENDPOINTS};
use nats_hindsight_model::clusters::{Cluster, ClusterTracker, Clusters, Member};
use nats_hindsight_model::events::{Events, Farewell, Farewells, Leave};
use nats_hindsight_snapshot::Endpoint;
use serde_json::{Value, json};
use smol_str::SmolStr;

use crate::check::{Check, Follow, Followed, Limits, Scan, Threshold};
use crate::checks::server::server;
use crate::report::Severity;
use crate::report::rfc3339;
use crate::verdict::{Face, Fact, Judgement, Reason, Step, millis_between};

pub(super) static CHECK: Check = Check {
    code: "HINT_001",
    slug: "server-lost",
    title: "a server that was there answers nothing",
    severity: Severity::Warning,
    category: "Health",
    subject: "server",
    required: &[SERVER_ENDPOINTS],
    enriching: &[Endpoint::EVENTS],
    thresholds: &[&LONG_GONE],
    scan: Scan::Follow(Followed::of::<ServerLost>()),
    page: include_str!("hint_001_server_lost.md"),
};

static LONG_GONE: Threshold = Threshold::seconds(
    "long_gone",
    86_400,
    "a server that has been gone for longer is only worth knowing",
);

struct ServerLost;

/// What is taken from one epoch.
struct Facts {
    census: Arc<Census>,
    events: Events,
}

/// What is carried from epoch to epoch.
#[derive(Default)]
struct State {
    tracker: ClusterTracker,
    farewells: Farewells,
    /// Newcomers that took a lost member's place, by cluster and seat of the lost one.
    replaced: BTreeMap<(SmolStr, SmolStr), SmolStr>,
    /// Members, by cluster and seat, of which another server that came may be the next process.
    perhaps: BTreeSet<(SmolStr, SmolStr)>,
    /// Cluster and seat of those that said that they leave, until they are back.
    left: BTreeSet<(SmolStr, SmolStr)>,
    /// Seats that answered in the epoch before, by cluster.
    before: BTreeMap<SmolStr, BTreeSet<SmolStr>>,
}

/// What became of a member.
enum Fate {
    Unresponsive,
    Lost,
    Replaced(SmolStr),
    Unknown(Reason),
}

/// What is known of how a member went.
#[derive(Clone, Copy)]
enum Notice {
    /// It said so.
    Said(Farewell),
    /// Its peers named it and did not count it as active: it is in lame duck mode.
    Uncounted,
    /// It said nothing, and would have been heard.
    Nothing,
    /// Nobody listened all the time.
    Unheard,
}

impl Notice {
    /// Whether it left in lame duck mode, as it is meant to be.
    const fn is_lame_duck(self) -> bool {
        matches!(self, Self::Uncounted | Self::Said(Farewell { leave: Leave::LameDuck, .. }))
    }

    /// The word for it; none where it is not known.
    const fn ended(self) -> Option<&'static str> {
        match self {
            Self::Said(Farewell { leave: Leave::Shutdown, .. }) => Some("shutdown"),
            Self::Said(Farewell { leave: Leave::LameDuck, .. }) => Some("lame_duck"),
            Self::Nothing => Some("without_notice"),
            Self::Uncounted | Self::Unheard => None,
        }
    }

    const fn farewell(self) -> Option<Farewell> {
        match self {
            Self::Said(farewell) => Some(farewell),
            _ => None,
        }
    }
}

impl Follow for ServerLost {
    type Facts = Facts;
    type State = State;

    fn observe(view: &View<'_>) -> Facts {
        Facts { census: view.census(), events: Events::of(view) }
    }

    fn judge(
        state: &mut Self::State,
        facts: &Facts,
        limits: &Limits<'_>,
        step: &Step,
        out: &mut Judgement,
    ) {
        let census = &facts.census;
        let clusters = state.tracker.step(census, step.time);
        state.farewells.step(&facts.events);
        for cluster in &clusters.all {
            state.pair_newcomers(cluster, census);
            state.pair_unnamed(cluster, census);
            state.note_leaving(cluster, census);
            for seat in cluster.seats.values() {
                let key = (cluster.key.clone(), seat.clone());
                state.left.remove(&key);
                state.perhaps.remove(&key);
                out.ok(server(&cluster.key, seat), BTreeSet::from([seat.clone()]));
            }
            for (seat, member) in &cluster.moved {
                let to = cluster.renamed_to.as_deref().unwrap_or("another cluster");
                let because = format!("{} answers in {to} now", member.name);
                out.ended(server(&cluster.key, seat), because);
            }
            for (seat, member) in cluster.silent.iter().chain(&cluster.departed) {
                // A peer that never answered and is named for the first time is no earlier member,
                // of which it could be said that it was lost.
                let named = cluster.silent.contains_key(seat);
                if named && member.last_seen.is_none() && !state.knew(cluster, seat) {
                    out.unknown(server(&cluster.key, seat), Reason::ServerSilent, Vec::new());
                    continue;
                }
                judge(state, cluster, member, census, limits, step, out);
            }
            let known = cluster.seats.values().chain(cluster.silent.keys()).cloned();
            state.before.insert(cluster.key.clone(), known.collect());
        }
        state.forget_farewells(&clusters);
    }
}

impl State {
    /// A newcomer that appears in the epoch in which a member goes has taken its place. Each
    /// newcomer takes one, that of its own address before any other.
    fn pair_newcomers(&mut self, cluster: &Cluster, census: &Census) {
        let Some(before) = self.before.get(&cluster.key) else { return };
        let addresses: BTreeMap<&SmolStr, Option<&SmolStr>> = cluster
            .seats
            .iter()
            .filter(|(_, seat)| cluster.newcomers.contains(*seat))
            .map(|(id, seat)| (seat, census.servers.get(id).and_then(|s| s.address.as_ref())))
            .collect();
        let mut free: BTreeSet<&SmolStr> = addresses.keys().copied().collect();
        for (seat, member) in cluster.departed.iter().filter(|(seat, _)| before.contains(*seat)) {
            let same = |newcomer: &&&SmolStr| {
                member.address.is_some() && addresses[**newcomer] == member.address.as_ref()
            };
            let Some(newcomer) = free.iter().find(same).or(free.first()).copied() else { return };
            free.remove(newcomer);
            self.replaced.insert((cluster.key.clone(), seat.clone()), newcomer.clone());
        }
    }

    /// An unnamed server is known by its address. Where one goes and one comes whose address nobody
    /// told, the two may be one seat.
    fn pair_unnamed(&mut self, cluster: &Cluster, census: &Census) {
        let before = self.before.get(&cluster.key);
        let is_new = |seat: &SmolStr| before.is_some_and(|before| !before.contains(seat));
        let answering = cluster.seats.iter().filter(|(id, seat)| {
            let server = census.servers.get(id);
            server.is_some_and(|s| s.name == s.id && s.address.is_none()) && is_new(seat)
        });
        let named = cluster.silent.iter().filter(|(seat, member)| {
            member.id == **seat && member.address.is_none() && is_new(seat)
        });
        let addressless = answering.count() + named.count() > 0;
        let unnamed_came = cluster.seats.iter().any(|(id, seat)| {
            census.servers.get(id).is_some_and(|s| s.name == s.id) && is_new(seat)
        });
        for (seat, member) in &cluster.departed {
            let unnamed = member.name == member.id || member.id == *seat;
            let may_be = addressless || (member.address.is_none() && unnamed_came);
            if unnamed && may_be {
                self.perhaps.insert((cluster.key.clone(), seat.clone()));
            }
        }
    }

    /// Members that are named and not counted as active any more are in lame duck mode. A server
    /// that has only just come may not be counted yet, so that its epoch tells nothing.
    fn note_leaving(&mut self, cluster: &Cluster, census: &Census) {
        if cluster.newcomers.is_empty() && census.count_nobody_else(&cluster.answered) {
            let named = cluster.named_by.keys();
            self.left.extend(named.map(|seat| (cluster.key.clone(), seat.clone())));
        }
    }

    /// A farewell matters as long as its server is a member, there or lost.
    fn forget_farewells(&mut self, clusters: &Clusters) {
        let ids: BTreeSet<&str> = clusters
            .all
            .iter()
            .flat_map(|cluster| {
                let lost = cluster.silent.values().chain(cluster.departed.values());
                cluster.answered.iter().chain(lost.map(|member| &member.id))
            })
            .map(SmolStr::as_str)
            .collect();
        self.farewells.keep(|id| ids.contains(id));
    }

    /// How a member that does not answer went, by what it said or did not say.
    fn notice(&self, cluster: &Cluster, member: &Member, step: &Step) -> Notice {
        let uncounted = self.left.contains(&(cluster.key.clone(), member.seat.clone()));
        match self.farewells.of(&member.id) {
            Some(farewell) => Notice::Said(*farewell),
            None if uncounted => Notice::Uncounted,
            None => {
                let heard = |seen| self.farewells.would_have_heard(seen, step.time);
                if member.last_seen.is_some_and(heard) { Notice::Nothing } else { Notice::Unheard }
            }
        }
    }

    fn knew(&self, cluster: &Cluster, seat: &str) -> bool {
        self.before.get(&cluster.key).is_some_and(|before| before.contains(seat))
    }

    fn fate(&self, cluster: &Cluster, member: &Member, census: &Census) -> Fate {
        let key = (cluster.key.clone(), member.seat.clone());
        if self.perhaps.contains(&key) {
            return Fate::Unknown(Reason::MembershipUnknown);
        }
        let replaced = self.replaced.get(&key);
        if let Some(by) = replaced.filter(|by| cluster.seats.values().any(|seat| seat == *by)) {
            return Fate::Replaced(by.clone());
        }
        let Some(directed) = census.directed(&member.id, member.url.as_deref()) else {
            return Fate::Unknown(Reason::NotAsked);
        };
        let named = cluster.named_by.contains_key(&member.seat);
        if named && directed.timeout {
            Fate::Unresponsive
        } else if named && directed.no_responders {
            Fate::Unknown(Reason::Contradiction)
        } else if cluster.answered.is_empty() {
            Fate::Unknown(Reason::NoPeer)
        } else if !cluster.has_routes || !cluster.membership_known {
            Fate::Unknown(Reason::MembershipUnknown)
        } else if !named && (directed.timeout || directed.no_responders) {
            Fate::Lost
        } else {
            Fate::Unknown(Reason::NotAsked)
        }
    }
}

fn judge(
    state: &State,
    cluster: &Cluster,
    member: &Member,
    census: &Census,
    limits: &Limits<'_>,
    step: &Step,
    out: &mut Judgement,
) {
    let subject = server(&cluster.key, &member.seat);
    let (kind, by) = match state.fate(cluster, member, census) {
        Fate::Unknown(reason) => {
            out.unknown(subject, reason, Vec::new());
            return;
        }
        Fate::Unresponsive => ("unresponsive", None),
        Fate::Lost => ("lost", None),
        Fate::Replaced(by) => ("replaced", Some(by)),
    };
    let notice = state.notice(cluster, member, step);
    if notice.ended().is_none() {
        out.unseen("how_it_ended", subject.clone());
    }
    let gone_ms = member.last_seen.map_or(0, |seen| millis_between(seen, step.time));
    let mild = notice.is_lame_duck() || kind == "replaced" || gone_ms > limits.millis(&LONG_GONE);
    let named_by = cluster.named_by.get(&member.seat).cloned().unwrap_or_default();
    let face = Face {
        severity: if mild { Severity::Info } else { Severity::Warning },
        summary: summary(kind, notice, member, &named_by, by.as_deref()),
        face: BTreeMap::from([("kind", kind.into())]),
        details: details(kind, notice, member, &named_by, by.as_deref()),
        evidence: evidence(cluster, member, census, &named_by, notice),
        members: BTreeSet::from([member.seat.clone()]),
    };
    out.finding(subject, face);
}

fn details(
    kind: &str,
    notice: Notice,
    member: &Member,
    named_by: &[SmolStr],
    by: Option<&str>,
) -> Value {
    let mut details = json!({
        "kind": kind,
        "named_by": named_by,
        "last_seen": member.last_seen.map(rfc3339),
        "version": member.version,
        "replaced_by": by,
    });
    if let Some(ended) = notice.ended() {
        details["ended"] = ended.into();
    }
    if let Some(farewell) = notice.farewell() {
        details["ended_at"] = rfc3339(farewell.at).into();
    }
    if notice.is_lame_duck() {
        details["lame_duck"] = true.into();
    }
    details
}

fn summary(
    kind: &str,
    notice: Notice,
    member: &Member,
    named_by: &[SmolStr],
    by: Option<&str>,
) -> String {
    let name = &member.name;
    let peers = named_by.join(", ");
    let s = if named_by.len() == 1 { "s" } else { "" };
    match (kind, notice) {
        ("replaced", _) => format!("{name} has gone and {} came in its place", by.unwrap_or("")),
        ("unresponsive", Notice::Uncounted) => format!(
            "{name} is leaving (lame duck): {peers} still name{s} it and do not count it as active"
        ),
        ("unresponsive", _) if notice.is_lame_duck() => {
            format!("{name} is leaving: it said that it is in lame duck mode")
        }
        ("unresponsive", Notice::Nothing) => format!(
            "{name} answers nothing and {peers} still name{s} it: it hangs, or it would have said \
             that it leaves"
        ),
        ("unresponsive", _) => {
            format!("{name} answers nothing and {peers} still name{s} it: hung or leaving")
        }
        (_, _) if notice.is_lame_duck() => format!("{name} has left after lame duck mode"),
        (_, Notice::Said(_)) => format!("{name} was shut down and has not come back"),
        (_, Notice::Nothing) => {
            format!("{name} went without a word: killed, crashed or cut off; no peer names it")
        }
        _ => format!("{name} answers nothing and no peer names it any more"),
    }
}

fn evidence(
    cluster: &Cluster,
    member: &Member,
    census: &Census,
    named_by: &[SmolStr],
    notice: Notice,
) -> Vec<Fact> {
    let mut facts = Vec::new();
    if let Some(Farewell { leave, at }) = notice.farewell() {
        let value = format!("{} {}", leave.word(), rfc3339(at));
        facts.push(Fact::new("event", value, Endpoint::EVENTS, member.name.clone(), "subject"));
    }
    if let Some(directed) = census.directed(&member.id, member.url.as_deref()) {
        let how = if directed.timeout { "timeout" } else { "no_responders" };
        facts.push(Fact::new("request", how, "STATSZ", member.name.clone(), "capture.status"));
    }
    let listing = cluster.answered.iter().filter(|id| census.routes.contains_key(*id));
    for id in listing {
        let name = census.servers.get(id).map_or(id.as_str(), |server| server.name.as_str());
        let names_it = named_by.iter().any(|by| by == name);
        facts.push(Fact::new("named", names_it, Endpoint::ROUTEZ, name, "data.routes"));
        let active = census.servers.get(id).and_then(|server| server.active_servers);
        if let Some(count) = active.filter(|_| names_it) {
            let path = "statsz.active_servers";
            facts.push(Fact::new("active_servers", count, Endpoint::STATSZ, name, path));
        }
    }
    facts
}
