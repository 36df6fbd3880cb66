//! Servers asked on their monitoring ports, for systems without a system account.

use std::collections::BTreeSet;
use std::time::Instant;

use bytes::Bytes;
use futures::future::join_all;
use nats_hindsight_snapshot::lines::{AttemptLine, CaptureLine, PageLine, Status};
use tokio::sync::watch;

use super::{Epoch, Label, wait};
use crate::ask::Answer;
use crate::glance::{self, Server};
use crate::http::{HttpClient, HttpFailure, HttpTarget};
use crate::record::micros;
use crate::table::{OVER_HTTP, Paging, Row, VARZ};

/// More pages than any server has.
const MOST_PAGES: usize = 4096;

impl Epoch<'_> {
    /// Asks all ports at the same time.
    pub(super) async fn ask_over_http(&self, services_asked: watch::Receiver<bool>) {
        join_all(self.http.iter().map(|target| self.ask_port(target, services_asked.clone())))
            .await;
    }

    async fn ask_port(&self, target: &HttpTarget, services_asked: watch::Receiver<bool>) {
        let url = target.to_string();
        let client = match HttpClient::new(target, self.waits.timeout) {
            Ok(client) => client,
            Err(failure) => {
                let mut capture = http_capture(&VARZ, &url);
                (capture.status, capture.note) = (failure.status, Some(failure.note));
                return self.capture(capture).await;
            }
        };
        let mut server = None;
        for row in OVER_HTTP {
            if row.paging != Paging::None {
                wait(services_asked.clone()).await;
            }
            let status = self.ask_path(&client, row, &url, &mut server).await;
            // A port that does not answer the first question is not asked the others.
            if row.token == VARZ.token && !matches!(status, Status::Ok | Status::NotSupported) {
                return self.skip_rest(&url).await;
            }
        }
    }

    async fn skip_rest(&self, url: &str) {
        for row in OVER_HTTP.iter().skip(1) {
            let mut capture = http_capture(row, url);
            capture.note = Some("not asked: the port did not answer /varz".to_owned());
            self.capture(capture).await;
        }
    }

    async fn ask_path(
        &self,
        client: &HttpClient,
        row: &'static Row,
        url: &str,
        server: &mut Option<Server>,
    ) -> Status {
        let mut capture = http_capture(row, url);
        let mut cids = BTreeSet::new();
        let mut offset = 0;
        for _ in 0..MOST_PAGES {
            let page = row.page(offset);
            let rows = self.ask_http_page(client, row, page, url, server, &mut capture).await;
            let Some((count, page_cids)) = rows else { break };
            cids.extend(page_cids);
            if row.paging != Paging::All || page.is_none_or(|page| count < page.limit) {
                break;
            }
            offset += count;
        }
        let status = capture.status.clone();
        self.capture(capture).await;
        status
    }

    /// One page: number of rows and their ids; nothing if it did not come.
    async fn ask_http_page(
        &self,
        client: &HttpClient,
        row: &'static Row,
        page: Option<PageLine>,
        url: &str,
        server: &mut Option<Server>,
        capture: &mut CaptureLine,
    ) -> Option<(u64, Vec<u64>)> {
        let path = row.url_path(page)?;
        let sent = Instant::now();
        let got = client.get(&path).await;
        let at = Instant::now();
        let body = self.note_attempt(got, sent, at, capture)?;
        let rows = self.notice_http(row, &body, server);
        if rows.is_none() {
            capture.status = Status::Malformed;
            capture.note = Some("this is no reply of a NATS server".to_owned());
        }
        let answer = Answer { body, at, rtt_us: micros(sent, at), permit: None };
        let label = Label {
            endpoint: row.endpoint,
            subject: &path,
            source: Some(url.to_owned()),
            account: None,
            page,
            filter: None,
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
        if row.paging == Paging::None {
            if let (Some(server), "ROUTEZ") = (server, row.token) {
                seen.peers(server, glance::peers(body));
            }
            return Some((0, Vec::new()));
        }
        let page = glance::page(body)?;
        if let (Paging::All, Some(server)) = (row.paging, server) {
            for listed in page.listed {
                seen.listed(&server.id, None, listed);
            }
        }
        Some((page.rows, page.cids))
    }
}

fn http_capture(row: &Row, url: &str) -> CaptureLine {
    CaptureLine {
        endpoint: row.endpoint.clone(),
        subject: row.url_path(None).unwrap_or_default(),
        target: Some(url.to_owned()),
        expected: (row.paging == Paging::None).then_some(1),
        ..CaptureLine::default()
    }
}
