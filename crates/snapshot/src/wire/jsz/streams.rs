//! The streams of JSZ and nothing else, taken out one by one.
//!
//! A reply of a few kilobytes packed can unpack to tens of millions of empty rows, and a [`Stream`]
//! takes hundreds of times the bytes of one. So rows are counted while they are read, and
//! consumers, which make most of a reply, are passed over.
//!
//! [`Stream`]: super::Stream

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess};

use super::super::tolerant::{Block, Read, Sink, Taking, block, few_rows, field};
use super::{JetStreamConfig, Replica, StreamState};

/// The streams of one server.
#[derive(Clone, Debug, Default)]
pub struct JszStreams<'a> {
    /// Server id.
    pub server_id: Option<Cow<'a, str>>,
    /// Limits of the server, and its domain.
    pub config: Option<JetStreamConfig<'a>>,
    /// Accounts that have a stream here.
    pub accounts: Vec<AccountStreams<'a>>,
    /// Streams that were not read because there are more than was asked for.
    pub beyond: u64,
}

/// The streams of one account.
#[derive(Clone, Debug, Default)]
pub struct AccountStreams<'a> {
    /// Name, or display name in operator mode.
    pub name: Option<Cow<'a, str>>,
    /// Name, or id in operator mode.
    pub id: Option<Cow<'a, str>>,
    /// Its streams with a replica here.
    pub streams: Vec<ListedStream<'a>>,
}

/// A stream without its consumers, and of its configuration only who should keep it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ListedStream<'a> {
    /// Name.
    #[serde(borrow, deserialize_with = "field")]
    pub name: Option<Cow<'a, str>>,
    /// When it was made, RFC 3339.
    #[serde(borrow, deserialize_with = "field")]
    pub created: Option<Cow<'a, str>>,
    /// Who keeps it.
    #[serde(borrow, deserialize_with = "block")]
    pub cluster: Option<ListedMembers<'a>>,
    /// Configuration.
    #[serde(deserialize_with = "block")]
    pub config: Option<ListedConfig>,
    /// What is in it here.
    #[serde(borrow, deserialize_with = "block")]
    pub state: Option<StreamState<'a>>,
    /// Raft group, told with one replica too.
    #[serde(borrow, deserialize_with = "field")]
    pub stream_raft_group: Option<Cow<'a, str>>,
}

/// Who keeps a stream; as in [`RaftMembers`](super::RaftMembers).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ListedMembers<'a> {
    /// Cluster; omitted by a server without one.
    #[serde(borrow, deserialize_with = "field")]
    pub name: Option<Cow<'a, str>>,
    /// Raft group; omitted with one replica.
    #[serde(borrow, deserialize_with = "field")]
    pub raft_group: Option<Cow<'a, str>>,
    /// Name of the server that leads; omitted while there is none.
    #[serde(borrow, deserialize_with = "field")]
    pub leader: Option<Cow<'a, str>>,
    /// The others than the one that answers. A stream has up to five replicas, and twice as many
    /// while it moves: a list of more than 64 is no list of replicas and is not read.
    #[serde(borrow, deserialize_with = "few_rows::<_, _, 64>")]
    pub replicas: Vec<Replica<'a>>,
}

/// How many replicas a stream should have.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ListedConfig {
    /// Replicas.
    #[serde(deserialize_with = "field")]
    pub num_replicas: Option<u64>,
}

impl<'a> JszStreams<'a> {
    /// Reads the first `most` streams of a reply without envelope, and counts the others.
    ///
    /// # Errors
    /// Where the text is no JSON.
    pub fn read(json: &'a str, most: u64) -> Result<Self, serde_json::Error> {
        let mut told = Self::default();
        let mut parser = serde_json::Deserializer::from_str(json);
        Taking(Reply { told: &mut told, most }).deserialize(&mut parser)?;
        parser.end()?;
        Ok(told)
    }
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum Key {
    ServerId,
    Config,
    AccountDetails,
    Name,
    Id,
    StreamDetail,
    #[serde(other)]
    Other,
}

/// The reply: of its lists only that of accounts is read.
struct Reply<'t, 'a> {
    told: &'t mut JszStreams<'a>,
    most: u64,
}

impl<'de> Sink<'de> for Reply<'_, 'de> {
    fn object<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        let Self { told, mut most } = self;
        while let Some(key) = object.next_key()? {
            match key {
                Key::ServerId => told.server_id = object.next_value::<Read<_>>()?.0,
                Key::Config => {
                    let config = object.next_value::<Read<Block<_>>>()?.0;
                    told.config = config.map(|block| block.0);
                }
                Key::AccountDetails => {
                    let accounts = Accounts { told, most: &mut most };
                    object.next_value_seed(Taking(accounts))?;
                }
                _ => drop(object.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

struct Accounts<'t, 'a> {
    told: &'t mut JszStreams<'a>,
    most: &'t mut u64,
}

impl<'de> Sink<'de> for Accounts<'_, 'de> {
    fn list<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        loop {
            let mut account = AccountStreams::default();
            let (most, beyond) = (&mut *self.most, &mut self.told.beyond);
            let one = Account { row: &mut account, most, beyond };
            if list.next_element_seed(Taking(one))?.is_none() {
                return Ok(());
            }
            if !account.streams.is_empty() {
                self.told.accounts.push(account);
            }
        }
    }
}

struct Account<'t, 'a> {
    row: &'t mut AccountStreams<'a>,
    most: &'t mut u64,
    beyond: &'t mut u64,
}

impl<'de> Sink<'de> for Account<'_, 'de> {
    fn object<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        let Self { row: account, most, beyond } = self;
        while let Some(key) = object.next_key()? {
            match key {
                Key::Name => account.name = object.next_value::<Read<_>>()?.0,
                Key::Id => account.id = object.next_value::<Read<_>>()?.0,
                Key::StreamDetail => {
                    let streams = &mut account.streams;
                    let streams = Streams { rows: streams, most: &mut *most, beyond: &mut *beyond };
                    object.next_value_seed(Taking(streams))?;
                }
                _ => drop(object.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

struct Streams<'t, 'a> {
    rows: &'t mut Vec<ListedStream<'a>>,
    most: &'t mut u64,
    beyond: &'t mut u64,
}

impl<'de> Sink<'de> for Streams<'_, 'de> {
    fn list<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while *self.most > 0 {
            let Some(Read(row)) = list.next_element::<Read<Block<ListedStream<'de>>>>()? else {
                return Ok(());
            };
            // A row that is none stays as an empty one, so that somebody can tell of it.
            self.rows.push(row.map(|block| block.0).unwrap_or_default());
            *self.most -= 1;
        }
        while list.next_element::<IgnoredAny>()?.is_some() {
            *self.beyond += 1;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::JszStreams;

    const REPLY: &str = r#"{"now":"x","config":{"domain":"hub"},"account_details":[
        {"stream_detail":[{"name":"A","cluster":{"leader":"a1","replicas":[{"name":"a2","lag":3}]},
         "config":{"num_replicas":3},"state":{"last_seq":18446744073709551615},
         "consumer_detail":[{"name":"c"}]},7,null],"id":"ACC","name":"acc"},
        {"id":"NONE"},"odd",{"id":"B","stream_detail":"odd"},
        {"id":"C","stream_detail":[{"name":"D"},{"name":"E"}]}],"server_id":"N1"}"#;

    fn names<'a>(told: &'a JszStreams<'_>) -> Vec<(&'a str, Vec<&'a str>)> {
        let account = |text: &'a Option<std::borrow::Cow<'_, str>>| text.as_deref().unwrap_or("?");
        let rows = told.accounts.iter().map(|a| {
            (account(&a.id), a.streams.iter().map(|stream| account(&stream.name)).collect())
        });
        rows.collect()
    }

    #[test]
    fn streams_are_taken_out_with_their_accounts() {
        let told = JszStreams::read(REPLY, 100).unwrap();
        assert_eq!(names(&told), [("ACC", vec!["A", "?", "?"]), ("C", vec!["D", "E"])]);
        assert_eq!((told.server_id.as_deref(), told.beyond), (Some("N1"), 0));
        assert_eq!(told.config.unwrap().domain.as_deref(), Some("hub"));
        let stream = &told.accounts[0].streams[0];
        assert_eq!(stream.state.as_ref().unwrap().last_seq, Some(u64::MAX));
        assert_eq!(stream.config.as_ref().unwrap().num_replicas, Some(3));
        assert_eq!(stream.cluster.as_ref().unwrap().replicas[0].lag, Some(3));
    }

    #[test]
    fn no_more_than_asked_for_is_held_and_the_rest_is_counted() {
        let told = JszStreams::read(REPLY, 4).unwrap();
        assert_eq!(names(&told), [("ACC", vec!["A", "?", "?"]), ("C", vec!["D"])]);
        assert_eq!(told.beyond, 1);
        assert_eq!(JszStreams::read(REPLY, 0).unwrap().beyond, 5);
    }

    #[test]
    fn a_list_of_more_members_than_any_stream_has_is_not_read() {
        let reply = |count: usize| {
            let rows = vec!["{}"; count].join(",");
            let stream =
                format!(r#"{{"name":"A","cluster":{{"leader":"x","replicas":[{rows}]}}}}"#);
            format!(r#"{{"account_details":[{{"id":"A","stream_detail":[{stream}]}}]}}"#)
        };
        for (count, read) in [(64, 64), (65, 0)] {
            let reply = reply(count);
            let told = JszStreams::read(&reply, 9).unwrap();
            let cluster = told.accounts[0].streams[0].cluster.as_ref().unwrap();
            assert_eq!((cluster.replicas.len(), cluster.leader.as_deref()), (read, Some("x")));
        }
    }

    #[test]
    fn what_is_no_reply_holds_no_stream() {
        for json in ["null", "[]", "7", "\"x\"", r#"{"account_details":{}}"#, "{}"] {
            assert!(JszStreams::read(json, 9).unwrap().accounts.is_empty(), "{json}");
        }
        for json in ["", "{", "{} {}"] {
            assert!(JszStreams::read(json, 9).is_err(), "{json}");
        }
    }
}
