//! An edited recording is judged like a recorded one.

use jiff::SignedDuration;
use nats_hindsight_tests::recording::Recording;
use nats_hindsight_tests::verdicts::judge;

#[test]
fn an_unedited_recording_survives_the_round_trip() {
    let judged = judge(&Recording::fixture("healthy"), &[]);
    assert_eq!(judged.verdicts("SERVER_002", "A"), ["ok"; 4]);
    assert_eq!(judged.all_findings(), []);
    assert_eq!(judged.report.problems, []);
}

#[test]
fn a_repeated_epoch_is_a_sequence() {
    let hourly = Recording::epoch("healthy", 0).repeat(3, SignedDuration::from_hours(1));
    let judged = judge(&hourly, &[]);
    assert_eq!(judged.verdicts("SERVER_002", "A"), ["ok"; 3]);
    assert_eq!(judged.verdicts("SERVICE_002", "APP/orders"), ["ok"; 3]);
    assert_eq!(judged.all_findings(), []);
}
