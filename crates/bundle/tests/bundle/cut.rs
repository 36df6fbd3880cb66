//! Archives that were cut or damaged on their way.

use nats_hindsight_bundle::gather::ArtifactKind;
use nats_hindsight_bundle::{Container, Gather, Reader};
use nats_hindsight_snapshot::format::Limits;
use proptest::prelude::*;

use crate::forge::{deflated, stored, zip};
use crate::support::{Bytes, archive, gathers, open, read_all};

/// Where every entry begins, and at last the directory.
fn starts(bytes: &[u8]) -> Vec<usize> {
    let local = |four: &[u8]| four == b"PK\x03\x04" || four == b"PK\x01\x02";
    let mut starts: Vec<usize> =
        (0..bytes.len() - 4).filter(|at| local(&bytes[*at..at + 4])).collect();
    let directory = starts.iter().position(|at| bytes[*at..].starts_with(b"PK\x01\x02")).unwrap();
    starts.truncate(directory + 1);
    starts
}

/// Cuts an archive at a byte: every entry before is read as from the whole archive, and nothing
/// else is.
fn check_cut(whole: &[(String, Vec<u8>)], starts: &[usize], bytes: &[u8], at: usize) {
    let cut = &bytes[..at];
    let Some(container) = open(cut) else {
        assert!(at < 30, "nothing is found in {at} bytes");
        return;
    };
    assert!(container.is_salvaged(), "{at}");
    let kept = starts[1..].iter().filter(|end| **end <= at).count();
    let read = read_all(&container, cut);
    let good: Vec<_> =
        read.iter().filter_map(|(name, read)| Some((name, read.as_ref().ok()?))).collect();
    let expected: Vec<_> = whole[..kept].iter().map(|(name, content)| (name, content)).collect();
    assert_eq!(good.len(), kept, "{at}");
    assert!(good == expected, "{at}");
    // The entry that is cut is named once its name is there.
    let header = starts.get(kept).map_or(at, |start| start + 30 + 200);
    if kept + 1 < starts.len() && at > header {
        let (name, lost) = read.last().unwrap();
        assert_eq!((name, lost.as_ref().unwrap_err().kind), (&whole[kept].0, "entry_cut"), "{at}");
        assert_eq!(container.problems().last().unwrap().kind, "entry_cut", "{at}");
    }
}

fn whole(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let container = open(bytes).unwrap();
    read_all(&container, bytes).into_iter().map(|(name, read)| (name, read.unwrap())).collect()
}

#[test]
fn an_archive_cut_anywhere_gives_everything_before_the_cut() {
    for (name, step) in [
        ("healthy/epoch-000.zip", 61),
        ("hostile_names/epoch-001.zip", 127),
        ("healthy/natscli-v0.1.6/epoch-000.zip", 97),
        ("healthy/natscli-v0.2.0/epoch-000.zip", 1_009),
    ] {
        let bytes = archive(name);
        let (whole, starts) = (whole(&bytes), starts(&bytes));
        assert_eq!(whole.len() + 1, starts.len(), "{name}");
        for at in starts.iter().flat_map(|start| [start.saturating_sub(1), *start, start + 1]) {
            check_cut(&whole, &starts, &bytes, at);
        }
        for at in (0..bytes.len()).step_by(step) {
            check_cut(&whole, &starts, &bytes, at);
        }
    }
}

#[test]
fn a_capture_without_manifest_is_told_by_its_paths() {
    for name in ["healthy/epoch-000.zip", "healthy/natscli-v0.2.0/epoch-000.zip"] {
        let bytes = archive(name);
        let [honest] = gathers(&open(&bytes).unwrap(), &bytes).try_into().unwrap();
        let starts = starts(&bytes);
        let cut = &bytes[..starts[starts.len() - 2] + 100];
        let container = open(cut).unwrap();
        let [gather]: [Gather; 1] = gathers(&container, cut).try_into().unwrap();
        assert!(gather.identity_from_path);
        assert_eq!(gather.problems.len(), 1);
        assert_eq!(gather.problems[0].kind, "manifest_missing");
        assert_eq!((&gather.metadata, &gather.log), (&honest.metadata, &honest.log));
        let pages = |gather: &Gather, kind: &ArtifactKind| {
            let mut pages: Vec<usize> = gather
                .artifacts
                .iter()
                .filter(|artifact| artifact.kind == *kind)
                .flat_map(|artifact| artifact.pages.clone())
                .collect();
            pages.sort_unstable();
            pages
        };
        for artifact in &honest.artifacts {
            let kind = &artifact.kind;
            assert_eq!(pages(&gather, kind), pages(&honest, kind), "{kind:?}");
            let same = gather.artifacts.iter().find(|found| found.pages == artifact.pages);
            let found = same.unwrap();
            assert!(found.identity_from_path);
            assert_eq!((&found.account, &found.stream), (&artifact.account, &artifact.stream));
            match &found.folder {
                None => assert_eq!(
                    (&found.cluster, &found.server),
                    (&artifact.cluster, &artifact.server)
                ),
                Some(folder) => assert_eq!(
                    folder.as_ref(),
                    format!("A__{}", artifact.server.as_deref().unwrap())
                ),
            }
        }
    }
}

#[test]
fn a_damaged_header_costs_its_entry() {
    let mut bytes = zip(&[
        stored("a", b"1"),
        deflated("b", b"2").streamed(),
        deflated("c", b"3").streamed(),
        stored("d", b"4"),
    ]);
    bytes.truncate(starts(&bytes)[4]);
    let second = starts_of(&bytes)[1];
    // The compressed bytes of `b` make no sense any more.
    bytes[second + 31] = 0xff;
    let container = open(&bytes).unwrap();
    let read = read_all(&container, &bytes);
    let told: Vec<_> = read
        .iter()
        .map(|(name, read)| (name.as_str(), read.as_ref().map_err(|problem| problem.kind)))
        .collect();
    let (one, three, four) = (b"1".to_vec(), b"3".to_vec(), b"4".to_vec());
    let expected =
        [("a", Ok(&one)), ("b", Err("entry_damaged")), ("c", Ok(&three)), ("d", Ok(&four))];
    assert_eq!(told, expected);
}

fn starts_of(bytes: &[u8]) -> Vec<usize> {
    bytes
        .windows(4)
        .enumerate()
        .filter(|(_, four)| *four == b"PK\x03\x04")
        .map(|(at, _)| at)
        .collect()
}

#[test]
fn a_damaged_directory_is_done_without() {
    let bytes = archive("standalone/epoch-000.zip");
    let expected = whole(&bytes);
    let directory = *starts(&bytes).last().unwrap();
    for at in [directory, directory + 1, directory + 2_000] {
        let mut bytes = bytes.clone();
        bytes[at..at + 8].fill(0xff);
        let container = open(&bytes).unwrap();
        let read = read_all(&container, &bytes);
        assert_eq!(read.len(), expected.len(), "{at}");
        if container.is_salvaged() {
            let read: Vec<_> = read.into_iter().map(|(name, read)| (name, read.unwrap())).collect();
            assert_eq!(read, expected, "{at}");
        }
    }
}

#[test]
fn two_archives_joined_give_both() {
    let first = zip(&[stored("a", b"1")]);
    let bytes = [first, zip(&[deflated("b", b"2")])].concat();
    assert_eq!(whole(&bytes), [("a".to_owned(), b"1".to_vec()), ("b".to_owned(), b"2".to_vec())]);
    assert!(open(&bytes).unwrap().is_salvaged());
}

#[test]
fn looking_for_entries_is_bounded() {
    // A header every 30 bytes, each of an entry that reaches over all others and fits none.
    let header = [&b"PK\x03\x04\x2d\0\x08\0\x08\0"[..], &[0; 20]].concat();
    for (method, content) in [(8, 0x62_u8), (0, 0)] {
        let mut unit = header.clone();
        unit[8] = method;
        unit.push(content);
        let bytes = unit.repeat(20_000);
        let limits = Limits { max_search: 1 << 20, ..Limits::default() };
        let container = Container::open(&Bytes(&bytes), &limits).unwrap().unwrap();
        assert!(container.entries().iter().all(|entry| entry.refused.is_some()));
        let limited =
            container.problems().iter().any(|problem| problem.text.contains("max_search"));
        assert!(limited || container.entries().len() == 20_000);
    }
}

#[test]
fn a_bomb_without_directory_is_bounded() {
    let zeros = deflated("zeros", &vec![0; 4 << 20]).streamed();
    let mut bytes = zip(&vec![zeros; 50]);
    bytes.truncate(*starts(&bytes).last().unwrap());
    let limits = Limits { min_unpacked: 8 << 20, max_ratio: 1, max_search: 0, ..Limits::default() };
    let container = Container::open(&Bytes(&bytes), &limits).unwrap().unwrap();
    // What the walk over them may cost, and what they may give.
    assert!(container.entries().len() < 6, "{}", container.entries().len());
    let given = container.entries().iter().filter(|entry| entry.refused.is_none()).count();
    assert_eq!(given, 2);
    let texts: Vec<_> = container.problems().iter().map(|problem| &problem.text).collect();
    assert!(texts.iter().any(|text| text.contains("`max_search`")), "{texts:?}");
    // One that is longer than any entry may be is given up in the middle.
    let limits = Limits { max_entry_length: 1 << 20, ..Limits::default() };
    let container = Container::open(&Bytes(&bytes), &limits).unwrap().unwrap();
    assert!(container.entries().iter().all(|entry| entry.refused.is_some()));
}

/// Opens, reads and interprets everything, for the sake of not panicking.
fn exercise(bytes: &[u8]) {
    let limits = Limits { max_search: 8 << 20, min_unpacked: 64 << 20, ..Limits::default() };
    let source = Bytes(bytes);
    let Some(container) = Container::open(&source, &limits).unwrap() else { return };
    let mut reader = Reader::new(&container, &source);
    for gather in Gather::find(&mut reader, &limits) {
        for page in gather.artifacts.iter().flat_map(|artifact| &artifact.pages) {
            if let Ok(bytes) = reader.read(*page) {
                let _ = nats_hindsight_bundle::document::split(bytes);
            }
        }
    }
    for index in 0..container.entries().len() {
        let _ = reader.read(index);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn flipped_bits_never_panic(
        flips in prop::collection::vec((any::<prop::sample::Index>(), 0_u8..8), 1..40),
        tail in any::<bool>(),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = archive("standalone/natscli-v0.3.1/epoch-000.zip");
        let from = if tail { *starts(&bytes).last().unwrap() } else { 0 };
        for (index, bit) in &flips {
            let at = from + index.index(bytes.len() - from);
            bytes[at] ^= 1 << bit;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        exercise(&bytes);
    }

    #[test]
    fn whatever_is_read_is_what_was_written(
        flips in prop::collection::vec((any::<prop::sample::Index>(), 0_u8..8), 1..10),
    ) {
        let mut bytes = archive("standalone/epoch-000.zip");
        let expected = whole(&bytes);
        for (index, bit) in &flips {
            let at = index.index(bytes.len());
            bytes[at] ^= 1 << bit;
        }
        let Some(container) = open(&bytes) else { return Ok(()) };
        for (name, read) in read_all(&container, &bytes) {
            let Ok(content) = read else { continue };
            // A name has no checksum, its content has.
            let same = expected.iter().any(|(_, written)| *written == content);
            prop_assert!(same, "{name}");
        }
    }

    #[test]
    fn noise_behind_a_beginning_never_panics(
        kind in 0_usize..5,
        noise in prop::collection::vec(any::<u8>(), 0..3_000),
    ) {
        let heads: [&[u8]; 5] =
            [b"PK\x03\x04", b"\x1f\x8b\x08\0", b"\x28\xb5\x2f\xfd", b"PK\x05\x06", b""];
        exercise(&[heads[kind], &noise].concat());
    }
}
