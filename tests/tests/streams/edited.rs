//! What no recording shows, made of ours: fields that are missing or odd, replicas that disagree,
//! domains that are not told, streams that move, monitoring ports.

use nats_hindsight_model::intake::{Source, open};
use nats_hindsight_model::streams::Doubt;
use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_snapshot::format::Limits;
use nats_hindsight_snapshot::lines::ExpectsLine;
use nats_hindsight_tests::recording::{Epoch, Recording};
use serde_json::{Value, json};

use super::{counts, decode, leading, names, only, stream};

/// The last epoch: ORDERS is led by a1 and has followers a2 and a3.
fn recorded() -> Recording {
    Recording::epoch("jetstream", 3)
}

fn jsz<'a>(epoch: &'a mut Epoch, server: &str) -> &'a mut Value {
    let is = |reply: &&mut nats_hindsight_tests::recording::Reply| {
        reply.line.endpoint == Endpoint::JSZ && reply.body["server"]["name"] == server
    };
    &mut epoch.replies.iter_mut().find(is).unwrap().body
}

/// A stream in the reply of a server.
fn row<'a>(epoch: &'a mut Epoch, server: &str, name: &str) -> &'a mut Value {
    let accounts = jsz(epoch, server)["data"]["account_details"].as_array_mut().unwrap();
    let mut rows = accounts.iter_mut().flat_map(|a| a["stream_detail"].as_array_mut().unwrap());
    rows.find(|row| row["name"] == name).unwrap()
}

fn drop_jsz(epoch: &mut Epoch, server: &str) {
    epoch.retain(
        |r| r.line.endpoint != Endpoint::JSZ || r.body["server"]["name"] != server,
        |_| true,
    );
}

#[test]
fn a_follower_without_a_word_is_silent() {
    let told = only(&recorded().at(0, |epoch| drop_jsz(epoch, "a3")).open());
    assert_eq!(counts(&told), [2, 4, 2, 0, 0]);
    let orders = stream(&told, "APP", "", "ORDERS");
    assert_eq!(names(orders), (vec!["a1", "a2"], vec!["a3"]));
    let silent = &orders.silent[0];
    assert_eq!(silent.by_leader.as_ref().unwrap().lag, Some(13));
    assert!(silent.server.as_ref().unwrap().starts_with("NBRTIBTB"));
}

/// Followers list each other, and name their leader.
#[test]
fn a_leader_without_a_word_is_silent() {
    let told = only(&recorded().at(0, |epoch| drop_jsz(epoch, "a1")).open());
    let orders = stream(&told, "APP", "", "ORDERS");
    assert_eq!(names(orders), (vec!["a2", "a3"], vec!["a1"]));
    assert_eq!((leading(orders), &orders.silent[0].by_leader), (vec![], &None));
    // AUDIT is led by a2, which tells how it sees a1.
    let audit = stream(&told, "APP", "", "AUDIT");
    assert_eq!((names(audit).1, leading(audit)), (vec!["a1"], vec!["a2"]));
    assert_eq!(audit.silent[0].by_leader.as_ref().unwrap().current, Some(true));
}

#[test]
fn a_replica_that_is_configured_and_that_nobody_lists_is_counted() {
    let told = recorded().at(0, |epoch| {
        for server in ["a1", "a2", "a3"] {
            row(epoch, server, "ORDERS")["config"]["num_replicas"] = 5.into();
        }
    });
    let told = only(&told.open());
    assert_eq!(counts(&told), [3, 7, 0, 2, 0]);
    let configured = stream(&told, "APP", "", "ORDERS").configured();
    assert_eq!(configured.keys().collect::<Vec<_>>(), [&Some(5)]);
}

#[test]
fn what_replicas_tell_differently_is_kept_as_each_tells_it() {
    let told = recorded().at(0, |epoch| {
        let a2 = row(epoch, "a2", "ORDERS");
        a2["cluster"]["leader"] = "a2".into();
        a2["config"]["num_replicas"] = 1.into();
        a2["state"]["last_seq"] = 4.into();
        row(epoch, "a3", "ORDERS")["cluster"].as_object_mut().unwrap().remove("leader");
    });
    let told = only(&told.open());
    let orders = stream(&told, "APP", "", "ORDERS");
    assert_eq!((leading(orders), orders.last_seq()), (vec!["a1", "a2"], Some((4, 10))));
    let leaders: Vec<(Option<&str>, usize)> =
        orders.leaders().into_iter().map(|(leader, by)| (leader, by.len())).collect();
    assert_eq!(leaders, [(None, 1), (Some("a1"), 1), (Some("a2"), 1)]);
    let configured: Vec<(Option<u64>, usize)> =
        orders.configured().into_iter().map(|(number, by)| (number, by.len())).collect();
    assert_eq!(configured, [(Some(1), 1), (Some(3), 2)]);
    assert!(orders.differs() && orders.unlisted == 0);
    assert!(!stream(&told, "APP", "", "AUDIT").differs());
}

#[test]
fn the_same_server_twice_is_one_replica_and_its_last_word_counts() {
    let told = recorded().at(0, |epoch| {
        row(epoch, "a1", "ORDERS")["state"]["last_seq"] = 9.into();
        let first = epoch
            .replies
            .iter()
            .find(|r| r.line.endpoint == Endpoint::JSZ && r.body["server"]["name"] == "a1");
        let mut again = first.unwrap().clone();
        again.line.arrival_us += 10_000_000;
        // Before the first in the file: what arrived last counts, not what stands last.
        epoch.replies.insert(0, again);
        row(epoch, "a1", "ORDERS")["state"]["last_seq"] = 12.into();
    });
    let told = only(&told.open());
    assert_eq!(counts(&told), [3, 7, 0, 0, 0]);
    let a1 = &stream(&told, "APP", "", "ORDERS").replicas[0];
    assert_eq!((a1.tellings, a1.told.last_seq), (2, Some(12)));
}

#[test]
fn numbers_keep_every_bit() {
    let told = recorded().at(0, |epoch| {
        let state = &mut row(epoch, "a1", "ORDERS")["state"];
        state["last_seq"] = u64::MAX.into();
        state["messages"] = (u64::MAX - 1).into();
        row(epoch, "a1", "ORDERS")["config"]["num_replicas"] = u64::MAX.into();
        for server in ["a2", "a3"] {
            row(epoch, server, "ORDERS")["config"]["num_replicas"] = u64::MAX.into();
            row(epoch, server, "AUDIT")["config"]["num_replicas"] = u64::MAX.into();
        }
        row(epoch, "a1", "AUDIT")["config"]["num_replicas"] = u64::MAX.into();
    });
    let told = only(&told.open());
    let orders = stream(&told, "APP", "", "ORDERS");
    assert_eq!(orders.last_seq(), Some((10, u64::MAX)));
    assert_eq!(orders.replicas[0].told.messages, Some(u64::MAX - 1));
    // More than all numbers together is still a number.
    assert_eq!((orders.unlisted, told.unlisted()), (u64::MAX - 3, u64::MAX));
}

/// A field that is missing, null or of another type costs itself.
#[test]
fn odd_fields_cost_themselves() {
    for odd in [None, Some(json!(null)), Some(json!("x")), Some(json!([{}])), Some(json!({"a": 1}))]
    {
        for field in ["state", "config", "created", "stream_raft_group", "consumer_detail"] {
            let told = recorded().at(0, |epoch| {
                let row = row(epoch, "a2", "ORDERS").as_object_mut().unwrap();
                match &odd {
                    Some(value) => row.insert(field.to_owned(), value.clone()),
                    None => row.remove(field),
                };
            });
            let told = only(&told.open());
            assert_eq!(counts(&told), [3, 7, 0, 0, 0], "{field}: {odd:?}");
            let a2 = &stream(&told, "APP", "", "ORDERS").replicas[1];
            assert_eq!(a2.told.last_seq.is_none(), field == "state", "{field}: {odd:?}");
            assert_eq!(a2.told.configured.is_none(), field == "config", "{field}: {odd:?}");
            assert_eq!(a2.leads, Some(false));
        }
    }
}

#[test]
fn a_cluster_that_is_none_leaves_the_leader_unknown_and_not_absent() {
    for odd in [json!(null), json!([]), json!("A")] {
        let told = recorded().at(0, |epoch| row(epoch, "a2", "ORDERS")["cluster"] = odd.clone());
        let told = only(&told.open());
        // It is in the cluster of its server, and the leader still lists it.
        assert_eq!(counts(&told), [3, 7, 0, 0, 0], "{odd}");
        let orders = stream(&told, "APP", "", "ORDERS");
        assert_eq!(
            (orders.replicas[1].told.leader.as_deref(), leading(orders)),
            (None, vec!["a1"])
        );
    }
}

#[test]
fn rows_without_a_name_or_an_account_are_counted() {
    let told = recorded().at(0, |epoch| {
        row(epoch, "a3", "ORDERS")["name"] = 7.into();
        let a2 = &mut jsz(epoch, "a2")["data"]["account_details"][0];
        (a2["id"], a2["name"]) = (Value::Null, json!([]));
    });
    let told = only(&told.open());
    // One row of a3, two of a2; the leaders list both.
    assert_eq!(counts(&told), [3, 4, 3, 0, 3], "{told:#?}");
    assert!(told.doubts.keys().all(|doubt| doubt.kind() == "stream_nameless"));
}

/// A reply that is no JSZ is told, and the server is silent on its streams.
#[test]
fn a_reply_of_another_shape_is_nothing_of_streams() {
    for data in [json!(null), json!([]), json!("x"), json!({ "account_details": {} })] {
        let told = recorded().at(0, |epoch| jsz(epoch, "a3")["data"] = data.clone());
        let told = only(&told.open());
        assert_eq!(counts(&told), [2, 4, 2, 0, 0], "{data}");
    }
}

/// a1 and a2 keep streams of one name in two domains; a3 says nothing of its own.
fn domains(edit: impl FnOnce(&mut Epoch)) -> Recording {
    recorded().at(0, |epoch| {
        for (server, domain) in [("a1", "hub"), ("a2", "edge")] {
            jsz(epoch, server)["data"]["config"]["domain"] = domain.into();
            let row = row(epoch, server, "ORDERS");
            row["cluster"] = json!({ "name": "A", "leader": server });
            row["config"]["num_replicas"] = 1.into();
        }
        jsz(epoch, "a3")["data"]["config"] = Value::Null;
        edit(epoch);
    })
}

#[test]
fn a_domain_that_fits_twice_is_not_guessed() {
    let told = only(&domains(|_| ()).open());
    let doubts: Vec<&Doubt> = told.doubts.keys().collect();
    assert_eq!(doubts.len(), 2, "{doubts:#?}");
    for doubt in doubts {
        let Doubt::Domains { server, domains, .. } = doubt else { panic!("{doubt:?}") };
        assert!(server.starts_with("NBRTIBTB") && domains.len() == 2, "{doubt:?}");
        assert_eq!(doubt.kind(), "stream_join_ambiguous");
        let text = doubt.text(1);
        assert!(text.contains("edge, hub") && text.contains("Ask the server"), "{text}");
    }
    assert_eq!(told.not_joined, 2);
    assert_eq!(stream(&told, "APP", "hub", "ORDERS").replicas.len(), 1);
    assert_eq!(stream(&told, "APP", "edge", "ORDERS").replicas.len(), 1);
    // Of a stream that is nowhere else, nothing is ambiguous, and its domain is not known.
    let cache: Vec<_> = told.streams.keys().filter(|key| key.name == "CACHE").collect();
    assert_eq!((cache.len(), &cache[0].domain), (1, &None));
}

#[test]
fn a_server_that_tells_no_domain_is_in_that_of_its_stream() {
    let told = recorded().at(0, |epoch| {
        for server in ["a1", "a2"] {
            jsz(epoch, server)["data"]["config"]["domain"] = "hub".into();
        }
        jsz(epoch, "a3")["data"].as_object_mut().unwrap().remove("config");
    });
    let told = only(&told.open());
    assert!(told.doubts.is_empty(), "{:?}", told.doubts);
    assert_eq!(names(stream(&told, "APP", "hub", "ORDERS")), (vec!["a1", "a2", "a3"], vec![]));
}

/// An envelope tells the domain where JSZ does not.
#[test]
fn an_envelope_tells_a_domain() {
    let told = domains(|epoch| jsz(epoch, "a3")["server"]["domain"] = "edge".into());
    let told = only(&told.open());
    assert!(told.doubts.is_empty(), "{:?}", told.doubts);
    let edge = stream(&told, "APP", "edge", "ORDERS");
    assert_eq!(names(edge), (vec!["a2", "a3"], vec![]));
    // One that is of no use as a name costs itself.
    let told = domains(|epoch| jsz(epoch, "a3")["server"]["domain"] = json!(["x"]));
    assert_eq!(only(&told.open()).not_joined, 2);
}

/// While a stream moves, servers of both clusters keep replicas of one Raft group.
#[test]
fn a_stream_that_moves_is_one_stream() {
    let moved = |group: &'static str| {
        recorded().at(0, |epoch| {
            for reply in &mut epoch.replies {
                if reply.body["server"]["name"] == "a3" {
                    reply.body["server"]["cluster"] = "B".into();
                }
            }
            let row = row(epoch, "a3", "ORDERS");
            row["cluster"]["name"] = "B".into();
            row["stream_raft_group"] = group.into();
            row["cluster"]["raft_group"] = group.into();
        })
    };
    let told = only(&moved("S-R3F-qYxChgJe").open());
    let orders = stream(&told, "APP", "", "ORDERS");
    assert_eq!(names(orders), (vec!["a1", "a2", "a3"], vec![]));
    assert_eq!(orders.replicas[2].cluster.as_deref(), Some("B"));
    let home = told.streams.keys().find(|key| key.name == "ORDERS").unwrap();
    assert_eq!(home.cluster.as_deref(), Some("A"));
    // Another group is another stream, though account, domain and name are the same.
    let told = only(&moved("S-R3F-other000").open());
    let clusters: Vec<_> =
        told.streams.keys().filter(|k| k.name == "ORDERS").map(|k| k.cluster.as_deref()).collect();
    assert_eq!(clusters, [Some("A"), Some("B")]);
}

/// Over monitoring ports JSZ has an id and no name: names are in VARZ.
fn over_http(with_varz: bool) -> Recording {
    recorded().at(0, |epoch| {
        let wanted = |e: &Endpoint| *e == Endpoint::JSZ || (with_varz && *e == Endpoint::VARZ);
        epoch.retain(|r| wanted(&r.line.endpoint), |c| wanted(&c.endpoint));
        epoch.header.expects = ExpectsLine::default();
        for reply in &mut epoch.replies {
            let name = reply.body["server"]["name"].as_str().unwrap().to_owned();
            reply.line.source = Some(format!("http://{name}.example:8222"));
            reply.body = reply.body["data"].take();
        }
    })
}

#[test]
fn monitoring_ports_tell_streams_too() {
    let told = only(&over_http(true).open());
    assert_eq!(counts(&told), [3, 7, 0, 0, 0], "{:?}", told.doubts);
    let orders = stream(&told, "APP", "", "ORDERS");
    assert_eq!((names(orders), leading(orders)), ((vec!["a1", "a2", "a3"], vec![]), vec!["a1"]));
    let less = over_http(true).at(0, |epoch| {
        epoch.retain(|r| r.line.endpoint != Endpoint::JSZ || !is_of(r, "a3"), |_| true);
    });
    assert_eq!(names(stream(&only(&less.open()), "APP", "", "ORDERS")).1, ["a3"]);
}

fn is_of(reply: &nats_hindsight_tests::recording::Reply, server: &str) -> bool {
    reply.line.source.as_deref().is_some_and(|url| url.contains(&format!("//{server}.")))
}

/// Without names nobody can say who leads, nor who of those listed is silent: what lacks is counted.
#[test]
fn without_names_it_is_not_guessed_who_is_silent() {
    let told = over_http(false).at(0, |epoch| epoch.replies.retain(|r| !is_of(r, "a3")));
    let told = only(&told.open());
    assert_eq!(counts(&told), [2, 4, 0, 2, 0]);
    let orders = stream(&told, "APP", "", "ORDERS");
    assert!(orders.replicas.iter().all(|replica| replica.leads.is_none()));
    assert_eq!(orders.unlisted, 1);
}

/// Of an epoch with more streams than that, a part would look like the whole.
#[test]
fn too_many_streams_are_none_and_the_rest_stays() {
    let bytes = recorded().to_bytes();
    for (limit, known) in [(7, true), (6, false), (0, false)] {
        let limits = Limits { max_streams: limit, ..Limits::default() };
        let source = Source::Held { name: "crowd".to_owned(), bytes: bytes.clone().into() };
        let intake = open(&[source], &limits, &|_, _| {}).unwrap();
        let index = &intake.epochs[0];
        let (epoch, problems) = decode::load(index, &|_| true, &decode::Memo::default());
        let told = super::streams(index);
        assert_eq!(epoch.varz.len(), 3);
        if known {
            assert_eq!((counts(&told), problems.len()), ([3, 7, 0, 0, 0], 0));
            continue;
        }
        assert_eq!((counts(&told), told.beyond), ([0; 5], 7));
        let [problem] = &problems[..] else { panic!("{problems:?}") };
        assert!(problem.kind == "limit" && problem.text.contains("max_streams"), "{problem:?}");
    }
}
