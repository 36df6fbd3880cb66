//! What servers said by themselves: farewells, and how connections ended.
//!
//! Events only ever add to what replies show. That none came means something only where the
//! recording says that it was listened all the time ([`Farewells::would_have_heard`]).

use std::collections::BTreeMap;

use jiff::Timestamp;
use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_snapshot::lines::{CaptureLine, Status};
use smol_str::SmolStr;

use crate::View;
use crate::epoch::{EventRecord, What};

/// Subjects on which servers say that they leave.
const FAREWELLS: [&str; 2] = ["$SYS.SERVER.*.SHUTDOWN", "$SYS.SERVER.*.LAMEDUCK"];

/// What the events of one epoch say.
#[derive(Clone, Debug, Default)]
pub struct Events {
    /// Servers that said that they leave, by id.
    pub farewells: BTreeMap<SmolStr, Farewell>,
    /// Connections that ended, by server id and connection id.
    pub ended: BTreeMap<(SmolStr, u64), Ended>,
    /// How it was listened for farewells; none if it was not.
    listened: Option<Listened>,
}

/// How a server said that it leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Leave {
    /// It was shut down.
    Shutdown,
    /// It went into lame duck mode. It says no more when it ends.
    LameDuck,
}

impl Leave {
    /// The word it says, the last token of the subject.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Shutdown => "SHUTDOWN",
            Self::LameDuck => "LAMEDUCK",
        }
    }
}

/// The last word of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Farewell {
    /// What it said.
    pub leave: Leave,
    /// When it was heard, by the collector's clock.
    pub at: Timestamp,
}

/// How a connection ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// When, by the server's clock; by the collector's where the server did not say.
    pub at: Timestamp,
    /// Id of its server.
    pub server: SmolStr,
    /// In the server's words: of this connection, or of itself where it ended with its server.
    pub reason: SmolStr,
    /// Name the client chose.
    pub name: Option<SmolStr>,
}

/// Listening in one epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Listened {
    begin: Timestamp,
    /// The end of the last gap, or the beginning.
    since: Timestamp,
    until: Timestamp,
}

impl Events {
    /// Takes them from an epoch.
    pub fn of(view: &View<'_>) -> Self {
        let mut events = Self::default();
        for record in view.events() {
            events.take(record);
        }
        // STATSZ is answered over the system account alone: whoever is in another account may
        // subscribe as well, and hears nothing.
        let in_system = view.sightings().any(|sighting| sighting.endpoint == Endpoint::STATSZ);
        events.listened = FAREWELLS
            .iter()
            .map(|subject| listened(view, subject))
            .reduce(join)
            .flatten()
            .filter(|_| in_system);
        events
    }

    fn take(&mut self, record: &EventRecord) {
        let at = record.arrival;
        match &record.what {
            What::Farewell { server, leave } => {
                // The first word tells what happened.
                let farewell = Farewell { leave: *leave, at };
                self.farewells.entry(server.clone()).or_insert(farewell);
            }
            What::Disconnect { server, cid, reason, name, stop } => {
                let ended = Ended {
                    at: stop.unwrap_or(at),
                    server: server.clone(),
                    reason: reason.clone(),
                    name: name.clone(),
                };
                self.ended.insert((server.clone(), *cid), ended);
            }
        }
    }
}

/// How it was listened to one subject. Nothing where any word on it is worse than a gap.
fn listened(view: &View<'_>, subject: &str) -> Option<Listened> {
    let captures = view
        .captures()
        .filter(|capture| capture.endpoint == Endpoint::EVENTS && capture.subject == subject);
    captures.map(whole).reduce(join).flatten()
}

fn whole(capture: &CaptureLine) -> Option<Listened> {
    let line = capture.listened.as_ref()?;
    let heard = matches!(capture.status, Status::Ok | Status::Partial) && line.dropped == 0;
    let since = line.gaps.iter().map(|gap| gap.to).fold(line.since, Timestamp::max);
    heard.then_some(Listened { begin: line.since, since, until: line.until })
}

/// What holds of both.
fn join(a: Option<Listened>, b: Option<Listened>) -> Option<Listened> {
    let (a, b) = a.zip(b)?;
    Some(Listened {
        begin: a.begin.max(b.begin),
        since: a.since.max(b.since),
        until: a.until.min(b.until),
    })
}

/// Follows along one track who said that it leaves.
#[derive(Debug, Default)]
pub struct Farewells {
    said: BTreeMap<SmolStr, Farewell>,
    /// Since when, and until when, it was listened without a gap.
    unbroken: Option<(Timestamp, Timestamp)>,
}

impl Farewells {
    /// Takes the next epoch of the track.
    pub fn step(&mut self, events: &Events) {
        for (server, farewell) in &events.farewells {
            self.said.entry(server.clone()).or_insert(*farewell);
        }
        self.unbroken = events.listened.map(|now| match self.unbroken {
            Some((since, until)) if until >= now.begin && now.since == now.begin => {
                (since, now.until)
            }
            _ => (now.since, now.until),
        });
    }

    /// The last word of a server process.
    pub fn of(&self, server: &str) -> Option<&Farewell> {
        self.said.get(server)
    }

    /// Whether a server that had something to say since `from` would have been heard, up to an
    /// epoch that began at `now`.
    pub fn would_have_heard(&self, from: Timestamp, now: Timestamp) -> bool {
        self.unbroken.is_some_and(|(since, until)| since <= from && until >= now)
    }

    /// Forgets all but some servers.
    pub fn keep(&mut self, wanted: impl Fn(&str) -> bool) {
        self.said.retain(|server, _| wanted(server));
    }
}
