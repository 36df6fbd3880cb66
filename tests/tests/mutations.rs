//! The fuzz targets on mutations of recordings, always the same ones.
//!
//! A loop of our own rather than proptest: the inputs are bytes that begin as a recording, which
//! no strategy makes, and what fails is made small by libFuzzer (`docs/fuzzing.md`).

use nats_hindsight_tests::targets::{self, seeds};

/// Pieces that mean something to some parser on the way.
const WORDS: &[&[u8]] = &[
    b"\x28\xb5\x2f\xfd",
    b"\x57\x2a\x4d\x18",
    b"\xff\xff\xff\xff",
    b"18446744073709551615",
    b"-9223372036854775808",
    b"1e999",
    b"null",
    b"{}",
    b"[]",
    b"\"\"",
    b"{\"frame\":",
    b"\n",
    b"\"9999-12-30T22:00:00.999999999Z\"",
    b"\"-009999-01-02T01:59:59Z\"",
    b"\\ud800",
    b"\xc2\x9b",
    b"\xe2\x80\xae",
    b"2026-11-21T09:00:00Z",
    b"timeout",
    b"VARZ",
    b"EVENTS",
];

/// Numbers that look random and are the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap_or(0) % bound.max(1)
    }
}

/// Does one to six things to a seed.
fn mutate(random: &mut Random, seeds: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = seeds[random.below(seeds.len())].clone();
    for _ in 0..=random.below(6) {
        let (from, to) = (random.below(bytes.len() + 1), random.below(bytes.len() + 1));
        let range = from.min(to)..from.max(to).min(from.min(to) + 256);
        match random.below(8) {
            0 | 1 => {
                if let Some(byte) = bytes.get_mut(from) {
                    *byte ^= 1 << random.below(8);
                }
            }
            2 => drop(bytes.drain(range)),
            3 => {
                let copy = bytes[range].to_vec();
                drop(bytes.splice(to..to, copy));
            }
            4 => bytes.truncate(from),
            5 => {
                let other = &seeds[random.below(seeds.len())];
                let at = random.below(other.len() + 1);
                let end = other.len().min(at + random.below(4096));
                drop(bytes.splice(from..from, other[at..end].iter().copied()));
            }
            6 => number(random, &mut bytes, from),
            _ => {
                let word = WORDS[random.below(WORDS.len())];
                let end = bytes.len().min(from + random.below(2) * word.len());
                drop(bytes.splice(from..end, word.iter().copied()));
            }
        }
    }
    bytes
}

/// Replaces the next number, or the next string, by something else that is JSON.
fn number(random: &mut Random, bytes: &mut Vec<u8>, from: usize) {
    let Some(at) = bytes[from..].iter().position(|byte| *byte == b':') else { return };
    let start = from + at + 1;
    let length = bytes[start..].iter().position(|byte| b",}]".contains(byte)).unwrap_or(0);
    let word = WORDS[3 + random.below(7)];
    drop(bytes.splice(start..start + length, word.iter().copied()));
}

fn run(seeds: &[Vec<u8>], count: usize, target: fn(&[u8])) {
    assert!(seeds.len() > 10, "{} seeds", seeds.len());
    for seed in seeds.iter().take(count) {
        target(seed);
    }
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    for _ in 0..count {
        target(&mutate(&mut random, seeds));
    }
}

#[test]
fn frames() {
    run(&seeds::frames(), 3_000, targets::frame);
}

#[test]
fn records() {
    run(&seeds::records(), 6_000, targets::record);
}

#[test]
fn replies() {
    run(&seeds::replies(), 2_000, targets::wire);
}

#[test]
fn recordings() {
    run(&seeds::recordings(), 300, targets::file);
}
