//! What `inspect` shows of streams.

use nats_hindsight_analyzer::registry;
use nats_hindsight_analyzer::render::text;
use nats_hindsight_analyzer::survey::{Survey, survey};
use nats_hindsight_model::intake::{Intake, Source};
use nats_hindsight_tests::recording::Recording;

use super::repacked::Archive;
use super::{fixtures, held, listed, opened};

fn surveyed(intake: &Intake) -> Survey {
    survey(intake, &registry::all(), &|_, _| {}).unwrap()
}

fn bundle(name: &str) -> Intake {
    let files = listed(&fixtures().join("bundles").join(name)).into_iter();
    let zips = files.filter(|path| path.extension().is_some_and(|end| end == "zip"));
    opened(&zips.map(Source::Path).collect::<Vec<_>>())
}

/// The section on streams.
fn section(survey: &Survey) -> String {
    let text = text::survey(survey, false);
    let Some(from) = text.find("\nStreams") else { return String::new() };
    let section = &text[from + 1..];
    section[..=section.find("\n\n").unwrap()].to_owned()
}

#[test]
fn the_last_epoch_is_listed_and_silence_before_is_told() {
    let survey = surveyed(&bundle("jetstream_faults"));
    let wanted = "\
Streams in epoch 5, 2026-11-21 09:43:53.671
  6 streams, 16 replicas told, 0 silent, 0 not joined.
  account  stream   cluster  told    leader  silent  last seq
  APP      CALM     A        3 of 3  a2              50
  APP      FULL     A        3 of 3  a1              200
  APP      LAG      A        3 of 3  a2              450
  APP      UNSET    A        3 of 3  a2              0
  APP      WATCHED  A        3 of 3  a3              60
  APP      WORK     A        1 of 1  a3              150
  epoch 3: 6 streams, 11 replicas told, 5 silent, 0 not joined. Silent: a1.
";
    assert_eq!(section(&survey), wanted);
    let rows: Vec<usize> =
        survey.epochs.iter().map(|epoch| epoch.streams.as_ref().unwrap().rows.len()).collect();
    // Of the others only what is amiss.
    assert_eq!(rows, [0, 0, 0, 5, 0, 6]);
}

#[test]
fn a_stream_with_a_silent_replica_comes_first() {
    let survey = surveyed(&bundle("server_lost"));
    let wanted = "\
Streams in epoch 3, 2026-11-21 09:41:58.103
  2 streams, 3 replicas told, 1 silent, 0 not joined.
  account  stream  cluster  told    leader  silent  last seq
  APP      ORDERS  A        2 of 3  a1      a3      20
  APP      EVENTS  A        1 of 1  a2              0
  epoch 2: 2 streams, 3 replicas told, 1 silent, 0 not joined. Silent: a3.
";
    assert_eq!(section(&survey), wanted);
}

/// More than a screen holds are counted.
#[test]
fn of_many_streams_the_first_are_shown() {
    let mut archive = Archive::open("healthy/epoch-000.zip");
    let one = archive.stream("EVENTS", "a2");
    for number in 0..30 {
        let mut more = one.clone();
        more["name"] = format!("S{number:02}").into();
        more["stream_raft_group"] = format!("S-R1F-{number:08}").into();
        archive.add_stream("APP", ("A", "a2"), &more);
    }
    let text = section(&surveyed(&held(archive.pack())));
    assert!(text.contains("  32 streams, 34 replicas told, 0 silent, 0 not joined.\n"), "{text}");
    assert!(text.contains("  … and 12 more in the JSON output\n"), "{text}");
    assert_eq!(text.lines().count(), 1 + 1 + 1 + 20 + 1, "{text}");
}

/// Where nobody was asked, nothing is said; where nobody has a stream, there is nothing to list.
#[test]
fn streams_that_nobody_was_asked_for_are_none() {
    let told = |name: &str| {
        let survey = surveyed(&Recording::fixture(name).open());
        (section(&survey), survey.epochs[0].streams.clone())
    };
    let (text, none) = told("two-accounts");
    assert_eq!((text.as_str(), none.map(|streams| streams.streams)), ("", None));
    let (text, none) = told("supercluster");
    assert_eq!((text.as_str(), none.map(|streams| streams.streams)), ("", None));
}

/// A doubt is a problem with its place and what to do.
#[test]
fn a_doubt_is_a_problem() {
    let mut archive = Archive::open("healthy/epoch-000.zip");
    let stream = archive.stream("ORDERS", "a1");
    archive.add_stream("PAY", ("A", "a1"), &stream);
    let survey = surveyed(&held(archive.pack()));
    let found: Vec<_> = survey.problems.iter().filter(|p| p.kind == "stream_misfiled").collect();
    let [problem] = found[..] else { panic!("{:#?}", survey.problems) };
    assert_eq!(problem.epoch.as_ref(), Some(&survey.epochs[0].uuid));
    assert_eq!(problem.where_.as_deref(), Some("edited"));
    assert!(problem.text.contains("ORDERS") && problem.text.contains("PAY"), "{}", problem.text);
    let text = text::survey(&survey, false);
    assert!(text.contains("2 streams, 4 replicas told, 0 silent, 1 not joined."), "{text}");
    assert!(text.contains("stream misfiled"), "{text}");
}
