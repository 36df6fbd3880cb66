//! One endpoint of one server, page by page.

use std::collections::BTreeSet;

use bytes::Bytes;
use nats_hindsight_snapshot::lines::{CaptureLine, FilterLine, PageLine, Status};

use super::discovery::add;
use super::{Epoch, Label};
use crate::ask::{Answer, Next, Request, ask, ask_unless};
use crate::connect::Link;
use crate::glance::{self, Page};
use crate::table::{JSZ, Paging, Row, STATSZ, Way};

/// More pages than any server has; a server that always sends full ones must not keep us for ever.
pub(super) const MOST_PAGES: usize = 4096;

/// Where a page is too large, the next attempt asks for this part of it.
const SMALLER: u64 = 8;

/// One endpoint of one server, while its pages come.
struct Listing<'l> {
    link: &'l Link,
    row: &'static Row,
    server: &'l str,
    filter: Option<FilterLine>,
    capture: CaptureLine,
    /// Ids of rows, to notice those that come twice.
    cids: BTreeSet<u64>,
    twice: u64,
    /// Why the last reply could not be used.
    unusable: Option<String>,
}

impl<'l> Listing<'l> {
    fn new(link: &'l Link, row: &'static Row, server: &'l str, filter: Option<FilterLine>) -> Self {
        let capture = CaptureLine {
            endpoint: row.endpoint.clone(),
            subject: row.subject(server),
            target: Some(server.to_owned()),
            filter: filter.clone(),
            expected: (row.paging == Paging::None).then_some(1),
            ..CaptureLine::default()
        };
        Self { link, row, server, filter, capture, cids: BTreeSet::new(), twice: 0, unusable: None }
    }

    fn request(&self, page: Option<PageLine>) -> Request<'l> {
        Request {
            link: self.link,
            subject: self.capture.subject.clone(),
            body: self.row.request(page, self.filter.as_ref()),
            compressed: self.row.compressed,
        }
    }

    fn count(&mut self, page: &Page) {
        for cid in &page.cids {
            self.twice += u64::from(!self.cids.insert(*cid));
        }
    }

    /// Judges a page once all attempts for it are made.
    fn close_page(&mut self, before: u64) {
        let ok = self.capture.status == Status::Ok;
        if let (true, Some(why)) = (ok, self.unusable.take()) {
            self.capture.status = Status::Malformed;
            self.capture.note = Some(why);
        } else if !ok && before > 0 {
            self.capture.note =
                Some(format!("page {} is missing: {}", before + 1, self.capture.status));
            self.capture.status = Status::Partial;
        }
    }

    fn into_capture(mut self) -> CaptureLine {
        if self.twice > 0 && self.capture.note.is_none() {
            let note = format!("{} rows came twice: connections changed between pages", self.twice);
            self.capture.note = Some(note);
        }
        self.capture
    }
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
        let (_small, _room) = match row.way {
            Way::Broadcast | Way::BroadcastOnly => (link.small().await, None),
            Way::Directed | Way::Alone => (None, Some(link.room(row).await)),
        };
        let mut listing = Listing::new(link, row, server, filter);
        // A server that has begun to hang costs two time-outs, not two for each endpoint.
        if self.seen.borrow().stalled.contains(server) {
            listing.capture.note = Some("not asked: the server has stopped answering".to_owned());
            return self.capture(listing.capture).await;
        }
        self.ask_pages(&mut listing).await;
        let mut capture = listing.into_capture();
        if matches!(capture.status, Status::Timeout | Status::Partial) {
            self.seen.borrow_mut().stalled.insert(server.to_owned());
        }
        if capture.status == Status::NoResponders {
            self.judge_no_responders(link, server, &mut capture).await;
        }
        self.capture(capture).await;
    }

    async fn ask_pages(&self, listing: &mut Listing<'_>) {
        let mut page = listing.row.page(0);
        for _ in 0..MOST_PAGES {
            let rows = self.ask_page(listing, page).await;
            page = match (&listing.capture.status, page) {
                (Status::TooLarge, Some(PageLine { offset, limit })) if limit > 1 => {
                    Some(PageLine { offset, limit: (limit / SMALLER).max(1) })
                }
                (Status::Ok, Some(PageLine { offset, limit }))
                    if listing.row.goes_on(page, rows) =>
                {
                    Some(PageLine { offset: offset + rows, limit })
                }
                _ => break,
            };
        }
    }

    /// Asks for one page, more than once if need be. Number of rows.
    async fn ask_page(&self, listing: &mut Listing<'_>, page: Option<PageLine>) -> u64 {
        let (link, row, server) = (listing.link, listing.row, listing.server);
        let request = listing.request(page);
        let before = listing.capture.received;
        let mut rows = 0;
        for patience in self.tries(row, server) {
            let lost = self.answer_is_lost(link, row, server);
            let attempt = ask_unless(lost, &request, &self.clock, patience, async |answer| {
                link.learn(row, answer.body.len());
                self.took(row, server, answer.rtt_us);
                rows = self.take_page(answer, listing, page).await;
                Next::Done
            })
            .await;
            add(&mut listing.capture, attempt);
            if !matches!(listing.capture.status, Status::Timeout | Status::Skipped) {
                break;
            }
        }
        listing.close_page(before);
        rows
    }

    /// Records a page and takes from it what leads on. Number of rows.
    async fn take_page(
        &self,
        answer: Answer,
        listing: &mut Listing<'_>,
        page: Option<PageLine>,
    ) -> u64 {
        let row = listing.row;
        let mut rows = 0;
        let source = if let Some((server, error)) = glance::envelope(&answer.body) {
            self.notice(&server, row, &answer);
            listing.unusable = error;
            if page.is_some() {
                rows = self.take_rows(&answer, listing, &server.id);
            }
            server.id
        } else {
            listing.unusable = Some("this is no reply of a server".to_owned());
            listing.server.to_owned()
        };
        let label = Label {
            endpoint: row.endpoint,
            subject: &listing.capture.subject,
            source: Some(source),
            account: None,
            page,
            filter: listing.filter.as_ref(),
            secretive: row.secretive,
        };
        self.record(answer, label).await;
        rows
    }

    /// Takes notice of the instances that open connections announce. Number of rows.
    fn take_rows(&self, answer: &Answer, listing: &mut Listing<'_>, server: &str) -> u64 {
        if listing.row.token == JSZ.token {
            return self.take_jetstream(answer, listing, server);
        }
        let Some(page) = glance::page(&answer.body) else {
            listing.unusable.get_or_insert_with(|| "the list cannot be read".to_owned());
            return 0;
        };
        listing.count(&page);
        if listing.row.lists_all() {
            let account = listing.filter.as_ref().and_then(|filter| filter.account.as_deref());
            let mut seen = self.seen.borrow_mut();
            for listed in page.listed {
                seen.listed(server, account, listed);
            }
        }
        page.rows
    }

    /// Takes notice of the accounts that use JetStream. Number of rows.
    fn take_jetstream(&self, answer: &Answer, listing: &mut Listing<'_>, server: &str) -> u64 {
        let Some(accounts) = glance::jetstream_accounts(&answer.body) else {
            listing.unusable.get_or_insert_with(|| "the list cannot be read".to_owned());
            return 0;
        };
        self.seen.borrow_mut().jetstream(server, accounts)
    }

    /// Nobody listens on this subject: is it the endpoint that is not known, or the server gone?
    async fn judge_no_responders(&self, link: &Link, server: &str, capture: &mut CaptureLine) {
        let subject = STATSZ.directed(server);
        let request =
            Request { link, subject: subject.clone(), body: Bytes::new(), compressed: false };
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
            // It answered in this epoch, so that an answer was due here too.
            capture.expected = Some(1);
            capture.note = Some("the server went away during the epoch".to_owned());
        }
        self.capture(probe).await;
    }
}
