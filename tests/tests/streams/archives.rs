//! Recorded archives, of every release of the gatherer, against what was true.

use std::fs;
use std::path::{Path, PathBuf};

use nats_hindsight_model::intake::Source;
use nats_hindsight_model::streams::Streams;
use serde_json::Value;

use super::{counts, fixtures, leading, listed, names, opened, stream, streams};
use std::sync::Arc;

fn scenario(name: &str) -> PathBuf {
    fixtures().join("bundles").join(name)
}

/// The streams of every archive of a folder, in order.
fn all(folder: &Path) -> Vec<Arc<Streams>> {
    let zips = listed(folder).into_iter().filter(|p| p.extension().is_some_and(|e| e == "zip"));
    let sources: Vec<Source> = zips.map(Source::Path).collect();
    let intake = opened(&sources);
    assert_eq!(intake.epochs.len(), sources.len(), "{}", folder.display());
    intake.epochs.iter().map(streams).collect()
}

/// A scenario by the newest release, and by each older one.
fn releases(name: &str) -> Vec<PathBuf> {
    let mut folders = vec![scenario(name)];
    folders.extend(listed(&scenario(name)).into_iter().filter(|path| path.is_dir()));
    folders
}

#[test]
fn every_release_tells_the_same_streams() {
    let (mut folders, mut epochs) = (0, 0);
    for (name, servers) in
        [("healthy", ["a1", "a2", "a3"]), ("forgotten_server", ["a1", "a2", "a4"])]
    {
        for folder in releases(name) {
            folders += 1;
            // Before 0.2.0 JSZ was gathered without accounts, so that files alone tell.
            let tellings = if folder.ends_with("natscli-v0.1.6") { 1 } else { 2 };
            for told in all(&folder) {
                epochs += 1;
                assert_eq!(counts(&told), [2, 4, 0, 0, 0], "{}", folder.display());
                assert!(told.doubts.is_empty(), "{:?}", told.doubts);
                let orders = stream(&told, "APP", "", "ORDERS");
                assert_eq!(names(orders), (servers.to_vec(), vec![]), "{}", folder.display());
                assert_eq!((leading(orders).len(), orders.differs()), (1, false));
                let seqs = orders.last_seq().unwrap();
                assert!(seqs.0 == seqs.1 && seqs.0 > 0, "{seqs:?}");
                assert!(orders.replicas.iter().all(|replica| replica.tellings == tellings));
                assert!(orders.replicas.iter().all(|r| r.told.configured == Some(3)));
                let events = stream(&told, "APP", "", "EVENTS");
                assert_eq!((events.replicas.len(), leading(events).len()), (1, 1));
            }
        }
    }
    assert_eq!((folders, epochs), (10, 50));
}

/// Nothing in them is ambiguous, and no two of them are of one name in several places.
#[test]
fn no_recorded_archive_leaves_a_doubt() {
    let (mut epochs, mut with_streams) = (0, 0);
    let scenarios = listed(&fixtures().join("bundles")).into_iter().filter(|path| path.is_dir());
    for folder in scenarios.flat_map(|path| releases(path.file_name().unwrap().to_str().unwrap())) {
        for told in all(&folder) {
            assert!(told.doubts.is_empty(), "{}: {:?}", folder.display(), told.doubts);
            assert_eq!((told.not_joined, told.unlisted()), (0, 0), "{}", folder.display());
            epochs += 1;
            with_streams += u64::from(!told.streams.is_empty());
        }
    }
    assert_eq!((epochs, with_streams), (135, 75));
}

fn expected(name: &str) -> Value {
    serde_json::from_slice(&fs::read(scenario(name).join("expected.json")).unwrap()).unwrap()
}

/// The one fact of a kind of which something is true.
fn fact<'a>(all: &'a Value, fact: &str, field: &str, value: &str) -> &'a Value {
    let facts = all["expected"].as_array().unwrap();
    let found: Vec<&Value> =
        facts.iter().filter(|f| f["fact"] == fact && f[field] == value).collect();
    let [one] = found[..] else { panic!("{fact}: {found:?}") };
    one
}

fn span(fact: &Value, epochs: usize) -> std::ops::Range<usize> {
    let epoch = |value: &Value| value.as_u64().map(|epoch| usize::try_from(epoch).unwrap());
    epoch(&fact["opened"]).unwrap()..epoch(&fact["closed"]).unwrap_or(epochs)
}

/// A follower that hangs: the gatherer drops it without a word, and the leader still lists it.
#[test]
fn a_follower_that_hangs_is_silent_and_not_absent() {
    let told = all(&scenario("jetstream_faults"));
    let expected = expected("jetstream_faults");
    let lag = fact(&expected, "stream_replica_lag", "stream", "LAG");
    let hung = span(lag, told.len());
    assert_eq!(hung, 3..4);
    for (index, told) in told.iter().enumerate() {
        let silent = if hung.contains(&index) { 5 } else { 0 };
        assert_eq!(counts(told), [6, 16 - silent, silent, 0, 0], "epoch {index}");
    }
    let id = |epoch: usize| {
        let replicas = &stream(&told[epoch], "APP", "", "LAG").replicas;
        replicas.iter().find(|r| r.name.as_deref() == Some("a1")).map(|r| r.server.clone())
    };
    let stream = stream(&told[3], "APP", "", "LAG");
    assert_eq!((names(stream), leading(stream)), ((vec!["a2", "a3"], vec!["a1"]), vec!["a3"]));
    let silent = &stream.silent[0];
    // Its peers still name it, so that its id is known.
    assert!(silent.server.is_some() && silent.server == id(2), "{silent:?}");
    let seen = silent.by_leader.as_ref().unwrap();
    assert!(seen.lag.unwrap() >= lag["at_least"].as_u64().unwrap(), "{seen:?}");
    assert_eq!(seen.current, Some(false));
}

/// Numbers that the scenario is about are those of the stream.
#[test]
fn what_is_in_a_stream_is_told_by_each_replica() {
    let told = all(&scenario("jetstream_faults"));
    let expected = expected("jetstream_faults");
    for (name, share) in [("stream_near_limit", 0.95), ("stream_full", 1.0)] {
        let fact = fact(&expected, name, "stream", "FULL");
        assert_eq!(fact["used"], share);
        let epoch = span(fact, told.len()).start;
        let full = stream(&told[epoch], "APP", "", "FULL");
        let used: Vec<u64> = full.replicas.iter().map(|r| r.told.messages.unwrap()).collect();
        assert_eq!(used, [if share < 1.0 { 190 } else { 200 }; 3], "epoch {epoch}");
    }
    let watched = fact(&expected, "stream_metadata", "stream", "WATCHED");
    for (index, told) in told.iter().enumerate() {
        let is_empty = span(watched, 6).contains(&index);
        let watched = stream(told, "APP", "", "WATCHED");
        for replica in &watched.replicas {
            let seqs = (replica.told.messages, replica.told.first_seq, replica.told.last_seq);
            let (messages, first) = if is_empty { (0, 61) } else { (60, 1) };
            assert_eq!(seqs, (Some(messages), Some(first), Some(60)), "epoch {index}");
        }
    }
}

#[test]
fn a_server_that_is_lost_is_silent_as_long_as_the_leader_lists_it() {
    let told = all(&scenario("server_lost"));
    let silent: Vec<Vec<&str>> =
        told.iter().map(|told| names(stream(told, "APP", "", "ORDERS")).1).collect();
    assert_eq!(silent, [vec![], vec![], vec!["a3"], vec!["a3"]]);
    // The stream of one replica was on another server.
    assert!(told.iter().all(|told| stream(told, "APP", "", "EVENTS").replicas.len() == 1));
}

/// Names are taken as they are: which text may be shown is decided elsewhere.
#[test]
fn hostile_names_are_names() {
    for told in all(&scenario("hostile_names")) {
        assert_eq!(counts(&told), [14, 16, 0, 0, 0]);
        let stream = stream(&told, "APP", "", "=1+1");
        assert_eq!(names(stream), (vec!["<b>a2\"&", "=a3+1", "a1"], vec![]));
        assert_eq!(leading(stream), ["=a3+1"]);
    }
}
