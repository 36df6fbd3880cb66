//! An archive that lacks an artifact never says more, and never the opposite; and what changes is
//! explained.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nats_hindsight_analyzer::report::{Report, Subject};
use nats_hindsight_model::intake::{Intake, Source, open};
use nats_hindsight_snapshot::format::Limits;
use nats_hindsight_tests::verdicts::{Judged, name};
use nats_hindsight_tests::workers::on_all_cores;

use super::archive::{Archive, Artifact, Loss};
use super::{archives, folders, founding, scenarios};

/// Kinds of artifacts that the founding checks read, and the endpoints whose replies they hold.
const READ: [(&str, &str); 6] = [
    ("variables", "VARZ"),
    ("connections", "CONNZ"),
    ("routes", "ROUTEZ"),
    ("leafs", "LEAFZ"),
    ("accounts", "ACCOUNTZ"),
    ("account_connections", "CONNZ"),
];

type Key = (usize, &'static str, Subject);

type Verdicts = BTreeMap<Key, &'static str>;

fn verdicts(judged: &Judged) -> Verdicts {
    let rows = judged.log.iter();
    rows.map(|row| ((row.epoch, row.code, row.subject.clone()), row.verdict)).collect()
}

fn is_allowed(before: &str, after: &str) -> bool {
    after == "unknown" || after == before
}

/// What was taken away: how it is called, from which epoch, and whether it lists connections or
/// tells whose they are, from which alone services are known.
struct Taken<'a> {
    text: &'a str,
    epoch: usize,
    lists: bool,
}

impl Taken<'_> {
    /// Whether nothing is left that names a subject: a service is remembered from the first epoch
    /// in which it is listed.
    fn may_vanish(&self, whole: &Verdicts, (epoch, _, subject): &Key) -> bool {
        let listed = |at: &usize| {
            *at != self.epoch
                && whole.get(&(*at, "SERVICE_002", subject.clone())).is_some_and(|is| *is == "ok")
        };
        self.lists
            && matches!(subject, Subject::Service { .. })
            && !(0..=*epoch).any(|e| listed(&e))
    }
}

/// Every wrong move from what is said with something to what is said without it, and how many
/// moves there are at all.
fn compare(whole: &Verdicts, less: &Verdicts, taken: &Taken<'_>) -> (Vec<String>, usize) {
    let (mut wrong, mut moves) = (Vec::new(), 0);
    let mut say = |(epoch, code, subject): &Key, what: String| {
        let subject = name(subject);
        wrong.push(format!("without {}: {code} {subject} in epoch {epoch} {what}", taken.text));
    };
    for (key, before) in whole {
        let after = less.get(key);
        moves += usize::from(Some(before) != after);
        match after {
            Some(after) if !is_allowed(before, after) => {
                say(key, format!("went from {before} to {after}"));
            }
            None if !taken.may_vanish(whole, key) => say(key, "vanished".to_owned()),
            _ => {}
        }
    }
    for key in less.keys().filter(|key| !whole.contains_key(*key)) {
        say(key, "appeared".to_owned());
    }
    (wrong, moves)
}

/// Whether the report names what was taken from an epoch: coverage has a gap of its endpoint, for
/// its server or for all, an unknown hides behind the server, or a problem names the entry.
fn is_explained(report: &Report, epoch: usize, endpoint: &str, artifact: &Artifact) -> bool {
    let server = artifact.server.as_deref().unwrap_or_default();
    let within =
        |epochs: &[[usize; 2]]| epochs.iter().any(|[from, to]| (*from..=*to).contains(&epoch));
    let mut problems = report.problems.iter();
    let told = |text: Option<&str>| text.is_some_and(|text| text.contains(&artifact.entry));
    let in_problems = problems
        .any(|problem| told(problem.where_.as_deref()) || told(Some(problem.text.as_str())));
    in_problems
        || report.systems.iter().any(|system| {
            let coverage = system.coverage.iter().filter(|row| row.endpoint == endpoint);
            let mut gaps = coverage.flat_map(|row| &row.gaps).filter(|gap| within(&gap.epochs));
            let mut unknowns = system.unknowns.iter().filter(|unknown| within(&unknown.epochs));
            gaps.any(|gap| gap.targets.is_empty() || gap.targets.iter().any(|t| t == server))
                || unknowns.any(|unknown| unknown.text.contains(server))
        })
}

/// One sequence, and the epoch from which everything is taken in turn.
struct Job {
    sequence: Arc<Sequence>,
    epoch: usize,
}

struct Sequence {
    folder: PathBuf,
    archives: Vec<(String, Arc<[u8]>)>,
    whole: Verdicts,
}

impl Sequence {
    fn of(folder: &Path) -> Self {
        let read = |path: &PathBuf| (path.display().to_string(), fs::read(path).unwrap().into());
        let archives: Vec<(String, Arc<[u8]>)> = archives(folder).iter().map(read).collect();
        let whole = verdicts(&founding(&held(&archives)));
        Self { folder: folder.to_owned(), archives, whole }
    }

    /// What is said where one archive is another one.
    fn with(&self, epoch: usize, bytes: Vec<u8>) -> Intake {
        let mut archives = self.archives.clone();
        archives[epoch].1 = bytes.into();
        held(&archives)
    }
}

fn held(archives: &[(String, Arc<[u8]>)]) -> Intake {
    let sources: Vec<Source> = archives
        .iter()
        .map(|(name, bytes)| Source::Held { name: name.clone(), bytes: Arc::clone(bytes) })
        .collect();
    open(&sources, &Limits::default(), &|_, _| {}).unwrap()
}

/// What came of taking things away.
#[derive(Default)]
struct Outcome {
    taken: usize,
    moved: usize,
    wrong: Vec<String>,
}

impl Job {
    fn run(&self) -> Outcome {
        let Sequence { folder, archives, .. } = &*self.sequence;
        let mut outcome = Outcome::default();
        let Some(archive) = Archive::of(archives[self.epoch].1.to_vec()) else {
            return outcome;
        };
        let of = format!("{} {}", folder.display(), self.epoch);
        for artifact in archive.artifacts() {
            let read = READ.iter().find(|(kind, _)| *kind == artifact.kind);
            let Some((_, endpoint)) = read else { continue };
            for loss in [Loss::Entry, Loss::Artifact] {
                let intake = self.sequence.with(self.epoch, archive.without(&artifact.entry, loss));
                let judged = founding(&intake);
                let text = format!("{of} {loss:?} {}", artifact.entry);
                let lists = artifact.kind.ends_with("connections");
                let taken = Taken { text: &text, epoch: self.epoch, lists };
                let (wrong, moves) = compare(&self.sequence.whole, &verdicts(&judged), &taken);
                outcome.wrong.extend(wrong);
                if moves > 0 && !is_explained(&judged.report, self.epoch, endpoint, &artifact) {
                    outcome.wrong.push(format!("without {text}: {moves} moves and no word of it"));
                }
                outcome.taken += 1;
                outcome.moved += usize::from(moves > 0);
            }
        }
        outcome
    }
}

/// Every epoch of the newest gatherer, and one of each older one, where there is most to lose.
fn jobs() -> Vec<Job> {
    let mut jobs = Vec::new();
    for scenario in scenarios() {
        for folder in folders(&scenario) {
            let sequence = Arc::new(Sequence::of(&folder));
            let count = sequence.archives.len();
            let epochs = if folder == scenario { 0..count } else { count / 2..count / 2 + 1 };
            jobs.extend(epochs.map(|epoch| Job { sequence: Arc::clone(&sequence), epoch }));
        }
    }
    jobs
}

/// From the archive alone, as if bytes were lost, and from the manifest too, as the gatherer leaves
/// out what did not answer.
#[test]
fn without_each_artifact_of_each_epoch() {
    let outcomes = on_all_cores(&jobs(), Job::run);
    let sum = |of: fn(&Outcome) -> usize| outcomes.iter().map(of).sum::<usize>();
    let wrong: Vec<&String> = outcomes.iter().flat_map(|outcome| &outcome.wrong).collect();
    assert!(wrong.is_empty(), "{} wrong:\n{wrong:#?}", wrong.len());
    let empty = outcomes.iter().filter(|outcome| outcome.taken == 0).count();
    assert_eq!((outcomes.len(), empty), (76, 0));
    // Some of it matters: otherwise nothing would be proven.
    let (taken, moved) = (sum(|outcome| outcome.taken), sum(|outcome| outcome.moved));
    assert!(taken == 3944 && moved >= 15, "{moved} of {taken} moved a verdict");
}

/// An archive that was cut: nobody knows whose the rest was.
#[test]
fn archives_that_were_cut() {
    for scenario in ["service_down", "forgotten_server"] {
        let sequence = Sequence::of(&super::bundles().join(scenario));
        for tenth in 3..10 {
            let mut bytes = sequence.archives[2].1.to_vec();
            bytes.truncate(bytes.len() * tenth / 10);
            let intake = sequence.with(2, bytes);
            assert_eq!(intake.epochs.len(), sequence.archives.len(), "{scenario}: {tenth} tenths");
            assert!(!intake.epochs[2].complete);
            let text = format!("what is behind {tenth} tenths of {scenario}");
            let taken = Taken { text: &text, epoch: 2, lists: true };
            let (wrong, _) = compare(&sequence.whole, &verdicts(&founding(&intake)), &taken);
            assert!(wrong.is_empty(), "{wrong:#?}");
        }
    }
}
