//! GATEWAYZ, LEAFZ, SUBSZ.

use nats_hindsight_snapshot::wire::{Connz, Envelope, Gatewayz, Leafz, Subsz};

use crate::{VERSIONS, is_since, read, read_http, reply};

#[test]
fn a_server_has_one_connection_to_each_remote_cluster() {
    for version in VERSIONS {
        let (_, gatewayz): (_, Gatewayz<'_>) = read(version, "GATEWAYZ");
        assert_eq!(gatewayz.name.as_deref(), Some("A"), "{version}");
        let remotes: Vec<&String> = gatewayz.outbound_gateways.keys().collect();
        assert_eq!(remotes, ["B"], "{version}");
        let gateway = &gatewayz.outbound_gateways["B"];
        assert_eq!(gateway.configured, Some(true), "{version}");
        let connection = gateway.connection.as_ref().unwrap();
        assert!(connection.rtt.as_deref().unwrap().ends_with('s'), "{version}");
        // A public key, which is an id and no name.
        assert_eq!(connection.name.as_deref().unwrap().len(), 56, "{version}");
        assert!(connection.cid > Some(0) && connection.pending_bytes.is_some(), "{version}");
        assert!(connection.start.is_some(), "{version}");
        let mut accounts: Vec<_> =
            gateway.accounts.iter().map(|account| account.name.as_deref().unwrap()).collect();
        accounts.sort_unstable();
        assert_eq!(accounts, ["$G", "APP", "OPS", "SYS"], "{version}");
        let modes = gateway.accounts.iter().map(|account| account.interest_mode.as_deref());
        assert!(modes.into_iter().all(|mode| mode == Some("Interest-Only")), "{version}");
        let app = gateway.accounts.iter().find(|account| account.name.as_deref() == Some("APP"));
        assert!(app.unwrap().num_subs > Some(0), "{version}");
    }
}

#[test]
fn what_came_in_is_listed_apart() {
    for version in VERSIONS {
        let (_, gatewayz): (_, Gatewayz<'_>) = read(version, "GATEWAYZ_INBOUND");
        let inbound = &gatewayz.inbound_gateways["B"];
        assert!(!inbound.is_empty(), "{version}");
        for gateway in inbound {
            assert_eq!(gateway.configured, Some(false), "{version}");
            assert!(gateway.connection.as_ref().unwrap().rtt.is_some(), "{version}");
        }
    }
}

#[test]
fn over_http_gateways_are_the_same() {
    for version in VERSIONS {
        let (_, asked): (_, Gatewayz<'_>) = read(version, "GATEWAYZ");
        let http: Gatewayz<'_> = read_http(version, "GATEWAYZ");
        assert_eq!(http.server_id, asked.server_id, "{version}");
        let (one, other) = (&http.outbound_gateways["B"], &asked.outbound_gateways["B"]);
        let cid = |gateway: &nats_hindsight_snapshot::wire::Gateway<'_>| {
            gateway.connection.as_ref().map(|connection| connection.cid)
        };
        assert_eq!(cid(one), cid(other), "{version}");
        assert_eq!(one.accounts.len(), other.accounts.len(), "{version}");
    }
}

#[test]
fn a_leaf_connection_is_told_at_both_ends() {
    for version in VERSIONS {
        let (server, leafz): (_, Leafz<'_>) = read(version, "LEAFZ");
        assert_eq!(leafz.leafs.len(), 1, "{version}");
        let leaf = &leafz.leafs[0];
        assert_eq!((leaf.name.as_deref(), leaf.account.as_deref()), (Some("leaf1"), Some("APP")));
        assert_eq!((leaf.is_spoke, leaf.ip.as_deref()), (Some(false), Some("127.0.0.1")));
        assert!(leaf.rtt.as_deref().unwrap().ends_with('s'), "{version}");
        assert!(leaf.subscriptions > Some(0), "{version}");
        assert_eq!(leaf.compression.as_deref(), Some("s2_uncompressed"), "{version}");
        let spoke: Leafz<'_> = read_http(version, "LEAFZ_LEAF");
        assert_eq!((spoke.leafs.len(), spoke.leafs[0].is_spoke), (1, Some(true)), "{version}");
        assert_eq!(spoke.leafs[0].name, server.name, "{version}");
    }
}

#[test]
fn subscriptions_are_counted_and_their_fanout_is_a_fraction() {
    for version in VERSIONS {
        let (server, subsz): (_, Subsz<'_>) = read(version, "SUBSZ");
        assert_eq!(subsz.server_id, server.id, "{version}");
        let (inserts, removes) = (subsz.num_inserts.unwrap(), subsz.num_removes.unwrap());
        assert_eq!(subsz.num_subscriptions, Some(inserts - removes), "{version}");
        assert!(subsz.avg_fanout > Some(0.0), "{version}");
        assert!(subsz.max_fanout.unwrap() as f64 >= subsz.avg_fanout.unwrap(), "{version}");
        let http: Subsz<'_> = read_http(version, "SUBSZ");
        assert!(http.num_inserts >= Some(inserts), "{version}");
        // Older servers do not say over HTTP whose numbers these are.
        assert_eq!(http.server_id.is_some(), is_since(version, "2.12.8"), "{version}");
    }
}

#[test]
fn a_refusal_stands_in_the_envelope() {
    for version in VERSIONS {
        let envelope: Envelope<'_> = serde_json::from_str(reply(version, "CONNZ_ERROR")).unwrap();
        assert!(envelope.data.is_none(), "{version}");
        let error = envelope.error.unwrap();
        assert_eq!(error.code, Some(500), "{version}");
        assert!(error.description.unwrap().contains("account filtering"), "{version}");
        let (_, connz): (_, Connz<'_>) = read(version, "CONNZ");
        assert!(connz.connections.len() >= 3, "{version}");
    }
}
