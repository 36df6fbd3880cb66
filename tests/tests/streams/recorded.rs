//! Our own recording of a cluster with streams.

use nats_hindsight_model::{Joined, View, decode};
use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_tests::recording::Recording;

use super::{counts, fixtures, held, leading, listed, names, only, stream, streams};

#[test]
fn each_epoch_tells_the_streams_that_were_there() {
    let intake = Recording::fixture("jetstream").open();
    let told: Vec<_> = intake.epochs.iter().map(streams).collect();
    assert!(told.iter().all(|told| told.doubts.is_empty()), "{told:#?}");
    let all: Vec<[u64; 5]> = told.iter().map(|told| counts(told)).collect();
    assert_eq!(all, [[0; 5], [3, 7, 0, 0, 0], [3, 7, 0, 0, 0], [3, 7, 0, 0, 0]]);
    for (epoch, leader, seq) in [(1, "a3", 0), (2, "a3", 10), (3, "a1", 10)] {
        let orders = stream(&told[epoch], "APP", "", "ORDERS");
        assert_eq!(names(orders), (vec!["a1", "a2", "a3"], vec![]), "epoch {epoch}");
        assert_eq!((leading(orders), orders.last_seq()), (vec![leader], Some((seq, seq))));
        assert_eq!(orders.groups().len(), 1);
        assert!(orders.replicas.iter().all(|replica| replica.tellings == 1));
    }
    // A server that starts anew is another process that keeps the same replica.
    let a3 = |epoch: usize| &stream(&told[epoch], "APP", "", "ORDERS").replicas[2].server;
    assert_eq!((a3(1), a3(1) == a3(3)), (a3(2), false));
    let cache = stream(&told[3], "APP", "", "CACHE");
    assert_eq!((names(cache), leading(cache)), ((vec!["a3"], vec![]), vec!["a3"]));
}

/// What the leader says of its followers is kept as it says it.
#[test]
fn followers_are_as_their_leader_sees_them() {
    let intake = Recording::epoch("jetstream", 3).open();
    let told = streams(&intake.epochs[0]);
    let orders = stream(&told, "APP", "", "ORDERS");
    let leader = orders.replicas.iter().find(|replica| replica.leads == Some(true)).unwrap();
    let seen: Vec<_> =
        leader.told.members.iter().map(|m| (m.name.as_str(), m.current, m.lag)).collect();
    assert_eq!(seen, [("a2", Some(true), None), ("a3", Some(false), Some(13))]);
}

/// Nothing is joined for a check that does not declare JSZ, and nothing is read for it.
#[test]
fn without_jsz_there_are_no_streams() {
    let intake = Recording::epoch("jetstream", 3).open();
    let declares = |endpoint: &Endpoint| *endpoint != Endpoint::JSZ;
    let (epoch, _) = decode::load(&intake.epochs[0], &|_| true, &decode::Memo::default());
    assert_eq!((epoch.streams_told, epoch.jsz.len()), (7, 3));
    let joined = Joined::default();
    assert_eq!(counts(&View::new(&epoch, &declares, &joined).streams()), [0; 5]);
    assert_eq!(counts(&View::new(&epoch, &|_| true, &joined).streams()), [3, 7, 0, 0, 0]);
    let (epoch, _) = decode::load(&intake.epochs[0], &declares, &decode::Memo::default());
    assert_eq!((epoch.streams_told, epoch.jsz.len()), (0, 0));
}

/// A JSZ that somebody saved from a monitoring port, and nothing else: who it is from is known by
/// id, so that who leads and who is silent cannot be said.
#[test]
fn one_saved_reply_is_one_replica_of_each_stream() {
    let mut versions = 0;
    for folder in listed(&fixtures().join("replies")) {
        let packed = std::fs::read(folder.join("http/JSZ.json.zst")).unwrap();
        let bytes = zstd::decode_all(&packed[..]).unwrap();
        let told = only(&held(bytes));
        assert_eq!(counts(&told), [6, 6, 0, 2, 0], "{}", folder.display());
        let orders = stream(&told, "APP", "", "ORDERS");
        let [replica] = &orders.replicas[..] else { panic!("{orders:?}") };
        assert_eq!((&replica.name, replica.leads, orders.unlisted), (&None, None, 2));
        assert_eq!((replica.told.leader.as_deref(), replica.told.members.len()), (Some("a1"), 2));
        assert_eq!(stream(&told, "OPS", "", "EVENTS").last_seq(), Some((1, 1)));
        versions += 1;
    }
    assert_eq!(versions, 6);
}
