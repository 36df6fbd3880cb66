//! What is expected of a recording that was damaged.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use nats_hindsight_analyzer::engine::Options;
use nats_hindsight_model::intake::{self, Intake, Source};
use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_snapshot::format::{Limits, Scratch, read_frame};
use nats_hindsight_tests::frames::{Piece, files, pieces};
use nats_hindsight_tests::lattice::{Lattice, Loss, Lost};
use nats_hindsight_tests::recording::Recording;
use nats_hindsight_tests::verdicts::{Judged, judge_opened};

/// Scenarios that differ in structure, not only in what went wrong:
///
/// - `healthy`: nothing is wrong, so that nothing may become wrong;
/// - `hung-server`: requests that timed out, a subject that opens and closes;
/// - `service-down`: judged by what earlier epochs and the header of this one expect;
/// - `leaf-nodes`: servers that answer for others, members that are not in a cluster;
/// - `two-accounts`: several connections, the same names in two accounts;
/// - `supercluster`: several clusters under one label;
/// - `expiring-credentials`: facts in rows of connections, judged by the time of the epoch;
/// - `jetstream`: every endpoint, so many frames and some that no check reads;
/// - `clean-stop`: frames of events, which stand between epochs;
/// - `rolling-upgrade`: a story along the sequence.
pub(crate) const SCENARIOS: [&str; 10] = [
    "healthy",
    "hung-server",
    "service-down",
    "leaf-nodes",
    "two-accounts",
    "supercluster",
    "expiring-credentials",
    "jetstream",
    "clean-stop",
    "rolling-upgrade",
];

/// A recording that nobody damaged yet: the last three epochs of a scenario in one file.
pub(crate) struct Whole {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) pieces: Vec<Piece>,
    /// The lines of each piece.
    lines: Vec<Vec<String>>,
    recording: Recording,
    lattice: Lattice,
}

/// What is left of a recording.
pub(crate) struct Expected {
    /// The pieces that are still there, by their place in the whole recording.
    pub(crate) kept: BTreeSet<usize>,
    /// Where damage has to be named, each by at least one problem.
    pub(crate) named: Vec<Range<usize>>,
}

/// A whole recording of a scenario.
pub(crate) fn whole(name: &str) -> Whole {
    let files = files(name);
    let bytes = files[files.len().saturating_sub(3)..].concat();
    let pieces = pieces(&bytes);
    let mut scratch = Scratch::default();
    let lines = pieces
        .iter()
        .map(|piece| {
            let stored = &bytes[piece.frame..piece.bytes.end];
            let frame = read_frame(stored, &Limits::default(), &mut scratch).unwrap();
            frame.lines().map(|line| format!("{line:?}")).collect()
        })
        .collect();
    let mut recording = Recording::fixture(name);
    recording.epochs.drain(..recording.epochs.len().saturating_sub(3));
    let lattice = Lattice::of(&recording, &judge(&open(&bytes)));
    Whole { name: name.to_owned(), bytes, pieces, lines, recording, lattice }
}

/// Opens bytes as an input called `damaged`.
pub(crate) fn open(bytes: &[u8]) -> Intake {
    let source = Source::Held { name: "damaged".to_owned(), bytes: Arc::from(bytes) };
    intake::open(&[source], &Limits::default(), &|_, _| {}).unwrap()
}

impl Whole {
    /// All pieces.
    pub(crate) fn all(&self) -> BTreeSet<usize> {
        (0..self.pieces.len()).collect()
    }

    /// Holds damaged bytes against what must be left of the recording, and its verdicts against
    /// those of the whole.
    pub(crate) fn check(&self, what: &str, bytes: &[u8], expected: &Expected) {
        let began = Instant::now();
        let intake = self.look(what, bytes, expected);
        let what = format!("{} {what}", self.name);
        let wrong = self.lattice.wrong(&judge(&intake), &self.lost(&expected.kept));
        assert!(wrong.is_empty(), "{what}: {wrong:#?}");
        assert!(began.elapsed() < Duration::from_secs(30), "{what}: it took {:?}", began.elapsed());
    }

    /// Holds damaged bytes against what must be left of the recording.
    pub(crate) fn look(&self, what: &str, bytes: &[u8], expected: &Expected) -> Intake {
        let what = format!("{} {what}", self.name);
        let intake = open(bytes);
        self.rows(&what, &intake, &expected.kept);
        named(&what, &intake, &expected.named);
        intake
    }

    /// The lines seen are exactly those of the frames that are left, each in its epoch.
    fn rows(&self, what: &str, intake: &Intake, kept: &BTreeSet<usize>) {
        let mut left: BTreeMap<&str, BTreeMap<u64, &[String]>> = BTreeMap::new();
        for at in kept {
            let line = &self.pieces[*at].line;
            left.entry(&line.epoch).or_default().insert(line.n, &self.lines[*at]);
        }
        let left: BTreeMap<&str, Vec<&String>> = left
            .into_iter()
            .map(|(uuid, frames)| (uuid, frames.into_values().flatten().collect()))
            .collect();
        let seen: BTreeMap<&str, Vec<String>> = intake
            .epochs
            .iter()
            .map(|epoch| {
                let mut lines = Vec::new();
                epoch.read(&|_| true, &mut |line| lines.push(format!("{line:?}")));
                (epoch.uuid.as_str(), lines)
            })
            .collect();
        assert_eq!(
            left.keys().collect::<Vec<_>>(),
            seen.keys().collect::<Vec<_>>(),
            "{what}: epochs"
        );
        for (uuid, lines) in left {
            assert!(seen[uuid].iter().eq(lines), "{what}: other lines in epoch {uuid}");
        }
    }

    /// What stands in the pieces that are not there any more.
    fn lost(&self, kept: &BTreeSet<usize>) -> Lost {
        let mut lost = Lost {
            loss: Loss::Gone,
            told: BTreeSet::new(),
            epochs: BTreeSet::new(),
            headers: BTreeSet::new(),
            whole_epochs: BTreeSet::new(),
            names: ["missing frames", "header is lost", "has no end"].map(str::to_owned).into(),
        };
        for (epoch, recorded) in self.recording.epochs.iter().enumerate() {
            // Replies of one frame stand behind those of the one before; events behind all replies.
            let (mut reply, mut event) = (0, recorded.replies.len());
            let uuid = &recorded.header.uuid;
            let pieces = self.pieces.iter().enumerate();
            let pieces: Vec<_> = pieces.filter(|(_, piece)| piece.line.epoch == *uuid).collect();
            if pieces.iter().all(|(at, _)| !kept.contains(at)) {
                lost.whole_epochs.insert(epoch);
            }
            for (at, piece) in pieces {
                let count = |kind: &str| {
                    self.lines[at].iter().filter(|line| line.starts_with(kind)).count()
                };
                let places = [reply..reply + count("Reply("), event..event + count("Event(")];
                [reply, event] = [places[0].end, places[1].end];
                if kept.contains(&at) {
                    continue;
                }
                lost.told.extend(places.into_iter().flatten().map(|place| (epoch, place)));
                lost.epochs.insert(epoch);
                lost.names.push(piece.line.endpoint.to_string());
                if piece.line.endpoint == Endpoint::EPOCH {
                    lost.headers.insert(epoch);
                }
            }
        }
        lost
    }
}

/// Every stretch of damage is named by the file and an offset in it.
fn named(what: &str, intake: &Intake, stretches: &[Range<usize>]) {
    let problems = || {
        let of_epochs = intake.epochs.iter().flat_map(|epoch| &epoch.problems);
        intake.problems.iter().chain(of_epochs)
    };
    let offsets: Vec<usize> = problems()
        .filter_map(|problem| problem.where_.as_ref()?.strip_prefix("damaged, offset "))
        .map(|offset| offset.parse().unwrap())
        .collect();
    for stretch in stretches {
        let told = offsets.iter().any(|offset| stretch.contains(offset));
        assert!(told, "{what}: nothing told in {stretch:?}: {:?}", problems().collect::<Vec<_>>());
    }
}

fn judge(intake: &Intake) -> Judged {
    let judged = judge_opened(intake, Options::default());
    let failed = judged.log.iter().find(|row| row.reason == Some("check_failed"));
    assert!(failed.is_none(), "{failed:?}");
    judged
}
