//! The streams of one epoch, with who keeps them and who says nothing of them.

use nats_hindsight_model::decode;
use nats_hindsight_model::epoch::Epoch;
use nats_hindsight_model::intake::{EpochIndex, Problem};
use nats_hindsight_model::streams::{Replica, Silent, Stream, StreamKey, Streams};
use nats_hindsight_model::{Joined, View};
use nats_hindsight_snapshot::Endpoint;
use schemars::JsonSchema;
use serde::Serialize;
use smol_str::SmolStr;

/// Doubts of one epoch that are told one by one.
const DOUBTS: usize = 20;

/// What an epoch tells of streams.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct StreamsSurvey {
    /// Streams.
    pub streams: u64,
    /// Replicas whose servers tell of them.
    pub replicas: u64,
    /// Replicas that others list and whose servers tell nothing of them.
    pub silent: u64,
    /// Replicas that there should be beside those, and that nobody lists.
    pub unlisted: u64,
    /// Times that a server tells of a stream and it cannot be said of which; problems say why.
    pub not_joined: u64,
    /// Times that a server tells of a stream, where these are more than limit `max_streams`. Then
    /// nothing else is known of streams.
    pub beyond: u64,
    /// In the last epoch of a system that tells of streams, all of them. In the others those of
    /// which a replica is silent or lacks, or replicas differ in what they say.
    pub rows: Vec<StreamSurvey>,
}

/// One stream.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct StreamSurvey {
    /// Id of its account; the name outside of operator mode.
    pub account: String,
    /// Display name of its account, where one is told.
    pub account_name: Option<String>,
    /// Name.
    pub stream: String,
    /// JetStream domain: empty where there is none, null where nobody tells.
    pub domain: Option<String>,
    /// Cluster that keeps it, if one does.
    pub cluster: Option<String>,
    /// Whether replicas differ in who leads, how many they should be, or their Raft group.
    pub differs: bool,
    /// Replicas whose servers tell of them.
    pub replicas: Vec<ReplicaSurvey>,
    /// Replicas that others list and whose servers tell nothing of them.
    pub silent: Vec<SilentSurvey>,
    /// Replicas that there should be beside those, and that nobody lists.
    pub unlisted: u64,
}

/// One replica, as its server tells of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ReplicaSurvey {
    /// Server id.
    pub server: String,
    /// Server name, where it is told.
    pub name: Option<String>,
    /// Whether it says that it leads; null where that cannot be said.
    pub leads: Option<bool>,
    /// Who leads, as it says; null where it sees no leader.
    pub leader: Option<String>,
    /// How many replicas there should be, as it says.
    pub configured: Option<u64>,
    /// Its Raft group.
    pub group: Option<String>,
    /// Messages.
    pub messages: Option<u64>,
    /// Their bytes.
    pub bytes: Option<u64>,
    /// First sequence.
    pub first_seq: Option<u64>,
    /// Last sequence.
    pub last_seq: Option<u64>,
    /// Consumers with a replica on its server.
    pub consumers: Option<u64>,
}

/// One replica that others list, and what the leader says of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SilentSurvey {
    /// Name of its server.
    pub name: String,
    /// Id of its server, where just one is called so.
    pub server: Option<String>,
    /// Whether the leader sees it as up to date.
    pub current: Option<bool>,
    /// Whether the leader has not heard it for a while.
    pub offline: Option<bool>,
    /// Operations it is behind.
    pub lag: Option<u64>,
    /// How long ago the leader heard it, in nanoseconds; 0 for never.
    pub active_ns: Option<i64>,
}

/// Surveys the streams of an epoch, and lists those with something amiss. None where nobody was
/// asked for any.
pub(super) fn streams(at: &EpochIndex, epoch: &Epoch) -> Option<(StreamsSurvey, Vec<Problem>)> {
    if !at.endpoints().contains(&Endpoint::JSZ) {
        return None;
    }
    let joined = Joined::default();
    let streams = View::new(epoch, &|_| true, &joined).streams();
    let amiss = streams.streams.iter().filter(|(_, stream)| !is_whole(stream));
    let survey = StreamsSurvey {
        streams: streams.streams.len() as u64,
        replicas: streams.replicas(),
        silent: streams.silent(),
        unlisted: streams.unlisted(),
        not_joined: streams.not_joined,
        beyond: streams.beyond,
        rows: amiss.map(|(key, stream)| row(key, stream)).collect(),
    };
    Some((survey, doubts(at, &streams)))
}

/// Lists all streams of an epoch.
pub(super) fn all(at: &EpochIndex) -> Vec<StreamSurvey> {
    let (epoch, _) = decode::load(at, &|_| true, &decode::Memo::default());
    let joined = Joined::default();
    let streams = View::new(&epoch, &|_| true, &joined).streams();
    streams.streams.iter().map(|(key, stream)| row(key, stream)).collect()
}

fn is_whole(stream: &Stream) -> bool {
    stream.silent.is_empty() && stream.unlisted == 0 && !stream.differs()
}

fn doubts(at: &EpochIndex, streams: &Streams) -> Vec<Problem> {
    let problem =
        |kind, text| Problem { epoch: Some(at.uuid.clone()), kind, text, where_: at.place() };
    let told = streams.doubts.iter().take(DOUBTS);
    let mut problems: Vec<Problem> =
        told.map(|(doubt, count)| problem(doubt.kind(), doubt.text(*count))).collect();
    let more = streams.doubts.len().saturating_sub(DOUBTS);
    if more > 0 {
        let text = format!("{more} more of what is told of streams cannot be joined for certain");
        problems.push(problem("stream_join_ambiguous", text));
    }
    problems
}

fn row(key: &StreamKey, stream: &Stream) -> StreamSurvey {
    StreamSurvey {
        account: key.account.to_string(),
        account_name: text(stream.account_name.as_ref()),
        stream: key.name.to_string(),
        domain: text(key.domain.as_ref()),
        cluster: text(key.cluster.as_ref()),
        differs: stream.differs(),
        replicas: stream.replicas.iter().map(replica).collect(),
        silent: stream.silent.iter().map(silent).collect(),
        unlisted: stream.unlisted,
    }
}

fn replica(replica: &Replica) -> ReplicaSurvey {
    let told = &replica.told;
    ReplicaSurvey {
        server: replica.server.to_string(),
        name: text(replica.name.as_ref()),
        leads: replica.leads,
        leader: text(told.leader.as_ref()),
        configured: told.configured,
        group: text(told.group.as_ref()),
        messages: told.messages,
        bytes: told.bytes,
        first_seq: told.first_seq,
        last_seq: told.last_seq,
        consumers: told.consumers,
    }
}

fn silent(silent: &Silent) -> SilentSurvey {
    let seen = silent.by_leader.as_ref();
    SilentSurvey {
        name: silent.name.to_string(),
        server: text(silent.server.as_ref()),
        current: seen.and_then(|seen| seen.current),
        offline: seen.and_then(|seen| seen.offline),
        lag: seen.and_then(|seen| seen.lag),
        active_ns: seen.and_then(|seen| seen.active_ns),
    }
}

fn text(text: Option<&SmolStr>) -> Option<String> {
    text.map(ToString::to_string)
}
