//! Which facet fires, which is unseen, and what closes an interval.

use nats_hindsight_analyzer::report::Severity;
use nats_hindsight_analyzer::settings::{Mix, Pattern, Settings};
use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_snapshot::lines::Status;
use nats_hindsight_tests::recording::{Epoch, Recording};
use nats_hindsight_tests::verdicts::{judge, judge_with};

use super::{CODE, ORDERS, closed, facets, ids, list, minutes, of_orders, unseen};

/// One instance of three is on 1.3.0.
fn mix(epoch: &mut Epoch) {
    let id = ids(epoch).remove(0);
    epoch.set_app_version(&id, "1.3.0");
}

#[test]
fn any_of_the_verbs_tells_the_version() {
    for kept in [Endpoint::SRV_PING, Endpoint::SRV_INFO, Endpoint::SRV_STATS] {
        let some = minutes(1).each(|epoch| {
            mix(epoch);
            for verb in [Endpoint::SRV_PING, Endpoint::SRV_INFO, Endpoint::SRV_STATS] {
                if verb != kept {
                    epoch.drop_endpoint(&verb);
                }
            }
        });
        assert_eq!(of_orders(&some), ["finding"], "{kept}");
    }
}

#[test]
fn no_version_seen_is_unknown_grouped_over_services() {
    let bundle = minutes(2).each(Epoch::without_verbs);
    let judged = judge(&bundle, &[]);
    let blind = "unknown(app_version_unseen)";
    assert_eq!(judged.verdicts(CODE, ORDERS), [blind, blind]);
    let unknowns = judged.report.systems[0].unknowns.iter();
    let mine: Vec<_> = unknowns.filter(|u| u.code == CODE).collect();
    assert_eq!(mine.len(), 1, "one group, not one per service");
    assert_eq!((mine[0].count, mine[0].epochs.clone()), (2, vec![[0, 1]]));
}

#[test]
fn an_answer_without_a_version_is_no_version_seen() {
    let odd = minutes(1).each(|epoch| {
        let id = ids(epoch).remove(0);
        for reply in &mut epoch.replies {
            if reply.body["id"] == *id {
                reply.body.as_object_mut().and_then(|body| body.remove("version"));
            }
        }
    });
    assert_eq!(of_orders(&odd), ["unknown(app_version_unseen)"]);
}

#[test]
fn languages_compare_by_family() {
    let family = minutes(1).each(|epoch| {
        let langs = ["nats.js", "nats.ws", "nats.deno"];
        for (id, lang) in ids(epoch).iter().zip(langs) {
            epoch.set_language(id, lang);
        }
    });
    assert_eq!(of_orders(&family), ["ok"]);
}

#[test]
fn two_facets_at_once_are_both_named() {
    let both = minutes(8).during(1..8, |epoch| {
        mix(epoch);
        let id = ids(epoch).remove(0);
        epoch.set_language(&id, "rust");
    });
    let judged = judge(&both, &[]);
    let finding = judged.finding(CODE, ORDERS);
    assert_eq!(facets(finding), ["app_version", "language"]);
    assert_eq!(finding.severity, Severity::Warning);
    assert!(finding.summary.contains("version") && finding.summary.contains("language"));
}

#[test]
fn an_interval_closes_when_what_fired_is_seen_on_all_although_another_facet_is_not() {
    let story = minutes(3)
        .at(1, |epoch| {
            let id = ids(epoch).remove(0);
            epoch.set_language(&id, "rust");
        })
        .at(2, Epoch::without_verbs);
    let judged = judge(&story, &[]);
    let expected = ["ok", "finding", "unknown(app_version_unseen)"];
    assert_eq!(judged.verdicts(CODE, ORDERS), expected);
    assert_eq!(closed(judged.finding(CODE, ORDERS)), Some((2, "cured")));
}

#[test]
fn an_interval_stays_open_while_what_fired_is_not_seen() {
    let story = minutes(4)
        .at(1, |epoch| {
            let id = ids(epoch).remove(0);
            epoch.set_language(&id, "rust");
        })
        .at(2, Epoch::drop_connections);
    let judged = judge(&story, &[]);
    let expected = ["ok", "finding", "unknown(facet_unseen)", "ok"];
    assert_eq!(judged.verdicts(CODE, ORDERS), expected);
    let finding = judged.finding(CODE, ORDERS);
    assert_eq!(closed(finding), Some((3, "cured")));
    assert_eq!(finding.gaps.len(), 1);
}

#[test]
fn a_mute_instance_keeps_a_mix_of_versions_open() {
    let story = minutes(4).at(1, mix).at(2, |epoch| {
        let id = ids(epoch).remove(0);
        epoch.mute_instance(&id);
        epoch.asked_by_id("APP", "orders", &id, &Status::Timeout);
    });
    let judged = judge(&story, &[]);
    let expected = ["ok", "finding", "unknown(instance_silent)", "ok"];
    assert_eq!(judged.verdicts(CODE, ORDERS), expected);
    assert_eq!(closed(judged.finding(CODE, ORDERS)), Some((3, "cured")));
}

#[test]
fn an_instance_that_has_ended_is_not_silent() {
    let ended = minutes(2).at(1, |epoch| {
        let id = ids(epoch).remove(0);
        epoch.end_instance(&id);
        epoch.asked_by_id("APP", "orders", &id, &Status::NoResponders);
    });
    assert_eq!(of_orders(&ended), ["ok", "ok"]);
}

#[test]
fn a_silent_service_is_unknown_and_a_service_out_of_reach_too() {
    let silent = minutes(2).at(1, |epoch| {
        for id in ids(epoch) {
            epoch.mute_instance(&id);
        }
        epoch.asked("APP", "orders", &[Status::Timeout, Status::Timeout]);
    });
    assert_eq!(of_orders(&silent)[1], "unknown(instance_silent)", "it was asked");
    let lost = minutes(2).at(1, |epoch| {
        epoch.lose_account("APP");
        epoch.drop_connections();
    });
    assert_eq!(of_orders(&lost)[1], "unknown(account_unreachable)");
}

#[test]
fn an_import_makes_no_second_service() {
    let imported = minutes(2).each(|epoch| epoch.import("orders", "APP", "OTHER"));
    let judged = judge(&imported, &[]);
    assert_eq!(judged.subjects(CODE), ["APP/billing", ORDERS]);
    assert_eq!(judged.verdicts(CODE, ORDERS), ["ok", "ok"]);
}

/// The configuration allows these versions of `orders` side by side; none named means any.
fn allowing(versions: &[&str]) -> Settings {
    let mut settings = Settings::default();
    settings.exceptions.allowed_mixes.push(Mix {
        service: Pattern {
            account: Some("APP".to_owned()),
            service: "orders".to_owned(),
            reason: "two tenants, two releases".to_owned(),
        },
        versions: versions.iter().map(|version| (*version).to_owned()).collect(),
    });
    settings
}

#[test]
fn an_allowed_mix_is_ok_and_listed_with_its_reason() {
    for versions in [&["1.2.0", "1.3.0"][..], &[]] {
        let judged = judge_with(&minutes(2).each(mix), allowing(versions));
        assert_eq!(judged.verdicts(CODE, ORDERS), ["ok", "ok"]);
        let exceptions = &judged.report.systems[0].exceptions;
        assert_eq!(exceptions.len(), 1);
        assert_eq!((exceptions[0].kind, exceptions[0].code), ("allowed_mix", CODE));
        assert_eq!(exceptions[0].reason, "two tenants, two releases");
        assert_eq!(exceptions[0].epochs, [[0, 1]]);
    }
    let other = judge_with(&minutes(2).each(mix), allowing(&["1.2.0", "2.0.0"]));
    assert_eq!(other.verdicts(CODE, ORDERS), ["finding", "finding"], "1.3.0 is not allowed");
}

#[test]
fn an_allowed_mix_allows_the_versions_only() {
    let story = minutes(1).each(|epoch| {
        mix(epoch);
        let id = ids(epoch).remove(0);
        epoch.set_language(&id, "rust");
    });
    let judged = judge_with(&story, allowing(&[]));
    assert_eq!(judged.verdicts(CODE, ORDERS), ["finding"]);
    assert_eq!(facets(judged.finding(CODE, ORDERS)), ["language"]);
    assert_eq!(judged.report.systems[0].exceptions.len(), 1);
    let mute = minutes(1).each(|epoch| {
        mix(epoch);
        let id = ids(epoch).remove(1);
        epoch.mute_instance(&id);
    });
    let judged = judge_with(&mute, allowing(&[]));
    assert_eq!(judged.verdicts(CODE, ORDERS), ["unknown(instance_silent)"]);
}

#[test]
fn a_mix_as_recorded_names_what_it_did_not_see() {
    let blind = Recording::fixture("canary").each(Epoch::drop_connections);
    let judged = judge(&blind, super::SCALED);
    assert_eq!(judged.verdicts(CODE, ORDERS), ["ok", "finding", "finding", "finding"]);
    let finding = judged.finding(CODE, ORDERS);
    assert_eq!(list(&finding.details["unseen"]), ["language", "library_version"]);
    assert_eq!(facets(finding), ["app_version"]);
    // Good or bad: the report names what a verdict was reached without in every epoch.
    let whole = vec![[0, 3]];
    assert_eq!(unseen(&judged), [("language", whole.clone()), ("library_version", whole)]);
}
