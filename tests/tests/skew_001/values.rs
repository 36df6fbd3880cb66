//! What a field of VARZ means: missing, null, odd, unknown to a release, too large for a float.

use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_tests::recording::Epoch;
use nats_hindsight_tests::verdicts::judge;
use serde_json::{Value, json};

use crate::support::*;

#[test]
fn a_missing_flag_is_false_and_so_the_same_as_one_set_to_false() {
    let recording = three().at(0, |epoch| epoch.set_setting("a1", "tls_required", &json!(false)));
    assert_eq!(judge(&recording, &[]).verdicts(CODE, "A"), ["ok"]);
    let recording = three().at(0, |epoch| epoch.drop_setting("a1", "auth_required"));
    let judged = judge(&recording, &[]);
    let groups = vec!["on: a2 a3".to_owned(), "off: a1".to_owned()];
    assert_eq!(only(judged.finding(CODE, "A")), ("auth_required".to_owned(), groups));
}

#[test]
fn a_missing_number_is_zero_and_so_the_same_as_zero() {
    let set = |value: u64| {
        three().at(0, |epoch| epoch.set_setting("a1", "max_subscriptions", &json!(value)))
    };
    assert_eq!(judge(&set(0), &[]).verdicts(CODE, "A"), ["ok"]);
    let judged = judge(&set(1000), &[]);
    let groups = vec!["0: a2 a3".to_owned(), "1000: a1".to_owned()];
    assert_eq!(only(judged.finding(CODE, "A")), ("max_subscriptions".to_owned(), groups));
}

#[test]
fn numbers_are_compared_to_the_last_digit() {
    let recording = three().at(0, |epoch| {
        for (server, value) in [("a1", u64::MAX), ("a2", u64::MAX), ("a3", u64::MAX - 1)] {
            epoch.set_setting(server, "max_pending", &json!(value));
        }
    });
    let judged = judge(&recording, &[]);
    let finding = judged.finding(CODE, "A");
    assert_eq!(outliers(finding), ["a3 max_pending"]);
    assert_eq!(finding.details["settings"][0]["majority"], json!(u64::MAX));
}

#[test]
fn null_another_type_and_a_field_every_server_writes_missing_are_not_known() {
    for odd in [Value::Null, json!("1MB"), json!([1]), json!(1e30), json!({"is": 5})] {
        let recording = three().at(0, |epoch| epoch.set_setting("a2", "max_payload", &odd));
        let judged = judge(&recording, &[]);
        assert_eq!(judged.verdicts(CODE, "A"), [UNSEEN], "{odd}");
        assert_eq!(hidden(&judged, 0), ["A/a2"]);
        let problems = judged.problems("unreadable_setting");
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].text, "VARZ of a2 does not tell in a readable way: max_payload");
    }
    let recording = three().at(0, |epoch| epoch.drop_setting("a2", "max_payload"));
    assert_eq!(judge(&recording, &[]).verdicts(CODE, "A"), [UNSEEN]);
    let recording = three().at(0, |epoch| epoch.set_setting("a2", "tls_required", &Value::Null));
    assert_eq!(judge(&recording, &[]).verdicts(CODE, "A"), [UNSEEN]);
}

#[test]
fn one_odd_field_does_not_hide_what_differs_in_another() {
    // `connections` is no setting: that it cannot be read is told as a reply that cannot.
    for path in ["max_payload", "connections"] {
        let recording = three().at(0, |epoch| {
            epoch.set_setting("a2", path, &json!("many"));
            epoch.set_setting("a2", "ping_max", &json!(5));
        });
        let judged = judge(&recording, &[]);
        assert_eq!(judged.verdicts(CODE, "A"), ["finding"], "{path}");
        assert_eq!(outliers(judged.finding(CODE, "A")), ["a2 ping_max"]);
    }
}

#[test]
fn a_block_that_is_no_object_is_not_known() {
    let recording = three().at(0, |epoch| epoch.set_setting("a2", "leaf", &json!("none")));
    let judged = judge(&recording, &[]);
    assert_eq!(judged.verdicts(CODE, "A"), [UNSEEN]);
    let problems = judged.problems("unreadable_setting");
    assert!(problems[0].text.ends_with("leaf.tls_required, leaf.tls_verify"), "{problems:?}");
}

#[test]
fn the_default_of_strict_changed_with_2_12() {
    let strict = |versions: [&str; 3], flags: [Option<bool>; 3]| {
        let names = ["a1", "a2", "a3"];
        let all: Vec<(&str, &str)> = names.into_iter().zip(versions).collect();
        let recording = servers(&all).at(0, |epoch| {
            for (name, flag) in names.iter().zip(flags) {
                epoch.set_setting(name, "jetstream.config.max_memory", &json!(1));
                if let Some(flag) = flag {
                    epoch.set_setting(name, "jetstream.config.strict", &json!(flag));
                }
            }
        });
        let judged = judge(&recording, &[]);
        (judged.verdicts(CODE, "A")[0].clone(), judged)
    };
    // 2.10 does not know it, 2.11 leaves false out, 2.12 has it on.
    let upgrade = ["2.10.25", "2.11.11", "2.12.8"];
    assert_eq!(strict(upgrade, [None, None, Some(true)]).0, "ok");
    assert_eq!(strict(["2.10.25", "2.12.8", "2.15.1"], [None, Some(true), Some(true)]).0, "ok");
    let (word, judged) = strict(["2.11.11", "2.12.8", "2.15.1"], [None, Some(true), None]);
    assert_eq!(word, "finding");
    let finding = judged.finding(CODE, "A");
    let groups = vec!["on: a2".to_owned(), "off: a3".to_owned()];
    assert_eq!(only(finding), ("jetstream.config.strict".to_owned(), groups));
    assert_eq!(finding.details["settings"][0]["within"], "2.12");
    assert!(finding.summary.contains("among 2.12"), "{}", finding.summary);
    assert!(outliers(finding).is_empty());
}

#[test]
fn jetstream_on_some_servers_only_is_no_difference() {
    let recording = three().at(0, |epoch| {
        for server in ["a1", "a2"] {
            epoch.set_setting(server, "jetstream.config.domain", &json!("hub"));
            epoch.set_setting(server, "jetstream.config.strict", &json!(true));
        }
    });
    assert_eq!(judge(&recording, &[]).verdicts(CODE, "A"), ["ok"]);
    let recording = recording.at(0, |epoch| {
        epoch.set_setting("a2", "jetstream.config.domain", &json!("spoke"));
    });
    let judged = judge(&recording, &[]);
    let groups = vec!["hub: a1".to_owned(), "spoke: a2".to_owned()];
    assert_eq!(only(judged.finding(CODE, "A")), ("jetstream.config.domain".to_owned(), groups));
}

#[test]
fn feature_flags_are_compared_at_one_version() {
    const FLAG: &str = "feature_flags.js_ack_fc_v2";
    let mixed = servers(&[("a1", "2.14.6"), ("a2", "2.14.6"), ("a3", "2.15.1")]);
    let set = |server: &str| {
        let recording = mixed.clone().at(0, |epoch| epoch.set_setting(server, FLAG, &json!(true)));
        judge(&recording, &[])
    };
    assert_eq!(set("a3").verdicts(CODE, "A"), ["ok"]);
    let judged = set("a2");
    let finding = judged.finding(CODE, "A");
    let groups = vec!["off: a1".to_owned(), "on: a2".to_owned()];
    assert_eq!(only(finding), (FLAG.to_owned(), groups));
    assert_eq!(finding.details["settings"][0]["within"], "2.14.6");
    let fact = &finding.evidence[0];
    assert_eq!(
        (fact.name.as_str(), fact.path.as_str()),
        ("feature_flags", "data.feature_flags.js_ack_fc_v2")
    );
    // A release without flags has no opinion.
    let old = mixed.at(0, |epoch| {
        epoch.set_version("a2", "2.12.8");
        epoch.drop_setting("a2", "feature_flags");
    });
    assert_eq!(judge(&old, &[]).verdicts(CODE, "A"), ["ok"]);
}

#[test]
fn every_setting_of_the_table_can_fire_and_stands_on_the_page() {
    use nats_hindsight_model::settings::{SETTINGS, Unit};
    let page = nats_hindsight_analyzer::registry::find(CODE).unwrap().page;
    for setting in SETTINGS {
        assert!(page.contains(&format!("`{}`", setting.path)), "{} on the page", setting.path);
        let (one, other) = match setting.unit {
            Unit::Flag => (json!(true), json!(false)),
            Unit::Text => (json!("x"), json!("y")),
            Unit::Seconds => (json!(1.5), json!(2)),
            _ => (json!(4321), json!(1234)),
        };
        let recording = three().at(0, |epoch| {
            for (server, value) in [("a1", &one), ("a2", &one), ("a3", &other)] {
                if let Some((block, _)) = setting.part_of.and_then(|part| part.rsplit_once('.')) {
                    epoch.set_setting(server, &format!("{block}.port"), &json!(1));
                    epoch.set_setting(server, "cluster.cluster_port", &json!(1));
                    epoch.set_setting(server, "jetstream.config.max_memory", &json!(1));
                }
                epoch.set_setting(server, setting.path, value);
            }
        });
        let judged = judge(&recording, &[]);
        let odd = [format!("a3 {}", setting.path)];
        assert_eq!(outliers(judged.finding(CODE, "A")), odd);
    }
}

#[test]
fn over_http_alone_it_is_judged_as_well() {
    let edit = |epoch: &mut Epoch| {
        epoch.set_setting("a3", "max_payload", &json!(2_097_152));
        epoch.over_http();
    };
    let judged = judge(&three().at(0, edit), &[]);
    let finding = judged.finding(CODE, "A");
    assert_eq!(outliers(finding), ["a3 max_payload"]);
    assert_eq!(finding.evidence[0].path, "max_payload");
    assert_eq!(finding.evidence[0].source, "a3");
    let uniform = three().at(0, Epoch::over_http);
    assert_eq!(judge(&uniform, &[]).verdicts(CODE, "A"), ["ok"]);
    let blind = uniform.at(0, |epoch| epoch.drop_endpoint(&Endpoint::VARZ));
    assert_eq!(judge(&blind, &[]).verdicts(CODE, "A"), ["-"]);
}

#[test]
fn what_is_too_long_to_be_a_name_is_not_known() {
    let long = json!("x".repeat(300));
    let recording = three().at(0, |epoch| epoch.set_setting("a3", "system_account", &long));
    assert_eq!(judge(&recording, &[]).verdicts(CODE, "A"), [UNSEEN]);
}

#[test]
fn many_differences_are_counted_and_listed_up_to_a_limit() {
    let recording = three().at(0, |epoch| {
        for number in 0..60 {
            epoch.set_setting("a3", &format!("feature_flags.f{number:02}"), &json!(true));
            epoch.set_setting("a1", &format!("feature_flags.f{number:02}"), &json!(false));
            epoch.set_setting("a2", &format!("feature_flags.f{number:02}"), &json!(false));
        }
    });
    let judged = judge(&recording, &[]);
    let finding = judged.finding(CODE, "A");
    assert_eq!(finding.details["differing"], 60);
    assert_eq!(differing(finding).len(), 50);
    assert_eq!(outliers(finding).len(), 50);
    assert!(finding.summary.contains("and 57 more settings"), "{}", finding.summary);
    assert_eq!((finding.evidence.len(), finding.omitted), (50, 130));
}
