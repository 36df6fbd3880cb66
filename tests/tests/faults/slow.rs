//! Recordings of what takes minutes: servers that hang until their peers, gateways or hubs drop them,
//! and clients that are mute until their server does.

use nats_hindsight_tests::recording::Recording;
use nats_hindsight_tests::verdicts::{Judged, judge};

fn judged(scenario: &str) -> Judged {
    judge(&Recording::fixture(scenario), &[("SERVICE_002.settle_after", 1000)])
}

/// Kinds of the chapters of a finding, with their epochs.
fn told(judged: &Judged, code: &str, subject: &str) -> Vec<(usize, String)> {
    let finding = judged.finding(code, subject);
    let kind = |face: &serde_json::Value| face["kind"].as_str().unwrap_or_default().to_owned();
    let all = serde_json::to_value(finding).unwrap_or_default();
    let chapters = all["changes"].as_array().cloned().unwrap_or_default();
    let epoch = |at: &serde_json::Value| {
        at["epoch"].as_u64().and_then(|epoch| usize::try_from(epoch).ok()).unwrap_or(usize::MAX)
    };
    chapters.iter().map(|change| (epoch(change), kind(&change["face"]))).collect()
}

#[test]
fn hung_servers_are_unresponsive_until_their_peers_drop_them_and_then_lost() {
    let judged = judged("hung-for-long");
    for server in ["A/a4", "A/a5"] {
        let verdicts = judged.verdicts("HINT_001", server);
        assert_eq!(verdicts, ["ok", "finding", "finding", "ok", "ok", "ok", "ok"], "{server}");
        let chapters = [(1, "unresponsive".to_owned()), (2, "lost".to_owned())];
        assert_eq!(told(&judged, "HINT_001", server), chapters, "{server}: one interval");
    }
    for server in ["A/a1", "A/a2", "A/a3"] {
        assert_eq!(judged.verdicts("HINT_001", server), ["ok"; 7], "{server}");
    }
}

/// What they ran is not known while they hang; once they are dropped there is one version left.
#[test]
fn the_mix_of_versions_ends_with_those_that_were_cut_off() {
    let judged = judged("hung-for-long");
    let verdicts = judged.verdicts("SERVER_002", "A");
    let until = ["finding", "unknown(server_silent)", "ok", "finding"];
    assert_eq!(verdicts[..4], until.map(str::to_owned));
    let first = serde_json::to_value(judged.findings("SERVER_002", "A")[0]).unwrap_or_default();
    assert_eq!(first["closed"]["how"], "ended", "{first:#}");
    assert_eq!(first["closed"]["epoch"], 2, "{first:#}");
    let why = first["closed"].to_string();
    assert!(why.contains("a4") && why.contains("a5"), "they are named: {why}");
}

#[test]
fn a_service_on_a_hung_server_is_unknown_until_it_is_cut_off() {
    let judged = judged("hung-for-long");
    let verdicts = judged.verdicts("SERVICE_002", "APP/billing");
    let words = ["ok", "unknown(server_silent)", "finding", "ok", "ok", "ok", "ok"];
    assert_eq!(verdicts, words);
    let finding = judged.finding("SERVICE_002", "APP/billing");
    assert_eq!(finding.details["kind"], "cut_off");
    assert_eq!(finding.details["servers"], serde_json::json!(["a4"]));
}

/// Connected and mute, then closed by the server as stale, then there again: one interval.
#[test]
fn a_mute_service_is_silent_until_its_server_drops_it_and_then_gone() {
    let judged = judged("hung-for-long");
    let verdicts = judged.verdicts("SERVICE_002", "APP/mailer");
    let words = ["ok", "unknown(server_silent)", "finding", "finding", "finding", "ok", "ok"];
    assert_eq!(verdicts, words);
    let chapters = [(2, "silent".to_owned()), (4, "gone".to_owned())];
    assert_eq!(told(&judged, "SERVICE_002", "APP/mailer"), chapters);
    assert_eq!(
        judged.finding("SERVICE_002", "APP/mailer").details["why"],
        serde_json::json!(["stale"])
    );
    assert_eq!(judged.verdicts("SERVICE_002", "APP/orders"), ["ok"; 7]);
}

/// Over gateways and leaf connections it is the same, though nobody is left who could name or miss
/// a server that is alone in its cluster: nothing is said of it until it answers again.
#[test]
fn services_of_other_clusters_and_leaf_nodes_are_unknown_until_they_are_cut_off() {
    let judged = judged("hung-afar");
    let silent = "unknown(server_silent)";
    for (service, server, verdicts) in [
        ("APP/billing", "b1", ["ok", silent, "finding", "ok", "ok", "ok", "ok"]),
        ("APP/scan", "leaf-west", ["ok", silent, silent, silent, "finding", "ok", "ok"]),
    ] {
        assert_eq!(judged.verdicts("SERVICE_002", service), verdicts, "{service}");
        let finding = judged.finding("SERVICE_002", service);
        assert_eq!(finding.details["kind"], "cut_off", "{service}");
        assert_eq!(finding.details["servers"], serde_json::json!([server]), "{service}");
    }
    assert_eq!(judged.verdicts("SERVICE_002", "APP/orders"), ["ok"; 7]);
    let alone = "unknown(no_peer)";
    for (server, verdicts) in [
        ("A/a1", ["ok"; 7]),
        ("A/a2", ["ok"; 7]),
        ("B/b1", ["ok", alone, alone, "ok", "ok", "ok", "ok"]),
        ("leaf-west/leaf-west", ["ok", alone, alone, alone, alone, "ok", "ok"]),
    ] {
        assert_eq!(judged.verdicts("HINT_001", server), verdicts, "{server}");
    }
}
