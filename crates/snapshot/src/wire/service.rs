//! Replies of services: `$SRV.PING`, `$SRV.INFO`, `$SRV.STATS`.
//!
//! Services are written in a dozen libraries, and by hand. A field of an unexpected type costs
//! that field and nothing else: [`Told`] keeps it apart from one that is not there.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

use super::tolerant::field;

/// What the `type` of every reply of a service starts with; anything else on these subjects
/// (a stream's publish acknowledgement, say) is foreign.
pub const REPLY_TYPE_PREFIX: &str = "io.nats.micro.v1.";

/// A reply to any of the three verbs, its larger parts not read yet: they are the same for all
/// instances of a service, for days.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ServiceOutline<'a> {
    /// `io.nats.micro.v1.ping_response` and its siblings.
    #[serde(borrow, rename = "type", deserialize_with = "field")]
    pub reply_type: Option<Cow<'a, str>>,
    /// Service name.
    #[serde(borrow, deserialize_with = "field")]
    pub name: Option<Cow<'a, str>>,
    /// Instance id.
    #[serde(borrow, deserialize_with = "field")]
    pub id: Option<Cow<'a, str>>,
    /// Version of the application; opaque text.
    #[serde(borrow, deserialize_with = "field")]
    pub version: Option<Cow<'a, str>>,
    /// Metadata of the instance, to be read as [`Metadata`]. Unset it is `{}` (nats-py, nats.go),
    /// `null` or missing (nats.net, nats.java), which is all the same.
    #[serde(borrow)]
    pub metadata: Option<&'a RawValue>,
    /// Start of the service, RFC 3339 (STATS only).
    #[serde(borrow, deserialize_with = "field")]
    pub started: Option<Cow<'a, str>>,
    /// Endpoints (INFO and STATS), to be read as a list of [`Endpoint`].
    #[serde(borrow)]
    pub endpoints: Option<&'a RawValue>,
}

/// A reply to any of the three verbs.
#[derive(Clone, Debug, Default)]
pub struct ServiceReply<'a> {
    /// As in [`ServiceOutline`], as are all fields but two.
    pub reply_type: Option<Cow<'a, str>>,
    /// Service name.
    pub name: Option<Cow<'a, str>>,
    /// Instance id.
    pub id: Option<Cow<'a, str>>,
    /// Version of the application.
    pub version: Option<Cow<'a, str>>,
    /// Metadata of the instance.
    pub metadata: Told<Metadata>,
    /// Start of the service.
    pub started: Option<Cow<'a, str>>,
    /// Endpoints.
    pub endpoints: Told<Vec<Endpoint<'a>>>,
}

impl<'de: 'a, 'a> Deserialize<'de> for ServiceReply<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let outline = ServiceOutline::deserialize(deserializer)?;
        Ok(Self {
            reply_type: outline.reply_type,
            name: outline.name,
            id: outline.id,
            version: outline.version,
            metadata: Told::of(outline.metadata),
            started: outline.started,
            endpoints: Told::of(outline.endpoints),
        })
    }
}

/// One endpoint of a service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Endpoint<'a> {
    /// Name; two endpoints of one instance may have the same.
    #[serde(borrow, deserialize_with = "field")]
    pub name: Option<Cow<'a, str>>,
    /// Subject it serves.
    #[serde(borrow, deserialize_with = "field")]
    pub subject: Option<Cow<'a, str>>,
    /// Queue group it shares requests in, `q` unless it was set. Libraries from before
    /// configurable groups (2023) leave it out, as nats.java does where the group is switched
    /// off; nats.go and nats.js send an empty text there.
    #[serde(borrow)]
    pub queue_group: Told<Cow<'a, str>>,
    /// Metadata of the endpoint (INFO only). Unset it is `{}` (async-nats), `null` (nats-py,
    /// nats.go) or missing (nats.js, nats.java).
    pub metadata: Told<Metadata>,
    /// Requests served since the start (STATS only).
    #[serde(deserialize_with = "field")]
    pub num_requests: Option<u64>,
    /// Errors answered since the start (STATS only).
    #[serde(deserialize_with = "field")]
    pub num_errors: Option<u64>,
}

/// A field of a reply, by how it stands there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Told<T> {
    /// Missing or `null`.
    #[default]
    Absent,
    /// Of the type that is expected.
    Set(T),
    /// Of another type.
    Odd,
}

impl<T> Told<T> {
    /// What is set.
    pub fn set(&self) -> Option<&T> {
        if let Self::Set(value) = self { Some(value) } else { None }
    }

    /// What is set, the default where nothing is, and nothing where it cannot be read.
    pub fn readable(self) -> Option<T>
    where
        T: Default,
    {
        match self {
            Self::Set(value) => Some(value),
            Self::Absent => Some(T::default()),
            Self::Odd => None,
        }
    }

    /// Whether it is of a type that cannot be read.
    pub fn is_odd(&self) -> bool {
        matches!(self, Self::Odd)
    }
}

impl<'a, T: Deserialize<'a>> Told<T> {
    /// Reads what stands in a field.
    pub fn of(raw: Option<&'a RawValue>) -> Self {
        let Some(raw) = raw else { return Self::Absent };
        serde_json::from_str(raw.get()).map_or(Self::Odd, Self::Set)
    }
}

impl<'de: 'a, 'a, T: Deserialize<'a>> Deserialize<'de> for Told<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::of(Option::deserialize(deserializer)?))
    }
}

/// Free metadata: text by key. The protocol wants text; what some libraries let through besides is
/// kept as its JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata(pub BTreeMap<String, String>);

impl<'de> Deserialize<'de> for Metadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Texts)
    }
}

struct Texts;

impl<'de> Visitor<'de> for Texts {
    type Value = Metadata;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with text by key")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Metadata, A::Error> {
        let mut all = BTreeMap::new();
        while let Some((key, raw)) = map.next_entry::<String, &'de RawValue>()? {
            all.insert(key, text(raw.get()));
        }
        Ok(Metadata(all))
    }
}

/// The text that a JSON value is; the JSON itself where it is none.
fn text(json: &str) -> String {
    let inner = json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    // A text without escapes stands there as it is.
    match inner.filter(|text| !text.contains('\\')) {
        Some(plain) => plain.to_owned(),
        None => serde_json::from_str(json).unwrap_or_else(|_| respelt(json)),
    }
}

/// A JSON value as it is always spelt: white space, escapes and the order of fields say nothing.
fn respelt(json: &str) -> String {
    let value: Result<Value, _> = serde_json::from_str(json);
    value.map_or_else(|_| json.to_owned(), |value| value.to_string())
}

#[cfg(test)]
mod tests {
    use super::{Metadata, ServiceReply, Told};

    #[test]
    fn metadata_that_is_no_text_is_the_same_however_it_is_spelt() {
        let read = |text: &str| serde_json::from_str::<Metadata>(text).unwrap();
        let one = read(r#"{"a":{"x":["jobs"],"b":1},"b":[ 1 ]}"#);
        let other = read(r#"{"b":[1],"a":{ "b" : 1, "\u0078":["\u006aobs"]}}"#);
        assert_eq!(one, other);
        assert_eq!(one.0["a"], r#"{"b":1,"x":["jobs"]}"#);
    }

    fn reply(text: &str) -> ServiceReply<'_> {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_field_is_missing_null_set_or_odd() {
        let group = |field: &str| {
            let text = format!(r#"{{"endpoints":[{{"name":"call"{field}}}]}}"#);
            let reply: ServiceReply<'_> = serde_json::from_str(&text).unwrap();
            let endpoint = &reply.endpoints.set().unwrap()[0];
            assert_eq!(endpoint.name.as_deref(), Some("call"), "{field}");
            let set = endpoint.queue_group.set().map(ToString::to_string);
            (set, endpoint.queue_group.is_odd())
        };
        assert_eq!(group(""), (None, false));
        assert_eq!(group(r#","queue_group":null"#), (None, false));
        assert_eq!(group(r#","queue_group":"""#), (Some(String::new()), false));
        assert_eq!(group(r#","queue_group":"q\u00e9""#), (Some("qé".to_owned()), false));
        assert_eq!(group(r#","queue_group":["q"]"#), (None, true));
    }

    #[test]
    fn a_field_of_another_type_costs_that_field_alone() {
        let all = r#"{"type":"io.nats.micro.v1.info_response","name":"orders","id":"A","version":12,
            "metadata":"none","started":{},"endpoints":{"call":"orders.call"}}"#;
        let odd = reply(all);
        assert_eq!((odd.name.as_deref(), odd.id.as_deref()), (Some("orders"), Some("A")));
        assert_eq!((odd.version, odd.started), (None, None));
        assert_eq!((odd.metadata, odd.endpoints), (Told::Odd, Told::Odd));
        let counts = reply(r#"{"endpoints":[{"name":"call","num_requests":"9","num_errors":2}]}"#);
        let endpoint = &counts.endpoints.set().unwrap()[0];
        assert_eq!((endpoint.num_requests, endpoint.num_errors), (None, Some(2)));
        // A list with something else in it is not believed in part.
        assert!(reply(r#"{"endpoints":[{"name":"call"},7]}"#).endpoints.is_odd());
    }

    #[test]
    fn an_empty_reply_and_nulls_are_read() {
        let nulls = r#"{"type":null,"name":null,"id":null,"version":null,"metadata":null,
            "started":null,"endpoints":null}"#;
        for text in ["{}", nulls] {
            let reply = reply(text);
            assert_eq!(reply.name, None);
            assert_eq!((reply.metadata, reply.endpoints), (Told::Absent, Told::Absent));
        }
    }

    #[test]
    fn metadata_keeps_what_is_not_text_as_json() {
        let reply = reply(r#"{"metadata":{"host":"a\"b","port":8080,"tags":["x"]}}"#);
        let Told::Set(Metadata(all)) = reply.metadata else { panic!("{:?}", reply.metadata) };
        let all: Vec<(&str, &str)> = all.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(all, [("host", "a\"b"), ("port", "8080"), ("tags", "[\"x\"]")]);
    }
}
