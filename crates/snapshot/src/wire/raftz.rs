//! RAFTZ: the Raft groups a server is a member of. From 2.10.26 on.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;

use super::tolerant::{block, field, named};

/// RAFTZ: groups by account, of one account unless several were asked for. The request's `account`
/// says whose; without one it is the system account, whose only group is `_meta_`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct Raftz<'a>(
    #[serde(borrow, deserialize_with = "named")] pub BTreeMap<String, RaftGroups<'a>>,
);

/// The groups of one account, by their names, which JSZ tells of streams and consumers.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct RaftGroups<'a>(
    #[serde(borrow, deserialize_with = "named")] pub BTreeMap<String, RaftGroup<'a>>,
);

/// One group, as this member sees it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct RaftGroup<'a> {
    /// Id of this member, as `peers` and `leader` name members.
    #[serde(borrow, deserialize_with = "field")]
    pub id: Option<Cow<'a, str>>,
    /// `LEADER`, `FOLLOWER`, `CANDIDATE` or `CLOSED`.
    #[serde(borrow, deserialize_with = "field")]
    pub state: Option<Cow<'a, str>>,
    /// Members the group is meant to have.
    #[serde(deserialize_with = "field")]
    pub size: Option<u64>,
    /// Members a decision needs.
    #[serde(deserialize_with = "field")]
    pub quorum_needed: Option<u64>,
    /// Whether it never stands for election; omitted when it may.
    #[serde(deserialize_with = "field")]
    pub observer: Option<bool>,
    /// Whether it applies nothing for now; omitted when it does.
    #[serde(deserialize_with = "field")]
    pub paused: Option<bool>,
    /// Last entry known to be agreed on.
    #[serde(deserialize_with = "field")]
    pub committed: Option<u64>,
    /// Last entry applied here.
    #[serde(deserialize_with = "field")]
    pub applied: Option<u64>,
    /// Whether it is still behind after it started; omitted when it is not.
    #[serde(deserialize_with = "field")]
    pub catching_up: Option<bool>,
    /// Id of the leader's member; omitted while there is none.
    #[serde(borrow, deserialize_with = "field")]
    pub leader: Option<Cow<'a, str>>,
    /// Since when this member leads, RFC 3339; omitted by followers. From 2.11 on.
    #[serde(borrow, deserialize_with = "field")]
    pub leader_since: Option<Cow<'a, str>>,
    /// Whether the group ever had a leader since this member started.
    #[serde(deserialize_with = "field")]
    pub ever_had_leader: Option<bool>,
    /// Term.
    #[serde(deserialize_with = "field")]
    pub term: Option<u64>,
    /// Term of the last entry here.
    #[serde(deserialize_with = "field")]
    pub pterm: Option<u64>,
    /// Last entry here.
    #[serde(deserialize_with = "field")]
    pub pindex: Option<u64>,
    /// Proposals waiting.
    #[serde(deserialize_with = "field")]
    pub ipq_proposal_len: Option<u64>,
    /// Entries waiting.
    #[serde(deserialize_with = "field")]
    pub ipq_entry_len: Option<u64>,
    /// Responses waiting.
    #[serde(deserialize_with = "field")]
    pub ipq_resp_len: Option<u64>,
    /// Commits waiting to be applied.
    #[serde(deserialize_with = "field")]
    pub ipq_apply_len: Option<u64>,
    /// The log on disk or in memory.
    #[serde(deserialize_with = "block")]
    pub wal: Option<RaftLog>,
    /// The other members, by id; this one is not among them.
    #[serde(borrow, deserialize_with = "named")]
    pub peers: BTreeMap<String, RaftPeer<'a>>,
}

/// The log of a group.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct RaftLog {
    /// Entries.
    #[serde(deserialize_with = "field")]
    pub messages: Option<u64>,
    /// Bytes.
    #[serde(deserialize_with = "field")]
    pub bytes: Option<u64>,
    /// First entry.
    #[serde(deserialize_with = "field")]
    pub first_seq: Option<u64>,
    /// Last entry.
    #[serde(deserialize_with = "field")]
    pub last_seq: Option<u64>,
}

/// Another member of a group.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct RaftPeer<'a> {
    /// Name of its server, as far as this one knows it.
    #[serde(borrow, deserialize_with = "field")]
    pub name: Option<Cow<'a, str>>,
    /// Whether it belongs to the group.
    #[serde(deserialize_with = "field")]
    pub known: Option<bool>,
    /// Last entry it has; told by the leader only, and omitted when zero.
    #[serde(deserialize_with = "field")]
    pub last_replicated_index: Option<u64>,
    /// How long ago it was heard, as Go duration text; omitted where never. Followers hear the
    /// leader only.
    #[serde(borrow, deserialize_with = "field")]
    pub last_seen: Option<Cow<'a, str>>,
}
