//! RAFTZ, HEALTHZ, IPQUEUESZ, EXPVARZ.

use nats_hindsight_snapshot::wire::{Expvarz, Healthz, IpQueuesz, Jsz, Raftz};

use crate::{VERSIONS, is_since, read, read_http, since};

#[test]
fn the_system_account_has_the_meta_group_only() {
    for version in since("2.10.26") {
        let (server, raftz): (_, Raftz<'_>) = read(version, "RAFTZ_META_LEADER");
        assert_eq!(raftz.0.keys().collect::<Vec<_>>(), ["SYS"], "{version}");
        let groups = &raftz.0["SYS"].0;
        assert_eq!(groups.keys().collect::<Vec<_>>(), ["_meta_"], "{version}");
        let meta = &groups["_meta_"];
        assert_eq!(meta.state.as_deref(), Some("LEADER"), "{version}: {:?}", server.name);
        assert_eq!(meta.leader, meta.id, "{version}");
        assert_eq!((meta.size, meta.quorum_needed), (Some(5), Some(3)), "{version}");
        assert_eq!(meta.ever_had_leader, Some(true), "{version}");
        assert_eq!(meta.leader_since.is_some(), is_since(version, "2.11.11"), "{version}");
        assert_eq!(meta.peers.len(), 4, "{version}");
        assert!(meta.peers.values().all(|peer| peer.known == Some(true)), "{version}");
        assert!(meta.peers.values().all(|peer| peer.last_seen.is_some()), "{version}");
    }
}

#[test]
fn groups_of_streams_are_told_for_their_account_and_fit_what_jsz_says() {
    for version in since("2.10.26") {
        let (_, raftz): (_, Raftz<'_>) = read(version, "RAFTZ_ACCOUNT");
        let (_, jsz): (_, Jsz<'_>) = read(version, "JSZ");
        let groups = &raftz.0["APP"].0;
        let app = jsz.account_details.iter().find(|account| account.name.as_deref() == Some("APP"));
        let orders = app.unwrap().stream_detail.iter();
        let orders = orders.into_iter().find(|stream| stream.name.as_deref() == Some("ORDERS"));
        let orders = orders.unwrap();
        let group = &groups[orders.stream_raft_group.as_deref().unwrap()];
        assert_eq!(group.state.as_deref(), Some("LEADER"), "{version}");
        assert_eq!((group.size, group.quorum_needed), (Some(3), Some(2)), "{version}");
        assert!(group.committed > Some(20) && group.applied == group.committed, "{version}");
        assert!(group.term >= Some(1) && group.pindex >= group.committed, "{version}");
        assert_eq!((group.observer, group.paused, group.catching_up), (None, None, None));
        let queues = [group.ipq_proposal_len, group.ipq_entry_len, group.ipq_resp_len];
        assert!(queues.iter().chain([&group.ipq_apply_len]).all(Option::is_some), "{version}");
        let wal = group.wal.as_ref().unwrap();
        assert!(wal.messages > Some(0) && wal.bytes > Some(0) && wal.last_seq == group.pindex);
        let mut peers: Vec<_> =
            group.peers.values().filter_map(|peer| peer.name.as_deref()).collect();
        peers.sort_unstable();
        assert_eq!(peers, ["a2", "a3"], "{version}");
        assert!(group.peers.values().all(|peer| peer.last_replicated_index > Some(0)), "{version}");
        let replicated = orders.consumer_raft_groups.iter();
        let replicated: Vec<_> = replicated
            .filter_map(|asset| asset.raft_group.as_deref())
            .filter(|name| name.starts_with("C-R3"))
            .collect();
        assert_eq!((replicated.len(), groups.len()), (3, 4), "{version}");
        assert!(replicated.iter().all(|name| groups[*name].size == Some(3)), "{version}");
    }
}

#[test]
fn an_account_without_replicated_streams_has_no_groups() {
    for version in since("2.10.26") {
        let (_, raftz): (_, Raftz<'_>) = read(version, "RAFTZ_OTHER_ACCOUNT");
        assert_eq!(raftz.0.values().map(|groups| groups.0.len()).sum::<usize>(), 0, "{version}");
    }
}

#[test]
fn a_group_without_a_quorum_has_no_leader_and_knows_it_had_one() {
    for version in since("2.10.26") {
        let (_, raftz): (_, Raftz<'_>) = read(version, "RAFTZ_QUORUM_LOST");
        let meta = &raftz.0["SYS"].0["_meta_"];
        assert_eq!((meta.leader.as_deref(), meta.ever_had_leader), (None, Some(true)), "{version}");
        assert_ne!(meta.state.as_deref(), Some("LEADER"), "{version}");
        let (_, jsz): (_, Jsz<'_>) = read(version, "JSZ_QUORUM_LOST");
        let (_, raftz): (_, Raftz<'_>) = read(version, "RAFTZ_ACCOUNT_QUORUM_LOST");
        let streams = jsz.account_details.iter().flat_map(|account| &account.stream_detail);
        let orders = streams.into_iter().find(|stream| stream.name.as_deref() == Some("ORDERS"));
        let name = orders.unwrap().stream_raft_group.as_deref().unwrap();
        let group = &raftz.0["APP"].0[name];
        assert_eq!((group.leader.as_deref(), group.ever_had_leader), (None, Some(true)));
    }
}

#[test]
fn over_http_groups_are_told_from_the_oldest_version_on() {
    for version in VERSIONS {
        let raftz: Raftz<'_> = read_http(version, "RAFTZ");
        assert_eq!(raftz.0["SYS"].0["_meta_"].size, Some(5), "{version}");
        let raftz: Raftz<'_> = read_http(version, "RAFTZ_ACCOUNT");
        assert_eq!(raftz.0["APP"].0.len(), 4, "{version}");
    }
}

#[test]
fn health_is_told_with_its_reasons() {
    for version in VERSIONS {
        let (_, well): (_, Healthz<'_>) = read(version, "HEALTHZ");
        assert_eq!((well.status.as_deref(), well.status_code), (Some("ok"), Some(200)));
        assert!(well.errors.is_empty() && well.error.is_none(), "{version}");
        let (_, lost): (_, Healthz<'_>) = read(version, "HEALTHZ_QUORUM_LOST");
        assert_eq!((lost.status.as_deref(), lost.status_code), (Some("error"), Some(503)));
        assert_eq!(lost.errors[0].kind.as_deref(), Some("JETSTREAM"), "{version}");
        let text = lost.errors[0].error.as_deref().unwrap();
        assert!(text.contains("meta leader"), "{version}: {text}");
        let (_, missing): (_, Healthz<'_>) = read(version, "HEALTHZ_STREAM");
        assert_eq!(missing.status_code, Some(404), "{version}");
        let error = &missing.errors[0];
        assert_eq!(error.kind.as_deref(), Some("STREAM"), "{version}");
        assert_eq!(
            (error.account.as_deref(), error.stream.as_deref()),
            (Some("APP"), Some("MISSING"))
        );
        assert_eq!(error.consumer, None, "{version}");
    }
}

#[test]
fn over_http_the_status_stands_outside_of_the_body() {
    for version in VERSIONS {
        let well: Healthz<'_> = read_http(version, "HEALTHZ");
        assert_eq!((well.status.as_deref(), well.status_code), (Some("ok"), None), "{version}");
        let lost: Healthz<'_> = read_http(version, "HEALTHZ_QUORUM_LOST");
        assert_eq!((lost.status.as_deref(), lost.status_code), (Some("error"), None), "{version}");
        assert_eq!(lost.errors[0].kind.as_deref(), Some("JETSTREAM"), "{version}");
    }
}

#[test]
fn queues_are_told_when_they_have_something_or_all_are_asked_for() {
    for version in since("2.10.26") {
        let (_, busy): (_, IpQueuesz) = read(version, "IPQUEUESZ");
        let at_work = |queue: &nats_hindsight_snapshot::wire::IpQueue| {
            queue.pending > Some(0) || queue.in_progress > Some(0)
        };
        assert!(busy.0.values().all(at_work), "{version}: {busy:?}");
        let (_, all): (_, IpQueuesz) = read(version, "IPQUEUESZ_ALL");
        assert!(all.0.len() > 20 && all.0.len() > busy.0.len(), "{version}: {}", all.0.len());
        assert!(all.0.values().all(|queue| queue.pending.is_some()), "{version}");
        assert!(all.0.values().any(|queue| queue.in_progress.is_none()), "{version}");
        let http: IpQueuesz = read_http(version, "IPQUEUESZ_ALL");
        assert!(http.0.len() > 20, "{version}");
    }
}

#[test]
fn memory_is_told_by_the_go_runtime() {
    for version in VERSIONS {
        let (_, expvarz): (_, Expvarz) = read(version, "EXPVARZ");
        let memory = expvarz.memstats.unwrap();
        assert!(memory.sys > memory.heap_alloc && memory.heap_alloc > Some(1 << 20), "{version}");
        assert!(memory.heap_inuse >= memory.heap_alloc && memory.stack_inuse > Some(0));
        assert!(memory.num_gc > Some(0) && memory.pause_total_ns > Some(0), "{version}");
    }
    for version in since("2.11.11") {
        let expvarz: Expvarz = read_http(version, "EXPVARZ");
        assert!(expvarz.memstats.unwrap().sys > Some(1 << 20), "{version}");
    }
}
