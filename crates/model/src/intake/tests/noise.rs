//! Bundles with splices and noise in them.

use nats_hindsight_snapshot::format::Line;

use super::super::Intake;
use super::{A, B, epoch, one};

/// Splices and noise: never a panic, never a line that was not recorded, and `complete` only if
/// every line is there.
#[test]
fn whatever_is_done_to_a_bundle_nothing_is_made_up() {
    let read = |intake: &Intake| {
        let mut lines = Vec::new();
        for epoch in &intake.epochs {
            let before = lines.len();
            let tell = &mut |line: Line<'_>| lines.push(format!("{} {line:?}", epoch.uuid));
            let met = epoch.read(&|_| true, tell);
            assert_eq!(epoch.complete && met.is_empty(), lines.len() - before == 8, "{epoch:?}");
        }
        lines
    };
    let whole = [epoch(A, 0), epoch(B, 1)].concat();
    let written = read(&one(&whole));
    assert_eq!(written.len(), 16);
    let mut state = 3_u64;
    let mut random = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(state >> 33).unwrap() % below
    };
    for _ in 0..500 {
        let mut bytes = whole.clone();
        for _ in 0..=random(4) {
            let (from, to) = (random(bytes.len()), random(bytes.len()));
            match random(4) {
                0 => bytes[from] ^= 1 << random(8),
                1 => bytes.truncate(from.max(1)),
                2 => drop(bytes.drain(from.min(to)..from.max(to).min(from.min(to) + 90))),
                _ => bytes.extend_from_within(from.min(to)..from.max(to)),
            }
        }
        for line in read(&one(&bytes)) {
            assert!(written.contains(&line), "{line}");
        }
    }
}
