//! One endpoint of one server, page by page.

use std::collections::BTreeSet;

use nats_hindsight_snapshot::lines::{CaptureLine, FilterLine, PageLine, Status};

use super::discovery::add;
use super::{Epoch, Label};
use crate::ask::{Answer, Next, Patience, Request, ask};
use crate::connect::Link;
use crate::glance::{self, Server};
use crate::table::{Paging, Row, STATSZ, Way};

/// More pages than any server has; a server that always sends full ones must not keep us for ever.
const MOST_PAGES: usize = 4096;

/// Times a page is asked for.
const ATTEMPTS: usize = 2;

/// What a page said.
#[derive(Default)]
struct Got {
    understood: bool,
    error: Option<String>,
    rows: u64,
}

impl Epoch<'_> {
    /// Asks one endpoint of one server: all its pages, one after the other.
    pub(super) async fn ask_server(
        &self,
        link: &Link,
        row: &'static Row,
        server: &str,
        filter: Option<FilterLine>,
    ) {
        let _place = match row.way {
            Way::Broadcast => link.small().await,
            Way::Directed => link.large().await,
        };
        let mut capture = CaptureLine {
            endpoint: row.endpoint.clone(),
            subject: row.directed(server),
            target: Some(server.to_owned()),
            filter: filter.clone(),
            expected: (row.paging == Paging::None).then_some(1),
            ..CaptureLine::default()
        };
        let mut cids = BTreeSet::new();
        let mut twice = 0;
        let mut offset = 0;
        for _ in 0..MOST_PAGES {
            let page = row.page(offset);
            let got = self.ask_page(link, row, page, &mut capture, &mut cids, &mut twice).await;
            let full = page.is_some_and(|page| got.rows >= page.limit);
            if row.paging != Paging::All || !full || capture.status != Status::Ok {
                break;
            }
            offset += got.rows;
        }
        if twice > 0 && capture.note.is_none() {
            capture.note =
                Some(format!("{twice} rows came twice: connections changed between pages"));
        }
        if capture.status == Status::NoResponders {
            self.judge_no_responders(link, server, &mut capture).await;
        }
        self.capture(capture).await;
    }

    async fn ask_page(
        &self,
        link: &Link,
        row: &'static Row,
        page: Option<PageLine>,
        capture: &mut CaptureLine,
        cids: &mut BTreeSet<u64>,
        twice: &mut u64,
    ) -> Got {
        let filter = capture.filter.clone();
        let request = Request {
            link,
            subject: capture.subject.clone(),
            body: row.request(page, filter.as_ref()),
            compressed: row.compressed,
        };
        let patience = Patience {
            most: self.waits.timeout,
            stall: self.waits.timeout,
            after_all: self.waits.stall,
        };
        let mut got = Got::default();
        let before = capture.received;
        let target = capture.target.clone().unwrap_or_default();
        for _ in 0..ATTEMPTS {
            let attempt = ask(&request, &self.clock, patience, async |answer| {
                got =
                    self.take_page(answer, row, &target, page, filter.as_ref(), cids, twice).await;
                Next::Done
            })
            .await;
            add(capture, attempt);
            if capture.status != Status::Timeout {
                break;
            }
        }
        if capture.status == Status::Ok && !got.understood {
            capture.status = Status::Malformed;
            capture.note =
                Some(got.error.clone().unwrap_or_else(|| "no reply of a server".to_owned()));
        } else if capture.status != Status::Ok && before > 0 {
            capture.note = Some(format!("page {} is missing: {}", before + 1, capture.status));
            capture.status = Status::Partial;
        }
        got
    }

    #[expect(clippy::too_many_arguments, reason = "one page, and where its rows are counted")]
    async fn take_page(
        &self,
        answer: Answer,
        row: &Row,
        target: &str,
        page: Option<PageLine>,
        filter: Option<&FilterLine>,
        cids: &mut BTreeSet<u64>,
        twice: &mut u64,
    ) -> Got {
        let (server, error) = match glance::envelope(&answer.body) {
            Some((server, error)) => (Some(server), error),
            None => (None, None),
        };
        let mut got = Got { understood: server.is_some() && error.is_none(), error, rows: 0 };
        if let Some(server) = &server {
            self.notice(server, row, &answer);
            if page.is_some() {
                got.rows = self.take_rows(&answer, row, server, filter, cids, twice);
            }
        }
        let source = server.map_or_else(|| target.to_owned(), |server| server.id);
        let label = Label {
            endpoint: row.endpoint,
            subject: &row.directed(target),
            source: Some(source),
            account: None,
            page,
            filter,
            secretive: row.secretive,
        };
        self.record(answer, label).await;
        got
    }

    /// Takes notice of the instances that open connections announce. Number of rows.
    fn take_rows(
        &self,
        answer: &Answer,
        row: &Row,
        server: &Server,
        filter: Option<&FilterLine>,
        cids: &mut BTreeSet<u64>,
        twice: &mut u64,
    ) -> u64 {
        let Some(page) = glance::page(&answer.body) else { return 0 };
        for cid in page.cids {
            *twice += u64::from(!cids.insert(cid));
        }
        if row.token == "CONNZ" && row.paging == Paging::All {
            let account = filter.and_then(|filter| filter.account.as_deref());
            let mut seen = self.seen.borrow_mut();
            for listed in page.listed {
                seen.listed(&server.id, account, listed);
            }
        }
        page.rows
    }

    /// Nobody listens on this subject: is it the endpoint that is not known, or the server gone?
    async fn judge_no_responders(&self, link: &Link, server: &str, capture: &mut CaptureLine) {
        let subject = STATSZ.directed(server);
        let request = Request {
            link,
            subject: subject.clone(),
            body: bytes::Bytes::new(),
            compressed: false,
        };
        let attempt = ask(&request, &self.clock, self.broadcast(), async |answer| {
            match self.server_reply(answer, &STATSZ, &subject).await {
                Some(_) => Next::Done,
                None => Next::Foreign,
            }
        })
        .await;
        let mut probe = CaptureLine {
            endpoint: STATSZ.endpoint.clone(),
            subject: subject.clone(),
            target: Some(server.to_owned()),
            ..CaptureLine::default()
        };
        add(&mut probe, attempt);
        if probe.status == Status::Ok {
            capture.status = Status::NotSupported;
        } else {
            capture.note = Some("the server went away during the epoch".to_owned());
        }
        self.capture(probe).await;
    }
}
