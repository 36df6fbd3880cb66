//! The pages of one epoch, in little room: one is three numbers.
//!
//! A large archive has tens of thousands, of a few endpoints, servers and accounts, and those of
//! every archive of a sequence are held until it is read.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use foldhash::fast::RandomState;
use nats_hindsight_snapshot::Endpoint;

use super::identity::Known;
use super::page::{Held, Page, What};

/// One page, by the places of what it has in common with others.
#[derive(Clone, Copy, Debug)]
struct Row {
    what: u32,
    /// Place of the account it is restricted to, counted from 1; 0 where it is restricted to none.
    account: u32,
    /// The same of its server.
    server: u32,
}

/// Pages in the order in which they are read.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Pages {
    rows: Box<[Row]>,
    whats: Box<[What]>,
    accounts: Box<[Arc<str>]>,
    servers: Box<[Arc<Known>]>,
    /// Those in memory, one for each row; none where rows are entries of a container.
    bodies: Box<[Arc<[u8]>]>,
    /// Bytes that all take where they are stored.
    pub(in super::super) stored: u64,
}

impl Pages {
    pub(in super::super) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Page<'_>> {
        self.rows.iter().enumerate().filter_map(|(at, row)| {
            let body = self.bodies.get(at);
            Some(Page {
                what: self.whats.get(row.what as usize)?,
                account: nth(&self.accounts, row.account),
                server: nth(&self.servers, row.server),
                held: body.map_or(Held::Entry(at), Held::Bytes),
            })
        })
    }

    /// Ids of the servers whose pages there are.
    pub(super) fn servers(&self) -> impl Iterator<Item = &str> {
        self.servers.iter().filter_map(|known| known.id.as_deref())
    }

    /// Endpoints of which there are pages.
    pub(super) fn endpoints(&self) -> impl Iterator<Item = &Endpoint> {
        self.whats.iter().map(|what| &what.endpoint)
    }

    /// Whether some are entries of a container and of an endpoint that is wanted.
    pub(super) fn reads_entries(&self, wanted: &dyn Fn(&Endpoint) -> bool) -> bool {
        self.bodies.is_empty() && self.endpoints().any(wanted)
    }
}

fn nth<T>(all: &[T], place: u32) -> Option<&T> {
    all.get(usize::try_from(place).ok()?.checked_sub(1)?)
}

/// Pages while they are filed.
#[derive(Default)]
pub(super) struct Filing {
    rows: Vec<Row>,
    whats: Numbers<What>,
    accounts: Numbers<Arc<str>>,
    servers: Numbers<Arc<Known>>,
    bodies: Vec<Arc<[u8]>>,
    /// Indexes of those that are entries of a container.
    entries: Vec<usize>,
    stored: u64,
}

impl Filing {
    /// Files a page that is an entry of a container. All of an epoch are that, or none.
    pub(super) fn entry(&mut self, of: Of<'_>, index: usize, stored: u64) {
        self.row(of, stored);
        self.entries.push(index);
    }

    /// Files a page that is in memory.
    pub(super) fn body(&mut self, of: Of<'_>, body: &Arc<[u8]>) {
        self.row(of, body.len() as u64);
        self.bodies.push(Arc::clone(body));
    }

    fn row(&mut self, Of { what, account, server }: Of<'_>, stored: u64) {
        let account = account.map_or(0, |account| self.accounts.number(account));
        let server = server.map_or(0, |server| self.servers.number(server));
        let what = self.whats.number(&what).saturating_sub(1);
        self.rows.push(Row { what, account, server });
        self.stored = self.stored.saturating_add(stored);
    }

    /// The pages, and the entries they are: the first page is the first entry.
    pub(super) fn finish(self) -> (Pages, Vec<usize>) {
        let pages = Pages {
            rows: self.rows.into(),
            whats: self.whats.all.into(),
            accounts: self.accounts.all.into(),
            servers: self.servers.all.into(),
            bodies: self.bodies.into(),
            stored: self.stored,
        };
        (pages, self.entries)
    }
}

/// Of what a page is.
pub(super) struct Of<'a> {
    pub(super) what: What,
    pub(super) account: Option<&'a Arc<str>>,
    pub(super) server: Option<&'a Arc<Known>>,
}

/// Different things, each once, and their numbers from 1 on.
struct Numbers<T> {
    all: Vec<T>,
    numbers: HashMap<T, u32, RandomState>,
}

impl<T> Default for Numbers<T> {
    fn default() -> Self {
        Self { all: Vec::new(), numbers: HashMap::default() }
    }
}

impl<T: Clone + Eq + Hash> Numbers<T> {
    fn number(&mut self, thing: &T) -> u32 {
        if let Some(known) = self.numbers.get(thing) {
            return *known;
        }
        self.all.push(thing.clone());
        // Limits of an archive leave far fewer entries than that.
        let number = u32::try_from(self.all.len()).unwrap_or(0);
        self.numbers.insert(thing.clone(), number);
        number
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use nats_hindsight_snapshot::Endpoint;

    use super::{Filing, Of};
    use crate::intake::capture::identity::Known;
    use crate::intake::capture::page::{Held, What};

    #[test]
    fn pages_come_back_as_they_were_filed() {
        let mut filing = Filing::default();
        let account: Arc<str> = "APP".into();
        let server = |id: &str| Arc::new(Known { id: Some(id.into()), ..Known::default() });
        let what = |endpoint, of_stream| What { endpoint, of_stream };
        let all = [
            (what(Endpoint::CONNZ, false), Some(&account), Some(server("N1"))),
            (what(Endpoint::VARZ, false), None, Some(server("N2"))),
            (what(Endpoint::JSZ, true), Some(&account), None),
            (what(Endpoint::JSZ, false), None, Some(server("N1"))),
        ];
        for (at, (what, account, server)) in all.iter().enumerate() {
            let of = Of { what: what.clone(), account: *account, server: server.as_ref() };
            filing.entry(of, 10 + at, 5);
        }
        let (pages, entries) = filing.finish();
        assert_eq!((pages.len(), pages.stored, entries), (4, 20, vec![10, 11, 12, 13]));
        for (at, (page, (what, account, server))) in pages.iter().zip(&all).enumerate() {
            assert_eq!(page.what, what);
            assert_eq!((page.account, page.server), (*account, server.as_ref()));
            assert!(matches!(page.held, Held::Entry(entry) if entry == at));
        }
        assert_eq!(pages.servers().collect::<Vec<_>>(), ["N1", "N2"]);
        assert!(pages.reads_entries(&|endpoint| *endpoint == Endpoint::JSZ));
        assert!(!pages.reads_entries(&|endpoint| *endpoint == Endpoint::ROUTEZ));
    }
}
