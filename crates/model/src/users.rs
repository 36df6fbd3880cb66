//! The users of one epoch that log in with a JWT, and whether all of their connections were seen.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_snapshot::lines::{CaptureLine, Status};
use nats_hindsight_snapshot::wire::{Connection, UserClaims};
use smol_str::SmolStr;

use crate::View;
use crate::census::Census;
use crate::epoch::{ConnectionRecord, Owners};
use crate::sweeps::{Sweep, sweeps};

/// Account id and public key of a user.
pub type UserKey = (SmolStr, SmolStr);

/// What a connection logged in with in operator mode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// Public key of the user.
    pub user: Option<SmolStr>,
    /// Name of the user.
    pub name: Option<SmolStr>,
    /// Public key that signed it.
    pub issuer: Option<SmolStr>,
    /// When it expires.
    pub expires: Expiry,
}

/// When a credential expires. The order is that of urgency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Expiry {
    /// Then.
    At(Timestamp),
    /// Never.
    Never,
    /// Its claims cannot be read.
    Unreadable,
}

/// Everything one epoch says about users.
#[derive(Clone, Debug)]
pub struct UserFacts {
    /// The servers.
    pub census: Arc<Census>,
    /// Users by account and key.
    pub users: BTreeMap<UserKey, User>,
    /// Servers that answered, by id.
    pub servers: BTreeMap<SmolStr, Listing>,
    /// Whether connections were asked for at all.
    pub asked: bool,
    /// Names of accounts, by id, where one is told.
    pub account_names: BTreeMap<SmolStr, SmolStr>,
}

/// One user.
#[derive(Clone, Debug, Default)]
pub struct User {
    /// Name its issuer gave it.
    pub name: Option<SmolStr>,
    /// Its connections, by server id and connection id.
    pub connections: BTreeMap<(SmolStr, u64), Held>,
}

/// One connection of a user.
#[derive(Clone, Debug)]
pub struct Held {
    /// When its credential expires.
    pub expires: Expiry,
    /// Public key that signed the credential.
    pub issuer: Option<SmolStr>,
    /// `Client`, `Leafnode`, …
    pub kind: SmolStr,
    /// Name of the connection.
    pub name: Option<SmolStr>,
    /// Services it carries.
    pub services: BTreeSet<SmolStr>,
}

/// How far the connections of one server are known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// Whether its VARZ names an operator; none without VARZ.
    pub operator: Option<bool>,
    /// Rows in its lists.
    pub rows: u64,
    /// How many of them carry a JWT.
    pub jwts: u64,
    /// How many of those name no user.
    pub nameless: u64,
    /// Whether every list that was asked for came as a whole.
    pub complete: bool,
    /// Whether all connections were listed, and not only those of services.
    pub unrestricted: bool,
    /// Whether some list was of all accounts.
    pub all_accounts: bool,
    /// Accounts of which there is a list.
    pub accounts: BTreeSet<SmolStr>,
}

impl Listing {
    /// Whether the connections of an account are among those listed.
    pub fn covers(&self, account: &str) -> bool {
        self.all_accounts || self.accounts.contains(account)
    }
}

impl Credential {
    /// What a row says; none where it carries no JWT.
    pub(crate) fn of(row: &Connection<'_>) -> Option<Self> {
        let jwt = row.jwt.as_deref().filter(|jwt| !jwt.is_empty())?;
        let told = row.authorized_user.as_deref().filter(|told| is_key(told)).map(str::to_owned);
        let filled = |text: Option<SmolStr>| text.filter(|text| !text.is_empty());
        Some(match UserClaims::of(jwt) {
            Some(claims) => Self {
                user: filled(claims.sub.map(SmolStr::from)).or(told.map(SmolStr::from)),
                name: filled(claims.name.map(SmolStr::from)),
                issuer: filled(claims.iss.map(SmolStr::from)),
                expires: expiry(claims.exp),
            },
            None => Self {
                user: told.map(SmolStr::from),
                name: None,
                issuer: None,
                expires: Expiry::Unreadable,
            },
        })
    }
}

/// Whether a text is the public key of a user: what else stands in its place was scrubbed.
fn is_key(text: &str) -> bool {
    text.len() == 56 && text.starts_with('U')
}

/// Times that no calendar holds are as good as never.
fn expiry(seconds: Option<i64>) -> Expiry {
    let seconds = seconds.filter(|seconds| *seconds > 0);
    seconds.and_then(|s| Timestamp::from_second(s).ok()).map_or(Expiry::Never, Expiry::At)
}

impl UserFacts {
    /// Takes the facts from an epoch.
    pub fn of(view: &View<'_>) -> Self {
        let sweeps = sweeps(view.connz());
        let captures: Vec<&CaptureLine> =
            view.captures().filter(|capture| capture.endpoint == Endpoint::CONNZ).collect();
        let mut facts = Self {
            census: view.census(),
            users: BTreeMap::new(),
            servers: BTreeMap::new(),
            asked: !captures.is_empty() || !sweeps.is_empty(),
            account_names: BTreeMap::new(),
        };
        for connection in &view.header().connections {
            if let (Some(id), Some(name)) = (&connection.account, &connection.account_name) {
                facts.account_names.insert(id.into(), name.into());
            }
        }
        for id in facts.census.servers.keys() {
            facts.servers.insert(id.clone(), Listing::default());
        }
        for varz in view.varz() {
            facts.servers.entry(varz.server.clone()).or_default().operator =
                Some(varz.operator_mode);
        }
        facts.list(&sweeps, view.owners(), &captures);
        facts
    }

    fn list(&mut self, sweeps: &[Sweep], owners: Option<&Owners>, captures: &[&CaptureLine]) {
        for sweep in sweeps.iter().filter(|sweep| !sweep.superseded) {
            let listing = self.servers.entry(sweep.server.clone()).or_default();
            listing.rows += sweep.count;
            listing.all_accounts |= sweep.account.is_none();
            listing.accounts.extend(sweep.account.clone());
            for row in sweep.rows() {
                self.row(sweep, row, owners);
            }
        }
        for (id, listing) in &mut self.servers {
            let of_server = |sweep: &&Sweep| sweep.server == *id && !sweep.superseded;
            let url = self.census.servers.get(id).and_then(|server| server.url.as_deref());
            let failed = captures.iter().any(|capture| {
                let target = capture.target.as_deref();
                capture.status != Status::Ok
                    && (target == Some(id.as_str()) || (target.is_some() && target == url))
            });
            let mut own = sweeps.iter().filter(of_server).peekable();
            listing.complete = !failed && own.peek().is_some() && own.all(|sweep| sweep.complete);
            let whole = |sweep: &Sweep| sweep.account.is_none() && sweep.subject.is_none();
            listing.unrestricted = sweeps.iter().filter(of_server).any(whole);
        }
    }

    fn row(&mut self, sweep: &Sweep, row: &ConnectionRecord, owners: Option<&Owners>) {
        let Some(credential) = &row.credential else { return };
        let listing = self.servers.entry(sweep.server.clone()).or_default();
        listing.jwts += 1;
        let account = sweep.account_of(row, owners);
        let (Some(account), Some(key)) = (account, credential.user.clone()) else {
            listing.nameless += 1;
            return;
        };
        if let Some(name) = &row.account_name {
            self.account_names.entry(account.clone()).or_insert_with(|| name.clone());
        }
        let user = self.users.entry((account, key)).or_default();
        user.name = user.name.take().or_else(|| credential.name.clone());
        user.connections.insert(
            (sweep.server.clone(), row.cid),
            Held {
                expires: credential.expires,
                issuer: credential.issuer.clone(),
                kind: row.kind.clone(),
                name: row.name.clone(),
                services: row.announces.iter().map(|(name, _)| name.clone()).collect(),
            },
        );
    }
}
