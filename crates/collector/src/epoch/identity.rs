//! Which account each connection is in: asked before anything is recorded, because the header of an
//! epoch says it.

use std::time::Duration;

use bytes::Bytes;
use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_snapshot::lines::{CaptureLine, Status};

use super::discovery::add;
use super::{Epoch, Label};
use crate::ask::{Answer, Next, Patience, Request, ask};
use crate::connect::{Link, Role};
use crate::glance;
use crate::record::Clock;
use crate::table::USER_SECRETS;

const SUBJECT: &str = "$SYS.REQ.USER.INFO";

/// What a connection said about itself.
pub(crate) struct Identified {
    pub(crate) account: Option<String>,
    pub(crate) account_name: Option<String>,
    answers: Vec<Answer>,
    capture: CaptureLine,
}

/// Asks a connection for its own account. If the server at hand does not answer it may hang:
/// another one is looked for before each further attempt.
pub(crate) async fn identify(
    link: &Link,
    clock: &Clock,
    timeout: Duration,
    attempts: usize,
) -> Identified {
    let request =
        Request { link, subject: SUBJECT.to_owned(), body: Bytes::new(), compressed: false };
    let patience = Patience { most: timeout, stall: timeout, after_all: Duration::ZERO };
    let mut found = Identified {
        account: None,
        account_name: None,
        answers: Vec::new(),
        capture: CaptureLine {
            endpoint: Endpoint::USER_INFO.clone(),
            subject: SUBJECT.to_owned(),
            expected: Some(1),
            ..CaptureLine::default()
        },
    };
    for attempt in 0..attempts {
        if attempt > 0 {
            link.move_on().await;
        }
        let asked = ask(&request, clock, patience, async |answer| {
            if let Some((account, name)) = glance::account_of(&answer.body) {
                (found.account, found.account_name) = (Some(account), name);
            }
            found.answers.push(answer);
            Next::Done
        })
        .await;
        add(&mut found.capture, asked);
        if !matches!(found.capture.status, Status::Timeout | Status::Skipped) {
            break;
        }
    }
    if link.spec.role == Role::Account {
        found.capture.account.clone_from(&found.account);
    }
    found
}

impl Identified {
    /// Whether anything came back, so that it makes sense to ask more.
    pub(crate) fn answers(&self) -> bool {
        !matches!(self.capture.status, Status::Timeout | Status::Skipped)
    }
}

impl Epoch<'_> {
    /// Records what the connections said, once there is a file.
    pub(crate) async fn record_identity(&self, identified: Vec<Identified>) {
        for connection in identified {
            let account = connection.capture.account.clone();
            for answer in connection.answers {
                let source = glance::envelope(&answer.body).map(|(server, _)| server.id);
                let label = Label {
                    endpoint: &Endpoint::USER_INFO,
                    subject: SUBJECT,
                    source,
                    account: account.as_ref(),
                    page: None,
                    filter: None,
                    secretive: USER_SECRETS,
                };
                self.record(answer, label).await;
            }
            self.capture(connection.capture).await;
        }
    }
}
