//! Which account a stream is of.
//!
//! Servers say it themselves in JSZ. A file of an archive has it from the request only, and servers
//! up to 2.10.12 answer a request for an account that they do not know with those that they do: so
//! an archive may file a stream under an account that it is not of.

use std::collections::{BTreeMap, BTreeSet};

use smol_str::{SmolStr, ToSmolStr};

use super::{JszRecord, StreamTold};
use std::sync::Arc;

/// What no two streams share: the name, and the Raft group, or the time it was made.
type Mark = (SmolStr, SmolStr);

/// Accounts of streams.
pub(super) struct Accounts {
    /// As servers say themselves.
    said: BTreeMap<Mark, BTreeSet<SmolStr>>,
    /// As an archive says.
    filed: BTreeMap<Mark, BTreeSet<SmolStr>>,
    /// Ids of accounts, by the names that servers show.
    ids: BTreeMap<SmolStr, BTreeSet<SmolStr>>,
}

/// What is to be said against an account.
pub(super) enum Against {
    /// The server that keeps the stream says that it is of these.
    Said(BTreeSet<SmolStr>),
    /// It is filed under these, and no server says which is right.
    Filed(BTreeSet<SmolStr>),
}

impl Accounts {
    pub(super) fn of(records: &[Arc<JszRecord>]) -> Self {
        let (said, filed) = (BTreeMap::new(), BTreeMap::new());
        let mut accounts = Self { said, filed, ids: BTreeMap::new() };
        // An archive without files of streams has nothing to compare.
        if !records.iter().any(|record| record.filed) {
            return accounts;
        }
        let rows = |filed: bool| {
            let records = records.iter().filter(move |record| record.filed == filed);
            records.flat_map(|record| record.streams.iter())
        };
        for stream in rows(false) {
            let Some(account) = &stream.account else { continue };
            if let Some(name) = &stream.account_name {
                accounts.ids.entry(name.clone()).or_default().insert(account.clone());
            }
            if let Some(mark) = mark(stream) {
                accounts.said.entry(mark).or_default().insert(account.clone());
            }
        }
        for stream in rows(true) {
            if let (Some(account), Some(mark)) = (accounts.id(stream), mark(stream)) {
                accounts.filed.entry(mark).or_default().insert(account);
            }
        }
        accounts
    }

    /// The id of the account of a stream, where it is told by the name.
    pub(super) fn id(&self, stream: &StreamTold) -> Option<SmolStr> {
        let account = stream.account.as_ref()?;
        let ids = self.ids.get(account).filter(|ids| ids.len() == 1 && !ids.contains(account));
        ids.and_then(BTreeSet::first).or(Some(account)).cloned()
    }

    /// What is to be said against the account that a stream is filed under.
    pub(super) fn against(&self, stream: &StreamTold) -> Option<Against> {
        let (mark, account) = (mark(stream)?, self.id(stream)?);
        if let Some(said) = self.said.get(&mark) {
            return (!said.contains(&account)).then(|| Against::Said(said.clone()));
        }
        let filed = self.filed.get(&mark).filter(|filed| filed.len() > 1)?;
        Some(Against::Filed(filed.clone()))
    }
}

fn mark(stream: &StreamTold) -> Option<Mark> {
    let made = || stream.created.map(|created| created.to_smolstr());
    Some((stream.name.clone()?, stream.group.clone().or_else(made)?))
}
