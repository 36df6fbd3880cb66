//! A capture is the same however it is called, packed, and laid between others.

use std::fs;
use std::io::{Cursor, Read};
use std::path::Path;

use nats_hindsight_model::intake::Intake;
use nats_hindsight_tests::workers::on_all_cores;
use zip::ZipArchive;

use super::wrapped::{Edit, gzipped, rezip, said, tarred};
use super::{archives, folders, founding, held, scenarios};

type Files = Vec<(String, Vec<u8>)>;

/// The archives of a folder.
fn all(folder: &Path) -> Files {
    let archives = archives(folder).into_iter();
    archives.map(|path| (path.display().to_string(), fs::read(path).unwrap())).collect()
}

/// Every sequence of archives there is.
fn sequences() -> Vec<(String, Files)> {
    let folders: Vec<_> = scenarios().iter().flat_map(|scenario| folders(scenario)).collect();
    let sequences = folders.iter().map(|folder| (folder.display().to_string(), all(folder)));
    sequences.collect()
}

/// Fisher and Yates, with numbers that are the same every time.
fn shuffle<T>(all: &mut [T], mut state: u64) {
    for at in (1..all.len()).rev() {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        all.swap(at, usize::try_from(state >> 33).unwrap() % (at + 1));
    }
}

/// The entries of an archive, as tar has them.
fn as_tar(archive: &[u8], state: u64) -> Vec<u8> {
    let mut zip = ZipArchive::new(Cursor::new(archive)).unwrap();
    let mut files: Files = (0..zip.len())
        .map(|index| {
            let mut entry = zip.by_index(index).unwrap();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            (entry.name().to_owned(), bytes)
        })
        .collect();
    shuffle(&mut files, state);
    tarred(&files)
}

fn repeated(intake: &Intake) -> usize {
    intake.problems.iter().filter(|problem| problem.kind == "capture_repeated").count()
}

/// Renamed, in another order, packed as ZIP or tar or tar in gzip by turns.
fn packed_again(archives: &Files, seed: u64) -> Files {
    let pack = |(at, (_, bytes)): (usize, &(String, Vec<u8>))| {
        let again = match at % 3 {
            0 => rezip(bytes, &Edit::Nothing),
            1 => as_tar(bytes, seed),
            _ => gzipped(&as_tar(bytes, seed)),
        };
        (format!("copy ({at}).bin"), again)
    };
    let mut again: Files = archives.iter().enumerate().map(pack).collect();
    shuffle(&mut again, seed);
    again
}

#[test]
fn names_order_and_packing_say_nothing() {
    let sequences = sequences();
    let moved = on_all_cores(&sequences, |(of, archives)| {
        let plain = said(&founding(&held(archives)));
        let mut moved = 0;
        for seed in [1, 2, 3] {
            let again = packed_again(archives, seed);
            let order: Vec<&String> = again.iter().map(|(name, _)| name).collect();
            moved += usize::from(!order.is_sorted());
            assert_eq!(said(&founding(&held(&again))), plain, "{of}, seed {seed}");
        }
        moved
    });
    assert_eq!(moved.len(), 31);
    assert!(moved.iter().all(|moved| *moved > 0), "a sequence is only shuffled if it moved");
}

type Packing = fn(&[u8]) -> Vec<u8>;

#[test]
fn the_same_capture_counts_once() {
    let sequences = sequences();
    let counts = on_all_cores(&sequences, |(of, archives)| {
        let plain = said(&founding(&held(archives)));
        let count = archives.len();
        let copies: [Packing; 3] = [
            |bytes| rezip(bytes, &Edit::Nothing),
            |bytes| as_tar(bytes, 7),
            |bytes| gzipped(&as_tar(bytes, 8)),
        ];
        let mut both = archives.clone();
        for (times, copy) in copies.iter().enumerate() {
            let again =
                |(name, bytes): &(String, Vec<u8>)| (format!("{name}.{times}"), copy(bytes));
            both.extend(archives.iter().map(again));
            let intake = held(&both);
            let told = (intake.epochs.len(), repeated(&intake));
            assert_eq!(told, (count, count * (times + 1)), "{of}: {:#?}", intake.problems);
        }
        shuffle(&mut both, 9);
        assert_eq!(said(&founding(&held(&both))), plain, "{of}");
        count
    });
    assert_eq!((counts.len(), counts.iter().sum::<usize>()), (31, 135));
}
