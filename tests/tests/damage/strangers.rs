//! Bytes that are of no recording.

use nats_hindsight_tests::frames::files;

use crate::support::{Expected, SCENARIOS, open, whole};

/// Noise that holds the magic numbers of frames and preambles that are none.
fn rubbish() -> Vec<u8> {
    let mut bytes: Vec<u8> =
        (0..5000_u32).map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()[3]).collect();
    for (at, magic) in [(100, b"\x28\xb5\x2f\xfd"), (2000, b"\x57\x2a\x4d\x18")] {
        bytes[at..at + 4].copy_from_slice(magic);
    }
    bytes
}

#[test]
fn rubbish_behind_before_and_between() {
    let rubbish = rubbish();
    for whole in SCENARIOS.map(whole) {
        let second =
            whole.pieces.iter().position(|piece| piece.line.n == 0 && piece.bytes.start > 0);
        let middle = whole.pieces[second.unwrap() + 2].bytes.start;
        for at in [0, middle, whole.bytes.len()] {
            let bytes = [&whole.bytes[..at], &rubbish, &whole.bytes[at..]].concat();
            let named = std::iter::once(at..at + rubbish.len()).collect();
            let expected = Expected { kept: whole.all(), named };
            whole.check(&format!("rubbish at {at}"), &bytes, &expected);
        }
    }
}

#[test]
fn nothing_at_all_is_named() {
    let intake = open(b"");
    assert!(intake.epochs.is_empty());
    let problem = &intake.problems[0];
    assert_eq!(
        (problem.kind, problem.where_.as_deref()),
        ("input_empty", Some("damaged, offset 0"))
    );
    assert_eq!(intake.inputs[0].kind, "empty");
}

#[test]
fn files_of_another_kind_are_named_and_hold_nothing() {
    let unpacked = zstd::stream::decode_all(files("healthy")[0].as_slice()).unwrap();
    let again = zstd::stream::encode_all(unpacked.as_slice(), 3).unwrap();
    for (bytes, seems) in [
        (rubbish(), "not known"),
        (b"2026-11-21T09:00:00Z INF server is ready\n".to_vec(), "plain text"),
        (b"{\"server_id\":\"N\"}".to_vec(), "JSON in which no reply"),
        (unpacked, "an unpacked snapshot"),
        (again, "an unpacked snapshot"),
    ] {
        let intake = open(&bytes);
        assert!(intake.epochs.is_empty(), "{seems}");
        let [problem] = intake.problems.as_slice() else { panic!("{:?}", intake.problems) };
        assert_eq!((problem.kind, problem.where_.as_deref()), ("input_foreign", Some("damaged")));
        assert!(problem.text.contains(seems), "{}", problem.text);
    }
}
