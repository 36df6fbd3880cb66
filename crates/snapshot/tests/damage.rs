//! Damaged, cut and mixed-up recordings: a damaged part costs that part, and is named.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use common::{epoch, lines, scan_bytes};
use nats_hindsight_snapshot::format::DamageKind;

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
