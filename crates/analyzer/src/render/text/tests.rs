use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::render;
use crate::render::plain;
use crate::report::*;

fn moment(epoch: usize) -> Moment {
    Moment { epoch, time: format!("2026-11-21T02:{:02}:00.000Z", epoch % 60) }
}

fn change(epoch: usize, severity: Severity, stage: &str) -> Change {
    Change {
        moment: moment(epoch),
        severity,
        face: BTreeMap::from([("stage", Value::from(stage))]),
    }
}

fn finding() -> Finding {
    Finding {
        code: "SERVER_002",
        slug: "server-version-mismatch",
        severity: Severity::Warning,
        category: "Consistency",
        subject: Subject::Cluster { cluster: "A".into() },
        title: "servers of one cluster run different versions",
        summary: "4 of 5 servers run 2.14.6, a4 runs 2.10.25.".into(),
        opened: Opened { moment: moment(2), last_ok: Some(moment(1)), at_or_before: false },
        last_seen: moment(5),
        closed: None,
        gaps: vec![Gap { from: 3, to: 3, reason: "server_silent".into() }],
        flaps: 1,
        changes: vec![
            change(2, Severity::Info, "rolling"),
            change(4, Severity::Warning, "stalled"),
        ],
        details: json!({
            "stage": "stalled", "majority": "2.14.6", "lasting_s": 12_600, "lasting_at_least_s": 12_000, "silent": [],
            "outliers": [{ "server": "a4", "version": "2.10.25" }],
            "versions": [
                { "version": "2.14.6", "servers": [
                    { "server": "a1", "id": "NABC", "age_s": 41 * 86_400 },
                    { "server": "a2", "id": "NDEF", "age_s": 3_600 }] },
                { "version": "2.10.25", "servers": [{ "server": "a4", "id": "NGHI", "age_s": null }] }],
        }),
        evidence: vec![Evidence {
            name: "version".into(),
            value: "2.10.25".into(),
            epoch: 5,
            endpoint: "VARZ".into(),
            source: "a4".into(),
            path: "data.version".into(),
        }],
        omitted: 9,
        worst_severity: Severity::Warning,
        fingerprint: "f".into(),
        id: "i".into(),
    }
}

fn system(epochs: usize) -> SystemReport {
    let row = |index| EpochRow {
        index,
        uuid: format!("u{index}"),
        time: moment(index).time,
        collector: "0a1b2c3d".into(),
        complete: index != 3,
        digest: "sha256:00".into(),
    };
    SystemReport {
        system: "prod".into(),
        epochs: (0..epochs).map(row).collect(),
        findings: vec![finding()],
        unknowns: vec![Unknown {
            code: "SERVICE_002",
            reason: "server_silent",
            hides: vec![Subject::Server { cluster: "A".into(), server: "a3".into() }],
            text: "a server that is expected did not answer".into(),
            cure: "look at that server; record another epoch".into(),
            epochs: vec![[3, 3]],
            count: 30,
            subjects: vec![Subject::Service {
                account: "APP".into(),
                account_id: "ACC".into(),
                service: "billing".into(),
            }],
        }],
        exceptions: vec![],
        unseen: vec![],
        checks: vec![CheckTotals {
            code: "SERVER_002",
            subjects: 3,
            ok: 10,
            finding: 3,
            unknown: 1,
            not_applicable: 0,
        }],
        coverage: vec![CoverageRow {
            endpoint: "VARZ".into(),
            asked: 18,
            ok: 17,
            gaps: vec![CoverageGap {
                status: "timeout".into(),
                count: 1,
                epochs: vec![[3, 3]],
                targets: vec!["a3".into()],
            }],
        }],
    }
}

fn report(epochs: usize) -> Report {
    Report {
        report: "nats-hindsight",
        version: "1.0",
        tool: "0.1.0",
        rules: "sha256:00".into(),
        inputs: vec![],
        systems: vec![system(epochs)],
        problems: vec![Problem {
            kind: "damaged_frame".into(),
            text: "a frame is damaged and was left out".into(),
            where_: Some("a.ndjson.zst at byte 17".into()),
            epoch: None,
            system: None,
        }],
        parameters: BTreeMap::from([("SERVER_002.recent".to_owned(), "1h".to_owned())]),
        config: vec![],
    }
}

/// Every line fits and holds nothing that deceives.
fn harmless(text: &str) {
    for line in text.lines() {
        assert!(plain::width(line) <= 80, "{line}");
        assert_eq!(plain::shown(line), line);
    }
}

#[test]
fn a_report_reads_from_the_top() {
    let text = render(&report(6), false);
    harmless(&text);
    assert!(text.starts_with("Read 0 files: 6 epochs of system prod, by collector 0a1b2c3d.\n"));
    let head: Vec<&str> = text.lines().take_while(|line| !line.is_empty()).collect();
    assert!(head.len() <= 5, "{text}");
    for wanted in [
        "Found 1 warning; 1 open at the end, 0 closed.",
        "epoch 3 incomplete",
        "cluster A\n  WARNING SERVER_002 server-version-mismatch  open\n",
        "began     between 2026-11-21 02:01:00 and 02:02:00 (epochs 1 and 2)",
        "lasting   at least 3 h 20 min",
        "seen      in 3 epochs; not known in epoch 3: server silent",
        "timeline  ..i?WW",
        "limits    recent = 1h",
        "hindsight explain SERVER_002",
        "SERVICE_002 server silent, 30 subjects, epoch 3",
        "service billing of account APP and 29 more",
    ] {
        assert!(text.contains(wanted), "{wanted}\n{text}");
    }
}

/// The timelines of a report, first to last.
fn timelines(text: &str) -> Vec<&str> {
    text.lines().filter_map(|line| line.trim().strip_prefix("timeline  ")).collect()
}

#[test]
fn a_step_without_a_recording_ends_before_the_epoch_that_closes() {
    let mut report = report(7);
    let step = Gap { from: 3, to: 4, reason: "not_recorded".into() };
    let silent = Gap { from: 3, to: 3, reason: "server_silent".into() };
    let closing =
        Closed { moment: moment(4), how: "cured", last_bad: None, because: String::new() };
    let first = Finding {
        last_seen: moment(2),
        gaps: vec![silent, step],
        changes: vec![change(2, Severity::Info, "rolling")],
        closed: Some(closing),
        ..finding()
    };
    let second = Finding {
        opened: Opened { moment: moment(5), last_ok: Some(moment(4)), at_or_before: false },
        last_seen: moment(6),
        gaps: vec![],
        changes: vec![change(5, Severity::Warning, "stalled")],
        ..finding()
    };
    report.systems[0].findings = vec![first, second];
    report.systems[0].unknowns.clear();
    let text = render(&report, false);
    assert_eq!(timelines(&text), ["..i?.xx", "..x?.WW"], "{text}");
}

#[test]
fn the_head_says_of_how_many_gaps_it_names_the_longest() {
    let mut report = report(6);
    let minutes = [0, 1, 2, 9, 10, 18];
    for (epoch, minute) in report.systems[0].epochs.iter_mut().zip(minutes) {
        epoch.time = moment(minute).time;
    }
    let text = render(&report, false).replace('\n', " ");
    let wanted = "8 min without a recording after epoch 4, the longest of 2 such gaps";
    assert!(text.contains(wanted), "{text}");
    // Of four steps the shorter one of the two in the middle is the usual one.
    report.systems[0].epochs.remove(3);
    let text = render(&report, false).replace('\n', " ");
    assert!(text.contains("8 min without a recording after epoch 4"), "{text}");
}

#[test]
fn what_is_open_may_last_until_the_last_epoch() {
    let mut report = report(8);
    report.systems[0].findings[0].details = json!({});
    let text = render(&report, false);
    // Seen last in epoch 5, good in epoch 1, and nothing is known of epochs 6 and 7.
    assert!(text.contains("lasting   at least 3 min, at most 6 min\n"), "{text}");
}

#[test]
fn many_epochs_fit_one_line() {
    let text = render(&report(1_000), false);
    harmless(&text);
    assert!(text.contains("one character stands for 16 epochs"), "{text}");
    assert!(text.contains("timeline  W....."), "{text}");
}

#[test]
fn one_epoch_says_what_it_cannot_show() {
    let mut report = report(1);
    report.systems[0].findings[0].gaps.clear();
    let text = render(&report, false);
    assert!(text.contains("one epoch only, so changes over time cannot be seen"), "{text}");
    assert!(!text.contains("timeline"), "{text}");
}

#[test]
fn hostile_names_stay_names() {
    let evil = "\u{1b}]0;owned\u{7}\u{1b}[2J\n::error::\u{202e}x\u{200b}\u{9b}";
    let mut report = report(6);
    let system = &mut report.systems[0];
    system.system = evil.into();
    system.epochs[0].collector = evil.into();
    system.unknowns[0].text = evil.repeat(9);
    system.unknowns[0].subjects = vec![Subject::Cluster { cluster: evil.repeat(9).into() }; 20];
    system.coverage[0].gaps[0].targets = vec![evil.into()];
    let finding = &mut system.findings[0];
    finding.subject = Subject::Server { cluster: evil.into(), server: evil.repeat(9).into() };
    finding.summary = evil.repeat(9);
    finding.details =
        json!({ evil: evil, "rows": [{ evil: evil, "n": [evil] }, { "deep": [{ evil: evil }] }] });
    finding.evidence[0].value = json!([evil, { evil: evil }]);
    finding.evidence[0].source = evil.into();
    finding.opened.moment.time = evil.into();
    report.problems[0].text = evil.into();
    report.problems[0].where_ = Some(evil.into());
    let text = render(&report, false);
    harmless(&text);
    assert!(text.contains("\\u{1b}]0;owned\\u{7}"));
    let styled = render(&report, true);
    assert!(
        !styled.contains('\u{9b}') && !styled.contains("\u{1b}]") && !styled.contains("\u{1b}[2J")
    );
}

#[test]
fn a_table_shows_when_and_why_and_names_what_it_has_no_room_for() {
    let mut report = report(6);
    let stop = json!({
        "id": "8n51M70QyK3vA1uDiKdb00", "server": "a3", "connection": "mailer", "age_s": 0,
        "time": "2026-11-21T17:44:31.250Z", "reason": "Stale Connection", "told_by": "CONNZ_CLOSED",
    });
    report.systems[0].findings[0].details = json!({ "stops": [stop.clone()], "stop": stop });
    let text = render(&report, false);
    harmless(&text);
    let row = text.lines().find(|line| line.contains("8n51M70…")).unwrap_or_default();
    assert!(row.contains("2026-11-21 17:44:31.250  Stale Connection"), "{text}");
    assert!(text.contains("in the JSON report only: connection, told by"), "{text}");
    assert!(text.contains("age         0 s\n"), "{text}");
}

#[test]
fn a_heading_keeps_what_its_names_are_names_of() {
    let mut report = report(6);
    let subject = |account: &str| Subject::Service {
        account: account.into(),
        account_id: "ACC".into(),
        service: "s".repeat(200).into(),
    };
    report.systems[0].findings[0].subject = subject("APP");
    let text = render(&report, false);
    assert!(
        text.lines()
            .any(|line| line.starts_with("service sss") && line.ends_with("s of account APP"))
    );
    report.systems[0].findings[0].subject = subject(&"a".repeat(200));
    let text = render(&report, false);
    harmless(&text);
    assert!(text.lines().any(|line| line.contains("…sss") && line.contains("s of account aaa")));
}

#[test]
fn what_ended_is_not_said_to_have_ended_twice() {
    let mut report = report(6);
    let closed = |how| Closed {
        moment: moment(5),
        how,
        last_bad: Some(moment(4)),
        because: "it left".into(),
    };
    for (how, wanted) in
        [("ended", "ended     between 2026"), ("cured", "ended     cured between 2026")]
    {
        report.systems[0].findings[0].closed = Some(closed(how));
        let text = render(&report, false);
        assert!(text.contains(wanted), "{text}");
    }
}

fn service_finding(service: &str, severity: Severity) -> Finding {
    Finding {
        code: "SERVICE_002",
        slug: "service-down",
        severity,
        worst_severity: Severity::Critical,
        subject: Subject::Service {
            account: "APP".into(),
            account_id: "APP".into(),
            service: service.into(),
        },
        summary: format!("{service} has gone"),
        details: json!({ "kind": "gone" }),
        ..finding()
    }
}

#[test]
fn services_that_went_together_are_told_once() {
    let mut report = report(6);
    report.systems[0].findings = ["audit", "billing", "orders"]
        .map(|service| {
            let group = json!({ "services": ["audit", "billing", "orders"], "cause": "account" });
            let details = json!({ "kind": "gone", "group": group });
            Finding { details, ..service_finding(service, Severity::Critical) }
        })
        .to_vec();
    let text = render(&report, false);
    harmless(&text);
    assert_eq!(text.matches("together  with service audit of account APP, see there").count(), 2);
    assert_eq!(text.matches("hindsight explain SERVICE_002").count(), 1, "{text}");
    for summary in ["audit has gone", "billing has gone", "orders has gone"] {
        assert!(text.contains(summary), "{text}");
    }
}

#[test]
fn what_is_long_gone_is_folded() {
    let mut report = report(6);
    report.systems[0].findings = vec![service_finding("audit", Severity::Info)];
    let text = render(&report, false);
    assert!(text.contains("INFO SERVICE_002 service-down  open, was critical"), "{text}");
    assert!(text.contains("began     between"), "{text}");
    assert!(!text.contains("hindsight explain"), "{text}");
}
