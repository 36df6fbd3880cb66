//! Kinds of artifacts.

use nats_hindsight_snapshot::Endpoint;

/// What an artifact is, as its tag `artifact_type` says.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ArtifactKind {
    /// VARZ of a server.
    Variables,
    /// EXPVARZ of a server.
    ExpVariables,
    /// CONNZ of a server, with subscriptions.
    Connections,
    /// ROUTEZ of a server.
    Routes,
    /// GATEWAYZ of a server.
    Gateways,
    /// LEAFZ of a server.
    Leafs,
    /// SUBSZ of a server, with the subscriptions.
    Subs,
    /// JSZ of a server, by accounts.
    JetStreamInfo,
    /// The list of accounts of a server.
    Accounts,
    /// HEALTHZ of a server.
    Health,
    /// CONNZ of one account on a server: 1024 connections at most.
    AccountConnections,
    /// LEAFZ of one account on a server.
    AccountLeafs,
    /// SUBSZ of one account on a server: 1024 subscriptions at most.
    AccountSubs,
    /// One account in full, as a server knows it.
    AccountInfo,
    /// JetStream usage of one account on a server: no streams.
    AccountJetStreamInfo,
    /// Raft groups of one account on a server.
    AccountRaftz,
    /// Queues inside a server of one account.
    AccountIpQueues,
    /// One stream as one server has it, without envelope.
    StreamInfo,
    /// A profile of the server process: no JSON, but for the release that wrote its envelope.
    Profile,
    /// Another, of a release that is not known here.
    Other(String),
}

/// Every kind with its name in manifests.
const NAMES: [(ArtifactKind, &str); 19] = [
    (ArtifactKind::Variables, "variables"),
    (ArtifactKind::ExpVariables, "exp_variables"),
    (ArtifactKind::Connections, "connections"),
    (ArtifactKind::Routes, "routes"),
    (ArtifactKind::Gateways, "gateways"),
    (ArtifactKind::Leafs, "leafs"),
    (ArtifactKind::Subs, "subs"),
    (ArtifactKind::JetStreamInfo, "jetstream_info"),
    (ArtifactKind::Accounts, "accounts"),
    (ArtifactKind::Health, "health"),
    (ArtifactKind::AccountConnections, "account_connections"),
    (ArtifactKind::AccountLeafs, "account_leafs"),
    (ArtifactKind::AccountSubs, "account_subs"),
    (ArtifactKind::AccountInfo, "account_info"),
    (ArtifactKind::AccountJetStreamInfo, "account_jetstream_info"),
    (ArtifactKind::AccountRaftz, "account_raftz"),
    (ArtifactKind::AccountIpQueues, "account_ipqueues"),
    (ArtifactKind::StreamInfo, "stream_info"),
    (ArtifactKind::Profile, "profile"),
];

impl ArtifactKind {
    /// A kind by its name.
    pub fn named(name: &str) -> Self {
        let known = NAMES.iter().find(|(_, text)| *text == name);
        known.map_or_else(|| Self::Other(name.to_owned()), |(kind, _)| kind.clone())
    }

    /// Its name in manifests.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Other(name) => name,
            known => NAMES.iter().find(|(kind, _)| kind == known).map_or("", |(_, name)| name),
        }
    }

    /// The endpoint whose replies it holds. Those of accounts are of the same endpoints, asked for
    /// one account. `None` where no endpoint answers in that shape: a stream, the JetStream usage
    /// of an account, a profile, and what is not known.
    pub fn endpoint(&self) -> Option<Endpoint> {
        Some(match self {
            Self::Variables => Endpoint::VARZ,
            Self::ExpVariables => Endpoint::EXPVARZ,
            Self::Connections | Self::AccountConnections => Endpoint::CONNZ,
            Self::Routes => Endpoint::ROUTEZ,
            Self::Gateways => Endpoint::GATEWAYZ,
            Self::Leafs | Self::AccountLeafs => Endpoint::LEAFZ,
            Self::Subs | Self::AccountSubs => Endpoint::SUBSZ,
            Self::JetStreamInfo => Endpoint::JSZ,
            Self::Accounts => Endpoint::ACCOUNTZ,
            Self::AccountInfo => Endpoint::ACCOUNTZ_DETAIL,
            Self::Health => Endpoint::HEALTHZ,
            Self::AccountRaftz => Endpoint::RAFTZ,
            Self::AccountIpQueues => Endpoint::IPQUEUESZ,
            Self::AccountJetStreamInfo | Self::StreamInfo | Self::Profile | Self::Other(_) => {
                return None;
            }
        })
    }
}
