//! What a server said, or did not say, before it fell silent.

use jiff::SignedDuration;
use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_snapshot::lines::Status;
use nats_hindsight_tests::recording::{Epoch, Recording};
use nats_hindsight_tests::verdicts::{Judged, judge};
use serde_json::Value;

use crate::{CODE, chapters, hourly};

const EARLIER: SignedDuration = SignedDuration::from_mins(10);

/// Killed after the second of three hourly epochs, and how it was listened is edited.
fn lost(edit: impl Fn(usize, &mut Epoch)) -> Judged {
    let mut recording = hourly(3).listened();
    recording = recording.at(2, |epoch| epoch.kill("a3"));
    for (index, epoch) in recording.epochs.iter_mut().enumerate() {
        edit(index, epoch);
    }
    judge(&recording, &[])
}

fn a3() -> String {
    hourly(1).epochs[0].id("a3")
}

/// `ended` of the finding, and whether the facet is named as not seen.
fn ended(judged: &Judged) -> (Value, bool) {
    let unseen = judged.report.systems.iter().flat_map(|system| &system.unseen);
    let named = unseen.filter(|facet| facet.code == CODE).any(|u| u.facet == "how_it_ended");
    (judged.finding(CODE, "A/a3").details["ended"].clone(), named)
}

fn unknown() -> (Value, bool) {
    (Value::Null, true)
}

#[test]
fn one_that_was_shut_down_is_told_from_one_that_died() {
    let judged = lost(|index, epoch| {
        if index == 2 {
            epoch.farewell(&a3(), "SHUTDOWN", EARLIER);
        }
    });
    assert_eq!(ended(&judged), ("shutdown".into(), false));
    let finding = judged.finding(CODE, "A/a3");
    assert_eq!(finding.summary, "a3 was shut down and has not come back");
    assert_eq!(finding.severity.as_str(), "warning", "whoever stopped it, it is missing");
    let told = hourly(3).epochs[2].header.start - EARLIER;
    let told = told.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string();
    assert_eq!(finding.details["ended_at"], told);
    assert_eq!(finding.evidence[0].name, "event");
    assert_eq!(finding.evidence[0].endpoint, "EVENTS");
    let died = lost(|_, _| {});
    assert_eq!(ended(&died), ("without_notice".into(), false));
    let finding = died.finding(CODE, "A/a3");
    assert!(finding.summary.starts_with("a3 went without a word"), "{}", finding.summary);
    assert_eq!(finding.details["kind"], "lost");
}

#[test]
fn without_events_nothing_is_said_of_how_it_ended() {
    let never = judge(&hourly(3).at(2, |epoch| epoch.kill("a3")), &[]);
    assert_eq!(ended(&never), unknown());
    let dropped = lost(|_, epoch| epoch.drop_endpoint(&Endpoint::EVENTS));
    assert_eq!(ended(&dropped), unknown());
    assert_eq!(chapters(dropped.finding(CODE, "A/a3")), [(2, "warning", "lost")]);
}

#[test]
fn silence_means_nothing_where_it_was_not_listened_all_the_time() {
    let gap = |at: usize| {
        lost(move |index, epoch| {
            if index == at {
                epoch.gap();
            }
        })
    };
    assert_eq!(ended(&gap(2)), unknown());
    // A gap before the server answered last hides nothing.
    for at in [0, 1] {
        assert_eq!(ended(&gap(at)), ("without_notice".into(), false), "a gap in epoch {at}");
    }
    for at in [1, 2] {
        for word in ["SHUTDOWN", "LAMEDUCK"] {
            let subject = format!("$SYS.SERVER.*.{word}");
            let denied = lost(|index, epoch| {
                if index == at {
                    epoch.deny(&subject);
                }
            });
            assert_eq!(ended(&denied), unknown(), "{word} denied in epoch {at}");
            let flood = lost(|index, epoch| {
                if index == at {
                    epoch.overflow(&subject);
                }
            });
            assert_eq!(ended(&flood), unknown(), "{word} left out in epoch {at}");
            let lost_word = lost(|index, epoch| {
                if index == at {
                    let events = Endpoint::EVENTS;
                    epoch.captures.retain(|c| c.endpoint != events || c.subject != subject);
                }
            });
            assert_eq!(ended(&lost_word), unknown(), "no word on {word} in epoch {at}");
        }
    }
    // What is left out of other subjects is no matter.
    let flood = lost(|_, epoch| epoch.overflow("$SYS.ACCOUNT.*.CONNECT"));
    assert_eq!(ended(&flood), ("without_notice".into(), false));
}

#[test]
fn another_run_of_the_collector_did_not_hear_what_was_said_before_it() {
    let judged = lost(|index, epoch| {
        if index == 2 {
            let start = epoch.header.start;
            for capture in epoch.listening("") {
                let Some(listened) = &mut capture.listened else { continue };
                listened.since = start - SignedDuration::from_secs(5);
            }
        }
    });
    assert_eq!(ended(&judged), unknown());
}

#[test]
fn a_connection_that_was_deaf_at_the_end_heard_nothing() {
    let judged = lost(|index, epoch| {
        if index == 2 {
            let start = epoch.header.start;
            for capture in epoch.listening("") {
                let Some(listened) = &mut capture.listened else { continue };
                listened.until = start - SignedDuration::from_mins(50);
            }
        }
    });
    assert_eq!(ended(&judged), unknown());
}

#[test]
fn who_is_not_in_the_system_account_hears_no_farewell() {
    // The servers were asked over HTTP alone, which has no STATSZ.
    let judged = lost(|index, epoch| {
        if index == 2 {
            epoch.replies.retain(|reply| reply.line.endpoint != Endpoint::STATSZ);
        }
    });
    assert_eq!(ended(&judged), unknown());
}

#[test]
fn a_gap_does_not_take_away_what_was_heard() {
    let judged = lost(|index, epoch| {
        if index == 2 {
            epoch.gap();
            epoch.farewell(&a3(), "SHUTDOWN", EARLIER);
        }
    });
    assert_eq!(ended(&judged), ("shutdown".into(), false));
}

#[test]
fn a_farewell_is_of_one_process_and_is_remembered() {
    // It was said in the epoch in which the server answered last: it went while it was asked.
    let judged = lost(|index, epoch| {
        if index == 1 {
            epoch.farewell(&a3(), "SHUTDOWN", EARLIER);
        }
    });
    assert_eq!(ended(&judged).0, "shutdown");
    // An earlier process of the same seat said it.
    let judged = lost(|index, epoch| {
        if index == 1 {
            epoch.farewell("NEARLIER", "SHUTDOWN", EARLIER);
        }
    });
    assert_eq!(ended(&judged).0, "without_notice");
    // Hours later it is still known.
    let later = hourly(5).listened().during([2, 3, 4], |epoch| epoch.kill("a3"));
    let judged = judge(&later.at(2, |epoch| epoch.farewell(&a3(), "SHUTDOWN", EARLIER)), &[]);
    assert_eq!(ended(&judged).0, "shutdown");
}

#[test]
fn a_farewell_never_makes_a_loss_of_a_server_that_answers() {
    let recording = hourly(3).listened();
    let said = recording.at(2, |epoch| epoch.farewell(&a3(), "SHUTDOWN", EARLIER));
    assert_eq!(judge(&said, &[]).verdicts(CODE, "A/a3"), ["ok"; 3]);
    let unasked = lost(|index, epoch| {
        if index == 2 {
            epoch.forget_requests(&a3());
            epoch.farewell(&a3(), "SHUTDOWN", EARLIER);
        }
    });
    assert_eq!(unasked.verdicts(CODE, "A/a3"), ["ok", "ok", "unknown(not_asked)"]);
}

#[test]
fn a_farewell_that_cannot_be_read_is_told_and_believed_by_nobody() {
    let judged = lost(|index, epoch| {
        if index == 2 {
            epoch.farewell(&a3(), "SHUTDOWN", EARLIER);
            epoch.events[0].body["id"] = "NSOMEBODY".into();
        }
    });
    assert_eq!(ended(&judged).0, "without_notice");
    assert_eq!(judged.problems("reply_unreadable").len(), 1);
    // Only the system connection can hear one.
    let judged = lost(|index, epoch| {
        if index == 2 {
            epoch.farewell(&a3(), "SHUTDOWN", EARLIER);
            epoch.events[0].account = Some("APP".to_owned());
        }
    });
    assert_eq!(ended(&judged).0, "without_notice");
}

fn silent(word: Option<&str>) -> Judged {
    let recording = hourly(4)
        .listened()
        .during([2], |epoch| epoch.hang("a3"))
        .during([3], |epoch| epoch.kill("a3"));
    judge(
        &recording.at(2, |epoch| {
            if let Some(word) = word {
                epoch.farewell(&a3(), word, EARLIER);
            }
        }),
        &[],
    )
}

#[test]
fn a_lame_duck_is_told_from_a_hang() {
    let duck = silent(Some("LAMEDUCK"));
    let finding = duck.finding(CODE, "A/a3");
    assert_eq!(chapters(finding), [(2, "info", "unresponsive"), (3, "info", "lost")]);
    assert_eq!(finding.details["lame_duck"], true);
    assert_eq!(ended(&duck), ("lame_duck".into(), false));
    assert_eq!(finding.summary, "a3 has left after lame duck mode");
    let hang = silent(None);
    let finding = hang.finding(CODE, "A/a3");
    assert_eq!(chapters(finding), [(2, "warning", "unresponsive"), (3, "warning", "lost")]);
    assert_eq!(finding.details["lame_duck"], Value::Null);
    assert_eq!(ended(&hang), ("without_notice".into(), false));
}

#[test]
fn while_it_is_still_named_the_summary_says_which_it_is() {
    let first = |word: Option<&str>| {
        let recording = hourly(3).listened().at(2, |epoch| {
            epoch.hang("a3");
            if let Some(word) = word {
                epoch.farewell(&a3(), word, EARLIER);
            }
        });
        judge(&recording, &[]).finding(CODE, "A/a3").summary.clone()
    };
    assert_eq!(first(Some("LAMEDUCK")), "a3 is leaving: it said that it is in lame duck mode");
    assert!(first(None).contains("it hangs, or it would have said"), "{}", first(None));
    assert!(first(Some("SHUTDOWN")).ends_with("hung or leaving"), "{}", first(Some("SHUTDOWN")));
}

#[test]
fn a_server_that_the_header_remembers_went_before_anybody_listened() {
    let recording: Recording = hourly(1).listened().at(0, |epoch| {
        epoch.expect_server("NEARLIER", "a4", "A", "2.12.8");
        epoch.ask("NEARLIER", Status::NoResponders);
        let start = epoch.header.start;
        for expected in &mut epoch.header.expects.servers {
            expected.last_seen = Some(start - SignedDuration::from_hours(9));
        }
    });
    let judged = judge(&recording, &[]);
    assert_eq!(judged.finding(CODE, "A/a4").details["ended"], Value::Null);
}
