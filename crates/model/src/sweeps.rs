//! Pages of CONNZ put together: which list of connections is whole.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use smol_str::SmolStr;

use crate::census::later_by_us;
use crate::epoch::{ConnectionRecord, ConnzPage, Owners};
use crate::roster::InstanceConnection;

/// All pages that one server gave to one asking.
#[derive(Clone, Debug, Default)]
pub struct Sweep {
    /// Server id.
    pub server: SmolStr,
    /// Account it is restricted to, if it is.
    pub account: Option<SmolStr>,
    /// Subject it is restricted to, if it is.
    pub subject: Option<SmolStr>,
    /// Whether every page came, ending with a short one, and totals did not move between them.
    pub complete: bool,
    /// Whether a later complete one takes its place.
    pub superseded: bool,
    /// Arrival of its last page, in microseconds from the start of the epoch.
    pub arrival_us: u64,
    /// The server's clock.
    pub now: Option<Timestamp>,
    /// How many rows there were.
    pub count: u64,
    /// Rows of its pages that have to do with services, or carry a JWT.
    pub(crate) pages: Vec<Arc<[ConnectionRecord]>>,
}

/// Clients of one family speak the same dialect of the service protocol.
fn family(lang: &str) -> SmolStr {
    match lang {
        "nats.js" | "nats.ws" | "nats.deno" => "javascript".into(),
        "python3" | "python2" => "python".into(),
        other => other.into(),
    }
}

impl Sweep {
    /// The connection of an instance that a row lists.
    pub(crate) fn connection(&self, row: &ConnectionRecord) -> InstanceConnection {
        let uptime = self.now.zip(row.start);
        InstanceConnection {
            server: self.server.clone(),
            cid: row.cid,
            name: row.name.clone(),
            ip: row.ip.clone(),
            lang: row.lang.as_deref().map(family),
            library: row.version.clone(),
            start: row.start,
            uptime_ms: uptime
                .map(|(now, start)| (now.as_millisecond() - start.as_millisecond()).max(0)),
            arrival_us: self.arrival_us,
        }
    }

    /// Its rows that have to do with services, or carry a JWT.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &ConnectionRecord> {
        self.pages.iter().flat_map(|page| page.iter())
    }

    /// The account of a row: as it tells, else as lists of single accounts do, else the one that all
    /// rows are of.
    pub(crate) fn account_of(
        &self,
        row: &ConnectionRecord,
        owners: Option<&Owners>,
    ) -> Option<SmolStr> {
        let listed = || owners?.get(&self.server)?.get(&row.cid).cloned();
        row.account.clone().or_else(listed).or_else(|| self.account.clone())
    }

    /// Whether it would show every service connection of an account on its server.
    pub fn covers(&self, account: &str) -> bool {
        self.complete
            && self.account.as_deref().is_none_or(|of| of == account)
            && self.subject.as_deref().is_none_or(|subject| subject == "$SRV.>")
    }
}

impl InstanceConnection {
    /// When it connected, by the clock of the epoch: never earlier than it did, because its age is
    /// that of the moment in which the row was made. Where nobody wrote down when that arrived, the
    /// server's own clock tells.
    pub fn since(&self, epoch: Timestamp) -> Option<Timestamp> {
        if self.arrival_us == 0 {
            return self.start;
        }
        let uptime = SignedDuration::from_millis(self.uptime_ms?);
        later_by_us(epoch, self.arrival_us)?.checked_sub(uptime).ok()
    }
}

type Scope<'a> = (&'a str, Option<&'a str>, Option<&'a str>);

/// Puts pages together. A page at offset 0 begins a new sweep.
pub fn sweeps(pages: &[ConnzPage]) -> Vec<Sweep> {
    let mut scopes: BTreeMap<Scope<'_>, Vec<&ConnzPage>> = BTreeMap::new();
    for page in pages {
        let scope = (page.server.as_str(), page.account.as_deref(), page.subject.as_deref());
        scopes.entry(scope).or_default().push(page);
    }
    let mut all = Vec::new();
    for pages in scopes.values_mut() {
        pages.sort_by_key(|page| (page.arrival_us, page.offset));
        let mut of_scope: Vec<Sweep> = Vec::new();
        let mut open: Vec<&ConnzPage> = Vec::new();
        for page in pages.iter() {
            if page.offset == 0 && !open.is_empty() {
                of_scope.push(together(&std::mem::take(&mut open)));
            }
            open.push(page);
        }
        of_scope.push(together(&open));
        let newest = of_scope.iter().rposition(|sweep| sweep.complete);
        for (index, sweep) in of_scope.iter_mut().enumerate() {
            sweep.superseded = newest.is_some_and(|newest| newest > index);
        }
        all.extend(of_scope);
    }
    all
}

fn together(pages: &[&ConnzPage]) -> Sweep {
    let Some(first) = pages.first() else { return Sweep::default() };
    let mut next = 0;
    let mut whole = true;
    for (index, page) in pages.iter().enumerate() {
        let last = index + 1 == pages.len();
        whole &= page.offset == next && page.total == first.total;
        whole &= (page.rows < page.limit) == last;
        // A page may claim to begin anywhere.
        next = page.offset.saturating_add(page.rows);
    }
    Sweep {
        server: first.server.clone(),
        account: first.account.clone(),
        subject: first.subject.clone(),
        complete: whole,
        superseded: false,
        arrival_us: pages.iter().map(|page| page.arrival_us).max().unwrap_or(0),
        now: pages.iter().filter_map(|page| page.now).max(),
        count: pages.iter().map(|page| page.rows).sum(),
        pages: pages.iter().map(|page| Arc::clone(&page.connections)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_is_never_older_than_its_row_proves() {
        let at = |second: i64| Timestamp::from_second(second).unwrap();
        let (start, uptime_ms) = (Some(at(93)), Some(10_000));
        let row = InstanceConnection { start, uptime_ms, ..InstanceConnection::default() };
        // Made three seconds after the start of the epoch.
        let timed = InstanceConnection { arrival_us: 3_000_000, ..row.clone() };
        assert_eq!(timed.since(at(100)), Some(at(93)));
        assert_eq!(row.since(at(100)), Some(at(93)), "an archive tells no arrival");
    }

    fn page(offset: u64, rows: u64, total: u64, arrival_us: u64) -> ConnzPage {
        ConnzPage {
            server: "s".into(),
            offset,
            rows,
            limit: 10,
            total: Some(total),
            arrival_us,
            ..ConnzPage::default()
        }
    }

    #[test]
    fn a_sweep_ends_with_a_short_page() {
        assert!(sweeps(&[page(0, 3, 3, 1)])[0].complete);
        assert!(!sweeps(&[page(0, 10, 10, 1)])[0].complete);
        assert!(sweeps(&[page(0, 10, 12, 1), page(10, 2, 12, 2)])[0].complete);
        assert!(!sweeps(&[page(10, 2, 12, 2)])[0].complete);
    }

    #[test]
    fn totals_that_move_leave_a_doubt() {
        assert!(!sweeps(&[page(0, 10, 12, 1), page(10, 1, 11, 2)])[0].complete);
    }

    #[test]
    fn a_later_complete_sweep_takes_the_place_of_an_earlier() {
        let all = sweeps(&[page(0, 3, 3, 1), page(0, 2, 2, 9)]);
        assert_eq!(all.len(), 2);
        assert!(all[0].superseded && !all[1].superseded);
    }
}
