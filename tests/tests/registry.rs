//! Rules about the list of checks: what a check declares is true.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeSet;

use nats_hindsight_analyzer::check::Check;
use nats_hindsight_analyzer::engine::VerdictRow;
use nats_hindsight_analyzer::registry;
use nats_hindsight_analyzer::report::Subject;
use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_tests::recording::{Recording, fixtures};
use nats_hindsight_tests::verdicts::{Judged, judge, name};

/// Headings of every page, in this order.
const HEADINGS: [&str; 5] = [
    "## What it means",
    "## Why it matters",
    "## What to do",
    "## When it is harmless",
    "## How it is decided",
];

/// Every recorded scenario.
fn scenarios() -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(fixtures())
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().into_string().ok())
        .filter(|name| fixtures().join(name).join("provenance.json").is_file())
        .collect();
    names.sort();
    assert!(names.len() >= 18, "only {} scenarios are recorded", names.len());
    names
}

fn rows<'a>(judged: &'a Judged, code: &str) -> Vec<&'a VerdictRow> {
    judged.log.iter().filter(|row| row.code == code).collect()
}

fn word<'a>(judged: &'a Judged, row: &VerdictRow) -> Option<&'a str> {
    judged
        .log
        .iter()
        .find(|r| (r.code, &r.subject, r.epoch) == (row.code, &row.subject, row.epoch))
        .map(|r| r.verdict)
}

/// The kind of a subject, as checks name it.
fn kind_of(subject: &Subject) -> String {
    let subject = serde_json::to_value(subject).unwrap();
    subject["kind"].as_str().unwrap().replace('_', " ")
}

/// A finding without what only says how sure or how much.
fn declared(check: &Check) -> Vec<&Endpoint> {
    Endpoint::KNOWN.iter().filter(|endpoint| check.declares(endpoint)).collect()
}

#[test]
fn codes_and_slugs_are_unique_and_well_formed() {
    let mut seen = BTreeSet::new();
    for check in registry::all() {
        assert!(seen.insert(check.code), "{} twice", check.code);
        assert!(seen.insert(check.slug), "{} twice", check.slug);
        let (family, number) = check.code.rsplit_once('_').unwrap();
        assert!(family.bytes().all(|b| b.is_ascii_uppercase() || b == b'_'), "{}", check.code);
        assert_eq!((number.len(), number.parse::<u16>().is_ok()), (3, true), "{}", check.code);
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        assert!(check.slug.bytes().all(plain), "{}", check.slug);
        assert!(!check.title.ends_with('.'), "{}", check.title);
    }
}

#[test]
fn every_page_has_its_headings_and_names_every_threshold() {
    for check in registry::all() {
        let mut from = 0;
        for heading in HEADINGS {
            let at = check.page[from..].find(heading);
            assert!(at.is_some(), "{}: no `{heading}` where it belongs", check.code);
            from += at.unwrap_or(0);
        }
        for threshold in check.thresholds {
            assert!(
                check.page.contains(&format!("`{}`", threshold.key)),
                "{}: its page does not speak of `{}`",
                check.code,
                threshold.key
            );
        }
    }
}

/// `cargo xtask new-check` marks what is still to be written.
#[test]
fn nothing_of_a_check_is_left_to_be_written() {
    for check in registry::all() {
        for text in [check.title, check.category, check.page] {
            let line = text.lines().find(|line| line.contains("TODO"));
            assert_eq!(line, None, "{}: its title, category or page is not done", check.code);
        }
    }
}

#[test]
fn every_check_requires_something_it_knows() {
    for check in registry::all() {
        assert!(!check.required.is_empty(), "{} requires nothing", check.code);
        for endpoint in check.required.iter().copied().flatten().chain(check.enriching) {
            assert!(endpoint.is_known(), "{} declares {endpoint}", check.code);
        }
    }
}

#[test]
fn what_a_check_requires_of_any_kind_of_subject_it_requires() {
    for check in registry::all() {
        let kinds = check.kinds();
        let names: Vec<&str> = kinds.iter().map(|kind| kind.subject).collect();
        assert_eq!(names.join(", "), check.subject, "{}", check.code);
        for group in kinds.iter().flat_map(|kind| kind.required) {
            assert!(check.required.contains(group), "{}: {group:?}", check.code);
        }
        for group in check.required {
            let of_some = kinds.iter().any(|kind| kind.required.contains(group));
            assert!(of_some, "{}: {group:?} is required of no kind", check.code);
        }
    }
}

#[test]
fn a_check_judges_only_the_kinds_of_subjects_it_says() {
    for scenario in scenarios() {
        let judged = judge(&Recording::fixture(&scenario), &[]);
        for check in registry::all() {
            let kinds = check.kinds();
            for row in rows(&judged, check.code) {
                let kind = kind_of(&row.subject);
                let said = kinds.iter().any(|known| known.subject == kind);
                assert!(said, "{scenario}: {} judges a {kind}", check.code);
            }
        }
    }
}

#[test]
fn a_check_is_found_by_code_and_slug_and_nearly() {
    for check in registry::all() {
        assert_eq!(registry::find(check.slug).unwrap().code, check.code);
        assert_eq!(registry::find(&check.code.to_lowercase()).unwrap().code, check.code);
    }
    assert_eq!(registry::find("SERVER_02").unwrap_err(), Some("SERVER_002"));
    assert_eq!(registry::find("servcie-down").unwrap_err(), Some("SERVICE_002"));
    assert_eq!(registry::find("xyzzy").unwrap_err(), None);
}

#[test]
fn an_endpoint_that_a_check_does_not_declare_changes_nothing() {
    for scenario in scenarios() {
        let whole = Recording::fixture(&scenario);
        let before = judge(&whole, &[]);
        for endpoint in Endpoint::KNOWN {
            let without = judge(&whole.clone().each(|epoch| epoch.drop_endpoint(endpoint)), &[]);
            for check in registry::all().iter().filter(|check| !check.declares(endpoint)) {
                assert_eq!(
                    rows(&before, check.code),
                    rows(&without, check.code),
                    "{scenario}: {} without {endpoint}",
                    check.code
                );
            }
        }
    }
}

#[test]
fn without_a_required_group_nothing_is_ok() {
    for scenario in scenarios() {
        let whole = Recording::fixture(&scenario);
        let before = judge(&whole, &[]);
        for check in registry::all() {
            for (kind, group) in check
                .kinds()
                .iter()
                .flat_map(|k| k.required.iter().map(|group| (k.subject, *group)))
            {
                let without = whole.clone().each(|epoch| {
                    for endpoint in group {
                        epoch.drop_endpoint(endpoint);
                    }
                });
                let without = judge(&without, &[]);
                let own = |row: &&VerdictRow| kind_of(&row.subject) == kind;
                for row in rows(&before, check.code).into_iter().filter(own) {
                    let now = word(&without, row);
                    assert!(
                        matches!(now, None | Some("unknown" | "not_applicable"))
                            || (row.verdict, now) == ("finding", Some("finding")),
                        "{scenario}: {} on {} in epoch {} without {group:?}: {} became {now:?}",
                        check.code,
                        name(&row.subject),
                        row.epoch,
                        row.verdict
                    );
                }
            }
        }
    }
}

#[test]
fn an_endpoint_less_never_makes_an_ok_of_a_finding_nor_a_finding_of_an_ok() {
    for scenario in scenarios() {
        let whole = Recording::fixture(&scenario);
        let before = judge(&whole, &[]);
        for check in registry::all() {
            for endpoint in declared(check) {
                let without = judge(&whole.clone().each(|e| e.drop_endpoint(endpoint)), &[]);
                for row in rows(&before, check.code) {
                    let now = word(&without, row);
                    let moved = (row.verdict, now);
                    // A facet that only connections show is not missed where nobody ever asked
                    // for connections, its absence is named instead; and a service that nobody
                    // ever asked is there by subscription.
                    let facet = check.code == "SERVICE_001" && *endpoint == Endpoint::CONNZ
                        || check.code == "SERVICE_002" && *endpoint == Endpoint::SRV_PING;
                    assert!(
                        facet
                            || !matches!(moved, ("ok", Some("finding")) | ("finding", Some("ok"))),
                        "{scenario}: {} on {} in epoch {} without {endpoint}: {moved:?}",
                        check.code,
                        name(&row.subject),
                        row.epoch
                    );
                }
            }
        }
    }
}
