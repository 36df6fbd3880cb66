//! JSZ: the leader's view, a follower's, and what is left when others have gone.

use nats_hindsight_snapshot::wire::{
    Consumer, Envelope, JetStreamAccount, Jsz, Replica, Stream, Varz, VarzJetStream,
};

use crate::{VERSIONS, is_since, read, read_http, reply};

fn account<'a>(jsz: &'a Jsz<'static>, name: &str) -> &'a JetStreamAccount<'static> {
    jsz.account_details.iter().find(|account| account.name.as_deref() == Some(name)).unwrap()
}

fn stream<'a>(jsz: &'a Jsz<'static>, name: &str) -> &'a Stream<'static> {
    let streams = jsz.account_details.iter().flat_map(|account| &account.stream_detail);
    streams.into_iter().find(|stream| stream.name.as_deref() == Some(name)).unwrap()
}

fn consumer<'a>(stream: &'a Stream<'static>, name: &str) -> &'a Consumer<'static> {
    let consumers = &stream.consumer_detail;
    consumers.iter().find(|consumer| consumer.name.as_deref() == Some(name)).unwrap()
}

fn streams(jsz: &Jsz<'static>, account_name: &str) -> Vec<String> {
    let streams = &account(jsz, account_name).stream_detail;
    let mut names: Vec<String> =
        streams.iter().map(|stream| stream.name.as_deref().unwrap().to_owned()).collect();
    names.sort();
    names
}

/// Names of replicas, and whether each is current and offline.
fn seen<'a>(replicas: &'a [Replica<'static>]) -> Vec<(&'a str, Option<bool>, Option<bool>)> {
    let mut seen: Vec<_> = replicas
        .iter()
        .map(|replica| (replica.name.as_deref().unwrap(), replica.current, replica.offline))
        .collect();
    seen.sort_unstable();
    seen
}

#[test]
fn the_server_tells_its_limits_and_totals() {
    for version in VERSIONS {
        let (server, jsz): (_, Jsz<'_>) = read(version, "JSZ");
        assert_eq!(server.name.as_deref(), Some("a1"));
        assert_eq!(server.jetstream, Some(true));
        assert_eq!(jsz.server_id, server.id, "{version}");
        assert_eq!((jsz.disabled, jsz.streams, jsz.messages), (None, Some(6), Some(52)));
        assert_eq!((jsz.memory, jsz.reserved_memory), (Some(189), Some(65_536)), "{version}");
        assert_eq!(jsz.reserved_storage, Some(1_048_576), "{version}");
        assert!(jsz.storage > Some(2_000) && jsz.ha_assets >= Some(3), "{version}: {jsz:?}");
        let config = jsz.config.unwrap();
        assert_eq!((config.max_memory, config.max_storage), (Some(64 << 20), Some(256 << 20)));
        assert_eq!((config.domain, config.store_dir.as_deref()), (None, Some("store/jetstream")));
        let api = jsz.api.unwrap();
        assert!(api.errors == Some(0) && api.total > Some(0), "{version}: {api:?}");
        let recent = is_since(version, "2.11.11");
        assert_eq!(api.level.is_some(), recent, "{version}");
        assert_eq!(jsz.total, recent.then_some(2), "{version}");
        assert_eq!(jsz.streams_leader, recent.then_some(6), "{version}");
        assert_eq!(jsz.consumers_leader.is_some(), recent, "{version}");
    }
}

#[test]
fn accounts_have_their_streams_and_unlimited_is_the_largest_number() {
    for version in VERSIONS {
        let (_, jsz): (_, Jsz<'_>) = read(version, "JSZ");
        let app = ["GATHERED", "JOBS", "KV_settings", "ORDERS", "ORDERS_COPY"];
        assert_eq!(streams(&jsz, "APP"), app, "{version}");
        assert_eq!(streams(&jsz, "OPS"), ["EVENTS"], "{version}");
        let (app, ops) = (account(&jsz, "APP"), account(&jsz, "OPS"));
        assert_eq!((app.id.as_deref(), app.memory), (Some("APP"), Some(189)), "{version}");
        assert_eq!(app.reserved_memory, Some(u64::MAX), "{version}");
        assert_eq!(app.reserved_storage, Some(u64::MAX), "{version}");
        assert_eq!(ops.reserved_memory, Some(8 << 20), "{version}");
        assert_eq!(ops.reserved_storage, Some(32 << 20), "{version}");
        assert!(app.storage > ops.storage && ops.storage > Some(0), "{version}");
    }
}

#[test]
fn the_leader_tells_a_replicated_stream() {
    for version in VERSIONS {
        let (_, jsz): (_, Jsz<'_>) = read(version, "JSZ");
        let orders = stream(&jsz, "ORDERS");
        let cluster = orders.cluster.as_ref().unwrap();
        assert_eq!((cluster.name.as_deref(), cluster.leader.as_deref()), (Some("A"), Some("a1")));
        assert_eq!(cluster.leader_since.is_some(), is_since(version, "2.11.11"), "{version}");
        let followers = [("a2", Some(true), None), ("a3", Some(true), None)];
        assert_eq!(seen(&cluster.replicas), followers, "{version}");
        assert!(cluster.replicas.iter().all(|peer| peer.active > Some(0) && peer.peer.is_some()));
        assert!(cluster.raft_group.as_deref().unwrap().starts_with("S-R3F-"), "{version}");
        assert_eq!(orders.stream_raft_group, cluster.raft_group, "{version}");
        let state = orders.state.as_ref().unwrap();
        assert_eq!((state.messages, state.bytes), (Some(19), Some(874)), "{version}");
        assert_eq!((state.first_seq, state.last_seq), (Some(1), Some(20)), "{version}");
        assert_eq!((state.num_subjects, state.num_deleted), (Some(5), Some(1)), "{version}");
        assert!(state.last_ts.is_some() && orders.created.is_some(), "{version}");
        let listed = u64::try_from(orders.consumer_detail.len()).unwrap();
        assert_eq!(state.consumer_count, Some(listed), "{version}");
        assert_eq!(orders.consumer_raft_groups.len(), orders.consumer_detail.len(), "{version}");
    }
}

#[test]
fn the_configuration_of_a_stream_is_told() {
    for version in VERSIONS {
        let (_, jsz): (_, Jsz<'_>) = read(version, "JSZ");
        let config = stream(&jsz, "ORDERS").config.as_ref().unwrap();
        assert_eq!(config.subjects, ["orders.>"], "{version}");
        assert_eq!(config.retention.as_deref(), Some("limits"));
        assert_eq!(config.storage.as_deref(), Some("file"));
        assert_eq!(config.discard.as_deref(), Some("old"));
        assert_eq!(config.compression.as_deref(), Some("s2"));
        assert_eq!((config.num_replicas, config.max_consumers), (Some(3), Some(20)));
        assert_eq!((config.max_msgs, config.max_bytes), (Some(1000), Some(1 << 20)));
        assert_eq!(config.max_age, Some(3_600_000_000_000));
        assert_eq!(config.duplicate_window, Some(60_000_000_000));
        assert_eq!((config.max_msgs_per_subject, config.max_msg_size), (Some(-1), Some(-1)));
        assert_eq!((config.allow_direct, config.sealed), (Some(true), Some(false)));
        assert_eq!(config.metadata["io.nats.monitor.peer-expect"], "3");
        let own = config.metadata.keys().any(|name| name.starts_with("_nats."));
        assert_eq!(own, is_since(version, "2.11.11"), "{version}: {:?}", config.metadata);
        let jobs = stream(&jsz, "JOBS");
        let config = jobs.config.as_ref().unwrap();
        assert_eq!(config.retention.as_deref(), Some("workqueue"));
        assert_eq!((config.storage.as_deref(), config.max_age), (Some("memory"), Some(0)));
        assert_eq!((config.discard.as_deref(), config.max_msgs), (Some("new"), Some(-1)));
        let cluster = jobs.cluster.as_ref().unwrap();
        assert_eq!((cluster.raft_group.as_deref(), cluster.leader.as_deref()), (None, Some("a1")));
        assert!(cluster.replicas.is_empty() && jobs.stream_raft_group.is_some(), "{version}");
        let state = jobs.state.as_ref().unwrap();
        assert_eq!((state.messages, state.first_seq, state.last_seq), (Some(7), Some(4), Some(10)));
    }
}

#[test]
fn consumers_say_how_far_they_are() {
    for version in VERSIONS {
        let (_, jsz): (_, Jsz<'_>) = read(version, "JSZ");
        let orders = stream(&jsz, "ORDERS");
        let billing = consumer(orders, "billing");
        let (delivered, floor) = (billing.delivered.as_ref(), billing.ack_floor.as_ref());
        let (delivered, floor) = (delivered.unwrap(), floor.unwrap());
        assert_eq!((delivered.consumer_seq, delivered.stream_seq), (Some(6), Some(6)));
        assert_eq!((floor.consumer_seq, floor.stream_seq), (Some(4), Some(4)), "{version}");
        assert!(delivered.last_active.is_some() && floor.last_active.is_some(), "{version}");
        assert_eq!((billing.num_ack_pending, billing.num_redelivered), (Some(2), Some(0)));
        assert_eq!(billing.num_waiting, Some(0), "{version}");
        assert_eq!(billing.stream.as_deref(), Some("ORDERS"), "{version}");
        let config = billing.config.as_ref().unwrap();
        assert_eq!(config.ack_policy.as_deref(), Some("explicit"));
        assert_eq!(config.ack_wait, Some(600_000_000_000));
        assert_eq!((config.max_deliver, config.max_ack_pending), (Some(5), Some(100)));
        // Zero for as many as the stream.
        assert_eq!((config.num_replicas, config.deliver_subject.as_deref()), (Some(0), None));
        assert_eq!(config.metadata["io.nats.monitor.unprocessed-critical"], "1000");
        let cluster = billing.cluster.as_ref().unwrap();
        assert!(cluster.leader.is_some() && cluster.replicas.len() == 2, "{version}");
        let worker = consumer(stream(&jsz, "JOBS"), "worker");
        assert_eq!((worker.num_pending, worker.num_ack_pending), (Some(7), Some(0)), "{version}");
        // A work queue that is consumed from the front begins after what was delivered.
        assert_eq!(worker.delivered.as_ref().unwrap().stream_seq, Some(3), "{version}");
    }
}

#[test]
fn push_and_priority_consumers_are_told_apart() {
    for version in VERSIONS {
        let (_, jsz): (_, Jsz<'_>) = read(version, "JSZ");
        let orders = stream(&jsz, "ORDERS");
        let audit = consumer(orders, "audit");
        assert_eq!(audit.push_bound, Some(true), "{version}");
        let config = audit.config.as_ref().unwrap();
        assert_eq!(config.deliver_subject.as_deref(), Some("push.audit"));
        assert_eq!(config.ack_policy.as_deref(), Some("none"));
        assert_eq!((config.ack_wait, config.max_ack_pending), (None, None), "{version}");
        let pinned = consumer(orders, "pinned");
        let config = pinned.config.as_ref().unwrap();
        let policy = config.priority_policy.as_deref();
        if is_since(version, "2.11.11") {
            assert_eq!((policy, config.priority_groups.len()), (Some("pinned_client"), 1));
            let group = &pinned.priority_groups[0];
            assert_eq!(group.group.as_deref(), Some("jobs"), "{version}");
            assert_eq!(group.pinned_client_id, None, "{version}");
            assert_eq!(group.pinned_ts.as_deref(), Some("0001-01-01T00:00:00Z"), "{version}");
        } else {
            assert_eq!((policy, config.priority_groups.len()), (None, 0), "{version}");
            assert!(pinned.priority_groups.is_empty(), "{version}");
        }
    }
}

#[test]
fn copies_of_streams_say_how_far_they_are() {
    for version in VERSIONS {
        let (_, jsz): (_, Jsz<'_>) = read(version, "JSZ");
        let copy = stream(&jsz, "ORDERS_COPY");
        let config = copy.config.as_ref().unwrap();
        assert_eq!(config.mirror.as_ref().unwrap().name.as_deref(), Some("ORDERS"));
        assert!(config.subjects.is_empty() && config.duplicate_window.is_none(), "{version}");
        let mirror = copy.mirror.as_ref().unwrap();
        assert_eq!((mirror.name.as_deref(), mirror.lag), (Some("ORDERS"), Some(0)), "{version}");
        assert!(mirror.active > Some(0) && mirror.error.is_none(), "{version}: {mirror:?}");
        let gathered = stream(&jsz, "GATHERED");
        let configured = &gathered.config.as_ref().unwrap().sources;
        assert_eq!(configured[0].filter_subject.as_deref(), Some("orders.1"), "{version}");
        let mut names: Vec<_> =
            gathered.sources.iter().map(|source| (source.name.as_deref(), source.lag)).collect();
        names.sort_unstable();
        assert_eq!(names, [(Some("KV_settings"), Some(0)), (Some("ORDERS"), Some(0))], "{version}");
        assert!(stream(&jsz, "ORDERS").mirror.is_none(), "{version}");
    }
}

#[test]
fn a_follower_knows_of_the_leader_and_little_else() {
    for version in VERSIONS {
        let (server, jsz): (_, Jsz<'_>) = read(version, "JSZ_FOLLOWER");
        assert_eq!(server.name.as_deref(), Some("a2"), "{version}");
        assert_eq!(jsz.streams, Some(1), "{version}");
        assert_eq!(streams(&jsz, "APP"), ["ORDERS"], "{version}");
        let orders = stream(&jsz, "ORDERS");
        let cluster = orders.cluster.as_ref().unwrap();
        assert_eq!(
            (cluster.leader.as_deref(), cluster.leader_since.as_deref()),
            (Some("a1"), None)
        );
        // Healthy, and yet the other follower looks as if it were not.
        let others = [("a1", Some(true), None), ("a3", Some(false), None)];
        assert_eq!(seen(&cluster.replicas), others, "{version}");
        // The lag that older followers tell of is none.
        let lags = cluster.replicas.iter().any(|peer| peer.lag > Some(0));
        assert_eq!(lags, !is_since(version, "2.12.8"), "{version}");
        assert_eq!(orders.state.as_ref().unwrap().messages, Some(19), "{version}");
        assert_eq!(orders.config.as_ref().unwrap().num_replicas, Some(3), "{version}");
    }
}

#[test]
fn the_leader_sees_a_follower_leave() {
    for version in VERSIONS {
        let (_, jsz): (_, Jsz<'_>) = read(version, "JSZ_ONE_DOWN");
        let cluster = stream(&jsz, "ORDERS").cluster.as_ref().unwrap();
        assert_eq!(cluster.leader.as_deref(), Some("a1"), "{version}");
        let seen = seen(&cluster.replicas);
        assert_eq!(seen[0], ("a2", Some(true), None), "{version}");
        assert_eq!((seen[1].0, seen[1].2), ("a3", Some(true)), "{version}");
    }
}

#[test]
fn without_a_quorum_nobody_leads_and_the_server_lists_itself() {
    for version in VERSIONS {
        let (_, jsz): (_, Jsz<'_>) = read(version, "JSZ_QUORUM_LOST");
        let orders = stream(&jsz, "ORDERS");
        let cluster = orders.cluster.as_ref().unwrap();
        assert_eq!(cluster.leader, None, "{version}");
        let offline: Vec<_> =
            seen(&cluster.replicas).into_iter().map(|(name, _, offline)| (name, offline)).collect();
        let expected = [("a1", None), ("a2", Some(true)), ("a3", Some(true))];
        assert_eq!(offline, expected, "{version}");
        // What it holds is still told, and so are streams with one replica.
        assert_eq!(orders.state.as_ref().unwrap().messages, Some(19), "{version}");
        let jobs = stream(&jsz, "JOBS").cluster.as_ref().unwrap();
        assert_eq!(jobs.leader.as_deref(), Some("a1"), "{version}");
        let meta = jsz.meta_cluster.as_ref().unwrap();
        assert_eq!((meta.leader.as_deref(), meta.cluster_size), (None, Some(5)), "{version}");
        // Only 2.15 tells of the members of a meta group without a leader.
        let told = seen(&meta.replicas).into_iter().map(|(name, _, offline)| (name, offline));
        let told: Vec<_> = told.filter(|(name, _)| name.starts_with('a')).collect();
        let expected = if is_since(version, "2.15.1") { &expected[..] } else { &[] };
        assert_eq!(told, expected, "{version}");
    }
}

#[test]
fn only_on_2_15_a_follower_tells_of_the_members_of_the_meta_group() {
    for version in VERSIONS {
        for name in ["JSZ", "JSZ_FOLLOWER"] {
            let (server, jsz): (_, Jsz<'_>) = read(version, name);
            let meta = jsz.meta_cluster.unwrap();
            let leads = meta.leader == server.name;
            let told = if leads || is_since(version, "2.15.1") { 4 } else { 0 };
            assert_eq!(meta.replicas.len(), told, "{version} {name}");
            let current = meta.replicas.iter().filter(|peer| peer.current == Some(true)).count();
            assert_eq!(current, if leads { 4 } else { told.min(1) }, "{version} {name}");
        }
    }
}

#[test]
fn the_leader_of_the_meta_group_knows_all_members() {
    for version in VERSIONS {
        let (server, jsz): (_, Jsz<'_>) = read(version, "JSZ_META_LEADER");
        let meta = jsz.meta_cluster.unwrap();
        assert_eq!(meta.leader, server.name, "{version}");
        assert_eq!((meta.cluster_size, meta.pending), (Some(5), Some(0)), "{version}");
        assert_eq!(meta.replicas.len(), 4, "{version}");
        assert!(meta.replicas.iter().all(|peer| peer.offline.is_none()), "{version}");
        assert_eq!(meta.quorum_needed, is_since(version, "2.15.1").then_some(3), "{version}");
        let queues = (meta.pending_requests, meta.pending_infos);
        let told = is_since(version, "2.14.6").then_some(0);
        assert_eq!(queues, (told, told), "{version}");
        let snapshot = meta.snapshot;
        assert_eq!(snapshot.is_some(), is_since(version, "2.11.11"), "{version}");
        if let Some(snapshot) = snapshot {
            assert!(snapshot.pending_entries.is_some() && snapshot.last_time.is_some());
        }
        // Nothing of accounts was asked for.
        assert!(jsz.account_details.is_empty(), "{version}");
    }
}

#[test]
fn pages_are_of_accounts_and_an_unknown_account_is_no_filter() {
    for version in VERSIONS {
        let (_, page): (_, Jsz<'_>) = read(version, "JSZ_PAGE");
        assert_eq!(page.account_details.len(), 1, "{version}");
        assert_eq!(streams(&page, "OPS"), ["EVENTS"], "{version}");
        let (_, all): (_, Jsz<'_>) = read(version, "JSZ_UNKNOWN_ACCOUNT");
        assert_eq!(all.account_details.len(), 2, "{version}");
        assert!(all.account_details.iter().all(|account| account.stream_detail.is_empty()));
    }
}

#[test]
fn a_request_that_is_no_json_is_refused_in_the_envelope() {
    for version in VERSIONS {
        let envelope: Envelope<'_> =
            serde_json::from_str(reply(version, "JSZ_BAD_REQUEST")).unwrap();
        let error = envelope.error.unwrap();
        assert_eq!((error.code, envelope.data.is_none()), (Some(400), true), "{version}");
        assert!(error.description.is_some_and(|text| text.contains("JSON")), "{version}");
        assert_eq!(envelope.server.unwrap().name.as_deref(), Some("a1"), "{version}");
    }
}

#[test]
fn over_http_the_same_is_told_and_a_leaf_server_has_a_domain() {
    for version in VERSIONS {
        let (_, asked): (_, Jsz<'_>) = read(version, "JSZ");
        let jsz: Jsz<'_> = read_http(version, "JSZ");
        assert_eq!(jsz.server_id, asked.server_id, "{version}");
        assert_eq!(streams(&jsz, "APP"), streams(&asked, "APP"), "{version}");
        let (one, other) = (stream(&jsz, "ORDERS"), stream(&asked, "ORDERS"));
        assert_eq!(one.stream_raft_group, other.stream_raft_group, "{version}");
        assert_eq!(one.consumer_detail.len(), other.consumer_detail.len(), "{version}");
        let leaf: Jsz<'_> = read_http(version, "JSZ_LEAF");
        assert_eq!(leaf.config.unwrap().domain.as_deref(), Some("edge"), "{version}");
        assert!(leaf.meta_cluster.is_none() && leaf.streams == Some(0), "{version}");
    }
}

#[test]
fn varz_tells_the_same_limits_and_the_meta_group() {
    for version in VERSIONS {
        let (_, varz): (_, Varz<'_>) = read(version, "VARZ");
        let (_, jsz): (_, Jsz<'_>) = read(version, "JSZ");
        let block: VarzJetStream<'_> = serde_json::from_str(varz.jetstream.unwrap().get()).unwrap();
        let (config, stats, meta) = (block.config, block.stats.unwrap(), block.meta.unwrap());
        assert_eq!(config.unwrap().max_storage, Some(256 << 20), "{version}");
        assert_eq!((stats.memory, stats.accounts), (jsz.memory, jsz.accounts), "{version}");
        assert_eq!(stats.reserved_storage, jsz.reserved_storage, "{version}");
        assert_eq!(stats.ha_assets, jsz.ha_assets, "{version}");
        assert!(stats.api.unwrap().total.is_some(), "{version}");
        assert_eq!(meta.cluster_size, Some(5), "{version}");
        assert_eq!(meta.leader, jsz.meta_cluster.unwrap().leader, "{version}");
    }
}
