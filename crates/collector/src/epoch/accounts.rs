//! The connections of an account, asked for by an ordinary user of it.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;
use nats_hindsight_snapshot::lines::{CaptureLine, PageLine, Status};

use super::discovery::add;
use super::{Account, Epoch, Label};
use crate::ask::{Answer, Next, Request, ask};
use crate::glance;
use crate::table::{CONNZ, CONNZ_CLOSED, Row};

/// All servers answer this for the user's own account, whatever else is in the request.
const SUBJECT: &str = "$SYS.REQ.ACCOUNT.PING.CONNZ";

/// More pages than any account has.
const MOST_PAGES: u64 = 1024;

impl Epoch<'_> {
    /// So services can be judged without any system credentials.
    pub(super) async fn list_own_connections(&self) {
        join_all(self.accounts.iter().filter(|account| account.id.is_some()).map(
            |account| async {
                for row in [&CONNZ, &CONNZ_CLOSED] {
                    if self.selection.has(row.endpoint) {
                        self.list_own(account, row).await;
                    }
                }
            },
        ))
        .await;
    }

    /// Asks all servers for one page after the other, until none of them has another.
    async fn list_own(&self, account: &Account<'_>, row: &'static Row) {
        let Some(id) = account.id.clone() else { return };
        let _place = account.link.room(row).await;
        let filter = self.connections_of(id);
        let mut capture = CaptureLine {
            endpoint: row.endpoint.clone(),
            subject: SUBJECT.to_owned(),
            account: account.id.clone(),
            filter: Some(filter.clone()),
            ..CaptureLine::default()
        };
        let mut before = BTreeSet::new();
        for number in 0..MOST_PAGES {
            let Some(page) = row.page(0) else { return };
            let page = PageLine { offset: number * page.limit, ..page };
            let request = Request {
                link: account.link,
                subject: SUBJECT.to_owned(),
                body: row.request(Some(page), Some(&filter)),
                compressed: row.compressed,
            };
            let rows = self.ask_own(&request, account, row, page, &mut capture, &before).await;
            let full = |(id, rows): (String, u64)| (rows >= page.limit).then_some(id);
            before = rows.into_iter().filter_map(full).collect();
            if before.is_empty() || !row.lists_all() || capture.status != Status::Ok {
                break;
            }
        }
        if !before.is_empty() && row.lists_all() {
            capture.status = Status::Partial;
        }
        self.capture(capture).await;
    }

    /// One page of all servers. Rows per server.
    async fn ask_own(
        &self,
        request: &Request<'_>,
        account: &Account<'_>,
        row: &'static Row,
        page: PageLine,
        capture: &mut CaptureLine,
        expected: &BTreeSet<String>,
    ) -> BTreeMap<String, u64> {
        let mut rows = BTreeMap::new();
        let attempt = ask(request, &self.clock, self.broadcast(), async |answer| {
            let Some((server, _)) = glance::envelope(&answer.body) else { return Next::Foreign };
            // A server at the other end of a leaf connection answers twice.
            if rows.contains_key(&server.id) {
                return Next::Foreign;
            }
            self.seen.borrow_mut().server(&server);
            account.link.learn(row, answer.body.len());
            let count = self.take_own(answer, account, row, page, &server.id).await;
            rows.insert(server.id, count);
            let all = !expected.is_empty() && expected.iter().all(|id| rows.contains_key(id));
            if all { Next::AllIn } else { Next::More }
        })
        .await;
        add(capture, attempt);
        rows
    }

    async fn take_own(
        &self,
        answer: Answer,
        account: &Account<'_>,
        row: &'static Row,
        page: PageLine,
        server: &str,
    ) -> u64 {
        let read = glance::page(&answer.body).unwrap_or_default();
        if row.lists_all() {
            let mut seen = self.seen.borrow_mut();
            for listed in read.listed {
                seen.listed(server, account.id.as_deref(), listed);
            }
        }
        let filter = account.id.clone().map(|id| self.connections_of(id));
        let label = Label {
            endpoint: row.endpoint,
            subject: SUBJECT,
            source: Some(server.to_owned()),
            account: account.id.as_ref(),
            page: Some(page),
            filter: filter.as_ref(),
            secretive: row.secretive,
        };
        self.record(answer, label).await;
        read.rows
    }
}
