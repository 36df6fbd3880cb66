//! What is said of doubts, and what a stream says of itself, on values made by hand. Joins are
//! tested on recordings, in `tests/tests/streams`.

use std::sync::Arc;

use super::*;

fn ids(count: usize) -> BTreeSet<SmolStr> {
    (0..count).map(|n| SmolStr::from(format!("N{n}"))).collect()
}

#[test]
fn a_doubt_names_the_first_few_and_says_what_to_do() {
    let (server, cluster) = (SmolStr::from("a1"), Some(SmolStr::from("A")));
    let doubt = |count| {
        let (server, cluster) = (server.clone(), cluster.clone());
        Doubt::SharedName { server, cluster, ids: ids(count) }
    };
    let two = doubt(2).text(1);
    assert!(two.starts_with("1 stream filed under server a1 of cluster A, and 2 servers"), "{two}");
    assert!(two.contains(": N0, N1;") && two.contains("$SYS.REQ.SERVER.<id>.JSZ"), "{two}");
    let many = doubt(7).text(9);
    assert!(many.starts_with("9 streams") && many.contains("N4 and 2 more;"), "{many}");
}

#[test]
fn a_domain_without_a_name_is_called_none() {
    let domains = BTreeSet::from([SmolStr::default(), SmolStr::from("hub")]);
    let (stream, account, server) = ("S".into(), "A".into(), "N1".into());
    let text = Doubt::Domains { stream, account, server, domains }.text(1);
    assert!(text.contains("in several: none, hub;"), "{text}");
}

fn replica(server: &str, told: StreamTold) -> Replica {
    Replica {
        server: server.into(),
        name: Some(server.into()),
        cluster: None,
        leads: None,
        told: Arc::new(told),
        tellings: 1,
    }
}

#[test]
fn a_stream_differs_where_its_replicas_do() {
    let told = |leader: &str, configured, last_seq| StreamTold {
        leader: Some(leader.into()),
        configured,
        last_seq,
        ..StreamTold::default()
    };
    let of = |rows: [StreamTold; 2]| Stream {
        replicas: rows
            .into_iter()
            .zip(["a", "b"])
            .map(|(told, name)| replica(name, told))
            .collect(),
        ..Stream::default()
    };
    let same = of([told("a", Some(2), Some(4)), told("a", Some(2), None)]);
    assert_eq!((same.differs(), same.last_seq()), (false, Some((4, 4))));
    assert!(of([told("a", Some(2), None), told("b", Some(2), None)]).differs());
    let lacking = of([told("a", Some(2), Some(u64::MAX)), told("a", None, Some(0))]);
    assert_eq!((lacking.differs(), lacking.last_seq()), (true, Some((0, u64::MAX))));
    assert_eq!(of([StreamTold::default(), StreamTold::default()]).last_seq(), None);
}
