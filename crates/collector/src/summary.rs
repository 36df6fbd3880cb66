//! What one epoch brought, for people.

use std::collections::BTreeSet;
use std::time::Duration;

use nats_hindsight_snapshot::lines::{EndLine, ExpectsLine};

use crate::coverage::Coverage;
use crate::epoch::Seen;
use crate::retention::Removed;

/// What one epoch brought.
#[derive(Clone, Debug)]
pub struct EpochSummary {
    /// Place in the run.
    pub sequence: u64,
    /// Where it was written.
    pub place: String,
    /// Whether nothing is left open.
    pub complete: bool,
    /// Whether it was told to stop in its midst.
    pub interrupted: bool,
    /// Replies recorded.
    pub replies: u64,
    /// How long it took.
    pub took: Duration,
    /// Servers that answered anything.
    pub servers: usize,
    /// Services of which an instance answered.
    pub services: usize,
    /// Services that are known only because a connection announces them.
    pub listed_only: usize,
    /// Accounts with services that no connection could ask.
    pub unasked_accounts: Vec<String>,
    /// Servers that were asked one by one and are silent: name and id.
    pub silent: Vec<String>,
    /// How the requests went.
    pub coverage: Coverage,
    /// Old epochs that were deleted after this one.
    pub removed: Removed,
}

impl EpochSummary {
    /// Whether anything at all answered.
    pub fn reached(&self) -> bool {
        self.servers + self.services > 0
    }
}

/// How the writing of an epoch ended.
pub(crate) struct Written {
    pub(crate) sequence: u64,
    pub(crate) took: Duration,
    pub(crate) end: EndLine,
    pub(crate) place: String,
    pub(crate) coverage: Coverage,
}

/// Puts together what was seen and what was written.
pub(crate) fn summarize(
    written: Written,
    seen: &Seen,
    expects: &ExpectsLine,
    asked_accounts: &BTreeSet<String>,
) -> EpochSummary {
    let answered = seen.services.values().filter(|service| !service.answered.is_empty()).count();
    let unasked: BTreeSet<&String> = seen
        .services
        .keys()
        .map(|key| &key.account)
        .filter(|id| !asked_accounts.contains(*id))
        .collect();
    EpochSummary {
        sequence: written.sequence,
        complete: written.end.complete,
        interrupted: written.end.interrupted,
        replies: written.end.replies,
        took: written.took,
        servers: seen.answered.len(),
        services: answered,
        listed_only: seen.services.len() - answered,
        unasked_accounts: unasked.into_iter().map(|id| shown_account(seen, id)).collect(),
        silent: written.coverage.silent.iter().map(|id| shown_server(seen, expects, id)).collect(),
        place: written.place,
        coverage: written.coverage,
        removed: Removed::default(),
    }
}

fn shown_account(seen: &Seen, id: &str) -> String {
    match seen.account_names.get(id) {
        Some(name) if name != id => format!("{name} ({id})"),
        _ => id.to_owned(),
    }
}

fn shown_server(seen: &Seen, expects: &ExpectsLine, id: &str) -> String {
    let remembered = expects.servers.iter().find(|server| server.id == id);
    let name = seen
        .named
        .get(id)
        .map(|server| server.name.as_str())
        .or_else(|| remembered.map(|server| server.name.as_str()));
    match name {
        Some(name) if !name.is_empty() && name != id => format!("{name} ({id})"),
        _ => id.to_owned(),
    }
}
