//! What a user that is seen gets.

use jiff::{SignedDuration, Timestamp};
use nats_hindsight_analyzer::report::Subject;
use nats_hindsight_tests::recording::Recording;
use nats_hindsight_tests::verdicts::judge;
use serde_json::json;

use crate::{CODE, FIXTURE, chapters, days, every, hours};

#[test]
fn row_as_recorded_one_is_renewed_one_ends_and_one_never_expires() {
    let recording = Recording::fixture(FIXTURE);
    let judged = judge(&recording, &[]);
    assert_eq!(judged.verdicts(CODE, &recording.user("orders")), ["ok"; 5]);
    let mailer = judged.finding(CODE, &recording.user("mailer"));
    assert_eq!(chapters(mailer), [(0, "warning", "urgent")]);
    let closed = mailer.closed.as_ref().unwrap();
    assert_eq!((closed.how, closed.moment.epoch), ("cured", 3));
    let billing = judged.finding(CODE, &recording.user("billing"));
    assert_eq!(chapters(billing), [(0, "info", "expiring")]);
    let closed = billing.closed.as_ref().unwrap();
    assert_eq!((closed.how, closed.moment.epoch), ("ended", 4));
    assert_eq!(closed.because, "no connection uses these credentials any more");
}

#[test]
fn row_a_user_is_told_by_name_and_its_connections_are_listed() {
    let recording = Recording::fixture(FIXTURE);
    let judged = judge(&recording, &[]);
    let key = recording.user("mailer");
    let mailer = judged.finding(CODE, &key);
    let Subject::User { account, user, user_id, .. } = &mailer.subject else {
        panic!("{:?} is no user", mailer.subject)
    };
    assert_eq!((account.as_str(), user.as_str()), ("APP", "mailer"));
    assert!(key.ends_with(user_id.as_str()), "{user_id}");
    // In the last epoch in which it fired, one of two connections had the new credentials.
    assert_eq!(mailer.details["connections_in_all"], 2);
    let listed = mailer.details["connections"].as_array().unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0]["server"], "a3");
    assert_eq!(listed[0]["connection"], "mailer");
    assert_eq!(mailer.details["services"], json!(["mailer"]));
    assert_eq!(mailer.details["expires"], listed[0]["expires"]);
    let account = key.split('/').next().unwrap();
    assert_eq!(mailer.details["issuer"], account);
    let left = mailer.details["expires_in_s"].as_i64().unwrap();
    assert!((11 * 3600..12 * 3600).contains(&left), "{left}");
    assert!(mailer.summary.starts_with("expires in 11 hours, at "), "{}", mailer.summary);
    assert!(mailer.summary.ends_with("; 1 connection uses them, for service mailer"));
    assert!(mailer.evidence.iter().all(|fact| fact.endpoint == "CONNZ"));
}

#[test]
fn row_time_alone_makes_chapters() {
    // Fourteen hours left at first, one epoch every 10 days back in time from there.
    let recording = every(days(10), 6).each(|epoch| {
        let end: Timestamp = "2027-01-05T00:00:00Z".parse().unwrap();
        let left = end.duration_since(epoch.header.start);
        epoch.set_expiry("orders", Some(left));
    });
    let judged = judge(&recording, &[]);
    let finding = judged.finding(CODE, &recording.user("orders"));
    let stages: Vec<&str> = chapters(finding).iter().map(|chapter| chapter.2).collect();
    assert_eq!(stages, ["expiring", "expired"]);
    assert_eq!(finding.opened.last_ok.as_ref().unwrap().epoch, 1);
    assert_eq!(finding.severity.as_str(), "warning");
}

#[test]
fn row_thresholds_include_their_bound() {
    for (left, verdict, severity) in [
        (days(30) + SignedDuration::from_secs(1), "ok", ""),
        (days(30), "finding", "info"),
        (days(1) + SignedDuration::from_secs(1), "finding", "info"),
        (days(1), "finding", "warning"),
        (SignedDuration::from_secs(0), "finding", "warning"),
        (hours(-1), "finding", "warning"),
    ] {
        let recording = every(hours(1), 1).each(|epoch| {
            // Claims count whole seconds.
            epoch.header.start = epoch.header.start.round(jiff::Unit::Second).unwrap();
            epoch.set_expiry("orders", Some(left));
        });
        let judged = judge(&recording, &[]);
        let user = recording.user("orders");
        assert_eq!(judged.verdicts(CODE, &user), [verdict], "{left}");
        if verdict == "finding" {
            assert_eq!(judged.finding(CODE, &user).severity.as_str(), severity, "{left}");
        }
    }
}

#[test]
fn row_both_thresholds_can_be_set() {
    let recording = every(hours(1), 1);
    let month = 30 * 86_400_000;
    let judged = judge(&recording, &[("HINT_004.urgent_within", month)]);
    let billing = judged.finding(CODE, &recording.user("billing"));
    assert_eq!(chapters(billing), [(0, "warning", "urgent")]);
    let judged = judge(&recording, &[("HINT_004.expiring_within", 86_400_000)]);
    assert_eq!(judged.verdicts(CODE, &recording.user("billing")), ["ok"]);
}

#[test]
fn row_never_is_0_or_missing_or_beyond_any_calendar() {
    for never in [json!(0), json!(null), json!(-1), json!(i64::MAX)] {
        let recording = every(hours(1), 1).each(|epoch| epoch.set_claim("mailer", "exp", &never));
        let judged = judge(&recording, &[]);
        assert_eq!(judged.verdicts(CODE, &recording.user("mailer")), ["ok"], "{never}");
    }
}

#[test]
fn row_expired_says_that_nobody_was_disconnected() {
    let recording = every(hours(1), 1).each(|epoch| epoch.set_expiry("orders", Some(hours(-2))));
    let judged = judge(&recording, &[]);
    let finding = judged.finding(CODE, &recording.user("orders"));
    assert!(finding.summary.contains("not disconnected yet"), "{}", finding.summary);
    assert!(finding.summary.contains("2 connections use them"), "{}", finding.summary);
    assert_eq!(finding.details["expires_in_s"].as_i64().map(|left| left < -7100), Some(true));
}

/// The word on users without services is only good where everybody was listed.
#[test]
fn row_a_user_without_services_ends_only_where_everybody_was_listed() {
    let recording = every(hours(1), 3)
        .each(|epoch| epoch.strip_services("mailer"))
        .at(2, |epoch| epoch.disconnect("mailer"));
    let user = recording.user("mailer");
    let judged = judge(&recording, &[]);
    let words = ["finding", "finding", "unknown(connections_incomplete)"];
    assert_eq!(judged.verdicts(CODE, &user), words);
    let everybody = recording.each(nats_hindsight_tests::recording::Epoch::list_everybody);
    let judged = judge(&everybody, &[]);
    assert_eq!(judged.verdicts(CODE, &user), ["finding", "finding", "not_applicable"]);
}

#[test]
fn row_a_user_without_services_is_cured_only_where_everybody_was_listed() {
    let recording = every(hours(1), 4)
        .each(|epoch| epoch.strip_services("mailer"))
        .at(2, |epoch| epoch.set_expiry("mailer", None))
        .at(3, |epoch| {
            epoch.set_expiry("mailer", None);
            epoch.list_everybody();
        });
    let words = ["finding", "finding", "unknown(connections_incomplete)", "ok"];
    assert_eq!(judge(&recording, &[]).verdicts(CODE, &recording.user("mailer")), words);
}
