//! From verdicts to intervals, against a model that looks at whole sequences instead of steps.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use nats_hindsight_analyzer::check::{Check, Limits, Scan};
use nats_hindsight_analyzer::engine::{Options, analyze};
use nats_hindsight_analyzer::report::{Finding, Severity, Subject};
use nats_hindsight_analyzer::verdict::{Face, Judgement, Reason, Step};
use nats_hindsight_model::View;
use nats_hindsight_model::intake::{Source, open};
use nats_hindsight_snapshot::format::{Limits as Reading, SnapshotWriter};
use nats_hindsight_snapshot::lines::{EpochLine, ExpectsLine};
use proptest::prelude::*;
use serde_json::{Value, json};
use smol_str::{SmolStr, ToSmolStr};

/// What is said of the one subject in an epoch.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Word {
    Ok,
    /// With its face and whether it is critical.
    Bad(bool, bool),
    Unknown,
    UnknownButCured,
    NotApplicable,
    Ended,
    Nothing,
}

const WORDS: [Word; 10] = [
    Word::Ok,
    Word::Bad(false, false),
    Word::Bad(true, false),
    Word::Bad(false, true),
    Word::Unknown,
    Word::UnknownButCured,
    Word::NotApplicable,
    Word::Ended,
    Word::Nothing,
    Word::Ok,
];

/// An epoch: its collector, what is said, and of which of three members.
#[derive(Clone, Copy, Debug)]
struct Epoch {
    track: usize,
    word: Word,
    members: u64,
}

/// A check that says what the header of the epoch tells it to.
static PROBE: LazyLock<Check> = LazyLock::new(|| Check {
    code: "PROBE_001",
    slug: "probe",
    title: "what it is told",
    severity: Severity::Warning,
    category: "Consistency",
    subject: "cluster",
    required: &[],
    enriching: &[],
    thresholds: &[],
    scan: Scan::Epoch(probe),
    page: "",
});

fn probe(view: &View<'_>, _: &Limits<'_>, _: &Step, out: &mut Judgement) {
    let told = view.header().asked.confirm_after_ms;
    let subject = Subject::Cluster { cluster: "A".into() };
    let members = members(told / 16);
    match WORDS[usize::try_from(told % 16).unwrap()] {
        Word::Ok => out.ok(subject, members),
        Word::Bad(face, critical) => out.finding(subject, looks(face, critical, members)),
        Word::Unknown => out.unknown(subject, Reason::ServerSilent, Vec::new()),
        Word::UnknownButCured => {
            out.unknown_but_cured(subject, Reason::ServerSilent, Vec::new());
        }
        Word::NotApplicable => out.not_applicable(subject),
        Word::Ended => out.ended(subject, "over"),
        Word::Nothing => {}
    }
}

fn members(bits: u64) -> BTreeSet<SmolStr> {
    (0..3).filter(|bit| bits >> bit & 1 == 1).map(|bit| bit.to_smolstr()).collect()
}

fn looks(face: bool, critical: bool, members: BTreeSet<SmolStr>) -> Face {
    Face {
        severity: if critical { Severity::Critical } else { Severity::Warning },
        summary: String::new(),
        face: BTreeMap::from([("face", json!(face))]),
        details: Value::Null,
        evidence: Vec::new(),
        members,
    }
}

/// One epoch with nothing in it but its header and its end.
fn bytes(number: usize, epoch: &Epoch) -> Vec<u8> {
    let word = WORDS.iter().position(|word| *word == epoch.word).unwrap() as u64;
    let start = format!("2026-11-21T09:{:02}:{:02}Z", number / 60, number % 60);
    let header: EpochLine = serde_json::from_value(json!({
        "format": { "name": "nats-hindsight-snapshot", "version": "1.0" },
        "uuid": format!("{number:036}"), "system": "prod", "system_set": true,
        "collector": { "id": format!("c{}", epoch.track) }, "start": start,
        "asked": { "confirm_after_ms": word + 16 * epoch.members },
    }))
    .unwrap();
    let writer = SnapshotWriter::start(Vec::new(), &header).unwrap();
    writer.finish(header.start, false, ExpectsLine::default()).unwrap().1
}

fn findings(epochs: &[Epoch]) -> Vec<Finding> {
    let bytes: Vec<u8> =
        epochs.iter().enumerate().flat_map(|(number, epoch)| bytes(number, epoch)).collect();
    let source = Source::Held { name: "probe".to_owned(), bytes: Arc::from(bytes) };
    let intake = open(&[source], &Reading::default(), &|_, _| {}).unwrap();
    let options = Options { checks: vec![&PROBE], threads: Some(1), ..Options::default() };
    let mut report = analyze(&intake, &options, &|_, _| {}).unwrap();
    let mut found = std::mem::take(&mut report.systems[0].findings);
    found.sort_by_key(|finding| finding.opened.moment.epoch);
    found
}

/// An interval as the model has it: epochs by number.
#[derive(Debug, PartialEq)]
struct Interval {
    opened: usize,
    last_ok: Option<usize>,
    last_seen: usize,
    closed: Option<(usize, &'static str, Option<usize>)>,
    /// Epochs in it of which nothing is known.
    gaps: BTreeSet<usize>,
    /// Epochs in which it became another.
    changes: Vec<usize>,
    worst: Severity,
    severity: Severity,
}

fn severity(word: Word) -> Severity {
    if matches!(word, Word::Bad(_, true)) { Severity::Critical } else { Severity::Warning }
}

fn is_bad(word: Word) -> bool {
    matches!(word, Word::Bad(..))
}

/// The first epoch after `from` that ends an interval which opened there: a good word from a track
/// that saw it bad, or from one that sees all who were bad last.
fn closing(epochs: &[Epoch], from: usize) -> Option<usize> {
    (from + 1..epochs.len()).find(|at| {
        let now = epochs[*at];
        let seen = match now.word {
            Word::Ok => members(now.members),
            Word::Ended | Word::UnknownButCured => BTreeSet::new(),
            _ => return false,
        };
        let bad: Vec<&Epoch> = epochs[from..*at].iter().filter(|e| is_bad(e.word)).collect();
        let concerned = bad.last().map(|last| members(last.members)).unwrap_or_default();
        bad.iter().any(|one| one.track == now.track) || concerned.is_subset(&seen)
    })
}

/// The last epoch before in which something was said.
fn before(epochs: &[Epoch], at: usize) -> Option<usize> {
    (0..at).rfind(|before| epochs[*before].word != Word::Nothing)
}

fn model(epochs: &[Epoch]) -> Vec<Interval> {
    let mut intervals: Vec<Interval> = Vec::new();
    let mut from = 0;
    while let Some(opened) = (from..epochs.len()).find(|at| is_bad(epochs[*at].word)) {
        let end = closing(epochs, opened);
        let inside = opened..end.unwrap_or(epochs.len());
        let bad: Vec<usize> = inside.clone().filter(|at| is_bad(epochs[*at].word)).collect();
        let changes = bad.windows(2).filter(|pair| epochs[pair[0]].word != epochs[pair[1]].word);
        let worst = bad.iter().map(|at| severity(epochs[*at].word)).max();
        let last_seen = *bad.last().unwrap_or(&opened);
        let ended = end.map(|at| {
            let how = if epochs[at].word == Word::Ended { "ended" } else { "cured" };
            (at, how, Some(last_seen).filter(|last| last + 1 == at))
        });
        // A good word that ended an interval before is as good as any.
        let last_ok = before(epochs, opened).filter(|at| epochs[*at].word == Word::Ok);
        intervals.push(Interval {
            opened,
            last_ok,
            last_seen,
            closed: ended,
            gaps: inside
                .filter(|at| {
                    matches!(
                        epochs[*at].word,
                        Word::Unknown | Word::Nothing | Word::UnknownButCured
                    )
                })
                .collect(),
            changes: std::iter::once(opened).chain(changes.map(|pair| pair[1])).collect(),
            worst: worst.unwrap_or(Severity::Warning),
            severity: severity(epochs[last_seen].word),
        });
        let Some(end) = end else { break };
        from = end + 1;
    }
    intervals
}

fn interval(finding: &Finding) -> Interval {
    let gaps = finding.gaps.iter().filter(|gap| gap.reason != "not_recorded");
    Interval {
        opened: finding.opened.moment.epoch,
        last_ok: finding.opened.last_ok.as_ref().map(|moment| moment.epoch),
        last_seen: finding.last_seen.epoch,
        closed: finding.closed.as_ref().map(|closed| {
            (closed.moment.epoch, closed.how, closed.last_bad.as_ref().map(|bad| bad.epoch))
        }),
        gaps: gaps.flat_map(|gap| gap.from..=gap.to).collect(),
        changes: finding.changes.iter().map(|change| change.moment.epoch).collect(),
        worst: finding.worst_severity,
        severity: finding.severity,
    }
}

fn epochs() -> impl Strategy<Value = Vec<Epoch>> {
    let one = (0..2_usize, 0..WORDS.len(), 0_u64..8).prop_map(|(track, word, members)| Epoch {
        track,
        word: WORDS[word],
        members,
    });
    prop::collection::vec(one, 1..14)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn intervals_are_those_of_the_whole_sequence(epochs in epochs()) {
        let found = findings(&epochs);
        let told: Vec<Interval> = found.iter().map(interval).collect();
        prop_assert_eq!(told, model(&epochs));
        for (number, finding) in found.iter().enumerate() {
            prop_assert_eq!(finding.flaps, number);
            prop_assert_eq!(finding.opened.at_or_before, finding.opened.last_ok.is_none());
        }
    }
}
