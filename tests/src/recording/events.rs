//! Edits of what servers published by themselves, and of how it was listened.

use jiff::{SignedDuration, Timestamp};
use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_snapshot::lines::{CaptureLine, GapLine, ListenedLine, Status};
use serde_json::json;

use super::{Epoch, Event, Recording};

/// Subjects that a system connection listens to.
pub const OF_SYSTEM: [&str; 5] = [
    "$SYS.SERVER.*.SHUTDOWN",
    "$SYS.SERVER.*.LAMEDUCK",
    "$SYS.SERVER.*.CLIENT.AUTH.ERR",
    "$SYS.ACCOUNT.*.CONNECT",
    "$SYS.ACCOUNT.*.DISCONNECT",
];

impl Recording {
    /// As if the collector had listened all the time, from an hour before the first epoch on.
    #[must_use]
    pub fn listened(mut self) -> Self {
        let hour = SignedDuration::from_hours(1);
        let first = self.epochs.first().map(|epoch| epoch.header.start);
        let mut since = first.map_or(Timestamp::UNIX_EPOCH, |first| first - hour);
        for epoch in &mut self.epochs {
            let until = epoch.header.start + SignedDuration::from_secs(1);
            epoch.listen(since, until);
            since = until;
        }
        self
    }
}

impl Epoch {
    /// As if the collector had listened from then to then.
    pub fn listen(&mut self, since: Timestamp, until: Timestamp) {
        self.header.asked.endpoints.push(Endpoint::EVENTS);
        self.captures.extend(OF_SYSTEM.iter().map(|subject| CaptureLine {
            endpoint: Endpoint::EVENTS,
            subject: (*subject).to_owned(),
            status: Status::Ok,
            listened: Some(ListenedLine { since, until, gaps: Vec::new(), dropped: 0 }),
            ..CaptureLine::default()
        }));
    }

    /// The words on how it was listened to one of the subjects, or all.
    pub fn listening<'a>(
        &'a mut self,
        subject: &'a str,
    ) -> impl Iterator<Item = &'a mut CaptureLine> + use<'a> {
        self.captures.iter_mut().filter(move |capture| {
            capture.endpoint == Endpoint::EVENTS
                && (subject.is_empty() || capture.subject == subject)
        })
    }

    /// The connection broke in the middle of the listening.
    pub fn gap(&mut self) {
        for capture in self.listening("") {
            capture.status = Status::Partial;
            if let Some(listened) = &mut capture.listened {
                let third = listened.until.duration_since(listened.since) / 3;
                let (from, to) = (listened.since + third, listened.until - third);
                listened.gaps = vec![GapLine { from, to }];
            }
        }
    }

    /// The user may not subscribe to a subject.
    pub fn deny(&mut self, subject: &str) {
        for capture in self.listening(subject) {
            capture.status = Status::Denied;
            capture.listened = None;
        }
    }

    /// Events of a subject were left out for their number.
    pub fn overflow(&mut self, subject: &str) {
        for capture in self.listening(subject) {
            capture.status = Status::Partial;
            capture.listened.iter_mut().for_each(|listened| listened.dropped = 7);
        }
    }

    /// A server process says that it leaves: `SHUTDOWN` or `LAMEDUCK`, so long before this epoch.
    pub fn farewell(&mut self, id: &str, word: &str, before: SignedDuration) {
        self.publish(
            &format!("$SYS.SERVER.{id}.{word}"),
            before,
            json!({ "name": "x", "id": id, "cluster": "A", "ver": "2.14.6" }),
        );
    }

    /// A connection ends, so long before this epoch.
    pub fn say_disconnected(
        &mut self,
        server: &str,
        cid: u64,
        reason: &str,
        before: SignedDuration,
    ) {
        let stop = (self.header.start - before).to_string();
        self.publish(
            "$SYS.ACCOUNT.APP.DISCONNECT",
            before,
            json!({
                "server": { "id": server },
                "client": { "id": cid, "acc": "APP", "name": "worker", "stop": stop },
                "reason": reason,
            }),
        );
    }

    /// An event comes so long before this epoch.
    pub fn publish(&mut self, subject: &str, before: SignedDuration, body: serde_json::Value) {
        self.events.push(Event {
            arrival: self.header.start - before,
            subject: subject.to_owned(),
            account: None,
            scrubbed: Vec::new(),
            body,
        });
    }
}
