//! Which servers there are.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use nats_hindsight_snapshot::lines::{CaptureLine, Status};
use tokio::time::sleep;

use super::{Epoch, Label};
use crate::ask::{Answer, Attempt, Next, Request, ask};
use crate::connect::Link;
use crate::glance::{self, Server};
use crate::table::{OF_SERVERS, ROUTEZ, Row, STATSZ, Scope};

/// Time for the interest of a new server to reach its peers.
const SETTLING: Duration = Duration::from_millis(500);

impl Epoch<'_> {
    /// Asks all servers at once. Ids of those that answered.
    pub(super) async fn discover(&self, link: &Link) -> BTreeSet<String> {
        let mut expected: BTreeSet<&str> =
            self.expects.servers.iter().map(|server| server.id.as_str()).collect();
        let subject = STATSZ.broadcast();
        let request = Request {
            link,
            subject: subject.clone(),
            body: Bytes::new(),
            compressed: STATSZ.compressed,
        };
        let remembered = !expected.is_empty();
        let mut found = BTreeSet::new();
        let attempt = ask(&request, &self.clock, self.broadcast(), async |answer| {
            let Some(server) = self.server_reply(answer, &STATSZ, &subject).await else {
                return Next::Foreign;
            };
            expected.remove(server.id.as_str());
            found.insert(server.id);
            if remembered && expected.is_empty() { Next::AllIn } else { Next::More }
        })
        .await;
        let note = (attempt.line.status == Status::NoResponders).then(|| {
            "no server answers this user: it is not in the system account; use a user of the \
             system account (its name stands in ACCOUNTZ and in the server configuration)"
                .to_owned()
        });
        // Nobody knows how many there are; but that there is nobody at all cannot be.
        let expected = note.is_some().then_some(1);
        self.capture(CaptureLine { note, expected, ..broadcast_capture(&STATSZ, attempt) }).await;
        found
    }

    /// Records the reply of a server, and who it was.
    pub(super) async fn server_reply(
        &self,
        answer: Answer,
        row: &Row,
        subject: &str,
    ) -> Option<Server> {
        let (server, _) = glance::envelope(&answer.body)?;
        self.notice(&server, row, &answer);
        let label = Label {
            endpoint: row.endpoint,
            subject,
            source: Some(server.id.clone()),
            account: None,
            page: None,
            filter: None,
            secretive: row.secretive,
        };
        self.record(answer, label).await;
        Some(server)
    }

    /// Takes from a reply what leads on.
    pub(super) fn notice(&self, server: &Server, row: &Row, answer: &Answer) {
        let mut seen = self.seen.borrow_mut();
        seen.server(server);
        seen.answered_system.insert(server.id.clone());
        match row.token {
            "ROUTEZ" => seen.peers(server, glance::peers(&answer.body)),
            "ACCOUNTZ" if row.scope == Scope::Server => {
                seen.accounts(&server.id, glance::accounts(&answer.body));
            }
            _ => {}
        }
    }

    /// Servers that should be there and did not answer when all were asked who is there. Some of
    /// them may have answered something else by now: then it was only that answer which was lost.
    pub(super) fn missing(&self, found: &BTreeSet<String>) -> BTreeSet<String> {
        let seen = self.seen.borrow();
        let expected = self.expects.servers.iter().map(|server| &server.id);
        let silent =
            expected.chain(seen.named.keys()).filter(|id| !seen.answered.contains_key(*id));
        silent
            .chain(&seen.answered_system)
            .filter(|id| glance::is_token(id) && !found.contains(*id))
            .cloned()
            .collect()
    }

    /// Asks missing servers one by one, all at the same time. Ids of those that answered now.
    pub(super) async fn ask_missing(
        &self,
        link: &Link,
        missing: BTreeSet<String>,
    ) -> BTreeSet<String> {
        let asked: FuturesUnordered<_> = missing
            .into_iter()
            .map(|id| async move { self.ask_if_there(link, &id).await.then_some(id) })
            .collect();
        asked.filter_map(std::future::ready).collect().await
    }

    async fn ask_if_there(&self, link: &Link, id: &str) -> bool {
        let _place = link.small().await;
        let subject = STATSZ.directed(id);
        let request =
            Request { link, subject: subject.clone(), body: Bytes::new(), compressed: false };
        let mut capture = CaptureLine {
            endpoint: STATSZ.endpoint.clone(),
            subject: subject.clone(),
            target: Some(id.to_owned()),
            ..CaptureLine::default()
        };
        for patience in self.tries(&STATSZ, id) {
            let attempt = ask(&request, &self.clock, patience, async |answer| {
                match self.server_reply(answer, &STATSZ, &subject).await {
                    Some(_) => Next::Done,
                    None => Next::Foreign,
                }
            })
            .await;
            add(&mut capture, attempt);
            match capture.status {
                Status::Timeout | Status::Skipped => {}
                // A peer has a route to it, so somebody is there: the interest of a server that
                // has just come takes a moment longer than its route.
                Status::NoResponders if self.is_named(id) => sleep(SETTLING).await,
                _ => break,
            }
        }
        if capture.status == Status::NoResponders && self.is_named(id) {
            capture.expected = Some(1);
            capture.note = Some("a peer still names it".to_owned());
        }
        let status = capture.status.clone();
        self.after_retry(id, capture).await;
        status == Status::Ok
    }

    /// Whether a peer names a server in this epoch.
    fn is_named(&self, id: &str) -> bool {
        self.seen.borrow().named.contains_key(id)
    }

    /// Records how the retries went, and what is not asked because of them.
    async fn after_retry(&self, id: &str, mut capture: CaptureLine) {
        let named = self.is_named(id);
        if capture.status == Status::NoResponders && !named {
            self.seen.borrow_mut().gone.insert(id.to_owned());
        }
        let silent = capture.status == Status::Timeout;
        if silent && capture.note.is_none() {
            capture.note = Some(if named {
                "a peer still names it: hung, or leaving as a lame duck".to_owned()
            } else {
                "remembered from an earlier epoch: hung, or leaving as a lame duck".to_owned()
            });
        }
        self.capture(capture).await;
        if silent {
            for row in [&ROUTEZ].into_iter().chain(self.selection.rows(OF_SERVERS)) {
                self.capture(skipped(row, id)).await;
            }
        }
    }
}

/// How a broadcast went. How many should answer is not known: those that are missing are asked
/// one by one, and each has a capture of its own.
pub(super) fn broadcast_capture(row: &Row, attempt: Attempt) -> CaptureLine {
    let mut capture = CaptureLine {
        endpoint: row.endpoint.clone(),
        subject: row.broadcast(),
        ..CaptureLine::default()
    };
    add(&mut capture, attempt);
    capture
}

/// Adds an attempt to a capture; its outcome becomes that of the capture.
pub(super) fn add(capture: &mut CaptureLine, attempt: Attempt) {
    capture.status = attempt.line.status.clone();
    capture.received += attempt.received;
    capture.note = attempt.note.map(str::to_owned);
    capture.through = Some(attempt.through).filter(|id| !id.is_empty());
    capture.attempts.push(attempt.line);
}

fn skipped(row: &Row, id: &str) -> CaptureLine {
    CaptureLine {
        endpoint: row.endpoint.clone(),
        subject: row.subject(id),
        target: Some(id.to_owned()),
        status: Status::Skipped,
        note: Some("not asked: the server did not answer STATSZ".to_owned()),
        ..CaptureLine::default()
    }
}
