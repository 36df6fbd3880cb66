//! Tar archives, and what is compressed as a whole.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use nats_hindsight_bundle::Container;
use nats_hindsight_bundle::container::{Kind, Refusal};
use nats_hindsight_snapshot::format::Limits;

use crate::forge::{pax, seal, tar_entry};
use crate::support::{Bytes, kinds, open, read_all};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 3).unwrap()
}

/// An archive of two files and its end.
fn honest() -> Vec<u8> {
    [
        tar_entry(b"a.json", b'0', b"{}"),
        tar_entry(b"d/b.json", b'0', &[b'x'; 1_000]),
        vec![0; 1_024],
    ]
    .concat()
}

fn names_read(bytes: &[u8]) -> Vec<(String, usize)> {
    let container = open(bytes).unwrap();
    assert_eq!(container.kind(), Kind::Tar);
    let all = read_all(&container, bytes).into_iter();
    all.filter_map(|(name, read)| Some((name, read.ok()?.len()))).collect()
}

#[test]
fn plain_and_compressed_are_the_same() {
    let expected = [("a.json".to_owned(), 2), ("d/b.json".to_owned(), 1_000)];
    let tar = honest();
    // Members of gzip and frames of zstd may stand in a row.
    let (first, second) = tar.split_at(700);
    let rows = [[gzip(first), gzip(second)].concat(), [zstd(first), zstd(second)].concat()];
    for bytes in [tar.clone(), gzip(&tar), zstd(&tar), [tar.clone(), tar.clone()].concat()]
        .into_iter()
        .chain(rows)
    {
        assert_eq!(open(&bytes).unwrap().problems(), []);
        assert_eq!(names_read(&bytes)[..2], expected);
    }
}

#[test]
fn long_names_of_every_kind() {
    let long = "d/".repeat(150) + "x.json";
    let gnu = [
        tar_entry(b"././@LongLink", b'L', &[long.as_bytes(), b"\0"].concat()),
        tar_entry(b"cut", b'0', b"1"),
    ]
    .concat();
    let records = pax(&[("mtime", "1.5"), ("path", &long)]);
    let modern =
        [tar_entry(b"PaxHeaders/x", b'x', &records), tar_entry(b"cut", b'0', b"1")].concat();
    let mut ustar = tar_entry(b"x.json", b'0', b"1");
    ustar[345..348].copy_from_slice(b"d/e");
    seal(&mut ustar);
    assert_eq!(names_read(&gnu), [(long.clone(), 1)]);
    assert_eq!(names_read(&modern), [(long, 1)]);
    assert_eq!(names_read(&ustar), [("d/e/x.json".to_owned(), 1)]);
}

#[test]
fn a_size_in_an_extension_is_the_size() {
    // A header that says 0 and an extension that says otherwise have hidden entries from readers.
    let inner = tar_entry(b"smuggled", b'0', b"1");
    let mut outer = tar_entry(b"outer", b'0', b"");
    outer.extend(&inner);
    let size = inner.len().to_string();
    let bytes =
        [tar_entry(b"p", b'x', &pax(&[("size", &size)])), outer, tar_entry(b"z", b'0', b"2")]
            .concat();
    assert_eq!(names_read(&bytes), [("outer".to_owned(), 1_024), ("z".to_owned(), 1)]);
}

#[test]
fn only_files_are_read() {
    let mut huge_link = tar_entry(b"link", b'2', b"");
    huge_link[124..136].copy_from_slice(b"77777777777\0");
    seal(&mut huge_link);
    let bytes = [
        tar_entry(b"folder/", b'5', b""),
        huge_link,
        tar_entry(b"hard", b'1', b""),
        tar_entry(b"device", b'3', b""),
        tar_entry(b"holes", b'S', b"1"),
        tar_entry(b"../../up", b'0', b"22"),
    ]
    .concat();
    assert_eq!(names_read(&bytes), [("../../up".to_owned(), 2)]);
    let container = open(&bytes).unwrap();
    let expected = [
        ("entry_name_hostile", Some("../../up")),
        ("entry_not_a_file", Some("link")),
        ("entry_not_a_file", Some("hard")),
        ("entry_not_a_file", Some("device")),
        ("entry_not_a_file", Some("holes")),
    ];
    assert_eq!(kinds(container.problems()), expected);
}

#[test]
fn a_cut_costs_what_is_behind_it() {
    let tar = honest();
    for at in 0..tar.len() - 1_024 {
        let Some(container) = open(&tar[..at]) else {
            assert!(at < 512);
            continue;
        };
        let read: Vec<_> = read_all(&container, &tar[..at]);
        assert_eq!(
            read.iter().filter(|(_, read)| read.is_ok()).count(),
            usize::from(at >= 514) + usize::from(at >= 2_536),
            "{at}"
        );
        if at == 2_000 {
            assert_eq!(container.entries()[1].refused, Some(Refusal::Cut));
        }
    }
    let content: Vec<u8> = (0..200_000_u32).flat_map(|n| n.wrapping_mul(n).to_le_bytes()).collect();
    let long = [honest()[..2_560].to_vec(), tar_entry(b"long", b'0', &content)].concat();
    for packed in [gzip(&long), zstd(&long)] {
        let cut = &packed[..packed.len() / 2];
        let container = open(cut).unwrap();
        assert_eq!(
            kinds(container.problems()),
            [("packed_cut", None), ("entry_cut", Some("long"))]
        );
        assert_eq!(names_read(cut).len(), 2);
    }
}

#[test]
fn damage_costs_what_it_is_in() {
    let tar = honest();
    let mut bytes = [tar_entry(b"first", b'0', b"1"), tar].concat();
    bytes[1_024 + 3] ^= 1;
    let container = open(&bytes).unwrap();
    assert_eq!(kinds(container.problems()), [("tar_damaged", None)]);
    assert_eq!(names_read(&bytes), [("first".to_owned(), 1), ("d/b.json".to_owned(), 1_000)]);

    let mut packed = gzip(&honest());
    let last = packed.len() - 5;
    packed[last] ^= 1;
    assert_eq!(kinds(open(&packed).unwrap().problems()), [("packed_damaged", None)]);
}

#[test]
fn bombs_are_held_to_limits() {
    let zeros = tar_entry(b"zeros", b'0', &vec![0; 8 << 20]);
    let bytes = [tar_entry(b"a", b'0', b"1"), zeros].concat();
    for packed in [gzip(&bytes), zstd(&bytes)] {
        for limits in [
            Limits { max_held: 1 << 20, ..Limits::default() },
            Limits { min_unpacked: 1 << 20, max_ratio: 1, ..Limits::default() },
        ] {
            let container = Container::open(&Bytes(&packed), &limits).unwrap().unwrap();
            assert_eq!(kinds(container.problems())[0], ("limit", None));
            assert!(container.problems()[0].text.contains("`max_held`"));
            assert_eq!(container.entries()[1].refused, Some(Refusal::Cut));
            assert_eq!(read_all(&container, &packed)[0].1.as_deref(), Ok(&b"1"[..]));
        }
    }
    // A window of 128 MiB is asked for by `zstd --long`.
    let mut encoder = zstd::Encoder::new(Vec::new(), 3).unwrap();
    encoder.window_log(27).unwrap();
    encoder.write_all(&bytes).unwrap();
    let packed = encoder.finish().unwrap();
    assert_eq!(kinds(open(&packed).unwrap().problems())[0].0, "packed_damaged");
}

#[test]
fn seventy_thousand_characters_are_no_name() {
    let long = "n".repeat(70_000);
    let bytes = [
        tar_entry(b"././@LongLink", b'L', long.as_bytes()),
        tar_entry(b"cut", b'0', b"1"),
        tar_entry(b"p", b'x', &pax(&[("path", &long)])),
        tar_entry(b"cut", b'0', b"1"),
        tar_entry(b"a", b'0', b"1"),
    ]
    .concat();
    assert_eq!(names_read(&bytes), [("a".to_owned(), 1)]);
    assert_eq!(open(&bytes).unwrap().problems().len(), 2);
}

#[test]
fn one_compressed_file_is_one_entry_without_a_name() {
    for packed in [gzip(b"{\"a\":1}"), zstd(b"{\"a\":1}")] {
        let container = open(&packed).unwrap();
        assert_eq!((container.kind(), container.name(0)), (Kind::Packed, ""));
        assert_eq!(read_all(&container, &packed)[0].1.as_deref(), Ok(&b"{\"a\":1}"[..]));
    }
}
