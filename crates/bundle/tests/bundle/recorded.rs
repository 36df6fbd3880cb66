//! Archives of eleven releases of natscli, from clusters that really ran.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Cursor, Read};

use nats_hindsight_bundle::{ArtifactKind, Gather, Reader};
use serde_json::Value;

use crate::support::{Bytes, archive, gathers, open, read_all, recorded};

#[test]
fn every_archive_is_read_as_another_reader_reads_it() {
    let archives = recorded();
    assert_eq!(archives.len(), 135);
    for (name, bytes) in archives {
        let container = open(&bytes).unwrap();
        assert!(!container.is_salvaged(), "{name}");
        assert_eq!(container.problems(), [], "{name}");
        let mut other = zip::ZipArchive::new(Cursor::new(&bytes)).unwrap();
        assert_eq!(container.entries().len(), other.len(), "{name}");
        for (index, (entry, read)) in read_all(&container, &bytes).into_iter().enumerate() {
            let mut theirs = other.by_index(index).unwrap();
            let mut content = Vec::new();
            theirs.read_to_end(&mut content).unwrap();
            assert_eq!(entry, theirs.name(), "{name}");
            assert_eq!(read.unwrap(), content, "{name} {entry}");
        }
    }
}

#[test]
fn every_entry_of_every_archive_is_told_by_the_manifest() {
    for (name, bytes) in recorded() {
        let container = open(&bytes).unwrap();
        let [gather] = gathers(&container, &bytes).try_into().unwrap();
        assert_eq!(gather.problems, [], "{name}");
        assert!(!gather.identity_from_path && gather.root.is_empty(), "{name}");
        let pages: Vec<usize> =
            gather.artifacts.iter().flat_map(|artifact| artifact.pages.clone()).collect();
        let distinct: BTreeSet<usize> = pages.iter().copied().collect();
        assert_eq!(pages.len(), distinct.len(), "{name}");
        // What is left are manifest, log and metadata.
        let specials =
            1 + usize::from(gather.log.is_some()) + usize::from(gather.metadata.is_some());
        assert_eq!(pages.len() + specials, container.entries().len(), "{name}");
        let known = |kind: &ArtifactKind| !matches!(kind, ArtifactKind::Other(_));
        assert!(gather.artifacts.iter().all(|artifact| known(&artifact.kind)), "{name}");
        let mut sorted = gather.artifacts.clone();
        sorted.sort_by_key(|a| {
            (
                a.kind.clone(),
                a.cluster.clone(),
                a.server.clone(),
                a.account.clone(),
                a.stream.clone(),
            )
        });
        assert_eq!(sorted, gather.artifacts, "{name}");
    }
}

#[test]
fn tags_agree_with_envelopes() {
    let mut checked = 0;
    for (name, bytes) in recorded() {
        let container = open(&bytes).unwrap();
        let source = Bytes(&bytes);
        let mut reader = Reader::new(&container, &source);
        for artifact in &gathers(&container, &bytes)[0].artifacts {
            for page in &artifact.pages {
                let json: Value = serde_json::from_slice(reader.read(*page).unwrap()).unwrap();
                let Some(server) = json.get("server").filter(|server| server.is_object()) else {
                    continue;
                };
                assert_eq!(server["name"].as_str(), artifact.server.as_deref(), "{name}");
                assert_eq!(server["cluster"].as_str(), artifact.cluster.as_deref(), "{name}");
                checked += 1;
            }
        }
    }
    assert!(checked > 5_000, "{checked}");
}

#[test]
fn how_many_artifacts_each_release_gathers() {
    for (name, counts) in [
        (
            "healthy/epoch-000.zip",
            "variables 3, exp_variables 3, connections 3, routes 3, \
          gateways 3, leafs 3, subs 3, jetstream_info 3, accounts 3, health 3, \
          account_connections 12, account_leafs 12, account_subs 12, account_info 12, \
          account_jetstream_info 6, account_raftz 12, account_ipqueues 12, stream_info 4",
        ),
        (
            "healthy/natscli-v0.2.0/epoch-000.zip",
            "variables 3, connections 3, routes 3, \
          gateways 3, leafs 3, subs 3, jetstream_info 3, accounts 3, health 3, \
          account_connections 12, account_leafs 12, account_subs 12, account_info 12, \
          account_jetstream_info 6, stream_info 4",
        ),
        (
            "standalone/natscli-v0.1.6/epoch-000.zip",
            "variables 1, connections 1, routes 1, \
          gateways 1, leafs 1, subs 1, jetstream_info 1, accounts 1, health 1, \
          account_connections 4, account_leafs 4, account_subs 4, account_info 4, \
          account_jetstream_info 4",
        ),
        (
            "hostile_names/epoch-001.zip",
            "variables 3, exp_variables 3, connections 3, routes 3, \
          gateways 3, leafs 3, subs 3, jetstream_info 3, accounts 3, health 3, \
          account_connections 12, account_leafs 12, account_subs 12, account_info 12, \
          account_jetstream_info 6, account_raftz 12, account_ipqueues 12, stream_info 16",
        ),
    ] {
        let bytes = archive(name);
        let gather = &gathers(&open(&bytes).unwrap(), &bytes)[0];
        assert_eq!(counted(gather), counts, "{name}");
    }
}

fn counted(gather: &Gather) -> String {
    let mut counts: BTreeMap<&ArtifactKind, usize> = BTreeMap::new();
    for artifact in &gather.artifacts {
        *counts.entry(&artifact.kind).or_default() += 1;
    }
    let each = counts.iter().map(|(kind, count)| format!("{} {count}", kind.as_str()));
    each.collect::<Vec<_>>().join(", ")
}

#[test]
fn a_server_without_a_cluster_has_none() {
    let bytes = archive("standalone/epoch-000.zip");
    let gather = &gathers(&open(&bytes).unwrap(), &bytes)[0];
    assert_eq!(gather.artifacts.len(), 33);
    for artifact in &gather.artifacts {
        assert_eq!(artifact.cluster, None);
        assert_eq!(artifact.server.as_deref(), Some("solo"));
    }
}

#[test]
fn metadata_of_every_release() {
    for (name, version, time) in [
        ("healthy/epoch-000.zip", Some("0.4.0"), "2026-11-21T09:44:07.103269923Z"),
        ("healthy/natscli-v0.2.0/epoch-000.zip", None, "2026-11-21T09:44:13.796105445Z"),
        (
            "standalone/natscli-v0.3.1/epoch-000.zip",
            Some("0.3.1"),
            "2026-11-21T09:48:43.707589827Z",
        ),
        ("standalone/natscli-v0.1.6/epoch-000.zip", Some("0.1.6"), "2026-11-21T09:48:48.36492443Z"),
    ] {
        let bytes = archive(name);
        let gather = &gathers(&open(&bytes).unwrap(), &bytes)[0];
        let metadata = gather.metadata.as_ref().unwrap();
        assert_eq!(metadata.version.as_deref(), version, "{name}");
        assert_eq!(metadata.capture_timestamp, Some(time.parse().unwrap()), "{name}");
        assert_eq!(metadata.connected_server_version.as_deref(), Some("2.14.6"), "{name}");
        assert!(gather.log.as_ref().unwrap().starts_with("Broadcasting PING to discover servers"));
    }
}

#[test]
fn a_run_that_failed_has_no_metadata_and_is_read() {
    let bytes = archive("standalone/natscli-v0.2.4/epoch-000.zip");
    let gather = &gathers(&open(&bytes).unwrap(), &bytes)[0];
    assert_eq!(gather.metadata, None);
    assert!(gather.log.is_some());
    let kinds = "variables 1, connections 1, routes 1, gateways 1, leafs 1, subs 1, \
                 jetstream_info 1";
    assert_eq!(counted(gather), kinds);
}
