//! What the lines of a snapshot say.
//!
//! Every line is a JSON object with exactly one key, the kind of the line: `frame`, `epoch`,
//! `reply`, `event`, `capture` or `end`. A reader meets kinds, fields and values of later minor versions:
//! it keeps what it knows, counts the rest and never fails for it. Therefore every field here but
//! the identity of an epoch is optional or has a default, and fields are only ever added.

use std::fmt;

use jiff::Timestamp;
use memchr::memmem;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::Endpoint;
use crate::json;

/// First line of every frame: which epoch it belongs to. Authoritative.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrameLine {
    /// UUID of the epoch.
    pub epoch: String,
    /// Label of the system.
    pub system: String,
    /// Start of the epoch by the collector's clock.
    pub start: Timestamp,
    /// Position of the frame in its epoch, from 0.
    pub n: u64,
    /// What the replies and captures of this frame are about.
    pub endpoint: Endpoint,
}

/// Name and version of the format: `nats-hindsight-snapshot`, `1.1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormatName {
    /// Always `nats-hindsight-snapshot`.
    pub name: String,
    /// `major.minor`.
    pub version: String,
}

/// Header of an epoch, alone in its first frame. What is expected is the larger part of it:
/// readers get it as [`Unread`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochLine<E = ExpectsLine> {
    /// Format of this epoch.
    pub format: FormatName,
    /// UUID of the epoch.
    pub uuid: String,
    /// Label of the system.
    pub system: String,
    /// Whether somebody chose the label (`--system`), or it is the host of a URL.
    #[serde(default)]
    pub system_set: bool,
    /// Who recorded.
    pub collector: CollectorLine,
    /// Which run of the collector, and the place of this epoch in it.
    #[serde(default)]
    pub run: RunLine,
    /// Start of the epoch by the collector's clock.
    pub start: Timestamp,
    /// What the collector was told to do.
    #[serde(default)]
    pub asked: AskedLine,
    /// Connections it had, secrets removed.
    #[serde(default)]
    pub connections: Vec<ConnectionLine>,
    /// Members and services it expected to find.
    #[serde(default)]
    pub expects: E,
}

impl<E> EpochLine<E> {
    /// The same header with something else in the place of what it expects.
    pub fn expecting<O>(self, expects: O) -> EpochLine<O> {
        EpochLine {
            format: self.format,
            uuid: self.uuid,
            system: self.system,
            system_set: self.system_set,
            collector: self.collector,
            run: self.run,
            start: self.start,
            asked: self.asked,
            connections: self.connections,
            expects,
        }
    }
}

impl EpochLine<Unread<'_>> {
    /// The header with all it expects.
    pub fn whole(self) -> Result<EpochLine, serde_json::Error> {
        let expects = self.expects.read()?;
        Ok(self.expecting(expects))
    }
}

/// The collector that wrote an epoch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CollectorLine {
    /// Random, kept in the output folder, or `--collector-id`.
    pub id: String,
    /// Release of the collector.
    #[serde(default)]
    pub version: String,
}

/// Place of an epoch in a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunLine {
    /// UUID of the run (one start of the program).
    #[serde(default)]
    pub id: String,
    /// 0 for the first epoch of the run; ticks that were skipped do not count.
    #[serde(default)]
    pub sequence: u64,
    /// Ticks skipped before this epoch because the epoch before took too long.
    #[serde(default)]
    pub ticks_skipped: u64,
}

/// What the collector was told to do.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AskedLine {
    /// Endpoints it meant to ask.
    #[serde(default)]
    pub endpoints: Vec<Endpoint>,
    /// Seconds between epochs; absent for a single epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every_s: Option<f64>,
    /// Least milliseconds between two requests that are to prove that a service has gone.
    #[serde(default)]
    pub confirm_after_ms: u64,
}

/// One connection of the collector.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionLine {
    /// `system`, `account` or `http`.
    pub kind: String,
    /// URL without user, password and token.
    #[serde(default)]
    pub url: String,
    /// Name of the `nats` context, if one was used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    /// Account of the connection as `$SYS.REQ.USER.INFO` told: the id in operator mode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Display name of the account, where the server told one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_name: Option<String>,
    /// `connected`, or why not, in one sentence without secrets.
    #[serde(default)]
    pub state: String,
}

/// What the collector remembered from earlier epochs and therefore asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpectsLine {
    /// Servers seen before.
    #[serde(default)]
    pub servers: Vec<ExpectedServer>,
    /// Services seen, listed or asked for before.
    #[serde(default)]
    pub services: Vec<ExpectedService>,
    /// Services that did not fit into the list.
    #[serde(default)]
    pub services_overflow: u64,
}

/// A server that answered, or was named by a peer, in an earlier epoch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpectedServer {
    /// Server id of the last process seen.
    pub id: String,
    /// Server name.
    #[serde(default)]
    pub name: String,
    /// Cluster name; absent for a server without a cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// Version it ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Start of the last epoch in which it answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_seen: Option<Timestamp>,
}

/// A service that answered, was listed or was asked for in an earlier epoch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpectedService {
    /// Account id (the account's name where accounts stand in the configuration file).
    pub account: String,
    /// Display name of the account, where one is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_name: Option<String>,
    /// Service name.
    pub name: String,
    /// Start of the last epoch in which an instance answered or was listed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_seen: Option<Timestamp>,
    /// Ids of its instances at that time.
    #[serde(default)]
    pub instances: Vec<String>,
    /// Ids of the servers that held their connections at that time.
    #[serde(default)]
    pub servers: Vec<String>,
}

/// One answer of one server or service instance.
///
/// `body` is what was sent, byte for byte, but for line breaks between JSON tokens, which become
/// spaces so that the record stays one line. A body that is not JSON stands in `body_base64`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ReplyLine<'a> {
    /// What was asked.
    pub endpoint: Endpoint,
    /// Subject of the request, or the URL path over HTTP.
    #[serde(default)]
    pub subject: String,
    /// Who answered: server id, service instance id, or `http://host:port`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Account of the connection the request went over, as in [`ConnectionLine::account`]; absent
    /// on the system connection and over HTTP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Microseconds from the start of the epoch to the arrival of this reply.
    #[serde(default)]
    pub arrival_us: u64,
    /// Microseconds between request and this reply.
    #[serde(default)]
    pub rtt_us: u64,
    /// Page of a paged endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<PageLine>,
    /// What the request was restricted to; absent if it asked for everything. Completeness of
    /// connection lists is judged by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<FilterLine>,
    /// Paths of the fields whose value was replaced by `[REDACTED]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scrubbed: Vec<String>,
    /// The reply, if it is JSON.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub body: Option<&'a RawValue>,
    /// The reply in base64, if it is not JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_base64: Option<String>,
}

/// Something a server published by itself, between epochs or during one. Since 1.1.
///
/// `body` is kept as that of a reply is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EventLine<'a> {
    /// When it came, by the collector's clock. It may be before the start of the epoch.
    pub arrival: Timestamp,
    /// Subject it was published on.
    #[serde(default)]
    pub subject: String,
    /// Account of the connection that heard it, as in [`ConnectionLine::account`]; absent on the
    /// system connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Paths of the fields whose value was replaced by `[REDACTED]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scrubbed: Vec<String>,
    /// The event, if it is JSON.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub body: Option<&'a RawValue>,
    /// The event in base64, if it is not JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_base64: Option<String>,
}

/// Which page was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageLine {
    /// First row asked for.
    pub offset: u64,
    /// Rows asked for.
    pub limit: u64,
}

/// Restrictions in the body of a request, as CONNZ takes them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilterLine {
    /// `acc`: only connections of this account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// `filter_subject`: only connections with an overlapping subscription.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
}

/// How one request went.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaptureLine {
    /// What was asked.
    #[serde(default = "unknown_endpoint")]
    pub endpoint: Endpoint,
    /// Subject of the request, or the URL path over HTTP.
    #[serde(default)]
    pub subject: String,
    /// Server id of a directed request, instance id of a service request by id, URL over HTTP;
    /// absent for a broadcast and for a service request by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Service name, for a request to one service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Account, as in [`ReplyLine::account`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Id of the server the asking connection was attached to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub through: Option<String>,
    /// What the request was restricted to, as in [`ReplyLine::filter`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<FilterLine>,
    /// The outcome over all attempts.
    #[serde(default)]
    pub status: Status,
    /// Every attempt, in order.
    #[serde(default)]
    pub attempts: Vec<AttemptLine>,
    /// Replies that were counted on; absent where nobody can know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<u64>,
    /// Replies that came (over all pages and attempts).
    #[serde(default)]
    pub received: u64,
    /// One sentence for a reader, without secrets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// For [`Endpoint::EVENTS`], from when to when was listened. Since 1.1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listened: Option<ListenedLine>,
}

/// How the collector listened to one subject. What was published while it did, and was not left
/// out, stands in `event` lines: only then does silence mean that nothing was published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListenedLine {
    /// Since when: where the listening of the epoch before ended, or where the collector began.
    pub since: Timestamp,
    /// Until when the connection is known to have worked.
    pub until: Timestamp,
    /// When nothing could be heard in between, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<GapLine>,
    /// Events that came and were left out, for their number or their size.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub dropped: u64,
}

/// A time in which nothing could be heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GapLine {
    /// The last moment at which the connection is known to have worked.
    pub from: Timestamp,
    /// When it worked again.
    pub to: Timestamp,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over references")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// One attempt of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptLine {
    /// Microseconds from the start of the epoch to the sending.
    pub at_us: u64,
    /// Microseconds until the answer, the last reply, or giving up.
    pub waited_us: u64,
    /// How this attempt ended.
    pub status: Status,
}

fn unknown_endpoint() -> Endpoint {
    Endpoint::named("")
}

impl Default for Endpoint {
    fn default() -> Self {
        unknown_endpoint()
    }
}

/// Outcome of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Status {
    /// Everything that was counted on came.
    Ok,
    /// Some of it came.
    Partial,
    /// Nothing came in time.
    Timeout,
    /// The server said that nobody subscribes to the subject.
    NoResponders,
    /// Permissions or credentials forbid it.
    Denied,
    /// The server is alive and does not know the endpoint.
    NotSupported,
    /// The reply was larger than the limit.
    TooLarge,
    /// A reply came that could not be understood.
    Malformed,
    /// It was not asked, on purpose or for lack of a connection, or the connection over which it was
    /// asked broke or turned out to answer nothing at all.
    #[default]
    Skipped,
    /// A status of a later format version.
    Other(String),
}

impl Status {
    const NAMES: &'static [(&'static str, Status)] = &[
        ("ok", Status::Ok),
        ("partial", Status::Partial),
        ("timeout", Status::Timeout),
        ("no_responders", Status::NoResponders),
        ("denied", Status::Denied),
        ("not_supported", Status::NotSupported),
        ("too_large", Status::TooLarge),
        ("malformed", Status::Malformed),
        ("skipped", Status::Skipped),
    ];

    /// The status as it stands in a snapshot.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Other(text) => text,
            known => {
                Self::NAMES.iter().find(|(_, status)| status == known).map_or("", |(name, _)| name)
            }
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Status {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Status {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Ok(Self::NAMES
            .iter()
            .find(|(name, _)| *name == text)
            .map_or_else(|| Self::Other(text.into_owned()), |(_, status)| status.clone()))
    }
}

/// Last line of a whole epoch, alone in its last frame. What is to be remembered is the larger part
/// of it, and of interest to collectors only: readers get it as [`Unread`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndLine<R = ExpectsLine> {
    /// End of the epoch by the collector's clock.
    pub end: Timestamp,
    /// Frames written before this one.
    #[serde(default)]
    pub frames: u64,
    /// Reply lines written.
    #[serde(default)]
    pub replies: u64,
    /// Capture lines written.
    #[serde(default)]
    pub captures: u64,
    /// Whether every capture but those of events is `ok`, `not_supported` or a `no_responders` that
    /// was expected.
    #[serde(default)]
    pub complete: bool,
    /// Whether the collector was told to stop before the epoch was done.
    #[serde(default)]
    pub interrupted: bool,
    /// Captures counted by endpoint, target and status.
    #[serde(default)]
    pub outcomes: Vec<OutcomeLine>,
    /// What the next epoch is to expect: the memory that the next run of a collector starts from.
    #[serde(default)]
    pub remember: R,
}

/// Part of a line that is parsed only when somebody wants it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unread<'a> {
    json: Option<&'a [u8]>,
    /// The whole line, as long as nobody parsed it.
    line: Option<&'a [u8]>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Unread<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Option::<&'a RawValue>::deserialize(deserializer)?;
        Ok(Self { json: raw.map(|raw| raw.get().as_bytes()), line: None })
    }
}

impl<'a> Unread<'a> {
    /// The last part of a line, which nobody looked at: what stands there may be no JSON, or more
    /// than the part.
    pub(crate) fn cut(json: &'a [u8], line: &'a [u8]) -> Self {
        Self { json: Some(json).filter(|json| *json != b"null"), line: Some(line) }
    }

    /// Parses it; the default of `T` where it is missing.
    pub fn read<T: Default + Deserialize<'a>>(&self) -> Result<T, serde_json::Error> {
        let Some(json) = self.json else { return Ok(T::default()) };
        json::parse(json).or_else(|error| match self.strict() {
            Some(json) => json::parse(json),
            None => Err(error),
        })
    }

    /// Parses what stands in front of a field of it, given with the comma before it and the colon
    /// behind; nothing where that is no object by itself.
    pub fn read_before<T: DeserializeOwned>(&self, field: &[u8]) -> Option<T> {
        let json = self.json?;
        // Inside a text the quotes of the field would be escaped.
        let head = json.get(..memmem::find(json, field)?)?;
        json::parse(&[head, b"}"].concat()).ok()
    }

    /// The part by the whole line, which may have more fields behind it.
    fn strict(&self) -> Option<&'a [u8]> {
        #[derive(Deserialize)]
        struct Holder<'a> {
            #[serde(borrow)]
            epoch: Option<EpochLine<Unread<'a>>>,
            #[serde(borrow)]
            end: Option<EndLine<Unread<'a>>>,
        }
        let Holder { epoch, end } = serde_json::from_slice(self.line?).ok()?;
        let header = epoch.map(|header| header.expects);
        header.or(end.map(|end| end.remember))?.json
    }
}

impl<R> EndLine<R> {
    /// The same line with something else in the place of what is to be remembered.
    pub fn remembering<O>(self, remember: O) -> EndLine<O> {
        EndLine {
            end: self.end,
            frames: self.frames,
            replies: self.replies,
            captures: self.captures,
            complete: self.complete,
            interrupted: self.interrupted,
            outcomes: self.outcomes,
            remember,
        }
    }
}

impl EndLine<Unread<'_>> {
    /// The line with all it remembers.
    pub fn whole(self) -> Result<EndLine, serde_json::Error> {
        let remember = self.remember.read()?;
        Ok(self.remembering(remember))
    }

    /// The line with nothing to remember.
    pub fn without_memory(self) -> EndLine {
        self.remembering(ExpectsLine::default())
    }
}

/// How many captures of one endpoint and target ended how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutcomeLine {
    /// Endpoint asked.
    pub endpoint: Endpoint,
    /// Server id, or absent for broadcasts and services.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Outcome.
    pub status: Status,
    /// How many captures.
    pub count: u64,
}
