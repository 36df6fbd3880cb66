//! No secret is in any byte that leaves the collector, whatever kind of credential it is and however
//! a run ends.
//!
//! [`kind::Kind`] lists every kind there is. What is said of a kind is said by matching it, so that
//! one more kind does not compile until its way through the collector is tested here.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod kind;
mod run;
mod systems;

use nats_hindsight_testkit::{V2_10, V2_15};

use kind::{Kind, Whose};
use run::{Arguments, Case, leaks};
use systems::Place;

const VERSIONS: [&str; 2] = [V2_10, V2_15];

/// Runs each kind in a thread of its own; all failures are told at once.
fn for_each(whose: Whose, test: impl Fn(Kind, &str) + Sync) {
    let failed: Vec<String> = std::thread::scope(|scope| {
        let kinds = Kind::ALL.into_iter().filter(|kind| kind.whose() == whose);
        let cases = kinds.flat_map(|kind| VERSIONS.map(|version| (kind, version)));
        let test = &test;
        let threads: Vec<_> = cases
            .map(|(kind, version)| ((kind, version), scope.spawn(move || test(kind, version))))
            .collect();
        let failed = threads.into_iter().filter_map(|(case, thread)| {
            thread.join().err().map(|panic| {
                let text = panic.downcast_ref::<String>().cloned().unwrap_or_default();
                format!("{case:?}: {text}")
            })
        });
        failed.collect()
    });
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// Credentials that are right, wrong, of a server that is not there, and only looked at.
#[test]
fn what_the_collector_logs_in_with_is_never_told() {
    for_each(Whose::Collector, |kind, version| {
        let place = Place::new(kind, version);
        for arguments in &place.right {
            let recorded = Case::new(arguments).run();
            assert!(recorded.ended(&[0, 1, 4]), "{arguments:?}: {recorded}");
            assert!(recorded.bytes_recorded > 0, "{arguments:?}: nothing was recorded");
            let looked = Case::new(arguments).and("--dry-run").run();
            assert!(looked.ended(&[0, 1, 4]), "{arguments:?}: {looked}");
            for run in [recorded, looked] {
                assert_eq!(leaks(&run, &place.marks), Vec::<String>::new(), "{arguments:?}: {run}");
            }
        }
        for arguments in &place.wrong {
            let run = Case::new(arguments).run();
            assert!(run.ended(&[1, 4]), "{arguments:?}: {run}");
            assert_eq!(leaks(&run, &place.marks), Vec::<String>::new(), "{arguments:?}: {run}");
        }
        for arguments in &place.nobody {
            let run = Case::new(arguments).run();
            assert!(run.ended(&[1]), "{arguments:?}: {run}");
            assert_eq!(leaks(&run, &place.marks), Vec::<String>::new(), "{arguments:?}: {run}");
        }
    });
}

/// Servers know secrets of each other and of their clients; those that they tell are scrubbed.
#[test]
fn what_servers_know_is_not_recorded() {
    for_each(Whose::Servers, |kind, version| {
        let place = Place::new(kind, version);
        for arguments in &place.right {
            let run = Case::new(arguments).and("--with").and("EXPVARZ").run();
            assert!(run.ended(&[0, 4]), "{arguments:?}: {run}");
            assert!(run.bytes_recorded > 0, "{arguments:?}: nothing was recorded");
            assert_eq!(leaks(&run, &place.marks), Vec::<String>::new(), "{arguments:?}: {run}");
        }
    });
}

/// The looking itself works: what is there is found, plain, packed or in base64.
#[test]
fn a_leak_would_be_found() {
    let mut run = Case::new(&Arguments::default()).run();
    assert!(leaks(&run, &["marked-Zq7x".to_owned()]).is_empty());
    run.said = "Basic bWFya2VkLVpxN3g=".to_owned();
    assert_eq!(leaks(&run, &["marked-Zq7x".to_owned()]).len(), 1);
    run.said = "the marked-Zq7x itself".to_owned();
    assert_eq!(leaks(&run, &["marked-Zq7x".to_owned()]).len(), 1);
}
