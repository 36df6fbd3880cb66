//! Archives that a stranger made to break the reader.

use std::io::{Cursor, Write};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::support::{Folder, run};

/// A kind of artifact that every check reads.
const VARIABLES: &str = "capture/clusters/A/a1/variables/0001.json";

fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// So many zeros, deflated.
fn zeros(mebibytes: usize) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    let chunk = vec![0; 1 << 20];
    for _ in 0..mebibytes {
        gzip.write_all(&chunk).unwrap();
    }
    gzip.finish().unwrap()
}

/// The problems that are told of a file, by kind.
fn kinds(folder: &Folder, file: &str) -> Vec<String> {
    let mut kinds: Vec<String> =
        folder.said().problems(file).into_iter().map(|(kind, _, _)| kind).collect();
    kinds.sort();
    kinds.dedup();
    kinds
}

#[test]
fn what_is_compressed_as_a_whole_is_held_within_limits() {
    let folder = Folder::new().with("bomb.tar.gz", &zeros(2048));
    assert_eq!(kinds(&folder, "bomb.tar.gz"), ["input_foreign", "limit"]);
}

#[test]
fn an_entry_that_is_a_bomb_costs_that_entry() {
    let manifest = format!(
        r#"{{"{VARIABLES}":[{{"Name":"server","Value":"a1"}},{{"Name":"cluster","Value":"A"}},
           {{"Name":"artifact_type","Value":"variables"}}]}}"#
    );
    let bomb = vec![b' '; 400 << 20];
    let archive =
        zipped(&[(VARIABLES, &bomb), ("capture/misc/manifest.json", manifest.as_bytes())]);
    assert!(archive.len() < 1 << 20);
    let folder = Folder::new().with("bomb.zip", &archive);
    let kinds = kinds(&folder, "bomb.zip");
    assert!(kinds.iter().any(|kind| kind == "capture_timeless"), "{kinds:?}");
}

#[test]
fn a_bomb_in_an_archive_in_an_archive() {
    let inner = zipped(&[(VARIABLES, &vec![b' '; 300 << 20])]);
    let gzip = zeros(1024);
    let outer = zipped(&[("a.zip", &inner), ("b.zip", &inner), ("c.tar.gz", &gzip)]);
    let folder = Folder::new().with("nested.zip", &outer);
    let kinds = kinds(&folder, "nested.zip");
    assert!(kinds.iter().any(|kind| kind == "limit"), "{kinds:?}");
}

#[test]
fn names_that_lead_elsewhere_are_names_only() {
    let long = "n".repeat(60_000);
    let names =
        ["../../evil.zip", "/etc/evil.json", "C:\\evil.json", "a\0b.json", &long, "\u{1b}[2J.json"];
    let files: Vec<(&str, &[u8])> = names.iter().map(|name| (*name, &b"{}"[..])).collect();
    let folder = Folder::new().with("names.zip", &zipped(&files));
    let kinds = kinds(&folder, "names.zip");
    assert!(kinds.contains(&"entry_name_hostile".to_owned()), "{kinds:?}");
    let listed = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(listed, 2, "nothing was written");
    let text = run(&[&"analyze", &folder.path()]).stdout;
    assert!(!text.contains(['\u{1b}', '\0']), "{text:?}");
}

#[test]
fn archives_that_are_none() {
    let folder = Folder::new()
        .with("empty.zip", b"")
        .with("short.zip", b"PK\x03\x04")
        .with("nothing.zip", &zipped(&[]))
        .with(
            "directory.zip",
            b"PK\x05\x06\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
        )
        .with("short.tar.gz", b"\x1f\x8b\x08\0\0\0\0\0");
    let said = folder.said();
    assert_eq!(said.code, 0);
    for file in ["short.zip", "nothing.zip", "directory.zip", "short.tar.gz"] {
        assert!(!said.problems(file).is_empty(), "{file}");
    }
}
