//! Servers asked on their monitoring ports, for systems without a system account.

use std::collections::BTreeSet;
use std::time::Instant;

use bytes::Bytes;
use futures::future::join_all;
use nats_hindsight_snapshot::lines::{AttemptLine, CaptureLine, FilterLine, PageLine, Status};
use tokio::sync::{Semaphore, watch};

use super::pages::MOST_PAGES;
use super::servers::{MOST_ACCOUNTS, beyond};
use super::tries::PATIENCE;
use super::{Epoch, Label, wait};
use crate::ask::Answer;
use crate::glance::{self, Server};
use crate::http::{HttpClient, HttpFailure, HttpTarget};
use crate::record::micros;
use crate::table::{JSZ, OVER_HTTP, Paging, RAFTZ, Row, Scope, VARZ, Way};

/// One port, while it is asked.
struct Port<'p> {
    client: HttpClient,
    url: String,
    /// Who answers there, once VARZ has said it.
    server: Option<Server>,
    /// The one place for requests whose answers can be huge, of all ports together.
    alone: &'p Semaphore,
}

/// One path of a port, page by page.
struct Path {
    row: &'static Row,
    filter: Option<FilterLine>,
    capture: CaptureLine,
}

impl Path {
    fn new(row: &'static Row, url: &str, account: Option<String>) -> Self {
        let subject = row.url_path(None, account.as_deref()).unwrap_or_default();
        let filter = account.map(|account| FilterLine { account: Some(account), subject: None });
        let capture = CaptureLine {
            endpoint: row.endpoint.clone(),
            subject,
            target: Some(url.to_owned()),
            filter: filter.clone(),
            expected: (row.paging == Paging::None).then_some(1),
            ..CaptureLine::default()
        };
        Self { row, filter, capture }
    }

    fn page(&self, page: Option<PageLine>) -> Option<String> {
        let account = self.filter.as_ref().and_then(|filter| filter.account.as_deref());
        self.row.url_path(page, account)
    }
}

impl Epoch<'_> {
    /// Asks all ports at the same time.
    pub(super) async fn ask_over_http(&self, services_asked: watch::Receiver<bool>) {
        let alone = Semaphore::new(1);
        let ports = self.http.iter();
        join_all(ports.map(|target| self.ask_port(target, services_asked.clone(), &alone))).await;
    }

    async fn ask_port(
        &self,
        target: &HttpTarget,
        services_asked: watch::Receiver<bool>,
        alone: &Semaphore,
    ) {
        let url = target.to_string();
        let client = match HttpClient::new(target) {
            Ok(client) => client,
            Err(failure) => {
                let mut capture = Path::new(&VARZ, &url, None).capture;
                (capture.status, capture.note) = (failure.status, Some(failure.note));
                return self.capture(capture).await;
            }
        };
        let mut port = Port { client, url, server: None, alone };
        for row in self.selection.rows(OVER_HTTP) {
            if row.lists_connections() {
                wait(services_asked.clone()).await;
            }
            let status = self.ask_path_scope(row, &mut port).await;
            // A port that does not answer the first question is not asked the others.
            if row.token == VARZ.token && !matches!(status, Status::Ok | Status::NotSupported) {
                return self.skip_rest(&port.url).await;
            }
        }
    }

    async fn skip_rest(&self, url: &str) {
        for row in self.selection.rows(OVER_HTTP).filter(|row| row.token != VARZ.token) {
            let mut capture = Path::new(row, url, None).capture;
            capture.note = Some("not asked: the port did not answer /varz".to_owned());
            self.capture(capture).await;
        }
    }

    /// Asks for all of what a path has: as a whole, or account by account.
    async fn ask_path_scope(&self, row: &'static Row, port: &mut Port<'_>) -> Status {
        // Ports list all connections at once, and the Raft groups of the system account unasked.
        let whole =
            row.scope == Scope::Server || row.lists_connections() || row.token == RAFTZ.token;
        let mut status = Status::Ok;
        if whole {
            status = self.ask_path(Path::new(row, &port.url, None), port).await;
        }
        if row.scope == Scope::Server || row.lists_connections() || status != Status::Ok {
            return status;
        }
        let server = port.server.as_ref().map(|server| server.id.clone()).unwrap_or_default();
        let accounts = self.accounts_for(row, &server);
        let (number, path) = (accounts.len(), row.url_path(None, None).unwrap_or_default());
        for account in accounts.into_iter().take(MOST_ACCOUNTS) {
            self.ask_path(Path::new(row, &port.url, Some(account)), port).await;
        }
        if let Some(capture) = beyond(row, &path, &port.url, number) {
            self.capture(capture).await;
        }
        status
    }

    async fn ask_path(&self, mut path: Path, port: &mut Port<'_>) -> Status {
        let alone = port.alone;
        let _place = match path.row.way {
            Way::Alone => alone.acquire().await.ok(),
            _ => None,
        };
        let mut cids = BTreeSet::new();
        let mut page = path.row.page(0);
        for _ in 0..MOST_PAGES {
            let rows = self.ask_http_page(&mut path, page, port).await;
            let Some((count, page_cids)) = rows else { break };
            cids.extend(page_cids);
            if !path.row.goes_on(page, count) {
                break;
            }
            page = page.map(|page| PageLine { offset: page.offset + count, ..page });
        }
        let status = path.capture.status.clone();
        self.capture(path.capture).await;
        status
    }

    /// One page: number of rows and their ids; nothing if it did not come.
    async fn ask_http_page(
        &self,
        path: &mut Path,
        page: Option<PageLine>,
        port: &mut Port<'_>,
    ) -> Option<(u64, Vec<u64>)> {
        let row = path.row;
        let subject = path.page(page)?;
        let timeout = self.waits.timeout * if row.way == Way::Alone { PATIENCE } else { 1 };
        let sent = Instant::now();
        let got = port.client.get(&subject, timeout).await;
        let at = Instant::now();
        let body = self.note_attempt(got, sent, at, &mut path.capture)?;
        let rows = self.notice_http(row, &body, &mut port.server);
        if rows.is_none() {
            path.capture.status = Status::Malformed;
            path.capture.note = Some("this is no reply of a NATS server".to_owned());
        }
        let answer = Answer { body, at, rtt_us: micros(sent, at), permit: None };
        let label = Label {
            endpoint: row.endpoint,
            subject: &subject,
            source: Some(port.url.clone()),
            account: None,
            page,
            filter: path.filter.as_ref(),
            secretive: row.secretive,
        };
        self.record(answer, label).await;
        rows
    }

    /// Adds an attempt to a capture. The body, if one came.
    fn note_attempt(
        &self,
        got: Result<Bytes, HttpFailure>,
        sent: Instant,
        at: Instant,
        capture: &mut CaptureLine,
    ) -> Option<Bytes> {
        let status = got.as_ref().map_or_else(|failure| failure.status.clone(), |_| Status::Ok);
        capture.attempts.push(AttemptLine {
            at_us: self.clock.us(sent),
            waited_us: micros(sent, at),
            status: status.clone(),
        });
        let partial = status != Status::Ok && capture.received > 0;
        capture.status = if partial { Status::Partial } else { status };
        capture.received += u64::from(got.is_ok());
        got.map_err(|failure| capture.note = Some(failure.note)).ok()
    }

    /// Takes from a reply what leads on; nothing if it cannot be read.
    fn notice_http(
        &self,
        row: &Row,
        body: &[u8],
        server: &mut Option<Server>,
    ) -> Option<(u64, Vec<u64>)> {
        let mut seen = self.seen.borrow_mut();
        if row.token == VARZ.token {
            let found = glance::bare_server(body)?;
            seen.server(&found);
            *server = Some(found);
            return Some((0, Vec::new()));
        }
        // Without VARZ nobody knows who answers; what comes is recorded all the same.
        let nobody = Server::default();
        let server = server.as_ref().unwrap_or(&nobody);
        match row.token {
            "ROUTEZ" if !server.id.is_empty() => seen.peers(server, glance::peers(body)),
            "ACCOUNTZ" if row.scope == Scope::Server => {
                seen.accounts(&server.id, glance::accounts(body));
            }
            token if token == JSZ.token => {
                let accounts = glance::jetstream_accounts(body)?;
                return Some((seen.jetstream(&server.id, accounts), Vec::new()));
            }
            _ => {}
        }
        if !row.lists_connections() {
            return Some((0, Vec::new()));
        }
        let page = glance::page(body)?;
        if row.lists_all() && !server.id.is_empty() {
            for listed in page.listed {
                seen.listed(&server.id, None, listed);
            }
        }
        Some((page.rows, page.cids))
    }
}
