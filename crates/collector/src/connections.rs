//! The connections of a run, and what became of each.

use futures::future::join_all;
use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_snapshot::lines::{CaptureLine, ConnectionLine, Status};

use crate::connect::{ConnectError, ConnectionSpec, Link, Role};
use crate::epoch::{Account, Identified, identify};
use crate::events::{Heard, Listener, Part};
use crate::http::HttpTarget;
use crate::record::{Clock, Recorder};
use crate::selection::Selection;
use crate::settings::Waits;
use crate::table::{OF_SERVERS, ROUTEZ, STATSZ};

/// Endpoints that are not asked where an account connection is missing.
const OF_ACCOUNT: &[Endpoint] = &[Endpoint::SRV_PING, Endpoint::SRV_INFO, Endpoint::SRV_STATS];

/// One connection to keep.
pub(crate) struct Slot {
    spec: ConnectionSpec,
    link: Option<Link>,
    /// Whether it is to listen to events, and what listens.
    listens: bool,
    listener: Option<Listener>,
    /// Why there is no link, or why it does not answer.
    trouble: Option<String>,
    /// Account as last told; it cannot change while the credentials stay.
    account: Option<String>,
    account_name: Option<String>,
}

impl Slot {
    pub(crate) fn new(spec: ConnectionSpec, listens: bool) -> Self {
        Self {
            spec,
            link: None,
            listens,
            listener: None,
            trouble: None,
            account: None,
            account_name: None,
        }
    }

    /// Connects if that has not succeeded yet; afterwards the link reconnects by itself.
    async fn connect(&mut self, waits: &Waits) -> Option<ConnectError> {
        if self.link.is_some() {
            return None;
        }
        match Link::connect(self.spec.clone(), waits.timeout.max(CONNECT)).await {
            Ok(link) => {
                if self.listens {
                    self.listener = link.listen().await;
                }
                (self.link, self.trouble) = (Some(link), None);
                None
            }
            Err(error) => {
                self.trouble = Some(error.to_string());
                Some(error)
            }
        }
    }

    async fn identify(&mut self, clock: &Clock, waits: &Waits) -> Option<Identified> {
        let link = self.link.as_ref()?;
        link.hope();
        let identified = identify(link, clock, waits.timeout, IDENTIFY).await;
        let trouble = if link.is_refused() {
            ConnectError::Credentials { address: self.spec.address.to_string() }.to_string()
        } else {
            SILENT.to_owned()
        };
        self.trouble = (!identified.answers()).then_some(trouble);
        if identified.account.is_some() {
            self.account.clone_from(&identified.account);
            self.account_name.clone_from(&identified.account_name);
        }
        Some(identified)
    }

    /// The link, if it works.
    fn working(&self) -> Option<&Link> {
        self.link.as_ref().filter(|_| self.trouble.is_none())
    }

    fn line(&self) -> ConnectionLine {
        ConnectionLine {
            kind: self.spec.role.as_str().to_owned(),
            url: self.spec.address.to_string(),
            context: self.spec.context.clone(),
            account: self.account.clone(),
            account_name: self.account_name.clone(),
            state: self.trouble.clone().unwrap_or_else(|| "connected".to_owned()),
        }
    }

    /// Account its replies and events are recorded under.
    fn account_asked(&self) -> Option<&String> {
        self.account.as_ref().filter(|_| self.spec.role == Role::Account)
    }

    /// What was heard; of a connection that was never made, that nothing was.
    async fn heard(&self, part: Part) -> (Vec<Heard>, Vec<CaptureLine>) {
        if let Some(listener) = &self.listener {
            return listener.take(part, self.account_asked()).await;
        }
        let missed = CaptureLine {
            endpoint: Endpoint::EVENTS,
            account: self.account_asked().cloned(),
            status: Status::Skipped,
            note: self.trouble.clone(),
            ..CaptureLine::default()
        };
        (Vec::new(), if part == Part::End { vec![missed] } else { Vec::new() })
    }

    /// What is not asked because this connection does not work.
    fn skipped(&self, selection: &Selection) -> Vec<CaptureLine> {
        let Some(trouble) = &self.trouble else { return Vec::new() };
        let of_system = || {
            let rows = selection.rows(OF_SERVERS).map(|row| row.endpoint);
            [STATSZ.endpoint, ROUTEZ.endpoint].into_iter().chain(rows).collect()
        };
        let (endpoints, account): (Vec<&Endpoint>, _) = match self.spec.role {
            Role::System => (of_system(), None),
            Role::Account => (
                OF_ACCOUNT.iter().filter(|endpoint| selection.has(endpoint)).collect(),
                self.account.clone(),
            ),
        };
        endpoints
            .into_iter()
            .map(|endpoint| CaptureLine {
                endpoint: endpoint.clone(),
                account: account.clone(),
                status: Status::Skipped,
                note: Some(trouble.clone()),
                ..CaptureLine::default()
            })
            .collect()
    }
}

/// What is said of a connection that was made and does not answer now.
const SILENT: &str = "the connection does not answer: its server may be down or hung, and it is \
                      being made anew";

/// Times a connection is asked whose it is.
const IDENTIFY: usize = 2;

/// A handshake may take longer than an answer.
const CONNECT: std::time::Duration = std::time::Duration::from_secs(4);

/// All connections of a run.
pub(crate) struct Connections {
    slots: Vec<Slot>,
}

impl Connections {
    /// Connections that listen between epochs, too, if a run has several.
    pub(crate) fn new(specs: &[ConnectionSpec], listen: bool) -> Self {
        Self { slots: specs.iter().map(|spec| Slot::new(spec.clone(), listen)).collect() }
    }

    /// Makes the connections that are missing. What went wrong, in order.
    pub(crate) async fn connect(&mut self, waits: &Waits) -> Vec<ConnectError> {
        let all = self.slots.iter_mut().map(|slot| slot.connect(waits));
        join_all(all).await.into_iter().flatten().collect()
    }

    /// Asks every connection which account it is in.
    pub(crate) async fn identify(&mut self, clock: &Clock, waits: &Waits) -> Vec<Identified> {
        let all = self.slots.iter_mut().map(|slot| slot.identify(clock, waits));
        join_all(all).await.into_iter().flatten().collect()
    }

    /// Lines for the header of an epoch.
    pub(crate) fn lines(&self, http: &[HttpTarget]) -> Vec<ConnectionLine> {
        let over_http = http.iter().map(|target| ConnectionLine {
            kind: "http".to_owned(),
            url: target.to_string(),
            // Nothing is kept open; how each request went is in its capture.
            state: "connected".to_owned(),
            ..ConnectionLine::default()
        });
        self.slots.iter().map(Slot::line).chain(over_http).collect()
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.slots.len()
    }

    /// What will not be asked in this epoch.
    pub(crate) fn skipped(&self, selection: &Selection) -> Vec<CaptureLine> {
        self.slots.iter().flat_map(|slot| slot.skipped(selection)).collect()
    }

    /// Records what servers published by themselves, and in the end how it was listened.
    pub(crate) async fn record_events(&self, recorder: &Recorder, part: Part) {
        for slot in self.slots.iter().filter(|slot| slot.listens) {
            let (events, captures) = slot.heard(part).await;
            for event in events {
                recorder.event(event, slot.account_asked()).await;
            }
            for capture in captures {
                recorder.capture(capture).await;
            }
        }
    }

    /// The system connection, if it works.
    pub(crate) fn system(&self) -> Option<&Link> {
        self.slots.iter().filter(|slot| slot.spec.role == Role::System).find_map(Slot::working)
    }

    /// The account connections that work.
    pub(crate) fn accounts(&self) -> Vec<Account<'_>> {
        let slots = self.slots.iter().filter(|slot| slot.spec.role == Role::Account);
        slots
            .filter_map(|slot| Some(Account { link: slot.working()?, id: slot.account.clone() }))
            .collect()
    }

    /// Display names of accounts, as the connections were told.
    pub(crate) fn account_names(&self) -> impl Iterator<Item = (String, String)> {
        self.slots
            .iter()
            .filter_map(|slot| Some((slot.account.clone()?, slot.account_name.clone()?)))
    }
}
