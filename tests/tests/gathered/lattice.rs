//! An archive that lacks an artifact never says more, and never the opposite.

use std::collections::BTreeMap;
use std::fs;

use nats_hindsight_analyzer::report::Subject;
use nats_hindsight_tests::verdicts::{Judged, name};

use super::wrapped::{Edit, rezip};
use super::{archives, bundles, founding, held};

/// Kinds of artifacts that the founding checks read.
const READ: [&str; 6] =
    ["variables", "connections", "routes", "leafs", "accounts", "account_connections"];

type Verdicts = BTreeMap<(usize, &'static str, Subject), &'static str>;

fn verdicts(judged: &Judged) -> Verdicts {
    let rows = judged.log.iter();
    rows.map(|row| ((row.epoch, row.code, row.subject.clone()), row.verdict)).collect()
}

fn is_allowed(before: &str, after: &str) -> bool {
    after == "unknown" || after == before
}

/// Holds what is said without an artifact against what is said with it.
fn compare(whole: &Verdicts, less: &Verdicts, without: &str) {
    for (key @ (epoch, code, subject), before) in whole {
        match less.get(key) {
            Some(after) => assert!(
                is_allowed(before, after),
                "without {without}: {code} {} in epoch {epoch} went from {before} to {after}",
                name(subject)
            ),
            // Only a list of connections names a service, and it is remembered from then on.
            None => assert!(
                matches!(subject, Subject::Service { .. }) && without.contains("/connections/"),
                "without {without}: {code} {} vanished from epoch {epoch}",
                name(subject)
            ),
        }
    }
    for (epoch, code, subject) in less.keys() {
        let known = whole.contains_key(&(*epoch, *code, subject.clone()));
        assert!(known, "without {without}: {code} {} appeared in epoch {epoch}", name(subject));
    }
}

/// Takes each artifact out of one archive of a sequence: from the archive alone, as if its bytes
/// were lost, and from the manifest too, as the gatherer leaves out what did not answer.
fn take_out(scenario: &str, epoch: usize) -> usize {
    let all: Vec<(String, Vec<u8>)> = archives(&bundles().join(scenario))
        .iter()
        .map(|path| (path.display().to_string(), fs::read(path).unwrap()))
        .collect();
    let whole = verdicts(&founding(&held(&all)));
    let mut taken = 0;
    let entries = super::wrapped::entries(&all[epoch].1);
    let read = |entry: &&String| READ.iter().any(|kind| entry.contains(&format!("/{kind}/")));
    for entry in entries.iter().filter(read) {
        for edit in [Edit::Entry(entry), Edit::Artifact(entry)] {
            let mut less = all.clone();
            less[epoch].1 = rezip(&all[epoch].1, &edit);
            compare(&whole, &verdicts(&founding(&held(&less))), entry);
            taken += 1;
        }
    }
    taken
}

#[test]
fn a_service_that_is_down() {
    assert!(take_out("service_down", 1) > 150);
    assert!(take_out("service_down", 2) > 150);
}

#[test]
fn a_server_that_hangs() {
    assert!(take_out("service_behind_hung_server", 2) > 20);
    assert!(take_out("service_behind_hung_server", 3) > 20);
}

#[test]
fn a_server_that_was_forgotten() {
    assert!(take_out("forgotten_server", 3) > 20);
}

/// An archive that was cut: nobody knows whose the rest was.
#[test]
fn archives_that_were_cut() {
    for scenario in ["service_down", "forgotten_server"] {
        let all: Vec<(String, Vec<u8>)> = archives(&bundles().join(scenario))
            .iter()
            .map(|path| (path.display().to_string(), fs::read(path).unwrap()))
            .collect();
        let whole = verdicts(&founding(&held(&all)));
        for tenth in 3..10 {
            let mut less = all.clone();
            let bytes = &mut less[2].1;
            bytes.truncate(bytes.len() * tenth / 10);
            let intake = held(&less);
            assert_eq!(intake.epochs.len(), all.len(), "{scenario}: {tenth} tenths");
            assert!(!intake.epochs[2].complete);
            let cut = format!("/connections/ and what is behind {tenth} tenths");
            compare(&whole, &verdicts(&founding(&intake)), &cut);
        }
    }
}
