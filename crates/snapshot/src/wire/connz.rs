//! CONNZ: connections, and which services their subscriptions announce.

use std::borrow::Cow;
use std::fmt;

use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::list;

/// One page of CONNZ.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Connz<'a> {
    /// Server id.
    #[serde(borrow)]
    pub server_id: Option<Cow<'a, str>>,
    /// The server's clock, RFC 3339.
    #[serde(borrow)]
    pub now: Option<Cow<'a, str>>,
    /// Rows in this page.
    pub num_connections: Option<u64>,
    /// Rows before filtering; never a reason to stop paging.
    pub total: Option<u64>,
    /// First row of this page.
    pub offset: Option<u64>,
    /// Most rows of a page.
    pub limit: Option<u64>,
    /// The rows.
    #[serde(borrow, deserialize_with = "list")]
    pub connections: Vec<Connection<'a>>,
}

/// One row of CONNZ.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Connection<'a> {
    /// Connection id, unique while the server process lives.
    pub cid: Option<u64>,
    /// `Client`, `Leafnode`, …
    #[serde(borrow)]
    pub kind: Option<Cow<'a, str>>,
    /// Name the client chose; for a leaf connection the leaf server's name.
    #[serde(borrow)]
    pub name: Option<Cow<'a, str>>,
    /// Language the client says it is written in.
    #[serde(borrow)]
    pub lang: Option<Cow<'a, str>>,
    /// Version of the client library.
    #[serde(borrow)]
    pub version: Option<Cow<'a, str>>,
    /// Address of the client.
    #[serde(borrow)]
    pub ip: Option<Cow<'a, str>>,
    /// Account; only when asked for with `auth`.
    #[serde(borrow)]
    pub account: Option<Cow<'a, str>>,
    /// Display name of the account; on 2.10 that of the user, in operator mode only.
    #[serde(borrow)]
    pub name_tag: Option<Cow<'a, str>>,
    /// Who logged in, where that is no secret: a public nkey, else `[REDACTED]`.
    #[serde(borrow)]
    pub authorized_user: Option<Cow<'a, str>>,
    /// JWT of the user, in operator mode, without its signature; hidden for bearer tokens.
    #[serde(borrow)]
    pub jwt: Option<Cow<'a, str>>,
    /// Start of the connection, RFC 3339.
    #[serde(borrow)]
    pub start: Option<Cow<'a, str>>,
    /// End of a closed connection, RFC 3339.
    #[serde(borrow)]
    pub stop: Option<Cow<'a, str>>,
    /// Why a closed connection ended.
    #[serde(borrow)]
    pub reason: Option<Cow<'a, str>>,
    /// Subscriptions that have to do with services, asked for plainly.
    #[serde(borrow)]
    pub subscriptions_list: Subscriptions<'a>,
    /// The same, asked for with details.
    #[serde(borrow)]
    pub subscriptions_list_detail: Subscriptions<'a>,
}

impl<'a> Connection<'a> {
    /// Subscriptions that have to do with services, in whichever form they came.
    pub fn subscriptions(&self) -> impl Iterator<Item = &str> + use<'_, 'a> {
        let both = [&self.subscriptions_list, &self.subscriptions_list_detail];
        both.into_iter().flat_map(|list| list.0.iter().map(AsRef::as_ref))
    }
}

/// The subscriptions of a connection that can match a request to `$SRV`; all others are passed
/// over while reading, because a list may be long and only these are ever looked at.
///
/// Reads both forms of the list: plain subjects, and details with a `subject` each.
#[derive(Clone, Debug, Default)]
pub struct Subscriptions<'a>(pub Vec<Cow<'a, str>>);

fn concerns_services(subject: &str) -> bool {
    subject.starts_with("$SRV.") || subject == ">" || subject.starts_with("*.")
}

impl<'de: 'a, 'a> Deserialize<'de> for Subscriptions<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Rows;
        impl<'de> Visitor<'de> for Rows {
            type Value = Vec<Cow<'de, str>>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of subscriptions")
            }
            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Vec::new())
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut kept = Vec::new();
                while let Some(Row(subject)) = seq.next_element()? {
                    if concerns_services(&subject) {
                        kept.push(subject);
                    }
                }
                Ok(kept)
            }
        }
        deserializer.deserialize_any(Rows).map(Subscriptions)
    }
}

/// One subscription: its subject, or a map that has one.
struct Row<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Row<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Subject;
        impl<'de> Visitor<'de> for Subject {
            type Value = Cow<'de, str>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a subject or a map with one")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Cow::Borrowed(text))
            }
            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Cow::Owned(text.to_owned()))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut subject = Cow::Borrowed("");
                while let Some(key) = map.next_key::<Key<'de>>()? {
                    if key.0 == "subject" {
                        subject = map.next_value::<Key<'de>>()?.0;
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(subject)
            }
        }
        deserializer.deserialize_any(Subject).map(Row)
    }
}

/// Text that borrows where it can (a bare `Cow` would always copy).
#[derive(Deserialize)]
#[serde(transparent)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_the_list_are_read_and_missing_is_empty() {
        let rows = [
            r#"{"subscriptions_list":["a.b","$SRV.PING.x.1",">"]}"#,
            r#"{"subscriptions_list_detail":[{"subject":"a.b","sid":"1"},{"account":"A","subject":"$SRV.PING.x.1"},{"subject":">"}]}"#,
        ];
        for row in rows {
            let row: Connection<'_> = serde_json::from_str(row).expect("the row parses");
            assert_eq!(row.subscriptions().collect::<Vec<_>>(), ["$SRV.PING.x.1", ">"]);
        }
        for row in ["{}", r#"{"subscriptions_list":null}"#] {
            let row: Connection<'_> = serde_json::from_str(row).expect("the row parses");
            assert_eq!(row.subscriptions().count(), 0);
        }
    }
}
