//! ZIP archives of honest tools and of strangers.

use nats_hindsight_bundle::container::{Kind, Refusal};
use nats_hindsight_bundle::{Container, Problem};
use nats_hindsight_snapshot::format::Limits;

use crate::forge::{Forged, bodies, deflated, stored, zip};
use crate::support::{Bytes, kinds, open, read_all};

const TEXT: &[u8] = b"{\"status\":\"ok\",\"status_code\":200}";

/// What reading each entry gave: its content as text, or the kind of the problem.
fn told(container: &Container, bytes: &[u8]) -> Vec<(String, String)> {
    let each = read_all(container, bytes).into_iter().map(|(name, read)| {
        let told = match read {
            Ok(content) => String::from_utf8_lossy(&content).into_owned(),
            Err(Problem { kind, .. }) => kind.to_owned(),
        };
        (name, told)
    });
    each.collect()
}

fn check(bytes: &[u8], expected: &[(&str, &str)], problems: &[&str]) {
    let container = open(bytes).unwrap();
    let told = told(&container, bytes);
    let told: Vec<_> = told.iter().map(|(name, told)| (name.as_str(), told.as_str())).collect();
    assert_eq!(told, expected);
    let found: Vec<_> = container.problems().iter().map(|problem| problem.kind).collect();
    assert_eq!(found, problems);
}

#[test]
fn stored_and_deflated_narrow_and_wide_with_and_without_descriptor() {
    let mut entries = Vec::new();
    for (number, entry) in [stored("s", TEXT), deflated("d", TEXT)].into_iter().enumerate() {
        for wide in [false, true] {
            for (signed, streamed) in [(true, true), (false, true), (true, false)] {
                let name = format!("{number} {wide} {signed} {streamed}");
                let entry = Forged { name: name.into_bytes(), wide, signed, ..entry.clone() };
                entries.push(if streamed { entry.streamed() } else { entry });
            }
        }
    }
    let bytes = zip(&entries);
    let container = open(&bytes).unwrap();
    assert_eq!((container.kind(), container.is_salvaged()), (Kind::Zip, false));
    assert_eq!(container.problems(), []);
    let all = read_all(&container, &bytes);
    assert_eq!(all.len(), 12);
    assert!(all.iter().all(|(_, read)| read.as_deref() == Ok(TEXT)));
    // Without directory: only a stored entry whose descriptor has no signature has no end.
    let (cut, _) = bodies(&entries);
    let container = open(&cut).unwrap();
    assert!(container.is_salvaged());
    for (name, read) in read_all(&container, &cut) {
        let endless = name == "0 false false true" || name == "0 true false true";
        assert_eq!(read.as_deref().ok(), (!endless).then_some(TEXT), "{name}");
    }
}

#[test]
fn junk_before_and_behind_is_passed_over() {
    let bytes = zip(&[stored("a", TEXT), deflated("b", b"[]")]);
    let expected = [("a", "{\"status\":\"ok\",\"status_code\":200}"), ("b", "[]")];
    for (before, behind) in [(0, 0), (0, 70_000), (0, 1), (300, 0), (300, 5_000)] {
        let joined = [vec![b'#'; before], bytes.clone(), vec![0; behind]].concat();
        check(&joined, &expected, &[]);
    }
    // So far behind that the directory is not looked for.
    let joined = [bytes, vec![0; 2 << 20]].concat();
    check(&joined, &expected, &["zip_cut"]);
}

#[test]
fn names_may_be_anything() {
    let names: [&[u8]; 7] = [
        b"../../etc/passwd",
        b"/etc/passwd",
        b"C:\\boot.ini",
        b"capture\\misc\\log",
        b"nul\0byte",
        b"caf\xe9",
        "caf\u{e9}\u{202e}\u{1b}[2J".as_bytes(),
    ];
    let entries: Vec<_> =
        names.iter().map(|name| Forged { name: name.to_vec(), ..stored("", TEXT) }).collect();
    let bytes = zip(&entries);
    let container = open(&bytes).unwrap();
    assert!(read_all(&container, &bytes).iter().all(|(_, read)| read.as_deref() == Ok(TEXT)));
    assert_eq!(container.name(3), "capture\\misc\\log");
    assert_eq!(container.name(5), "caf\u{fffd}");
    let lossy: Vec<bool> = container.entries().iter().map(|entry| entry.lossy_name).collect();
    assert_eq!(lossy, [false, false, false, false, false, true, false]);
    let hostile = |name: &'static str| ("entry_name_hostile", Some(name));
    let expected = ["../../etc/passwd", "/etc/passwd", "C:\\boot.ini", "nul\0byte"].map(hostile);
    assert_eq!(kinds(container.problems()), expected);
}

#[test]
fn a_long_name_costs_its_entry() {
    let long = "n".repeat(60_000);
    let bytes = zip(&[stored(&long, TEXT), stored("a", b"1")]);
    check(&bytes, &[("a", "1")], &["limit"]);
    let container = open(&bytes).unwrap();
    let problem = &container.problems()[0];
    assert!(problem.text.contains("`max_entry_name`"), "{problem:?}");
    assert!(problem.entry.as_ref().unwrap().len() < 300);
}

#[test]
fn duplicates_are_all_kept() {
    let bytes = zip(&[stored("a", b"1"), stored("a", b"2"), deflated("a", b"3")]);
    check(&bytes, &[("a", "1"), ("a", "2"), ("a", "3")], &[]);
}

#[test]
fn what_cannot_be_read_is_said_and_the_rest_is_read() {
    let bytes = zip(&[
        Forged { flags: 1, ..stored("secret", TEXT) },
        Forged { method: 93, ..stored("zstd", TEXT) },
        Forged { mode: 0o120_777, ..stored("link", b"/etc/passwd") },
        Forged { crc: 7, ..deflated("flipped", TEXT) },
        Forged { listed: Some(b"good".to_vec()), ..stored("evil", TEXT) },
        stored("folder/", b""),
        stored("a", b"1"),
    ]);
    let expected = [
        ("secret", "entry_encrypted"),
        ("zstd", "entry_method_unknown"),
        ("link", "entry_not_a_file"),
        ("flipped", "entry_damaged"),
        ("good", "entry_damaged"),
        ("a", "1"),
    ];
    check(&bytes, &expected, &["entry_encrypted", "entry_method_unknown", "entry_not_a_file"]);
}

#[test]
fn sizes_that_lie_cost_their_entry() {
    let long = vec![b'x'; 10_000];
    let huge = 2 << 30;
    let bytes = zip(&[
        Forged { length: 100, ..deflated("more", &long) },
        Forged { length: 20_000, ..deflated("less", &long) },
        Forged { length: huge, ..deflated("gigabytes", &long) },
        Forged { length: huge, wide: true, ..stored("gigabytes stored", b"1") },
        Forged { length: 9, ..stored("other", b"12345678") },
        stored("a", b"1"),
    ]);
    let expected = [
        ("more", "entry_sizes_lie"),
        ("less", "entry_sizes_lie"),
        ("gigabytes", "entry_sizes_lie"),
        ("gigabytes stored", "entry_sizes_lie"),
        ("other", "entry_sizes_lie"),
        ("a", "1"),
    ];
    check(&bytes, &expected, &["entry_sizes_lie"; 3]);
    // More stored than there is: it would reach into what comes behind.
    let bytes = zip(&[
        Forged { stored: 1 << 20, length: 1 << 20, ..stored("beyond", TEXT) },
        stored("a", b"1"),
    ]);
    check(&bytes, &[("beyond", "entry_overlaps"), ("a", "1")], &["entry_overlaps"]);
}

#[test]
fn entries_that_share_bytes_are_read_once() {
    let inner = deflated("kernel", &vec![0; 1 << 20]);
    let quoted = Forged { offset: Some(0), ..inner.clone() };
    let bytes = zip(&[inner, quoted.clone(), quoted, stored("a", b"1")]);
    let container = open(&bytes).unwrap();
    let refused: Vec<_> = container.entries().iter().map(|entry| entry.refused).collect();
    let overlaps = Some(Refusal::Overlaps);
    assert_eq!(refused, [None, overlaps, overlaps, None]);
    assert_eq!(read_all(&container, &bytes)[3].1.as_deref(), Ok(&b"1"[..]));
}

#[test]
fn bombs_are_refused_before_anything_is_unpacked() {
    let zeros = deflated("zeros", &vec![0; 4 << 20]);
    let entries: Vec<_> = (0..100).map(|_| zeros.clone()).chain([stored("a", b"1")]).collect();
    let bytes = zip(&entries);
    let limits = Limits { min_unpacked: 10 << 20, max_ratio: 10, ..Limits::default() };
    let container = Container::open(&Bytes(&bytes), &limits).unwrap().unwrap();
    let budget = (10 << 20) + 10 * bytes.len() as u64;
    let read = container.entries().iter().filter(|entry| entry.refused.is_none());
    assert!(read.map(|entry| entry.length).sum::<u64>() <= budget);
    let first = container.problems().first().unwrap();
    assert!(first.text.contains("`max_ratio`") && first.text.contains(&budget.to_string()));
    assert_eq!(read_all(&container, &bytes)[100].1.as_deref(), Ok(&b"1"[..]));

    let limits = Limits { max_entry_length: 1 << 20, ..Limits::default() };
    let container = Container::open(&Bytes(&bytes), &limits).unwrap().unwrap();
    assert_eq!(container.entries()[0].refused, Some(Refusal::TooLong(1 << 20)));
    assert!(container.problems()[0].text.contains("`max_entry_length`"));
    // Two hundred are told, and then how many more.
    assert_eq!(container.problems().len(), 100);
}

#[test]
fn a_hundred_thousand_entries_are_counted() {
    let entries: Vec<_> = (0..100_000).map(|n| stored(&n.to_string(), b"")).collect();
    let bytes = zip(&entries);
    let container = open(&bytes).unwrap();
    assert_eq!((container.entries().len(), container.problems()), (100_000, &[][..]));
    assert_eq!(container.name(99_999), "99999");
    for (limits, name, kept) in [
        (Limits { max_entries: 1_000, ..Limits::default() }, "`max_entries`", 1_000),
        (Limits { max_names: 2_890, ..Limits::default() }, "`max_names`", 1_000),
    ] {
        let container = Container::open(&Bytes(&bytes), &limits).unwrap().unwrap();
        assert_eq!(container.entries().len(), kept);
        assert_eq!(container.problems().len(), 1);
        assert!(container.problems()[0].text.contains(name));
        // The same without a directory.
        let cut = bodies(&entries).0;
        let container = Container::open(&Bytes(&cut), &limits).unwrap().unwrap();
        assert_eq!(container.entries().len(), kept);
        assert!(container.problems()[1].text.contains(name));
    }
}

#[test]
fn what_is_no_container_is_none() {
    let pdf = [b"%PDF-1.7\n".to_vec(), vec![b'x'; 100_000], b"%%EOF".to_vec()].concat();
    for bytes in [&b""[..], b"P", b"{\"a\":1}", &pdf, &[0; 1024], &[0xff; 4096], b"PK\x05\x06"] {
        assert!(open(bytes).is_none(), "{:?}", &bytes[..bytes.len().min(8)]);
    }
    // Chance can put the signature of the end anywhere.
    let chance = [pdf, b"PK\x05\x06".to_vec(), vec![0; 18]].concat();
    assert!(open(&chance).is_none());
    assert_eq!(open(&zip(&[])).unwrap().entries(), []);
}

#[test]
fn an_archive_in_an_archive_is_taken_and_opened() {
    let inner = zip(&[deflated("x", TEXT)]);
    let bytes = zip(&[deflated("inner.zip", &inner), stored("inner2.zip", &inner)]);
    let container = open(&bytes).unwrap();
    let source = Bytes(&bytes);
    let mut reader = nats_hindsight_bundle::Reader::new(&container, &source);
    for index in 0..2 {
        let taken = reader.take(index).unwrap();
        assert_eq!(taken, inner);
        let container = open(&taken).unwrap();
        assert_eq!(read_all(&container, &taken)[0].1.as_deref(), Ok(TEXT));
    }
    // Cut right behind the stored inner archive, whose directory is then the last in the file.
    let bytes = zip(&[stored("first", TEXT), stored("inner.zip", &inner), stored("lost", TEXT)]);
    let behind = bytes.windows(4).position(|four| four == b"lost").unwrap() - 30;
    let cut = &bytes[..behind];
    let container = open(cut).unwrap();
    assert!(container.is_salvaged());
    assert_eq!(kinds(container.problems()), [("zip_directory_foreign", None)]);
    let names: Vec<_> = read_all(&container, cut).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["first", "inner.zip"]);
}

#[test]
fn entries_are_read_in_any_order_by_several_threads() {
    let content = |n: u32| vec![b'a' + u8::try_from(n % 26).unwrap(); 3_000];
    let entries: Vec<_> = (0..500).map(|n| deflated(&n.to_string(), &content(n))).collect();
    let bytes = zip(&entries);
    let container = open(&bytes).unwrap();
    std::thread::scope(|scope| {
        for start in 0..2_usize {
            let (container, bytes) = (&container, &bytes);
            scope.spawn(move || {
                let source = Bytes(bytes);
                let mut reader = nats_hindsight_bundle::Reader::new(container, &source);
                for step in 0..500_usize {
                    let index = (step * 7 + start * 13) % 500;
                    let expected = content(u32::try_from(index).unwrap());
                    assert_eq!(reader.read(index), Ok(expected.as_slice()));
                }
                assert_eq!(reader.read(500).unwrap_err().kind, "entry_missing");
            });
        }
    });
}
