//! Every field of every struct of replies in three states: missing, `null`, set.
//!
//! Nobody types the fields: a deserializer that answers nothing hears from each struct which ones
//! it asks for. Nor can a struct be forgotten: the sources say which there are.

use std::collections::BTreeSet;
use std::fmt::{self, Debug};
use std::fs;
use std::path::Path;

use nats_hindsight_snapshot::wire::*;
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer};

/// One struct, as it tells of itself.
struct Shape {
    name: &'static str,
    fields: &'static [&'static str],
    read: fn(&str) -> Result<String, String>,
}

macro_rules! shapes {
    ($($wire:ty),* $(,)?) => {
        vec![$(shape::<$wire>(stringify!($wire))),*]
    };
}

/// The structs; [`no_struct_is_forgotten`] holds them against the sources.
fn shapes() -> Vec<Shape> {
    [of_servers(), of_accounts(), of_jetstream()].into_iter().flatten().collect()
}

/// Servers, connections, services.
fn of_servers() -> Vec<Shape> {
    shapes![
        ApiError<'static>,
        Bare<'static>,
        ClientEvent<'static>,
        Cluster<'static>,
        Connection<'static>,
        Connz<'static>,
        Envelope<'static>,
        EventClient<'static>,
        Expvarz,
        Gateway<'static>,
        GatewayAccount<'static>,
        GatewayConnection<'static>,
        Gatewayz<'static>,
        HealthError<'static>,
        Healthz<'static>,
        IpQueue,
        Leaf<'static>,
        Leafz<'static>,
        MemStats,
        Peer<'static>,
        Routez<'static>,
        ServerInfo<'static>,
        ServiceEndpoint<'static>,
        ServiceReply<'static>,
        Statsz<'static>,
        Subsz<'static>,
        Varz<'static>,
    ]
}

/// Accounts and users.
fn of_accounts() -> Vec<Shape> {
    shapes![
        AccountClaims<'static>,
        AccountDetail<'static>,
        AccountGrants,
        AccountLimits,
        AccountStat<'static>,
        AccountStatz<'static>,
        Accountz<'static>,
        AccountzDetail<'static>,
        Export<'static>,
        Import<'static>,
        JwtIssue<'static>,
        TierLimits,
        Traffic,
        UserClaims,
        UserInfo<'static>,
        Volume,
    ]
}

/// JetStream and its Raft groups.
fn of_jetstream() -> Vec<Shape> {
    shapes![
        AssetGroup<'static>,
        Consumer<'static>,
        ConsumerConfig<'static>,
        JetStreamAccount<'static>,
        JetStreamApi,
        JetStreamConfig<'static>,
        JetStreamStats,
        Jsz<'static>,
        ListedConfig,
        ListedMembers<'static>,
        ListedStream<'static>,
        MetaCluster<'static>,
        MetaSnapshot<'static>,
        PriorityGroup<'static>,
        RaftGroup<'static>,
        RaftLog,
        RaftMembers<'static>,
        RaftPeer<'static>,
        Replica<'static>,
        SequencePair<'static>,
        SourceConfig<'static>,
        SourceError<'static>,
        SourceState<'static>,
        Stream<'static>,
        StreamConfig<'static>,
        StreamState<'static>,
        VarzJetStream<'static>,
    ]
}

fn shape<T: Deserialize<'static> + Debug>(wire: &str) -> Shape {
    let Err(asked) = T::deserialize(Listener) else { panic!("{wire} asks for nothing") };
    let Asked::For(name, fields) = asked else {
        panic!("{wire} is no struct with fields: {asked}")
    };
    Shape { name, fields, read: read::<T> }
}

/// What was understood, in words. Replies live as long as the test does: a struct may borrow them.
fn read<T: Deserialize<'static> + Debug>(text: &str) -> Result<String, String> {
    let text: &'static str = Box::leak(text.to_owned().into_boxed_str());
    serde_json::from_str::<T>(text).map(|read| format!("{read:?}")).map_err(|e| e.to_string())
}

/// Hears which fields a struct asks for, and answers nothing.
struct Listener;

/// What was heard, told as the error it has to be.
#[derive(Debug)]
enum Asked {
    For(&'static str, &'static [&'static str]),
    Else(String),
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::For(name, fields) => write!(f, "{name} asks for {fields:?}"),
            Self::Else(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for Asked {}

impl de::Error for Asked {
    fn custom<T: fmt::Display>(what: T) -> Self {
        Self::Else(what.to_string())
    }
}

impl<'de> Deserializer<'de> for Listener {
    type Error = Asked;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Asked> {
        Err(Asked::Else("a value of any type".to_owned()))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Asked> {
        Err(Asked::For(name, fields))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// One of these is of the type that a field expects, whatever that is.
const SAMPLES: [&str; 15] = [
    r#""text""#,
    "7",
    "-7",
    "1.5",
    "true",
    "[]",
    r#"["text"]"#,
    r#"["$SRV.PING.x"]"#,
    "[{}]",
    "{}",
    r#"{"name":"text"}"#,
    r#"{"name":{}}"#,
    r#"{"name":[{}]}"#,
    r#"{"name":7}"#,
    r#"[{"name":"text"}]"#,
];

#[test]
fn every_field_may_be_missing_null_or_set() {
    let mut fields = 0;
    let mut wrong = Vec::new();
    for shape in shapes() {
        let missing = (shape.read)("{}").unwrap_or_else(|e| panic!("{}: {e}", shape.name));
        for field in shape.fields {
            fields += 1;
            let with = |value: &str| (shape.read)(&format!(r#"{{"{field}":{value}}}"#));
            if with("null").as_ref() != Ok(&missing) {
                wrong.push(format!("{}.{field}: null is not missing", shape.name));
            }
            let set = SAMPLES.iter().filter_map(|value| with(value).ok());
            if set.filter(|read| *read != missing).count() == 0 {
                wrong.push(format!("{}.{field}: nothing sets it", shape.name));
            }
        }
    }
    assert!(fields > 300, "only {fields} fields were heard of");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_struct_is_forgotten() {
    let written = written(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/wire"));
    let listed: BTreeSet<String> = shapes().iter().map(|shape| shape.name.to_owned()).collect();
    assert_eq!(listed, written, "the list above is not that of the sources");
}

/// Names of the structs with fields that the sources derive a reader for.
fn written(folder: &Path) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            names.extend(written(&path));
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        let derived = text.split("#[derive(").skip(1).filter(|rest| {
            let attributes = rest.split("struct ").next().unwrap_or_default();
            let derives = attributes.split(")]").next().unwrap_or_default();
            let other = ["transparent", "enum "].iter().any(|word| attributes.contains(word));
            derives.contains("Deserialize") && !other
        });
        names.extend(derived.filter_map(|rest| {
            let (_, behind) = rest.split_once("struct ")?;
            Some(behind.split(|c: char| !c.is_alphanumeric()).next()?.to_owned())
        }));
    }
    names
}
