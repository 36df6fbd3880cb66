//! What could not be joined for certain.

use std::collections::BTreeSet;

use smol_str::SmolStr;

/// Why tellings of streams are joined to nothing, or less is known of a stream than there could be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Doubt {
    /// An archive files streams under the name of a server, and several have it.
    SharedName {
        /// The name.
        server: SmolStr,
        /// The cluster.
        cluster: Option<SmolStr>,
        /// Ids of those that have it.
        ids: BTreeSet<SmolStr>,
    },
    /// An archive files streams under the name of a server, and nothing tells its id.
    UnknownServer {
        /// The name, or the folder they are in.
        server: SmolStr,
    },
    /// An archive files a stream under several accounts, and no server says which is right.
    Accounts {
        /// The stream.
        stream: SmolStr,
        /// The accounts.
        accounts: BTreeSet<SmolStr>,
    },
    /// An archive files a stream under an account, and servers say that it is of another.
    Misfiled {
        /// The stream.
        stream: SmolStr,
        /// The account it is filed under.
        account: SmolStr,
        /// The accounts it is of.
        said: BTreeSet<SmolStr>,
    },
    /// A server does not tell its domain, and the stream is there in several.
    Domains {
        /// The stream.
        stream: SmolStr,
        /// Its account.
        account: SmolStr,
        /// Id of the server.
        server: SmolStr,
        /// The domains.
        domains: BTreeSet<SmolStr>,
    },
    /// A row of a server has no name or no account.
    Nameless {
        /// Id of the server.
        server: SmolStr,
    },
    /// Several servers have the name of the leader of a stream.
    SharedLeader {
        /// The name.
        leader: SmolStr,
        /// The cluster.
        cluster: Option<SmolStr>,
        /// Ids of those that have it.
        ids: BTreeSet<SmolStr>,
    },
}

impl Doubt {
    /// A stable code.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::UnknownServer { .. } => "stream_server_unknown",
            Self::Misfiled { .. } => "stream_misfiled",
            Self::Nameless { .. } => "stream_nameless",
            Self::SharedName { .. }
            | Self::Accounts { .. }
            | Self::Domains { .. }
            | Self::SharedLeader { .. } => "stream_join_ambiguous",
        }
    }

    /// Whether the tellings are joined to no stream.
    pub(super) fn leaves_out(&self) -> bool {
        !matches!(self, Self::SharedLeader { .. })
    }

    /// What it means for so many tellings, and what to do.
    pub fn text(&self, count: u64) -> String {
        let tellings = if count == 1 { "1 stream".to_owned() } else { format!("{count} streams") };
        match self {
            Self::SharedName { server, cluster, ids } => format!(
                "{tellings} filed under server {server} of {}, and {} servers are called so: {}; \
                 joined to none of them. Ask each by id ($SYS.REQ.SERVER.<id>.JSZ with accounts, \
                 streams, config and raft), and give servers names of their own",
                of(cluster.as_ref()),
                ids.len(),
                list(ids),
            ),
            Self::UnknownServer { server } => format!(
                "{tellings} filed under {server}, and nothing tells the id of that server; joined \
                 to nothing. Gather again, or ask the server for JSZ"
            ),
            Self::Accounts { stream, accounts } => format!(
                "stream {stream} is filed under several accounts: {}; joined to none of them, as \
                 no JSZ tells which is right. Servers before 2.10.14 answer for accounts they do \
                 not know: ask them for JSZ with accounts and streams",
                list(accounts),
            ),
            Self::Misfiled { stream, account, said } => format!(
                "stream {stream} is filed under account {account}, and servers say that it is of \
                 {}; what is filed is not used. Nothing is to be done: servers before 2.10.14 \
                 answer for accounts they do not know",
                list(said),
            ),
            Self::Domains { stream, account, server, domains } => format!(
                "server {server} tells of stream {stream} of account {account} and not of its own \
                 domain, and the stream is there in several: {}; joined to none of them. Ask the \
                 server for JSZ with config",
                list(domains),
            ),
            Self::Nameless { server } => format!(
                "{tellings} of server {server} told without a name or without an account; joined \
                 to nothing. Look at its JSZ"
            ),
            Self::SharedLeader { leader, cluster, ids } => format!(
                "{tellings} led by {leader} of {}, and {} servers are called so: {}; which of them \
                 leads is not known. Give servers names of their own",
                of(cluster.as_ref()),
                ids.len(),
                list(ids),
            ),
        }
    }
}

fn of(cluster: Option<&SmolStr>) -> String {
    cluster.map_or_else(|| "no cluster".to_owned(), |cluster| format!("cluster {cluster}"))
}

/// The first few, and how many more.
fn list(all: &BTreeSet<SmolStr>) -> String {
    const SHOWN: usize = 5;
    let name = |text: &SmolStr| if text.is_empty() { "none".into() } else { text.clone() };
    let shown: Vec<SmolStr> = all.iter().take(SHOWN).map(name).collect();
    let more = all.len().saturating_sub(SHOWN);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", shown.join(", "))
}
