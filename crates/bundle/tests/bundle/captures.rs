//! Captures whose manifest and entries do not agree, and what people wrap around captures.

use nats_hindsight_bundle::gather::{Artifact, ArtifactKind};
use nats_hindsight_bundle::{Container, Gather, Reader};
use nats_hindsight_snapshot::format::Limits;
use serde_json::{Map, Value, json};

use crate::forge::{Forged, deflated, stored, tar_entry, zip};
use crate::support::{Bytes, archive, gathers, kinds, open, read_all};

/// A manifest of these paths and tags.
fn manifest(entries: &[(&str, &[(&str, &str)])]) -> Vec<u8> {
    let mut object = Map::new();
    for (path, tags) in entries {
        let tags = tags.iter().map(|(name, value)| json!({ "Name": name, "Value": value }));
        object.insert((*path).to_owned(), Value::Array(tags.collect()));
    }
    serde_json::to_vec_pretty(&object).unwrap()
}

const VARZ: &[(&str, &str)] = &[("server", "a1"), ("cluster", "A"), ("artifact_type", "variables")];

/// The only capture of an archive.
fn gather(bytes: &[u8]) -> Gather {
    let [gather] = gathers(&open(bytes).unwrap(), bytes).try_into().unwrap();
    gather
}

fn pages(gather: &Gather) -> Vec<(&str, &[usize], u32)> {
    let page = |artifact: &'_ Artifact| artifact.missing;
    gather.artifacts.iter().map(|a| (a.kind.as_str(), a.pages.as_slice(), page(a))).collect()
}

#[test]
fn what_the_manifest_names_and_what_is_there() {
    let listed = manifest(&[
        ("capture/clusters/A/a1/variables/0001.json", VARZ),
        ("capture/clusters/A/a1/variables/0002.json", VARZ),
        ("capture/x", &[("artifact_type", "of_the_future"), ("server", "a1")]),
        ("capture/y", &[("server", "a1")]),
    ]);
    let bytes = zip(&[
        stored("capture/clusters/A/a1/variables/0001.json", b"{}"),
        stored("capture/x", b"{}"),
        stored("capture/y", b"{}"),
        stored("capture/z", b"{}"),
        stored("readme.txt", b"hello"),
        deflated("capture/misc/manifest.json", &listed),
    ]);
    let gather = gather(&bytes);
    assert_eq!(pages(&gather), [("variables", &[0][..], 1), ("of_the_future", &[1][..], 0)]);
    let expected = [
        ("entry_missing", Some("capture/clusters/A/a1/variables/0002.json")),
        ("manifest_incomplete", Some("capture/y")),
        ("entry_unlisted", Some("capture/z")),
    ];
    assert_eq!(kinds(&gather.problems), expected);
    assert_eq!(gather.artifacts[1].kind.endpoint(), None);
}

#[test]
fn pages_come_in_their_order_whatever_their_width() {
    let names = ["10000", "0002", "9", "0001"];
    let paths: Vec<String> =
        names.iter().map(|n| format!("capture/a/variables/{n}.json")).collect();
    let listed: Vec<(&str, &[(&str, &str)])> =
        paths.iter().map(|path| (path.as_str(), VARZ)).collect();
    let mut entries: Vec<Forged> = paths.iter().map(|path| stored(path, b"{}")).collect();
    entries.push(stored("capture/misc/manifest.json", &manifest(&listed)));
    assert_eq!(pages(&gather(&zip(&entries))), [("variables", &[3, 1, 2, 0][..], 0)]);
}

#[test]
fn backslashes_on_either_side_and_a_folder_around() {
    let turned = r"capture\clusters\A\a1\variables\0001.json";
    let slashed = "capture/clusters/A/a1/variables/0001.json";
    for (named, there) in [(turned, turned), (turned, slashed), (slashed, turned)] {
        for root in ["", "ticket 4711/"] {
            let around = |name: &str| stored(&format!("{root}{name}"), b"{}");
            let listed = manifest(&[(named, VARZ)]);
            let bytes = zip(&[
                around(there),
                stored(&format!("{root}capture/misc/manifest.json"), &listed),
            ]);
            let gather = gather(&bytes);
            assert_eq!(gather.root, root);
            assert_eq!(pages(&gather), [("variables", &[0][..], 0)]);
            assert_eq!(gather.problems, []);
        }
    }
    let listed = manifest(&[(turned, VARZ)]);
    let bytes = zip(&[stored(turned, b"{}"), stored(r"capture\misc\manifest.json", &listed)]);
    assert_eq!(gather(&bytes).problems, []);
}

#[test]
fn several_captures_in_folders_of_one_archive() {
    let listed = manifest(&[("capture/v.json", VARZ)]);
    let entries = |root: &str| {
        let at = |name: &str| format!("{root}{name}");
        [stored(&at("capture/v.json"), b"{}"), stored(&at("capture/misc/manifest.json"), &listed)]
    };
    let bytes = zip(&[entries("monday/"), entries("sunday/"), entries("")].concat());
    let container = open(&bytes).unwrap();
    let found = gathers(&container, &bytes);
    let roots: Vec<_> = found.iter().map(|gather| gather.root.as_str()).collect();
    assert_eq!(roots, ["", "monday/", "sunday/"]);
    assert_eq!(pages(&found[1]), [("variables", &[0][..], 0)]);

    let source = Bytes(&bytes);
    let limits = Limits { max_epochs: 2, ..Limits::default() };
    let found = Gather::find(&mut Reader::new(&container, &source), &limits);
    assert_eq!(found.len(), 2);
    assert!(found[1].problems[0].text.contains("`max_epochs`"));
}

#[test]
fn clusters_that_are_none_are_none() {
    let listed = manifest(&[
        ("capture/1", &[("artifact_type", "stream_info"), ("cluster", ""), ("server", "solo")]),
        (
            "capture/2",
            &[("artifact_type", "health"), ("cluster", "unclustered"), ("server", "solo")],
        ),
        ("capture/3", &[("artifact_type", "leafs"), ("server", "solo")]),
    ]);
    let at = |name: &str| stored(name, b"{}");
    let bytes = zip(&[
        at("capture/1"),
        at("capture/2"),
        at("capture/3"),
        stored("capture/misc/manifest.json", &listed),
    ]);
    let gather = gather(&bytes);
    assert_eq!(gather.artifacts.len(), 3);
    assert!(gather.artifacts.iter().all(|artifact| artifact.cluster.is_none()));
}

#[test]
fn entries_of_one_name() {
    let path = "capture/p.prof";
    let profile: &[(&str, &str)] =
        &[("artifact_type", "profile"), ("profile_name", "heap"), ("server", "a1")];
    for (tags, second, pages_expected, problems) in [
        (profile, &b"2"[..], &[0, 1][..], &[][..]),
        (VARZ, b"2", &[0, 1], &[("entry_duplicate", Some(path))]),
        (VARZ, b"1", &[0], &[]),
    ] {
        let listed = manifest(&[(path, tags)]);
        let bytes = zip(&[
            stored(path, b"1"),
            deflated(path, second),
            stored("capture/misc/manifest.json", &listed),
        ]);
        let gather = gather(&bytes);
        assert_eq!(gather.artifacts[0].pages, pages_expected);
        assert_eq!(kinds(&gather.problems), problems);
    }
}

#[test]
fn manifests_of_strangers() {
    let path = "capture/clusters/A/a1/variables/0001.json";
    let honest = manifest(&[(path, VARZ)]);
    let twice = format!("{{\"{path}\":[],\"{path}\":[]}}").replace(
        "[]",
        r#"[{"Name":"artifact_type","Value":"variables"},{"Name":"server","Value":"a1"}]"#,
    );
    let deep = "[".repeat(100_000);
    let claims = Forged { length: 2 << 30, ..deflated("capture/misc/manifest.json", &honest) };
    let with = |content: &[u8]| stored("capture/misc/manifest.json", content);
    let cases: [(Forged, bool, &[&str]); 8] = [
        (with(&honest), false, &[]),
        (with(twice.as_bytes()), false, &["manifest_repeats"]),
        (with(b""), true, &["manifest_damaged"]),
        (with(b"[]"), true, &["manifest_damaged"]),
        (with(&honest[..honest.len() - 3]), true, &["manifest_damaged"]),
        (with(deep.as_bytes()), true, &["manifest_damaged"]),
        (with(b"{\"capture/x\":{\"a\":1}}"), true, &["manifest_damaged"]),
        (claims, true, &["manifest_missing"]),
    ];
    for (manifest, from_path, problems) in cases {
        let bytes = zip(&[stored(path, b"{}"), manifest]);
        let gather = gather(&bytes);
        assert_eq!(gather.identity_from_path, from_path, "{problems:?}");
        assert_eq!(pages(&gather), [("variables", &[0][..], 0)]);
        assert_eq!(gather.artifacts[0].server.as_deref(), Some("a1"));
        let kinds: Vec<_> = gather.problems.iter().map(|problem| problem.kind).collect();
        assert_eq!(kinds, problems);
    }
}

#[test]
fn a_large_manifest_is_held_to_its_limits() {
    let paths: Vec<String> = (0..1_000).map(|n| format!("capture/{n}")).collect();
    let listed: Vec<(&str, &[(&str, &str)])> =
        paths.iter().map(|path| (path.as_str(), VARZ)).collect();
    let listed = manifest(&listed);
    let bytes = zip(&[
        stored("capture/clusters/A/a1/health.json", b"{}"),
        stored("capture/misc/audit_gather_log.log", b"0123456789"),
        deflated("capture/misc/manifest.json", &listed),
    ]);
    let find = |limits: &Limits| {
        let source = Bytes(&bytes);
        let container = Container::open(&source, limits).unwrap().unwrap();
        Gather::find(&mut Reader::new(&container, &source), limits).remove(0)
    };
    let gather = find(&Limits { max_manifest: 1_000, max_log: 4, ..Limits::default() });
    assert!(gather.problems[0].text.contains("`max_manifest`"));
    assert!(gather.problems[1].text.contains("`max_log`"));
    assert_eq!(gather.log.as_deref(), Some("0123"));
    let gather = find(&Limits { max_entries: 999, ..Limits::default() });
    assert!(gather.problems.iter().any(|problem| problem.text.contains("`max_entries`")));
    // A thousand names of what is not there are told as two hundred and a count.
    let gather = find(&Limits::default());
    assert_eq!(gather.problems.len(), 201);
    assert_eq!(gather.problems[200].text, "802 more problems of this archive");
    assert_eq!(gather.artifacts[0].missing, 1_000);
}

#[test]
fn a_lost_page_is_of_its_artifact() {
    let bytes = archive("standalone/epoch-000.zip");
    let container = open(&bytes).unwrap();
    let all = read_all(&container, &bytes);
    let kept: Vec<Forged> = all
        .iter()
        .filter(|(name, _)| !name.contains("/connections/"))
        .map(|(name, content)| deflated(name, content.as_ref().unwrap()))
        .collect();
    let gather = gather(&zip(&kept));
    let lost = "capture/clusters/unclustered/solo/connections/0001.json";
    assert_eq!(kinds(&gather.problems), [("entry_missing", Some(lost))]);
    let connections =
        gather.artifacts.iter().find(|artifact| artifact.kind == ArtifactKind::Connections);
    assert_eq!(connections.map(|found| (found.pages.len(), found.missing)), Some((0, 1)));
}

#[test]
fn a_capture_packed_again_is_the_same_capture() {
    let bytes = archive("healthy/epoch-000.zip");
    let container = open(&bytes).unwrap();
    let all = read_all(&container, &bytes);
    let honest = gather(&bytes);
    let repacked: Vec<Forged> =
        all.iter().map(|(name, content)| stored(name, content.as_ref().unwrap())).collect();
    assert_eq!(gather(&zip(&repacked)), honest);
    let tar: Vec<u8> = all
        .iter()
        .filter(|(name, _)| name.len() <= 100)
        .flat_map(|(name, content)| tar_entry(name.as_bytes(), b'0', content.as_ref().unwrap()))
        .collect();
    let packed = zstd::encode_all(tar.as_slice(), 3).unwrap();
    assert_eq!(gather(&packed), honest);
}

#[test]
fn an_archive_without_a_capture_has_none() {
    for bytes in [
        zip(&[stored("a.ndjson.zst", b"x")]),
        zip(&[stored("capture/photo.jpg", b"x")]),
        zip(&[stored("a/b/capture/misc/manifest.json", b"{}")]),
    ] {
        assert_eq!(gathers(&open(&bytes).unwrap(), &bytes), []);
    }
}
