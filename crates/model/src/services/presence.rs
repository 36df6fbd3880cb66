//! Whether a service is there, from the evidence of one epoch: the first rule that fits decides.

use nats_hindsight_snapshot::lines::Status;
use smol_str::SmolStr;

use super::connections;
use super::{Absence, Doubt, Holder, Known, LastGood, Patience, Presence, ServiceFacts, Zero};
use crate::clusters::Clusters;
use crate::events::Farewells;
use crate::roster::{Ask, Service, ServiceKey};

type Servers = Vec<(SmolStr, SmolStr)>;

/// Everything the rules look at.
struct Case<'a> {
    key: &'a ServiceKey,
    last: &'a LastGood,
    service: Option<&'a Service>,
    asks: Vec<&'a Ask>,
    facts: &'a ServiceFacts,
    clusters: &'a Clusters,
    farewells: &'a Farewells,
    patience: Patience,
}

pub(super) fn of(
    key: &ServiceKey,
    known: &Known,
    facts: &ServiceFacts,
    clusters: &Clusters,
    farewells: &Farewells,
    patience: Patience,
) -> Presence {
    let service = facts.roster.services.get(key);
    if service.is_some_and(Service::answers) {
        return Presence::Answers;
    }
    let asks: Vec<&Ask> = service
        .map(|service| service.asks.iter().filter(|ask| counts(&ask.status)).collect())
        .unwrap_or_default();
    let last = &known.last_good;
    let case = Case { key, last, service, asks, facts, clusters, farewells, patience };
    if case.asks.is_empty() && case.listed() {
        // Where it was to be asked and the recording has lost how that went, being listed is not
        // enough: it may not have answered.
        if facts.roster.lost_words.contains(&key.0) {
            return Presence::Unknown(Doubt::ZeroUnproven);
        }
        return case.listed_only(known.silent);
    }
    if case.proven() { case.no_responders() } else { case.unanswered() }
}

/// Whether an attempt was a question that could have been answered.
fn counts(status: &Status) -> bool {
    !matches!(status, Status::Denied | Status::Skipped | Status::Other(_))
}

impl Case<'_> {
    fn listed(&self) -> bool {
        self.service.is_some_and(Service::listed)
    }

    /// Not asked by name and listed: there by subscription, unless it is known not to answer.
    fn listed_only(&self, silent: bool) -> Presence {
        let mute = self.service.is_some_and(|service| {
            service.instances.keys().all(|id| service.mute_ids.contains(id))
        });
        if silent || mute { Presence::Unknown(Doubt::InstanceSilent) } else { Presence::Listed }
    }

    /// Whether the last two answers, far enough apart, both said that nobody subscribes.
    fn proven(&self) -> bool {
        let [.., before, last] = self.asks.as_slice() else { return false };
        let apart_us = last.at_us.saturating_sub(before.at_us);
        // Timers of the collector are a little early now and then.
        let wanted_us = self.patience.confirm_after_ms.saturating_mul(950);
        before.status == Status::NoResponders
            && last.status == Status::NoResponders
            && apart_us >= wanted_us
    }

    fn zero(&self, kind: Absence) -> Zero {
        Zero {
            kind,
            asked_through: self.asks.last().and_then(|ask| ask.through.clone()),
            cut_off_with: Vec::new(),
            by_sweep: false,
            servers_unknown: false,
        }
    }

    /// Nobody subscribes, as seen from the server asked: gone, or cut off with its server.
    fn no_responders(&self) -> Presence {
        let asked_us = self.asks.last().map_or(0, |ask| ask.at_us);
        let listed_after = self.service.is_some_and(|service| {
            service
                .instances
                .values()
                .filter_map(|instance| instance.connection.as_ref())
                .any(|connection| connection.arrival_us > asked_us)
        });
        if listed_after {
            return Presence::Unknown(Doubt::Contradiction);
        }
        if self.last.holders.is_empty() && self.last.leafs.is_empty() {
            return self.holders_unknown();
        }
        let fates = self.fates();
        let mut gone = fates.names(|fate| matches!(fate, Fate::Gone));
        gone.extend(self.fallen_leafs(true));
        gone.sort();
        gone.dedup();
        if !gone.is_empty() {
            return Presence::Zero(self.cut_off(gone));
        }
        let unclear = fates.servers(|fate| matches!(fate, Fate::Unclear));
        if !unclear.is_empty() {
            return Presence::Unknown(Doubt::ServerSilent(unclear));
        }
        let untold = self.fallen_leafs(false);
        if untold.is_empty() {
            Presence::Zero(self.zero(Absence::Gone))
        } else {
            Presence::Unknown(Doubt::BehindLeaf(untold))
        }
    }

    fn cut_off(&self, with: Vec<SmolStr>) -> Zero {
        Zero { cut_off_with: with, ..self.zero(Absence::CutOff) }
    }

    /// Its servers were never known: it is gone if no server stopped answering since. One that is
    /// silent, and that is all that is known of it, may hold it as a known holder may.
    fn holders_unknown(&self) -> Presence {
        let clusters = &self.clusters.all;
        let mut unclear: Servers = Vec::new();
        let mut stopped: Vec<SmolStr> = Vec::new();
        for cluster in clusters {
            let silent = cluster.silent.values();
            let since = |seen| seen >= self.last.time;
            let lately = silent.filter(|member| member.last_seen.is_none_or(|t| since(Some(t))));
            unclear.extend(lately.map(|member| (cluster.key.clone(), member.name.clone())));
            let departed = cluster.departed.values().filter(|member| since(member.last_seen));
            stopped.extend(departed.map(|member| member.name.clone()));
        }
        stopped.sort();
        unclear.sort();
        if !stopped.is_empty() {
            Presence::Zero(Zero { servers_unknown: true, ..self.cut_off(stopped) })
        } else if unclear.is_empty() {
            Presence::Zero(Zero { servers_unknown: true, ..self.zero(Absence::Gone) })
        } else {
            Presence::Unknown(Doubt::ServerSilent(unclear))
        }
    }

    /// Leaf nodes it ran behind whose connection does not stand any more: those of which that is
    /// told, or those of which nothing is.
    fn fallen_leafs(&self, told: bool) -> Vec<SmolStr> {
        let roster = &self.facts.roster;
        let mut names: Vec<SmolStr> = self
            .last
            .leafs
            .iter()
            .filter(|(server, leaf)| {
                !self.leaf_stands(leaf) && roster.told_leafs.contains(server) == told
            })
            .map(|(_, leaf)| leaf.clone())
            .collect();
        names.sort();
        names.dedup();
        names
    }

    /// Whether a leaf connection of this name and account stands, at whatever server.
    fn leaf_stands(&self, leaf: &str) -> bool {
        let account = &self.key.0;
        let mut leafs = self.facts.roster.leafs.iter();
        leafs.any(|(_, name, of)| name == leaf && of.as_ref().is_none_or(|of| of == account))
    }

    /// Leaf nodes it ran behind, or, of a service that no Client row ever listed, those whose
    /// connection lists it now.
    fn leaf_names(&self) -> Vec<SmolStr> {
        let now = self.facts.roster.behind_leafs.get(self.key).filter(|_| !self.last.listed);
        let leafs = self.last.leafs.iter().chain(now.into_iter().flatten());
        let mut names: Vec<SmolStr> =
            leafs.map(|(_, leaf)| leaf.clone()).filter(|leaf| !leaf.is_empty()).collect();
        names.sort();
        names.dedup();
        names
    }

    /// No proof by *no responders*: connections may tell.
    fn unanswered(&self) -> Presence {
        let said_nobody = self.asks.iter().any(|ask| ask.status == Status::NoResponders);
        if self.listed() {
            return match connections::complete(self.key, self.facts, self.clusters) {
                Ok(()) if !said_nobody => Presence::Zero(self.zero(Absence::Silent)),
                Ok(()) => Presence::Unknown(Doubt::Contradiction),
                Err(doubt) => Presence::Unknown(doubt),
            };
        }
        let leafs = self.leaf_names();
        if !leafs.is_empty() {
            return Presence::Unknown(Doubt::BehindLeaf(leafs));
        }
        match connections::complete(self.key, self.facts, self.clusters)
            .and_then(|()| connections::membership_known(self.clusters))
        {
            Ok(()) if self.last.listed => self.not_listed(),
            // What hides the connections matters only where connections could prove anything and
            // the question itself was not forbidden.
            Err(doubt) if self.last.listed => Presence::Unknown(self.account_doubt(doubt)),
            _ => Presence::Unknown(self.doubt()),
        }
    }

    /// Listed before and, by complete lists of connections, not any more.
    fn not_listed(&self) -> Presence {
        let fates = self.fates();
        let gone = fates.names(|fate| matches!(fate, Fate::Gone));
        if !gone.is_empty() {
            return Presence::Zero(Zero { by_sweep: true, ..self.cut_off(gone) });
        }
        let settle = self.patience.settle_after_ms;
        let settling = fates.servers(|fate| match fate {
            Fate::Anew(age) => age.is_none_or(|age| age < settle),
            _ => false,
        });
        if !settling.is_empty() {
            return Presence::Unknown(Doubt::Settling(settling));
        }
        let unclear = fates.servers(|fate| matches!(fate, Fate::Unclear));
        if !unclear.is_empty() {
            return Presence::Unknown(Doubt::ServerSilent(unclear));
        }
        Presence::Zero(Zero { by_sweep: true, ..self.zero(Absence::Gone) })
    }

    /// Why the account could not tell.
    fn doubt(&self) -> Doubt {
        let unclear = self.fates().servers(|fate| matches!(fate, Fate::Unclear));
        let otherwise =
            if unclear.is_empty() { Doubt::ZeroUnproven } else { Doubt::ServerSilent(unclear) };
        match self.account_doubt(otherwise) {
            Doubt::ZeroUnproven if self.service.is_some_and(|s| s.unaskable) => Doubt::Unaskable,
            doubt => doubt,
        }
    }

    /// What kept the account from telling, unless something else hides the answer: a permission or
    /// credentials are mended sooner than a list of connections.
    fn account_doubt(&self, otherwise: Doubt) -> Doubt {
        if matches!(otherwise, Doubt::ServerSilent(_)) {
            return otherwise;
        }
        let broadcast = self.facts.roster.accounts.get(&self.key.0);
        let denied = self
            .service
            .is_some_and(|service| service.asks.iter().any(|ask| ask.status == Status::Denied));
        if denied || broadcast == Some(&Status::Denied) {
            return Doubt::Denied;
        }
        let unasked = self.asks.is_empty() && matches!(broadcast, None | Some(Status::Skipped));
        // Where no account was to be asked, as in a bundle of a stranger, connections are all.
        let meant = self.facts.roster.account_lost || otherwise == Doubt::ZeroUnproven;
        if unasked && meant { Doubt::AccountUnreachable } else { otherwise }
    }

    /// What became of the servers that held its instances.
    fn fates(&self) -> Fates<'_> {
        Fates(
            self.last.holders.iter().map(|(id, holder)| (holder, self.fate(id, holder))).collect(),
        )
    }

    fn fate(&self, id: &str, holder: &Holder) -> Fate {
        let servers = &self.facts.census.servers;
        if servers.contains_key(id) {
            return Fate::Answers;
        }
        let Some(cluster) = self.clusters.all.iter().find(|c| c.key == holder.cluster) else {
            return Fate::Unclear;
        };
        let anew = cluster.seats.iter().find(|(_, seat)| **seat == holder.seat);
        if let Some((id, _)) = anew {
            return Fate::Anew(servers.get(id).and_then(|server| server.age_ms));
        }
        if cluster.departed.contains_key(&holder.seat) {
            // It told its clients to go elsewhere before it went, so they are not on another side.
            if self.farewells.of(id).is_some() { Fate::Left } else { Fate::Gone }
        } else if cluster.answered.is_empty() {
            // Nobody is left whose route list could name it. Of a leaf server the hub still tells
            // whether its connection stands.
            if self.leaf_stands(&holder.name) { Fate::Answers } else { Fate::Gone }
        } else {
            Fate::Unclear
        }
    }
}

/// What became of a server.
enum Fate {
    /// The same process answers.
    Answers,
    /// A new process runs on its seat; its age in milliseconds.
    Anew(Option<i64>),
    /// It said that it leaves, and no route list names it any more.
    Left,
    /// It answers nothing and no route list names it.
    Gone,
    /// It answers nothing, and that is all that is known.
    Unclear,
}

struct Fates<'a>(Vec<(&'a Holder, Fate)>);

impl Fates<'_> {
    fn names(&self, wanted: impl Fn(&Fate) -> bool) -> Vec<SmolStr> {
        self.servers(wanted).into_iter().map(|(_, name)| name).collect()
    }

    fn servers(&self, wanted: impl Fn(&Fate) -> bool) -> Servers {
        let mut all: Servers = self
            .0
            .iter()
            .filter(|(_, fate)| wanted(fate))
            .map(|(holder, _)| (holder.cluster.clone(), holder.name.clone()))
            .collect();
        all.sort();
        all
    }
}
