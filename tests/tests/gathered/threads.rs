//! The pages of one archive are read by several threads, which changes nothing that is said.

use std::io::{Cursor, Read as _, Write as _};

use nats_hindsight_analyzer::engine::{Options, analyze};
use nats_hindsight_analyzer::render::json;
use nats_hindsight_model::intake::{Intake, Source, open};
use nats_hindsight_snapshot::format::Limits;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use super::{archives, bundles};

/// Bytes of a page that has spaces at its end: a few fill what one thread reads in a row.
const PAGE: usize = 96 << 10;

/// An archive whose pages are long, stored as they are.
fn lengthened(archive: &[u8]) -> Vec<u8> {
    let mut from = ZipArchive::new(Cursor::new(archive)).unwrap();
    let mut to = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for index in 0..from.len() {
        let mut entry = from.by_index(index).unwrap();
        let (name, mut bytes) = (entry.name().to_owned(), Vec::new());
        entry.read_to_end(&mut bytes).unwrap();
        if name.ends_with("0001.json") {
            bytes.resize(bytes.len().max(PAGE), b' ');
        }
        to.start_file(name, stored).unwrap();
        to.write_all(&bytes).unwrap();
    }
    to.finish().unwrap().into_inner()
}

/// Damages every third page that holds a word.
fn damaged(archive: &[u8], word: &[u8]) -> Vec<u8> {
    let mut bytes = archive.to_vec();
    let found = archive.windows(word.len()).enumerate().filter(|(_, window)| *window == word);
    for (at, _) in found.step_by(3) {
        bytes[at] ^= 1;
    }
    bytes
}

fn taken_in(bytes: &[u8]) -> Intake {
    let source = Source::Held { name: "a.zip".to_owned(), bytes: bytes.into() };
    open(&[source], &Limits::default(), &|_, _| {}).unwrap()
}

fn report(intake: &Intake, threads: usize) -> String {
    let options = Options { threads: Some(threads), ..Options::default() };
    json::render(&analyze(intake, &options, &|_, _| {}).unwrap())
}

#[test]
fn threads_change_nothing() {
    for scenario in ["service_down", "supercluster_by_cluster", "hostile_names"] {
        let archive = std::fs::read(&archives(&bundles().join(scenario))[1]).unwrap();
        let long = lengthened(&archive);
        let mut told = Vec::new();
        for (damage, bytes) in [
            ("none", long.clone()),
            ("pages", damaged(&long, b"\"num_connections\"")),
            ("cut", long[..long.len() * 2 / 3].to_vec()),
        ] {
            let intake = taken_in(&bytes);
            let one = report(&intake, 1);
            for threads in [2, 8, 8] {
                let same = report(&intake, threads) == one;
                assert!(same, "{scenario}, damage: {damage}, {threads} threads");
            }
            told.push(one.matches("\"entry_damaged\"").count());
        }
        assert_eq!(told[0], 0, "{scenario}");
        assert!(told[1] > 3, "{scenario}: {told:?}");
    }
}
