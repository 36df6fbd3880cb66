//! The same archives, packed and named as people do.

use std::fs;
use std::io::{Cursor, Read, Write};

use nats_hindsight_tests::verdicts::Judged;
use serde_json::{Map, Value};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use super::{archives, bundles, founding, held};

const METADATA: &str = "capture/misc/audit_gather_metadata.json";

/// What is left out of an archive that is packed again.
pub(super) enum Edit<'a> {
    Nothing,
    /// Nothing, but the run ended at another time.
    Ended(&'a str),
}

/// Packs an archive again: stored, in reverse order, without the times.
pub(super) fn rezip(archive: &[u8], edit: &Edit<'_>) -> Vec<u8> {
    let mut from = ZipArchive::new(Cursor::new(archive)).unwrap();
    let mut to = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for index in (0..from.len()).rev() {
        let mut entry = from.by_index(index).unwrap();
        let name = entry.name().to_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        if let (Edit::Ended(time), METADATA) = (edit, name.as_str()) {
            let mut metadata: Map<String, Value> = serde_json::from_slice(&bytes).unwrap();
            metadata.insert("capture_timestamp".to_owned(), (*time).into());
            bytes = serde_json::to_vec(&metadata).unwrap();
        }
        to.start_file(name, stored).unwrap();
        to.write_all(&bytes).unwrap();
    }
    to.finish().unwrap().into_inner()
}

fn all(scenario: &str) -> Vec<(String, Vec<u8>)> {
    let archives = archives(&bundles().join(scenario)).into_iter();
    archives.map(|path| (path.display().to_string(), fs::read(path).unwrap())).collect()
}

fn zipped(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(name.as_str(), SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// A tar archive, with GNU's extension for names that do not fit.
pub(super) fn tarred(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut tar = Vec::new();
    for (name, bytes) in files {
        if name.len() > 100 {
            file(&mut tar, "././@LongLink", b'L', format!("{name}\0").as_bytes());
        }
        let end = (0..=name.len().min(100)).rfind(|at| name.is_char_boundary(*at)).unwrap();
        file(&mut tar, &name[..end], b'0', bytes);
    }
    tar.resize(tar.len() + 1024, 0);
    tar
}

fn file(tar: &mut Vec<u8>, name: &str, kind: u8, bytes: &[u8]) {
    let mut header = [0_u8; 512];
    header[..name.len()].copy_from_slice(name.as_bytes());
    header[100..107].copy_from_slice(b"0000644");
    header[124..135].copy_from_slice(format!("{:011o}", bytes.len()).as_bytes());
    header[136..147].copy_from_slice(b"00000000000");
    header[156] = kind;
    header[257..265].copy_from_slice(b"ustar\x0000");
    header[148..156].copy_from_slice(b"        ");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    tar.extend_from_slice(&header);
    tar.extend_from_slice(bytes);
    tar.resize(tar.len().next_multiple_of(512), 0);
}

pub(super) fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

/// What is said, but for where it stands.
pub(super) fn said(judged: &Judged) -> String {
    let mut systems = serde_json::to_value(&judged.report.systems).unwrap();
    for system in systems.as_array_mut().unwrap() {
        system.as_object_mut().unwrap().remove("problems");
    }
    systems.to_string()
}

#[test]
fn captures_that_overlap_are_told() {
    let mut archives = all("service_down");
    let kinds = |archives: &[(String, Vec<u8>)]| {
        let epochs = held(archives).epochs.into_iter();
        epochs.map(|epoch| epoch.problems.len()).collect::<Vec<_>>()
    };
    assert_eq!(kinds(&archives), [0; 6]);
    archives[1].1 = rezip(&archives[1].1, &Edit::Ended("2026-11-21T09:42:24Z"));
    assert_eq!(kinds(&archives), [0, 0, 1, 0, 0, 0]);
    assert_eq!(held(&archives).epochs[2].problems[0].kind, "captures_overlap");
}

#[test]
fn archives_in_archives_are_read() {
    let files: Vec<(String, Vec<u8>)> = all("service_down")
        .into_iter()
        .enumerate()
        .map(|(at, (_, bytes))| (format!("ticket-4711/{at}.zip"), bytes))
        .collect();
    let plain = said(&founding(&held(&files)));
    let tar = tarred(&files);
    for (name, wrapped) in [
        ("all.zip", zipped(&files)),
        ("all.tar", tar.clone()),
        ("all.tar.gz", gzipped(&tar)),
        ("all.tar.zst", zstd::encode_all(tar.as_slice(), 3).unwrap()),
    ] {
        let intake = held(&[(name.to_owned(), wrapped)]);
        assert_eq!(intake.problems, [], "{name}");
        let [input] = &intake.inputs[..] else { panic!("{name}: {:?}", intake.inputs) };
        assert_eq!((input.kind, intake.epochs.len()), ("bundle", 6), "{name}");
        assert_eq!(said(&founding(&intake)), plain, "{name}");
    }
}

#[test]
fn archives_are_opened_one_level_deep() {
    let archive = all("healthy").swap_remove(0);
    let once = zipped(&[("a.zip".to_owned(), archive.1)]);
    let twice = zipped(&[("b.zip".to_owned(), once)]);
    let intake = held(&[("c.zip".to_owned(), twice)]);
    let kinds: Vec<&str> = intake.problems.iter().map(|problem| problem.kind).collect();
    assert_eq!((intake.epochs.len(), kinds), (0, vec!["input_foreign", "nested_too_deep"]));
}

#[test]
fn our_own_snapshots_and_archives_are_judged_together() {
    let mut files = all("healthy");
    let recorded = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/healthy");
    for path in super::listed(&recorded) {
        if path.extension().is_some_and(|end| end == "zst") {
            files.push((format!("{}", path.display()), fs::read(&path).unwrap()));
        }
    }
    let wrapped = held(&[("everything.zip".to_owned(), zipped(&files))]);
    let beside = held(&files);
    assert_eq!(wrapped.epochs.len(), files.len());
    assert_eq!(founding(&wrapped).report.systems.len(), 2);
    assert_eq!(said(&founding(&wrapped)), said(&founding(&beside)));
}

/// The reply in an envelope of an archive.
fn reply(archive: &[u8], entry: &str) -> Value {
    let mut archive = ZipArchive::new(Cursor::new(archive)).unwrap();
    serde_json::from_reader(archive.by_name(entry).unwrap()).unwrap()
}

/// The servers' own VARZ, as `curl` saves it from a monitoring port.
#[test]
fn replies_saved_from_monitoring_ports_are_an_epoch() {
    let (_, archive) = all("forgotten_server").swap_remove(3);
    let files: Vec<(String, Vec<u8>)> = ["a1", "a2", "a3", "a4"]
        .map(|server| {
            let reply =
                reply(&archive, &format!("capture/clusters/A/{server}/variables/0001.json"));
            (format!("curl/varz-{server}.json"), reply["data"].to_string().into_bytes())
        })
        .to_vec();
    let intake = held(&files);
    assert_eq!((intake.epochs.len(), &intake.problems[..]), (1, &[][..]));
    assert!(intake.inputs.iter().all(|input| input.kind == "replies"));
    let judged = founding(&intake);
    let findings = &judged.report.systems[0].findings;
    assert_eq!(findings.len(), 1, "{findings:#?}");
    assert_eq!(
        (findings[0].code, &findings[0].details["outliers"][0]["server"]),
        ("SERVER_002", &"a4".into())
    );
}

/// Replies as `nats req '$SYS.REQ.SERVER.PING.VARZ' --replies 0` prints them.
#[test]
fn printed_replies_are_an_epoch() {
    let (_, archive) = all("forgotten_server").swap_remove(3);
    let printed = ["a1", "a2", "a3", "a4"].map(|server| {
        let reply = reply(&archive, &format!("capture/clusters/A/{server}/variables/0001.json"));
        format!("09:44:52 Received with rtt 1.2ms\n{reply}\n\n")
    });
    let request = "09:44:52 Sending request on \"$SYS.REQ.SERVER.PING.VARZ\"\n";
    let text = format!("{request}{}", printed.concat());
    let intake = held(&[("varz.txt".to_owned(), text.into_bytes())]);
    assert_eq!(intake.epochs.len(), 1);
    let judged = founding(&intake);
    assert_eq!(judged.report.systems[0].findings[0].code, "SERVER_002");
}

/// Lists of connections that were asked for without subscriptions say nothing of services.
#[test]
fn the_oldest_gatherer_did_not_ask_for_subscriptions() {
    let folder = bundles().join("healthy/natscli-v0.1.6");
    let files: Vec<(String, Vec<u8>)> = archives(&folder)
        .into_iter()
        .map(|path| (path.display().to_string(), fs::read(path).unwrap()))
        .collect();
    let judged = founding(&held(&files));
    let system = &judged.report.systems[0];
    let connz = system.coverage.iter().find(|row| row.endpoint == "CONNZ").unwrap();
    assert_eq!((connz.ok, connz.gaps[0].status.as_str()), (0, "partial"));
    assert!(system.checks.iter().all(|check| check.code == "SERVER_002" || check.ok == 0));
}
