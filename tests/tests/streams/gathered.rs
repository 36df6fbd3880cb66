//! What no recorded archive shows, made of recorded ones: domains, servers of one name, streams
//! under a foreign account or without a cluster.

use nats_hindsight_model::streams::Doubt;
use serde_json::{Value, json};
use smol_str::SmolStr;

use super::repacked::Archive;
use super::{counts, held, kinds, leading, names, only, stream};

const NEWEST: &str = "healthy/epoch-000.zip";
const OLDEST: &str = "healthy/natscli-v0.1.6/epoch-000.zip";

/// Applies an edit to a stream wherever a document holds it.
fn each_stream(document: &mut Value, name: &str, edit: &dyn Fn(&mut Value)) {
    match document {
        Value::Object(fields) => {
            if fields.get("name").is_some_and(|known| known == name) && fields.contains_key("state")
            {
                edit(document);
                return;
            }
            fields.values_mut().for_each(|value| each_stream(value, name, edit));
        }
        Value::Array(rows) => rows.iter_mut().for_each(|row| each_stream(row, name, edit)),
        _ => {}
    }
}

/// Puts the configuration of JetStream into a domain, wherever a document holds it.
fn set_domain(document: &mut Value, domain: &str) {
    match document {
        Value::Object(fields) => {
            if fields.contains_key("store_dir") {
                fields.insert("domain".to_owned(), domain.into());
            }
            if fields.contains_key("host") && fields.contains_key("seq") {
                fields.insert("domain".to_owned(), domain.into());
            }
            fields.values_mut().for_each(|value| set_domain(value, domain));
        }
        Value::Array(rows) => rows.iter_mut().for_each(|row| set_domain(row, domain)),
        _ => {}
    }
}

/// An archive in which a3 is in a domain of its own and has a stream that is called as one of the
/// others is. The gatherer files both under one account and name, as replicas of one stream.
fn two_domains(path: &str) -> Archive {
    let mut archive = Archive::open(path);
    archive.each("server", "a3", |_, document| {
        set_domain(document, "edge");
        each_stream(document, "ORDERS", &|stream| {
            stream["cluster"] = json!({ "name": "A", "leader": "a3" });
            stream["stream_raft_group"] = "S-R1F-edgeedge".into();
            stream["config"]["num_replicas"] = 1.into();
            stream["state"]["last_seq"] = 7.into();
        });
    });
    for server in ["a1", "a2"] {
        archive.each("server", server, |_, document| {
            each_stream(document, "ORDERS", &|stream| {
                stream["cluster"]["leader"] = "a1".into();
                let other = if server == "a1" { "a2" } else { "a1" };
                stream["cluster"]["replicas"] = json!([{ "name": other, "current": true }]);
                stream["config"]["num_replicas"] = 2.into();
            });
        });
    }
    archive
}

#[test]
fn streams_of_one_name_in_two_domains_stay_apart() {
    for path in [NEWEST, OLDEST] {
        let told = only(&held(two_domains(path).pack()));
        assert_eq!(counts(&told), [3, 4, 0, 0, 0], "{path}: {:#?}", told.streams.keys());
        assert!(told.doubts.is_empty(), "{path}: {:?}", told.doubts);
        let (hub, edge) =
            (stream(&told, "APP", "", "ORDERS"), stream(&told, "APP", "edge", "ORDERS"));
        assert_eq!((names(hub), names(edge)), ((vec!["a1", "a2"], vec![]), (vec!["a3"], vec![])));
        assert_eq!((leading(hub), leading(edge)), (vec!["a1"], vec!["a3"]), "{path}");
        assert_eq!(edge.last_seq(), Some((7, 7)));
        assert!(!hub.differs() && hub.last_seq().unwrap().0 > 7, "{path}");
    }
}

/// Another server of the cluster is called as a1 is, wherever its name stands.
fn same_names(path: &str) -> Archive {
    let mut archive = Archive::open(path);
    for server in ["a1", "a2", "a3"] {
        archive.each("server", server, |_, document| rename(document, "a3", "a1"));
    }
    archive.retag("server", "a3", "a1");
    archive
}

/// Replaces a text where it is a whole one.
fn rename(document: &mut Value, from: &str, to: &str) {
    match document {
        Value::String(text) if text == from => to.clone_into(text),
        Value::Object(fields) => fields.values_mut().for_each(|value| rename(value, from, to)),
        Value::Array(rows) => rows.iter_mut().for_each(|row| rename(row, from, to)),
        _ => {}
    }
}

#[test]
fn what_is_filed_under_a_name_that_two_servers_have_is_joined_to_neither() {
    let intake = held(same_names(NEWEST).pack());
    let shared = intake.epochs[0].problems.iter().filter(|p| p.kind == "servers_share_name");
    assert_eq!(shared.count(), 1, "{:#?}", intake.epochs[0].problems);
    let told = only(&intake);
    let ids = |doubt: &Doubt| match doubt {
        Doubt::SharedName { server, ids, .. } if server == "a1" => Some(ids.len()),
        _ => None,
    };
    let shared: Vec<(usize, u64)> =
        told.doubts.iter().filter_map(|(doubt, count)| Some((ids(doubt)?, *count))).collect();
    // Both filed ORDERS, once each.
    assert_eq!(shared, [(2, 2)], "{:#?}", told.doubts);
    assert_eq!(kinds(&told).into_iter().collect::<Vec<_>>(), ["stream_join_ambiguous"]);
    // Both say in JSZ whose it is: told apart by id, and it is not said which is silent.
    assert_eq!(counts(&told), [2, 4, 0, 0, 2]);
    let orders = stream(&told, "APP", "", "ORDERS");
    assert_eq!(names(orders).0, ["a1", "a1", "a2"]);
    let tellings: Vec<u64> = orders.replicas.iter().map(|r| r.tellings).collect();
    assert_eq!(tellings, [1, 1, 2]);
}

/// Where the name of the leader is that of two servers, neither is said to lead.
#[test]
fn a_leader_by_a_name_that_two_servers_have_is_not_guessed() {
    let mut archive = same_names(NEWEST);
    for server in ["a1", "a2"] {
        archive.each("server", server, |_, document| {
            each_stream(document, "ORDERS", &|stream| stream["cluster"]["leader"] = "a1".into());
        });
    }
    let told = only(&held(archive.pack()));
    let orders = stream(&told, "APP", "", "ORDERS");
    let leads: Vec<Option<bool>> = orders.replicas.iter().map(|r| r.leads).collect();
    assert_eq!(leads, [None, None, Some(false)]);
    let led =
        told.doubts.keys().any(|d| matches!(d, Doubt::SharedLeader { ids, .. } if ids.len() == 2));
    assert!(led, "{:#?}", told.doubts);
}

/// Servers up to 2.10.12 answer for an account that they do not know with the one that they do.
fn misfiled(path: &str) -> Archive {
    let mut archive = Archive::open(path);
    let stream = archive.stream("ORDERS", "a1");
    archive.add_stream("PAY", ("A", "a1"), &stream);
    archive
}

#[test]
fn a_stream_under_a_foreign_account_is_not_one_more_stream() {
    let told = only(&held(misfiled(NEWEST).pack()));
    assert_eq!(counts(&told), [2, 4, 0, 0, 1], "{:#?}", told.streams.keys());
    let doubts: Vec<&Doubt> = told.doubts.keys().collect();
    let [Doubt::Misfiled { stream, account, said }] = doubts[..] else { panic!("{doubts:?}") };
    assert_eq!((stream.as_str(), account.as_str()), ("ORDERS", "PAY"));
    assert_eq!(said.iter().map(SmolStr::as_str).collect::<Vec<_>>(), ["APP"]);
}

/// Without JSZ nobody says which account is right.
#[test]
fn which_of_two_accounts_is_right_is_not_guessed() {
    let told = only(&held(misfiled(OLDEST).pack()));
    assert_eq!(counts(&told), [1, 1, 0, 0, 4], "{:#?}", told.streams.keys());
    let doubts: Vec<(&Doubt, &u64)> = told.doubts.iter().collect();
    let [(doubt @ Doubt::Accounts { accounts, .. }, 4)] = doubts[..] else { panic!("{doubts:?}") };
    assert_eq!((accounts.len(), doubt.kind()), (2, "stream_join_ambiguous"));
}

/// A stream of the same name that is another one is no foreign one.
#[test]
fn two_accounts_may_have_a_stream_of_one_name() {
    for path in [NEWEST, OLDEST] {
        let mut archive = Archive::open(path);
        let mut other = archive.stream("ORDERS", "a1");
        other["stream_raft_group"] = "S-R1F-another0".into();
        other["cluster"] = json!({ "name": "A", "leader": "a1" });
        other["config"]["num_replicas"] = 1.into();
        archive.add_stream("PAY", ("A", "a1"), &other);
        let told = only(&held(archive.pack()));
        assert_eq!((counts(&told), told.doubts.len()), ([3, 5, 0, 0, 0], 0), "{path}");
        assert_eq!(leading(stream(&told, "PAY", "", "ORDERS")), ["a1"]);
    }
}

/// Streams of a standalone server tell no cluster, so that the tag is empty; the other artifacts of
/// the server say `unclustered`, or, of a leaf node, its own name.
#[test]
fn an_empty_cluster_is_that_of_the_only_server_of_the_name() {
    let recorded = Archive::open(NEWEST).stream("ORDERS", "a1");
    let mut bare = recorded;
    bare["cluster"] = json!({ "leader": "solo" });
    bare["config"]["num_replicas"] = 1.into();
    bare.as_object_mut().unwrap().remove("stream_raft_group");
    for (cluster, told_cluster) in [("unclustered", None), ("solo", Some("solo"))] {
        for version in ["natscli-v0.2.0", "natscli-v0.3.1"] {
            let mut archive = Archive::open(&format!("standalone/{version}/epoch-000.zip"));
            archive.retag("cluster", "unclustered", cluster);
            archive.each("server", "solo", |_, document| {
                if document["server"]["id"].is_string() {
                    document["server"]["jetstream"] = true.into();
                    document["server"]["cluster"] = told_cluster.into();
                }
            });
            archive.add_stream("$G", ("", "solo"), &bare);
            let intake = held(archive.pack());
            assert_eq!(intake.epochs[0].problems, [], "{version} {cluster}");
            let told = only(&intake);
            assert_eq!((counts(&told), told.doubts.len()), ([1, 1, 0, 0, 0], 0), "{version}");
            let (key, orders) = told.streams.first_key_value().unwrap();
            assert_eq!((key.cluster.as_deref(), key.domain.as_deref()), (told_cluster, Some("")));
            assert_eq!((names(orders).0, leading(orders)), (vec!["solo"], vec!["solo"]));
            assert!(orders.replicas[0].server.starts_with('N'));
        }
    }
}

/// A file of a server of which nothing else is there.
#[test]
fn a_server_that_nothing_else_tells_of_is_not_made_up() {
    let mut archive = Archive::open(NEWEST);
    let stream = archive.stream("ORDERS", "a1");
    archive.add_stream("APP", ("A", "a9"), &stream);
    let told = only(&held(archive.pack()));
    assert_eq!(counts(&told), [2, 4, 0, 0, 1]);
    let doubts: Vec<&Doubt> = told.doubts.keys().collect();
    let [Doubt::UnknownServer { server }] = doubts[..] else { panic!("{doubts:?}") };
    assert_eq!((server.as_str(), doubts[0].kind()), ("a9", "stream_server_unknown"));
}

/// What is wrong with one file costs that file: the server's own word is still there.
#[test]
fn a_damaged_file_costs_itself() {
    let mut archive = Archive::open(NEWEST);
    let path = archive.tagged("stream", "ORDERS").swap_remove(0);
    archive.entries.insert(path, b"{\"name\":".to_vec());
    let intake = held(archive.pack());
    let (_, problems) =
        super::decode::load(&intake.epochs[0], &|_| true, &super::decode::Memo::default());
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert_eq!(counts(&only(&intake)), [2, 4, 0, 0, 0]);
}

/// An archive that was cut has no manifest: whose a file is stands in its path, which nobody takes
/// apart.
#[test]
fn an_archive_without_manifest_tells_the_same() {
    for path in [NEWEST, OLDEST] {
        let archive = Archive::open(path);
        let whole = only(&held(archive.pack()));
        let told = only(&held(archive.pack_without_manifest()));
        assert_eq!((counts(&told), counts(&whole)), ([2, 4, 0, 0, 0], [2, 4, 0, 0, 0]), "{path}");
    }
}
