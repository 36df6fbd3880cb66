//! What the collector remembered from earlier epochs and therefore asked for.
//!
//! It is the largest part of a header and much the same in every epoch, so it is read into texts
//! that are cheap to hold, put into order once, and shared by everybody who looks at it.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use jiff::Timestamp;
use nats_hindsight_snapshot::lines::{EpochLine, Unread};
use serde::de::{Deserialize, Deserializer, IgnoredAny, SeqAccess, Visitor};
use smol_str::SmolStr;

/// A header whose expectations were read.
pub type Header = EpochLine<Arc<Expected>>;

/// Entries for which there is room from the beginning.
const ROOM: usize = 256;

/// The servers and services that a header expects.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
pub struct Expected {
    /// Servers, sorted by id, each once.
    #[serde(default, deserialize_with = "roomy")]
    pub servers: Vec<ExpectedServer>,
    /// Services, sorted by account and name.
    #[serde(default, deserialize_with = "roomy")]
    pub services: Vec<ExpectedService>,
}

/// A server that answered, or was named by a peer, in an earlier epoch.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
pub struct ExpectedServer {
    /// Server id of the last process seen.
    pub id: SmolStr,
    /// Server name.
    #[serde(default)]
    pub name: SmolStr,
    /// Cluster name; absent for a server without a cluster.
    pub cluster: Option<SmolStr>,
    /// Version it ran.
    pub version: Option<SmolStr>,
    /// Start of the last epoch in which it answered.
    pub last_seen: Option<Timestamp>,
}

/// A service that answered, was listed or was asked for in an earlier epoch.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
pub struct ExpectedService {
    /// Account id.
    pub account: SmolStr,
    /// Display name of the account, where one is known.
    pub account_name: Option<SmolStr>,
    /// Service name.
    pub name: SmolStr,
    /// Start of the last epoch in which an instance answered or was listed.
    pub last_seen: Option<Timestamp>,
    /// Ids of its instances at that time.
    #[serde(default)]
    pub instances: Vec<SmolStr>,
    /// Ids of the servers that held their connections at that time.
    #[serde(default)]
    pub servers: Vec<SmolStr>,
}

impl Expected {
    /// Reads the expectations of a header, and puts them into order; those of services only where
    /// somebody looks at services.
    pub(crate) fn read(unread: &Unread<'_>, services: bool) -> Result<Self, serde_json::Error> {
        #[derive(serde::Deserialize)]
        struct OfServers {
            #[serde(deserialize_with = "roomy")]
            servers: Vec<ExpectedServer>,
        }
        // Services stand behind servers, unless somebody else wrote the header.
        let before = if services { None } else { unread.read_before(b",\"services\":") };
        let mut all: Self = match before {
            Some(OfServers { servers }) => Self { servers, services: Vec::new() },
            None => unread.read()?,
        };
        if !services {
            all.services.clear();
        }
        all.servers.sort_by(|a, b| a.id.cmp(&b.id));
        all.servers.dedup_by(|a, b| a.id == b.id);
        all.services.sort_by(|a, b| (&a.account, &a.name).cmp(&(&b.account, &b.name)));
        Ok(all)
    }

    /// Counts the servers that a header expects.
    pub(crate) fn count_servers(unread: &Unread<'_>) -> usize {
        #[derive(Default, serde::Deserialize)]
        struct Counted {
            #[serde(default)]
            servers: Vec<IgnoredAny>,
        }
        unread.read().map_or(0, |counted: Counted| counted.servers.len())
    }

    /// A service by its account and name.
    pub fn service(&self, account: &str, name: &str) -> Option<&ExpectedService> {
        let key = (account, name);
        let of =
            |service: &ExpectedService| (service.account.as_str(), service.name.as_str()) < key;
        let at = self.services.partition_point(of);
        self.services.get(at).filter(|service| service.account == account && service.name == name)
    }

    /// A server by its id.
    pub fn server(&self, id: &str) -> Option<&ExpectedServer> {
        let at = self.servers.binary_search_by(|server| server.id.as_str().cmp(id));
        self.servers.get(at.ok()?)
    }
}

/// A list that begins with room for many: one that grows in steps is copied at each.
fn roomy<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Vec<T>, D::Error> {
    struct List<T>(PhantomData<T>);
    impl<'de, T: Deserialize<'de>> Visitor<'de> for List<T> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Vec<T>, A::Error> {
            let mut all = Vec::with_capacity(ROOM);
            while let Some(next) = from.next_element()? {
                all.push(next);
            }
            Ok(all)
        }
    }
    from.deserialize_seq(List(PhantomData))
}

#[cfg(test)]
mod tests {
    use nats_hindsight_snapshot::lines::Unread;

    use super::Expected;

    #[test]
    fn servers_are_the_same_whether_services_are_read_or_not() {
        let servers = r#""servers":[{"id":"N2","name":"a,\"services\":"},{"id":"N1"}]"#;
        let services = r#""services":[{"account":"APP","name":"orders"}]"#;
        for json in [
            format!("{{{servers},{services}}}"),
            format!("{{{services},{servers}}}"),
            format!(r#"{{"later":{{}},{services},{servers}}}"#),
            format!("{{{servers}}}"),
        ] {
            let unread: Unread<'_> = serde_json::from_str(&json).unwrap();
            let all = Expected::read(&unread, true).unwrap();
            assert_eq!(all.services.len(), usize::from(json.contains("orders")));
            assert_eq!(all.servers.iter().map(|s| s.id.as_str()).collect::<Vec<_>>(), ["N1", "N2"]);
            let of_servers = Expected { servers: all.servers, services: Vec::new() };
            assert_eq!(Expected::read(&unread, false).unwrap(), of_servers, "{json}");
        }
        let neither: Unread<'_> = serde_json::from_str("{}").unwrap();
        assert_eq!(Expected::read(&neither, false).unwrap(), Expected::default());
    }
}
