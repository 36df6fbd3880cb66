//! The target of the wire structs.

use std::fmt::{Debug, Write as _};

use nats_hindsight_snapshot::wire::{
    AccountClaims, AccountDetail, AccountStat, AccountStatz, Accountz, AccountzDetail, ApiError,
    Bare, ClientEvent, Cluster, Connection, Connz, Consumer, ConsumerConfig, Envelope, Expvarz,
    Fields, Gatewayz, Healthz, IpQueuesz, JetStreamAccount, Jsz, JszStreams, Leaf, Leafz,
    ListedMembers, ListedStream, Peer, RaftGroup, Raftz, Routez, ServerInfo, ServiceEndpoint,
    ServiceOutline, ServiceReply, Statsz, Stream, StreamConfig, Subsz, UserClaims, UserInfo, Varz,
    VarzJetStream,
};
use serde::Deserialize;
use serde_json::Value;

/// Streams that are taken from one text.
const STREAMS: u64 = 100;

/// A JSON text, read into every wire struct. What a text says does not depend on how its strings
/// are spelled, on its white space or on the order of its fields.
///
/// # Panics
/// If it does.
pub fn wire(text: &[u8]) {
    let Ok(text) = std::str::from_utf8(text) else { return };
    // A token without its signature is text, not JSON.
    drop(UserClaims::of(text));
    let Ok(value) = serde_json::from_str::<Value>(text) else {
        drop(all(text));
        return;
    };
    // Duplicate keys are gone from here on: they are an error in some structs.
    let plain = value.to_string();
    let mut spelled = String::new();
    spell(&value, &mut spelled);
    for ((name, one), (_, other)) in all(&plain).into_iter().zip(all(&spelled)) {
        assert_eq!(one.is_some(), other.is_some(), "{name} of {plain}");
        // A part that is kept as it was sent is kept as it was spelled.
        let verbatim = one.as_ref().is_some_and(|one| one.contains("RawValue("));
        assert!(verbatim || one == other, "{name} of {plain}: {one:?} is not {other:?}");
    }
    drop(all(text));
}

/// What every struct reads, as text; nothing where it cannot.
fn all(text: &str) -> Vec<(&'static str, Option<String>)> {
    macro_rules! all {
        ($($name:ident),* $(,)?) => { vec![$((stringify!($name), read::<$name<'_>>(text))),*] };
    }
    let mut read_as = all![
        AccountClaims,
        AccountDetail,
        AccountStat,
        AccountStatz,
        Accountz,
        AccountzDetail,
        ApiError,
        Bare,
        ClientEvent,
        Cluster,
        Connection,
        Connz,
        Consumer,
        ConsumerConfig,
        Envelope,
        Fields,
        Gatewayz,
        Healthz,
        JetStreamAccount,
        Jsz,
        Leaf,
        Leafz,
        ListedMembers,
        ListedStream,
        Peer,
        RaftGroup,
        Raftz,
        Routez,
        ServerInfo,
        ServiceEndpoint,
        ServiceOutline,
        ServiceReply,
        Statsz,
        Stream,
        StreamConfig,
        Subsz,
        UserInfo,
        Varz,
        VarzJetStream,
    ];
    read_as.push(("Expvarz", read::<Expvarz>(text)));
    read_as.push(("IpQueuesz", read::<IpQueuesz>(text)));
    let streams = JszStreams::read(text, STREAMS).ok();
    read_as.push(("JszStreams", streams.map(|told| format!("{told:?}"))));
    read_as
}

fn read<'a, T: Deserialize<'a> + Debug>(text: &'a str) -> Option<String> {
    serde_json::from_str::<T>(text).ok().map(|read| format!("{read:?}"))
}

/// The same value with every character of its strings escaped, and white space between tokens.
fn spell(value: &Value, out: &mut String) {
    match value {
        Value::String(text) => spell_text(text, out),
        Value::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                out.push_str(if at == 0 { " " } else { " ,\t" });
                spell(item, out);
            }
            out.push_str(" ]");
        }
        Value::Object(fields) => {
            out.push('{');
            // The other way round.
            for (at, (name, field)) in fields.iter().rev().enumerate() {
                out.push_str(if at == 0 { "\r" } else { " , " });
                spell_text(name, out);
                out.push_str(" : ");
                spell(field, out);
            }
            out.push('}');
        }
        plain => out.push_str(&plain.to_string()),
    }
}

fn spell_text(text: &str, out: &mut String) {
    out.push('"');
    for unit in text.encode_utf16() {
        let _ = write!(out, "\\u{unit:04x}");
    }
    out.push('"');
}
