//! Every field of every recorded reply taken away, set to `null`, and set to what nobody expects:
//! nothing else of the reply is lost.

use std::collections::BTreeSet;
use std::fmt::Debug;

use nats_hindsight_snapshot::wire::{
    AccountStatz, AccountzDetail, Envelope, Expvarz, Gatewayz, Healthz, IpQueuesz, Jsz, Leafz,
    Raftz, Subsz, VarzJetStream,
};
use serde_json::{Value, json};

use crate::{VERSIONS, reply};

/// Reads what is written here, and tells in words what was understood.
type Understand = fn(&str) -> String;

fn understood<T: Debug + for<'de> serde::Deserialize<'de>>(text: &str) -> String {
    format!("{:?}", serde_json::from_str::<T>(text).unwrap_or_else(|e| panic!("{e}: {text}")))
}

macro_rules! reads {
    ($wire:ident) => {
        |text| {
            let read = serde_json::from_str::<$wire<'_>>(text);
            format!("{:?}", read.unwrap_or_else(|error| panic!("{error}: {text}")))
        }
    };
}

/// Replies, where they stand in the recorded text, and fields that must make a difference.
const READ: &[(&str, &str, Understand, &[&str])] = &[
    (
        "JSZ",
        "/data",
        reads!(Jsz),
        &[
            "config.max_memory",
            "meta_cluster.leader",
            "account_details[].reserved_storage",
            "account_details[].stream_detail[].cluster.leader",
            "account_details[].stream_detail[].cluster.replicas[].current",
            "account_details[].stream_detail[].config.num_replicas",
            "account_details[].stream_detail[].config.metadata",
            "account_details[].stream_detail[].state.last_seq",
            "account_details[].stream_detail[].mirror.lag",
            "account_details[].stream_detail[].consumer_detail[].num_pending",
            "account_details[].stream_detail[].consumer_detail[].config.ack_wait",
            "account_details[].stream_detail[].consumer_detail[].delivered.stream_seq",
            "account_details[].stream_detail[].consumer_raft_groups[].raft_group",
        ],
    ),
    (
        "JSZ_QUORUM_LOST",
        "/data",
        reads!(Jsz),
        &["account_details[].stream_detail[].cluster.replicas[].offline"],
    ),
    ("JSZ_META_LEADER", "/data", reads!(Jsz), &["meta_cluster.replicas[].name"]),
    ("VARZ", "/data/jetstream", reads!(VarzJetStream), &["config", "stats.memory", "meta.leader"]),
    (
        "GATEWAYZ_INBOUND",
        "/data",
        reads!(Gatewayz),
        &["outbound_gateways", "inbound_gateways", "name"],
    ),
    ("LEAFZ", "/data", reads!(Leafz), &["leafs", "leafs[].rtt", "leafs[].compression"]),
    ("SUBSZ", "/data", reads!(Subsz), &["num_inserts", "num_removes", "avg_fanout"]),
    (
        "ACCOUNTZ_DETAIL_IMPORTS",
        "/data",
        reads!(AccountzDetail),
        &["account_detail.client_connections", "account_detail.imports[].invalid"],
    ),
    (
        "ACCOUNT_STATZ",
        "/data",
        reads!(AccountStatz),
        &["account_statz[].acc", "account_statz[].sent.bytes", "account_statz[].slow_consumers"],
    ),
    (
        "HEALTHZ_STREAM",
        "/data",
        reads!(Healthz),
        &["status", "status_code", "errors[].type", "errors[].stream"],
    ),
    ("RAFTZ_ACCOUNT", "/data/APP", |text| understood_groups(text), &[]),
    ("IPQUEUESZ_ALL", "/data", |text| understood::<IpQueuesz>(text), &[]),
    ("EXPVARZ", "/data", |text| understood::<Expvarz>(text), &["memstats.Sys"]),
];

fn understood_groups(text: &str) -> String {
    let wrapped = format!(r#"{{"APP":{text}}}"#);
    let raftz: Raftz<'_> = serde_json::from_str(&wrapped).unwrap_or_else(|e| panic!("{e}: {text}"));
    format!("{raftz:?}")
}

/// Where a value stands, with the same name for all rows of a list.
#[derive(Clone, Default)]
struct Place {
    pointer: String,
    name: String,
}

fn places(value: &Value, at: &Place, found: &mut Vec<Place>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                let escaped = key.replace('~', "~0").replace('/', "~1");
                let dot = if at.name.is_empty() { "" } else { "." };
                let place = Place {
                    pointer: format!("{}/{escaped}", at.pointer),
                    name: format!("{}{dot}{key}", at.name),
                };
                found.push(place.clone());
                places(value, &place, found);
            }
        }
        Value::Array(rows) => {
            for (index, value) in rows.iter().enumerate() {
                let place = Place {
                    pointer: format!("{}/{index}", at.pointer),
                    name: format!("{}[]", at.name),
                };
                places(value, &place, found);
            }
        }
        _ => {}
    }
}

/// Takes a field out of the object it is in.
fn without(whole: &Value, place: &Place) -> Value {
    let mut edited = whole.clone();
    let (parent, key) = place.pointer.rsplit_once('/').unwrap();
    let key = key.replace("~1", "/").replace("~0", "~");
    edited.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(&key);
    edited
}

/// Puts something else there.
fn with(whole: &Value, place: &Place, value: Value) -> Value {
    let mut edited = whole.clone();
    *edited.pointer_mut(&place.pointer).unwrap() = value;
    edited
}

/// A value of another type than the one that is there.
fn unexpected(value: &Value) -> Value {
    match value {
        Value::String(_) => json!([{ "x": 1 }]),
        Value::Number(_) => json!("many"),
        Value::Bool(_) => json!({ "x": [1] }),
        Value::Array(_) => json!({ "x": 1 }),
        Value::Object(_) | Value::Null => json!("x"),
    }
}

/// Whether the keys of this object are names rather than fields, so that taking one away is not the
/// same as emptying it, and another one is not a field of the future.
fn holds_names(place: &str, reply: &str) -> bool {
    let groups = matches!(reply, "RAFTZ_ACCOUNT" | "IPQUEUESZ_ALL") && place.is_empty();
    groups || ["_gateways", ".peers", ".metadata"].iter().any(|end| place.ends_with(end))
}

fn parent(place: &Place) -> &str {
    place.name.rsplit_once('.').map_or("", |(parent, _)| parent)
}

/// Versions that answered.
fn answered(name: &str) -> impl Iterator<Item = &'static str> {
    let newer = name.starts_with("RAFTZ") || name.starts_with("IPQUEUESZ");
    VERSIONS.into_iter().filter(move |version| !newer || *version != "2.10.25")
}

#[test]
fn missing_null_and_unexpected_are_the_same_and_cost_one_field() {
    for (name, pointer, read, expected) in READ {
        for version in answered(name) {
            let recorded: Value = serde_json::from_str(reply(version, name)).unwrap();
            let whole = recorded.pointer(pointer).unwrap();
            let before = read(&whole.to_string());
            let mut found = Vec::new();
            places(whole, &Place::default(), &mut found);
            // One row of each list is enough.
            let mut names = BTreeSet::new();
            found.retain(|place| names.insert(place.name.clone()));
            let mut mattered: BTreeSet<&str> = BTreeSet::new();
            for place in &found {
                let there = whole.pointer(&place.pointer).unwrap();
                let missing = read(&without(whole, place).to_string());
                let null = read(&with(whole, place, Value::Null).to_string());
                let odd = read(&with(whole, place, unexpected(there)).to_string());
                assert_eq!(null, odd, "{version} {name}: {}", place.name);
                if !holds_names(parent(place), name) {
                    assert_eq!(missing, null, "{version} {name}: {}", place.name);
                }
                if missing != before {
                    mattered.insert(&place.name);
                }
            }
            assert!(mattered.len() >= expected.len().max(3), "{version} {name}: {mattered:?}");
            for field in *expected {
                assert!(mattered.contains(field), "{version} {name}: {field} is not read");
            }
        }
    }
}

#[test]
fn nothing_at_all_is_read_as_nothing() {
    for (name, _, read, _) in READ {
        let empty = read("{}");
        assert!(!empty.contains("Some("), "{name}: {empty}");
    }
}

/// `null` instead of a reply is what the envelope of an error holds; no struct is read from it.
#[test]
fn null_instead_of_a_reply_is_no_reply() {
    for text in ["{}", r#"{"server":null,"data":null,"error":null}"#] {
        let envelope: Envelope<'_> = serde_json::from_str(text).unwrap();
        assert!(envelope.server.is_none() && envelope.data.is_none() && envelope.error.is_none());
    }
    assert!(serde_json::from_str::<Jsz<'_>>("null").is_err());
    assert!(serde_json::from_str::<Expvarz>("null").is_err());
}

#[test]
fn fields_of_the_future_change_nothing() {
    let future = || json!({ "deep": [[{}], null] });
    for (name, pointer, read, _) in READ {
        for version in answered(name) {
            let mut recorded: Value = serde_json::from_str(reply(version, name)).unwrap();
            recorded["from_the_future"] = future();
            recorded["server"]["from_the_future"] = future();
            let whole = recorded.pointer_mut(pointer).unwrap();
            let before = read(&whole.to_string());
            let mut found = vec![Place::default()];
            places(whole, &Place::default(), &mut found);
            for place in found.iter().filter(|place| !holds_names(&place.name, name)) {
                if let Some(Value::Object(fields)) = whole.pointer_mut(&place.pointer) {
                    fields.insert("from_the_future".to_owned(), future());
                }
            }
            assert_eq!(read(&whole.to_string()), before, "{version} {name}");
            let text = recorded.to_string();
            assert!(text.matches("from_the_future").count() > 2, "{version} {name}");
            let envelope: Envelope<'_> = serde_json::from_str(&text).unwrap();
            assert_eq!(envelope.server.unwrap().ver.as_deref(), Some(version), "{name}");
        }
    }
}
