//! ACCOUNTZ and the statistics of accounts.

use std::collections::BTreeMap;

use nats_hindsight_snapshot::wire::{
    AccountStat, AccountStatz, Accountz, AccountzDetail, Envelope, Import, Volume,
};

use crate::{VERSIONS, is_since, read, read_http, reply};

fn by_name(statz: AccountStatz<'static>) -> BTreeMap<String, AccountStat<'static>> {
    let accounts = statz.account_statz.into_iter();
    accounts.map(|account| (account.account.clone().unwrap().into_owned(), account)).collect()
}

fn names(statz: AccountStatz<'static>) -> Vec<String> {
    by_name(statz).into_keys().collect()
}

#[test]
fn the_list_names_every_account() {
    for version in VERSIONS {
        let (_, accountz): (_, Accountz<'_>) = read(version, "ACCOUNTZ");
        let mut names = accountz.accounts;
        names.sort_unstable();
        assert_eq!(names, ["$G", "APP", "OPS", "SYS"], "{version}");
    }
}

#[test]
fn an_account_has_exports_and_connections() {
    for version in VERSIONS {
        let (_, accountz): (_, AccountzDetail<'_>) = read(version, "ACCOUNTZ_DETAIL");
        assert_eq!(accountz.system_account.as_deref(), Some("SYS"), "{version}");
        let app = accountz.account_detail.unwrap();
        assert_eq!(app.account_name.as_deref(), Some("APP"), "{version}");
        assert_eq!(app.name_tag.is_some(), is_since(version, "2.11.11"), "{version}");
        assert_eq!((app.is_system, app.expired), (None, Some(false)), "{version}");
        assert_eq!((app.jetstream_enabled, app.client_connections), (Some(true), Some(1)));
        assert!(app.leafnode_connections.is_some() && app.subscriptions > Some(10), "{version}");
        let mut exports: Vec<_> = app
            .exports
            .iter()
            .map(|export| (export.kind.as_deref(), export.subject.as_deref()))
            .collect();
        exports.sort_unstable();
        let expected = [(Some("service"), Some("help.*")), (Some("stream"), Some("public.>"))];
        assert_eq!(exports, expected, "{version}");
        // Configured by file: no JWT, and therefore no limits.
        assert!(app.jwt.is_none() && app.decoded_jwt.is_none(), "{version}");
        assert!(app.validation_result_jwt.is_empty(), "{version}");
    }
}

#[test]
fn imports_say_where_they_come_from_and_what_they_are_called_here() {
    for version in VERSIONS {
        let (_, accountz): (_, AccountzDetail<'_>) = read(version, "ACCOUNTZ_DETAIL_IMPORTS");
        let ops = accountz.account_detail.unwrap();
        assert!(ops.exports.is_empty(), "{version}");
        let find = |subject: &str| -> &Import<'static> {
            let matches = |import: &&Import<'static>| import.subject.as_deref() == Some(subject);
            ops.imports.iter().find(matches).unwrap()
        };
        let news = find("public.>");
        assert_eq!((news.kind.as_deref(), news.account.as_deref()), (Some("stream"), Some("APP")));
        assert_eq!(news.local_subject.as_deref(), Some("app.public.>"), "{version}");
        assert_eq!((news.to.as_deref(), news.invalid), (None, Some(false)), "{version}");
        let help = find("help.ops");
        assert_eq!((help.kind.as_deref(), help.account.as_deref()), (Some("service"), Some("APP")));
        assert_eq!(help.to.as_deref(), Some("help.ops"), "{version}");
        // Not configured by anybody.
        assert_eq!(find("$JS.API.>").account.as_deref(), Some("SYS"), "{version}");
    }
}

#[test]
fn the_system_account_is_marked_and_an_unknown_one_is_an_error() {
    for version in VERSIONS {
        let (_, accountz): (_, AccountzDetail<'_>) = read(version, "ACCOUNTZ_DETAIL_SYSTEM");
        let system = accountz.account_detail.unwrap();
        assert_eq!((system.is_system, system.jetstream_enabled), (Some(true), Some(false)));
        let text = reply(version, "ACCOUNTZ_DETAIL_UNKNOWN");
        let envelope: Envelope<'_> = serde_json::from_str(text).unwrap();
        assert!(envelope.data.is_none(), "{version}");
        let error = envelope.error.unwrap();
        assert_eq!(error.code, Some(500), "{version}");
        assert!(error.description.unwrap().contains("NOBODY"), "{version}");
    }
}

#[test]
fn statistics_are_of_used_accounts_unless_all_are_asked_for() {
    for version in VERSIONS {
        let (server, statz): (_, AccountStatz<'_>) = read(version, "ACCOUNT_STATZ");
        assert_eq!(statz.server_id, server.id, "{version}");
        assert_eq!(names(statz), ["$G", "APP", "OPS", "SYS"], "{version}");
        let (_, used): (_, AccountStatz<'_>) = read(version, "ACCOUNT_STATZ_USED");
        assert_eq!(names(used), ["APP", "OPS", "SYS"], "{version}");
        let (_, chosen): (_, AccountStatz<'_>) = read(version, "ACCOUNT_STATZ_ONE");
        assert_eq!(names(chosen), ["OPS"], "{version}");
        let http: AccountStatz<'_> = read_http(version, "ACCOUNT_STATZ");
        assert_eq!(names(http), ["$G", "APP", "OPS", "SYS"], "{version}");
    }
}

#[test]
fn traffic_is_counted_and_from_2_11_on_by_kind_of_connection() {
    for version in VERSIONS {
        let (_, statz): (_, AccountStatz<'_>) = read(version, "ACCOUNT_STATZ");
        let mut accounts = by_name(statz);
        let system = accounts.remove("SYS").unwrap();
        assert!(system.num_subscriptions > Some(100), "{version}");
        let (conns, leafs) = (system.conns.unwrap(), system.leafnodes.unwrap());
        assert_eq!((system.total_conns, system.slow_consumers), (Some(conns + leafs), Some(0)));
        let recent = is_since(version, "2.11.11");
        assert_eq!(system.name.is_some(), recent, "{version}");
        for traffic in [system.sent.unwrap(), system.received.unwrap()] {
            assert!(traffic.bytes > traffic.msgs && traffic.msgs > Some(0), "{version}");
            let kinds = [&traffic.gateways, &traffic.routes, &traffic.leafs];
            assert!(kinds.iter().all(|kind| kind.is_some() == recent), "{version}");
            let bytes = |kind: &Option<Volume>| kind.as_ref().and_then(|kind| kind.bytes);
            if recent {
                assert!(bytes(&traffic.routes) > Some(0), "{version}");
                assert!(bytes(&traffic.routes) < traffic.bytes, "{version}");
            }
        }
    }
}

/// No recorded system is in operator mode, so these shapes are from the source of the server.
#[test]
fn limits_stand_in_the_decoded_jwt() {
    let text = r#"{"account_detail":{"account_name":"ABC","name_tag":"app","jwt":"h.b.[REDACTED]",
        "decoded_jwt":{"iss":"OXYZ","iat":1700000000,"nats":{"limits":{"subs":-1,"conn":10,
        "disk_storage":9223372036854775807,"tiered_limits":{"R3":{"disk_storage":5,"streams":2}}}}},
        "validation_result_jwt":[{"description":"x","blocking":false,"time_check":true}]}}"#;
    let accountz: AccountzDetail<'_> = serde_json::from_str(text).unwrap();
    let account = accountz.account_detail.unwrap();
    let claims = account.decoded_jwt.unwrap();
    assert_eq!((claims.issuer.as_deref(), claims.expires), (Some("OXYZ"), None));
    let limits = claims.nats.unwrap().limits.unwrap();
    assert_eq!((limits.subs, limits.conn, limits.leaf), (Some(-1), Some(10), None));
    assert_eq!(limits.disk_storage, Some(i64::MAX));
    assert_eq!(limits.tiered_limits["R3"].disk_storage, Some(5));
    assert_eq!(account.validation_result_jwt[0].time_check, Some(true));
}
