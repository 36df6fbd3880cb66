//! Damaged, cut and mixed-up recordings: a damaged part costs that part, and is named.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use common::{
    epoch, foreign_skippable, frame_line, lines, pack, pack_lines, scan_bytes, scan_within,
    with_preamble,
};
use nats_hindsight_snapshot::format::{Damage, DamageKind, Limits, Scratch, read_frame};

const A: &str = "aaaaaaaa-0000-4000-8000-000000000000";
const B: &str = "bbbbbbbb-0000-4000-8000-000000000000";

fn small() -> Vec<u8> {
    epoch(A, "2026-11-21T09:00:00Z")
}

#[test]
fn a_whole_recording_has_no_damage() {
    let bytes = small();
    let (frames, damage, scan) = scan_bytes(&bytes);
    assert_eq!(damage, []);
    assert_eq!((frames.len(), scan.frames, scan.bytes), (5, 5, bytes.len() as u64));
    let numbers: Vec<u64> = frames.iter().map(|frame| frame.line.n).collect();
    assert_eq!(numbers, [0, 1, 2, 3, 4]);
    // header, 6 replies, 3 captures, end
    assert_eq!(lines(&bytes, &frames).len(), 11);
}

#[test]
fn a_cut_at_every_byte_yields_a_prefix() {
    let bytes = small();
    let (whole, ..) = scan_bytes(&bytes);
    let all = lines(&bytes, &whole);
    for cut in 0..bytes.len() {
        let (frames, damage, _) = scan_bytes(&bytes[..cut]);
        assert_eq!(frames, whole[..frames.len()], "cut at {cut}");
        let some = lines(&bytes, &frames);
        assert_eq!(some, all[..some.len()], "cut at {cut}");
        let boundary =
            cut > 0 && frames.last().is_some_and(|last| last.offset + last.stored == cut as u64);
        let kinds: Vec<DamageKind> = damage.iter().map(|stretch| stretch.kind).collect();
        match cut {
            0 => assert_eq!(kinds, [DamageKind::Empty]),
            _ if boundary => assert_eq!(kinds, []),
            _ => assert_eq!(kinds, [DamageKind::Truncated], "cut at {cut}: {damage:?}"),
        }
    }
}

#[test]
fn a_flipped_bit_costs_at_most_its_own_frame() {
    let bytes = small();
    let (whole, ..) = scan_bytes(&bytes);
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << bit;
            let (frames, damage, _) = scan_bytes(&flipped);
            let hit = whole.iter().find(|frame| (at as u64) < frame.offset + frame.stored).unwrap();
            let inside = at as u64 >= hit.offset;
            let rest: Vec<_> = whole.iter().filter(|frame| *frame != hit).cloned().collect();
            if inside {
                assert_eq!(frames, rest, "byte {at} bit {bit}");
                assert_eq!(damage.len(), 1, "byte {at} bit {bit}: {damage:?}");
                let lost = damage[0].frame.as_deref().map(|line| line.n);
                assert_eq!(lost, Some(hit.line.n), "byte {at} bit {bit}");
                assert!(damage[0].offset <= at as u64);
                assert!(damage[0].offset + damage[0].length > at as u64);
            } else {
                // Only the preamble: the frame stands by its first line.
                assert_eq!(frames, whole, "byte {at} bit {bit}: {damage:?}");
            }
        }
    }
}

#[test]
fn concatenations_are_bundles_in_any_order() {
    let (a, b) = (small(), epoch(B, "2026-11-21T09:01:00Z"));
    for both in [[a.as_slice(), &b], [&b, &a]] {
        let bytes = both.concat();
        let (frames, damage, _) = scan_bytes(&bytes);
        assert_eq!((frames.len(), damage.len()), (10, 0));
        lines(&bytes, &frames);
    }
}

/// Garbage holds the magic numbers of frames and preambles that are none.
fn garbage() -> Vec<u8> {
    let mut bytes =
        b"not a frame at all \x28\xb5\x2f\xfd\xff\xff \x57\x2a\x4d\x18\x05\0\0\0".to_vec();
    bytes.extend_from_slice(b"\x28\xb5\x2f\xfd");
    bytes
}

#[test]
fn garbage_costs_nothing_but_itself() {
    let (a, b) = (small(), epoch(B, "2026-11-21T09:01:00Z"));
    let garbage = garbage();
    for parts in [[&garbage, &a, &b], [&a, &garbage, &b], [&a, &b, &garbage]] {
        let bytes: Vec<u8> = parts.iter().flat_map(|part| part.iter().copied()).collect();
        let (frames, damage, _) = scan_bytes(&bytes);
        assert_eq!(frames.len(), 10);
        let offset = bytes.windows(garbage.len()).position(|window| window == garbage).unwrap();
        let stretch: Vec<(u64, u64, DamageKind)> =
            damage.iter().map(|found| (found.offset, found.length, found.kind)).collect();
        assert_eq!(stretch, [(offset as u64, garbage.len() as u64, DamageKind::Garbage)]);
    }
}

#[test]
fn a_cut_recording_does_not_cost_what_was_appended_to_it() {
    let (a, b) = (small(), epoch(B, "2026-11-21T09:01:00Z"));
    let (whole, ..) = scan_bytes(&a);
    for cut in 1..a.len() {
        let bytes = [&a[..cut], &b].concat();
        let (frames, damage, _) = scan_bytes(&bytes);
        let kept = whole.iter().filter(|frame| frame.offset + frame.stored <= cut as u64).count();
        assert_eq!(frames.len(), kept + 5, "cut at {cut}: {damage:?}");
        assert!(damage.len() <= 1, "cut at {cut}: {damage:?}");
        lines(&bytes, &frames);
    }
}

#[test]
fn skippable_frames_of_others_are_passed_over() {
    let bytes = [foreign_skippable(b"an index of somebody else").as_slice(), &small()].concat();
    let (frames, damage, _) = scan_bytes(&bytes);
    assert_eq!((frames.len(), damage), (5, vec![]));
}

#[test]
fn frames_of_others_are_named() {
    let bytes = [pack(b"hello").as_slice(), &small()].concat();
    let (frames, damage, _) = scan_bytes(&bytes);
    assert_eq!(frames.len(), 5);
    assert_eq!((damage[0].kind, damage[0].offset, damage.len()), (DamageKind::Foreign, 0, 1));
}

#[test]
fn a_recording_that_was_packed_again_is_named() {
    let again = zstd::stream::encode_all(&b"{\"frame\":{}}\n"[..], 3).unwrap();
    let (frames, damage, _) = scan_bytes(&again);
    assert_eq!(frames, []);
    assert!(damage[0].text.contains("compressed again"), "{damage:?}");
}

#[test]
fn a_frame_without_preamble_stands_by_its_first_line() {
    let bytes = pack_lines(&frame_line(A, 7, "VARZ"), "");
    let (frames, damage, _) = scan_bytes(&bytes);
    assert_eq!(damage, []);
    assert_eq!(frames[0].line, frame_line(A, 7, "VARZ"));
}

#[test]
fn a_preamble_that_lies_about_sizes_is_not_believed() {
    let one = pack_lines(&frame_line(A, 1, "VARZ"), "");
    let two = pack_lines(&frame_line(A, 2, "VARZ"), "");
    let both = [one.as_slice(), &two].concat();
    // Its checksum is right for the bytes it claims, but they are two frames.
    for length in [0, 5, u64::MAX] {
        let bytes = with_preamble(&frame_line(B, 9, "CONNZ"), length, &both);
        let (frames, damage, _) = scan_bytes(&bytes);
        let numbers: Vec<u64> = frames.iter().map(|frame| frame.line.n).collect();
        assert_eq!(numbers, [1, 2], "{damage:?}");
        assert_eq!(damage[0].kind, DamageKind::Preamble);
    }
}

fn refused(bytes: &[u8], limits: &Limits) -> Damage {
    let (frames, damage, _) = scan_within(bytes, limits);
    assert_eq!(frames, []);
    assert_eq!(damage[0].kind, DamageKind::Limit, "{damage:?}");
    damage[0].clone()
}

#[test]
fn a_frame_that_unpacks_to_a_gigabyte_is_refused_by_name() {
    // A frame of 1 GiB of zeros: 8,192 blocks of one repeated byte.
    let mut bomb = b"\x28\xb5\x2f\xfd\xa4".to_vec();
    bomb.extend_from_slice(&(1_u32 << 30).to_le_bytes());
    for block in 0..8192_u32 {
        let header = (128 << 10) << 3 | 1 << 1 | u32::from(block == 8191);
        bomb.extend_from_slice(&header.to_le_bytes()[..3]);
        bomb.push(0);
    }
    bomb.extend_from_slice(&[0; 4]);
    let damage = refused(&bomb, &Limits::default());
    assert!(damage.text.contains("max_window_log"), "{}", damage.text);
    let wide = Limits { max_window_log: 30, ..Limits::default() };
    assert!(refused(&bomb, &wide).text.contains("max_frame_length"));
}

#[test]
fn many_frames_that_unpack_to_too_much_together_are_refused_by_name() {
    let limits = Limits { min_unpacked: 3 << 20, ..Limits::default() };
    let mut bytes = Vec::new();
    for n in 0..10 {
        let line = frame_line(A, n, "VARZ");
        let stored = pack_lines(&line, &" ".repeat(1 << 20));
        bytes.extend(stored.iter().copied().filter(|_| n % 2 == 0));
        if n % 2 == 1 {
            let length = read_frame(&stored, &limits, &mut Scratch::default()).unwrap().length();
            bytes.extend(with_preamble(&line, length as u64, &stored));
        }
    }
    let (frames, damage, _) = scan_within(&bytes, &limits);
    assert_eq!((frames.len(), damage.len()), (4, 1));
    assert!(damage[0].text.contains("max_ratio"), "{damage:?}");
}

#[test]
fn a_frame_that_asks_for_a_huge_window_is_refused_by_name() {
    // Window descriptor 0xF8: 2^41 bytes. One empty last block behind it.
    let bomb = b"\x28\xb5\x2f\xfd\x84\xf8\x05\0\0\0\x01\0\0\0\0\0\0";
    let damage = refused(bomb, &Limits::default());
    assert!(damage.text.contains("2199023255552"), "{}", damage.text);
}

#[test]
fn a_frame_that_claims_more_than_its_blocks_hold_is_damaged() {
    let mut liar = b"\x28\xb5\x2f\xfd\xa4".to_vec();
    liar.extend_from_slice(&(1_u32 << 20).to_le_bytes());
    liar.extend_from_slice(&(2 << 3 | 1_u32).to_le_bytes()[..3]);
    liar.extend_from_slice(b"{}\0\0\0\0");
    let error = read_frame(&liar, &Limits::default(), &mut Scratch::default()).unwrap_err();
    assert!(error.to_string().contains("claims more"), "{error}");
}

#[test]
fn every_limit_is_named_when_it_is_hit() {
    let bytes = small();
    let one = Limits { max_frames: 1, ..Limits::default() };
    let (frames, damage, _) = scan_within(&bytes, &one);
    assert_eq!(frames.len(), 1);
    assert!(damage[0].text.contains("max_frames"));
    let tiny = Limits { max_frame_stored: 10, ..Limits::default() };
    assert!(refused(&bytes, &tiny).text.contains("max_frame_stored"));
    let rubbish = b"\x28\xb5\x2f\xfd\xff\xff\xff\xff".repeat(20_000);
    let lazy = Limits { max_search: 0, ..Limits::default() };
    let (_, damage, _) = scan_within(&rubbish, &lazy);
    assert!(damage.last().unwrap().text.contains("max_search"));
}

#[test]
fn nothing_is_an_input_too() {
    let (frames, damage, scan) = scan_bytes(b"");
    assert_eq!((frames.len(), damage[0].kind), (0, DamageKind::Empty));
    let empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(scan.digest, empty);
}

/// Splices, repeats and noise, thousands of times: never a panic, and every frame that is believed
/// is one that was written.
#[test]
fn whatever_is_done_to_a_recording_nothing_is_made_up() {
    let whole = [small(), epoch(B, "2026-11-21T09:01:00Z")].concat();
    let (frames, ..) = scan_bytes(&whole);
    let written = lines(&whole, &frames);
    let mut state = 7_u64;
    let mut random = |below: usize| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    for _ in 0..3_000 {
        let mut bytes = whole.clone();
        for _ in 0..=random(6) {
            let (from, to) = (random(bytes.len()), random(bytes.len()));
            match random(4) {
                0 => bytes[from] = u8::try_from(random(256)).unwrap(),
                1 => bytes.truncate(from.max(1)),
                2 => drop(bytes.drain(from.min(to)..from.max(to))),
                _ => bytes.extend_from_within(from.min(to)..from.max(to)),
            }
            if bytes.is_empty() {
                bytes.push(0);
            }
        }
        let (frames, damage, scan) = scan_bytes(&bytes);
        assert!(damage.iter().all(|stretch| stretch.offset + stretch.length <= scan.bytes));
        for line in lines(&bytes, &frames) {
            assert!(written.contains(&line), "{line}");
        }
    }
}
