//! Which endpoints are asked.

use std::collections::BTreeSet;

use nats_hindsight_snapshot::Endpoint;

use crate::table::Row;

/// How much is recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// What the checks of servers and services need: who is there, in which version, with which
    /// peers, and the connections of services.
    Light,
    /// The same, and JetStream, accounts, gateways, health, Raft groups and internal queues.
    #[default]
    Standard,
    /// The same, and all connections with their subscriptions, not only those of services.
    Full,
}

/// Why a selection makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectionError {
    /// No such endpoint.
    #[error("there is no endpoint {name:?}; those that can be switched are {}", switchable())]
    Unknown {
        /// As given.
        name: String,
    },
    /// Without it an epoch makes no sense.
    #[error(
        "{endpoint} cannot be switched off: it says who is there. Those that can be switched are {}",
        switchable()
    )]
    Needed {
        /// The endpoint.
        endpoint: Endpoint,
    },
}

/// Says who is there, and is therefore always asked.
const ALWAYS: &[Endpoint] =
    &[Endpoint::STATSZ, Endpoint::VARZ, Endpoint::ROUTEZ, Endpoint::USER_INFO, Endpoint::SRV_PING];

const LIGHT: &[Endpoint] = &[
    Endpoint::ACCOUNTZ,
    Endpoint::CONNZ,
    Endpoint::CONNZ_CLOSED,
    Endpoint::LEAFZ,
    Endpoint::SRV_INFO,
    Endpoint::SRV_STATS,
    Endpoint::EVENTS,
];

const STANDARD: &[Endpoint] = &[
    Endpoint::ACCOUNTZ_DETAIL,
    Endpoint::ACCOUNT_STATZ,
    Endpoint::GATEWAYZ,
    Endpoint::SUBSZ,
    Endpoint::JSZ,
    Endpoint::HEALTHZ,
    Endpoint::RAFTZ,
    Endpoint::IPQUEUESZ,
];

/// In no profile: it shows the command line of the server, though scrubbed.
const BY_NAME: &[Endpoint] = &[Endpoint::EXPVARZ];

fn switchable() -> String {
    let all = LIGHT.iter().chain(STANDARD).chain(BY_NAME);
    all.map(Endpoint::as_str).collect::<Vec<_>>().join(", ")
}

/// The endpoints of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    endpoints: BTreeSet<Endpoint>,
    all_connections: bool,
}

impl Default for Selection {
    fn default() -> Self {
        Self::of(Profile::default())
    }
}

impl Selection {
    /// The endpoints of a profile.
    pub fn of(profile: Profile) -> Self {
        let standard = if profile == Profile::Light { &[] } else { STANDARD };
        Self {
            endpoints: ALWAYS.iter().chain(LIGHT).chain(standard).cloned().collect(),
            all_connections: profile == Profile::Full,
        }
    }

    /// Switches an endpoint on.
    pub fn with(&mut self, name: &str) -> Result<(), SelectionError> {
        self.endpoints.insert(named(name)?);
        Ok(())
    }

    /// Switches an endpoint off.
    pub fn without(&mut self, name: &str) -> Result<(), SelectionError> {
        let endpoint = named(name)?;
        if ALWAYS.contains(&endpoint) {
            return Err(SelectionError::Needed { endpoint });
        }
        self.endpoints.remove(&endpoint);
        Ok(())
    }

    /// Whether an endpoint is asked.
    pub fn has(&self, endpoint: &Endpoint) -> bool {
        self.endpoints.contains(endpoint)
    }

    /// Whether all connections are listed, not only those of services.
    pub fn all_connections(&self) -> bool {
        self.all_connections
    }

    /// All that is asked, in the order of the known endpoints.
    pub(crate) fn asked(&self) -> Vec<Endpoint> {
        Endpoint::KNOWN.iter().filter(|endpoint| self.has(endpoint)).cloned().collect()
    }

    /// The rows of a table that are asked.
    pub(crate) fn rows(&self, table: &'static [Row]) -> impl Iterator<Item = &'static Row> {
        table.iter().filter(|row| self.has(row.endpoint))
    }
}

fn named(name: &str) -> Result<Endpoint, SelectionError> {
    let endpoint = Endpoint::named(&name.to_ascii_uppercase());
    let known = [ALWAYS, LIGHT, STANDARD, BY_NAME].iter().any(|list| list.contains(&endpoint));
    if known { Ok(endpoint) } else { Err(SelectionError::Unknown { name: name.to_owned() }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{OF_SERVERS, OVER_HTTP};

    #[test]
    fn every_row_of_the_tables_can_be_selected() {
        for row in OF_SERVERS.iter().chain(OVER_HTTP) {
            assert!(named(row.endpoint.as_str()).is_ok(), "{}", row.endpoint);
        }
    }

    #[test]
    fn profiles_grow() {
        let [light, standard, full] =
            [Profile::Light, Profile::Standard, Profile::Full].map(Selection::of);
        assert!(!light.has(&Endpoint::JSZ) && standard.has(&Endpoint::JSZ));
        assert!(light.endpoints.is_subset(&standard.endpoints));
        assert!(standard.endpoints.is_subset(&full.endpoints));
        assert!(!standard.all_connections() && full.all_connections());
        assert!(!full.has(&Endpoint::EXPVARZ));
    }

    #[test]
    fn endpoints_are_switched_by_name() {
        let mut selection = Selection::of(Profile::Light);
        assert_eq!(selection.with("expvarz"), Ok(()));
        assert!(selection.has(&Endpoint::EXPVARZ));
        assert_eq!(selection.without("LEAFZ"), Ok(()));
        assert!(!selection.has(&Endpoint::LEAFZ));
        let needed = selection.without("ROUTEZ").err();
        assert_eq!(needed, Some(SelectionError::Needed { endpoint: Endpoint::ROUTEZ }));
        let unknown = selection.with("profilez").err().map(|error| error.to_string());
        assert!(unknown.is_some_and(|text| text.contains("JSZ") && text.contains("profilez")));
    }
}
