//! Every case of every check, found by the name of its file.

use std::collections::BTreeSet;

use nats_hindsight_analyzer::registry;
use nats_hindsight_tests::cases::{self, KINDS};

#[test]
fn every_case_says_what_it_expects() {
    let cases = cases::all();
    assert!(cases.len() >= 12, "only {} cases were found", cases.len());
    let mut wrong = Vec::new();
    for case in &cases {
        wrong.extend(case.run().iter().map(|what| format!("{}: {what}", case.path.display())));
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_check_has_cases_that_fire_stay_quiet_and_do_not_know() {
    let there: BTreeSet<(String, String)> =
        cases::all().into_iter().map(|case| (case.code, case.kind)).collect();
    let mut lacking = Vec::new();
    for check in registry::all() {
        for kind in KINDS {
            if !there.contains(&(check.code.to_owned(), kind.to_owned())) {
                lacking.push(format!("{} has no case {kind}_*.toml", check.code));
            }
        }
    }
    assert!(lacking.is_empty(), "{lacking:#?}");
}

#[test]
fn every_case_is_of_a_check_that_exists() {
    let codes: BTreeSet<&str> = registry::all().iter().map(|check| check.code).collect();
    for case in cases::all() {
        assert!(codes.contains(case.code.as_str()), "{}", case.path.display());
    }
}
