//! Unites frames into epochs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_snapshot::format::line::minor;
use nats_hindsight_snapshot::format::{FrameAt, Limits, Line, MINOR, NAME, VERSION};
use nats_hindsight_snapshot::lines::{
    AskedLine, CollectorLine, EndLine, EpochLine, ExpectsLine, FormatName, FrameLine, RunLine,
};
use sha2::{Digest, Sha256};

use super::capture::Captured;
use super::gather::Gathered;
use super::index::{EpochIndex, FrameRef};
use super::reader::{Files, FrameReader};
use super::{Problem, parallel};

/// Outcomes of an epoch that are held until it is read, so that its end need not be read again.
pub(super) const MOST_OUTCOMES: usize = 32;

/// Ranges of missing frames that are told.
const TOLD: usize = 10;

/// The frames found of one epoch.
struct Parts {
    frames: BTreeMap<u64, FrameRef>,
    first: FrameLine,
    lost: Vec<(u64, Problem)>,
    differing: BTreeSet<u64>,
}

/// The epochs in order, and the problems of what is in none of them.
pub(super) fn unite(gathered: Gathered, limits: &Limits) -> (Vec<EpochIndex>, Vec<Problem>) {
    let Gathered { places, frames, lost, mut problems, captures, .. } = gathered;
    let files = Arc::new(Files::new(places, limits.clone()));
    let mut epochs = assemble(frames, &files);
    for (n, problem) in lost {
        match problem.epoch.as_ref().and_then(|uuid| epochs.get_mut(uuid)) {
            // Another copy of the frame may be whole. Then the epoch has lost nothing.
            Some(parts) if !parts.frames.contains_key(&n) => parts.lost.push((n, problem)),
            _ => problems.push(problem),
        }
    }
    let epochs: Vec<(String, Parts)> = epochs.into_iter().collect();
    let opened = parallel::each(
        epochs.len(),
        |_| false,
        |index| {
            let (uuid, parts) = &epochs[index];
            open(uuid, parts, &files)
        },
    );
    let used =
        |opened: Result<EpochIndex, Problem>| opened.map_err(|refused| problems.push(refused)).ok();
    let mut indices: Vec<EpochIndex> = opened.into_iter().filter_map(used).collect();
    let (captured, repeated) = captured(captures, &files);
    indices.extend(captured);
    problems.extend(repeated);
    indices.sort_by(|a, b| {
        let order = |index: &EpochIndex| (index.head.start, index.head.run.sequence);
        order(a).cmp(&order(b)).then_with(|| a.uuid.cmp(&b.uuid))
    });
    (indices, problems)
}

/// Epochs that no collector of ours recorded. The same one, packed another way, is used once.
fn captured(captures: Vec<Captured>, files: &Arc<Files>) -> (Vec<EpochIndex>, Vec<Problem>) {
    let mut all: BTreeMap<String, EpochIndex> = BTreeMap::new();
    let mut problems = Vec::new();
    for captured in captures {
        let Captured { head, end, digest, whole, servers, capture, problems: found } = captured;
        let index = EpochIndex {
            uuid: head.uuid.clone(),
            has_header: true,
            totals: Some(end),
            end_known: true,
            frames: Vec::new(),
            digest,
            complete: whole,
            problems: found,
            answered: Some(servers),
            capture: Some(Arc::new(capture)),
            files: Arc::clone(files),
            head,
        };
        if all.contains_key(&index.uuid) {
            problems.push(Problem {
                epoch: Some(index.uuid.clone()),
                kind: "capture_repeated",
                text: "the same capture is in another input as well; it is used once".to_owned(),
                where_: index.place(),
            });
        } else {
            all.insert(index.uuid.clone(), index);
        }
    }
    let mut all: Vec<EpochIndex> = all.into_values().collect();
    overlaps(&mut all);
    (all, problems)
}

/// Says of captures of the same servers that one began before another had ended: what changed in
/// between may be in both, or in none.
fn overlaps(captured: &mut [EpochIndex]) {
    captured.sort_by(|a, b| (a.head.start, &a.uuid).cmp(&(b.head.start, &b.uuid)));
    for at in 1..captured.len() {
        let (before, rest) = captured.split_at_mut(at);
        let (Some(before), Some(index)) = (before.last(), rest.first_mut()) else { return };
        let ended = before.totals.as_ref().map(|end| end.end);
        let (Some(a), Some(b)) = (&before.capture, &index.capture) else { continue };
        if ended.is_some_and(|ended| index.head.start < ended)
            && !a.servers().is_disjoint(&b.servers())
        {
            index.problems.push(Problem {
                epoch: Some(index.uuid.clone()),
                kind: "captures_overlap",
                text: format!(
                    "it began before capture {} of the same servers had ended",
                    before.uuid
                ),
                where_: index.place(),
            });
            index.problems.sort();
        }
    }
}

fn assemble(frames: Vec<(usize, Vec<FrameAt>)>, files: &Files) -> BTreeMap<String, Parts> {
    let mut epochs: BTreeMap<String, Parts> = BTreeMap::new();
    let mut reader = FrameReader::new(files);
    let frames = frames
        .into_iter()
        .flat_map(|(place, frames)| frames.into_iter().map(move |frame| (place, frame)));
    for (place, FrameAt { offset, stored, length, line }) in frames {
        let endpoint = Endpoint::named(line.endpoint.as_str());
        let frame = FrameRef { place, offset, stored, length, n: line.n, endpoint };
        let parts = match epochs.get_mut(&line.epoch) {
            Some(parts) => parts,
            None => epochs.entry(line.epoch.clone()).or_insert_with(|| Parts {
                frames: BTreeMap::new(),
                first: line.clone(),
                lost: Vec::new(),
                differing: BTreeSet::new(),
            }),
        };
        if line.n < parts.first.n {
            parts.first = line;
        }
        parts.add(frame, &mut reader);
    }
    epochs
}

impl Parts {
    fn add(&mut self, frame: FrameRef, reader: &mut FrameReader<'_>) {
        let n = frame.n;
        let Some(kept) = self.frames.get(&n) else {
            self.frames.insert(n, frame);
            return;
        };
        let mut rank = |at: &FrameRef| {
            let digest = reader.stored(at).map(Sha256::digest).ok();
            // What cannot be read comes last.
            (digest.is_none(), digest, at.endpoint.clone())
        };
        let (old, new) = (rank(kept), rank(&frame));
        if old.1 != new.1 {
            self.differing.insert(n);
        }
        if new < old {
            self.frames.insert(n, frame);
        }
    }
}

/// Reads header and end of an epoch. Fails with the reason why the epoch cannot be used.
fn open(uuid: &str, parts: &Parts, files: &Arc<Files>) -> Result<EpochIndex, Problem> {
    let mut index = EpochIndex {
        uuid: uuid.to_owned(),
        head: minimal(&parts.first),
        has_header: false,
        totals: None,
        end_known: false,
        frames: parts.frames.values().cloned().collect(),
        digest: String::new(),
        complete: false,
        problems: parts.lost.iter().map(|(_, problem)| problem.clone()).collect(),
        answered: None,
        capture: None,
        files: Arc::clone(files),
    };
    let where_ = index.place();
    let problem = |(kind, text): (&'static str, String)| Problem {
        epoch: Some(uuid.to_owned()),
        kind,
        text,
        where_: where_.clone(),
    };
    if let Some(refused) = read_ends(&mut index) {
        return Err(problem(("newer_major", refused)));
    }
    let found: Vec<_> = judge(&index).collect();
    index.complete =
        index.problems.is_empty() && !found.iter().any(|(kind, _)| *kind != "newer_minor");
    index.problems.extend(found.into_iter().map(problem));
    index.problems.extend(parts.differing.iter().map(|n| problem(differing(*n))));
    match index.take_digest() {
        Ok(digest) => index.digest = digest,
        Err(error) => {
            let text = format!("cannot be read: {error}");
            index.problems.push(problem(("frame_unreadable", text)));
        }
    }
    index.problems.sort();
    Ok(index)
}

fn differing(n: u64) -> (&'static str, String) {
    let text = format!(
        "frame {n} is there with differing contents; the one with the lowest digest is used"
    );
    ("frames_differ", text)
}

/// Header and end of an epoch into its index; or the reason why the epoch cannot be used.
fn read_ends(index: &mut EpochIndex) -> Option<String> {
    let (mut header, mut end, mut other, mut odd) = (None, None, None, false);
    let wanted = |endpoint: &Endpoint| [Endpoint::EPOCH, Endpoint::END].contains(endpoint);
    let problems = index.read(&wanted, &mut |line| match line {
        Line::Epoch(line) => {
            header.get_or_insert_with(|| line.expecting(ExpectsLine::default()));
        }
        Line::End(line) if end.is_none() => end = Some(line.without_memory()),
        Line::OtherMajor { version, collector } => other = Some(other_major(&version, &collector)),
        // Whoever reads the epoch counts what is unknown, and takes the last of several ends.
        Line::Unknown { .. } | Line::End(_) => odd = true,
        _ => {}
    });
    if let Some(head) = header {
        index.has_header = true;
        index.head = head;
    }
    let few = end.as_ref().is_some_and(|end| end.outcomes.len() <= MOST_OUTCOMES);
    index.end_known = few && !odd && problems.is_empty();
    let without_outcomes = |end| EndLine { outcomes: Vec::new(), ..end };
    index.totals = if index.end_known { end } else { end.map(without_outcomes) };
    index.problems.extend(problems);
    other
}

fn other_major(version: &str, collector: &str) -> String {
    format!(
        "recorded in format {version} by collector {collector}, this release reads {VERSION}; \
         a hindsight of that release or later reads it"
    )
}

/// What an epoch lacks.
fn judge(index: &EpochIndex) -> impl Iterator<Item = (&'static str, String)> {
    let header = (!index.has_header).then(|| {
        (
            "header_lost",
            "the header is lost; what the collector asked and expected is not known".to_owned(),
        )
    });
    let end = index.totals.is_none().then(|| {
        (
            "epoch_cut",
            "the epoch has no end: the recording was cut, or its last frame is lost; if the \
             original is whole, copy it again"
                .to_owned(),
        )
    });
    let missing = missing(index).map(|text| ("frames_missing", text));
    let version = &index.head.format.version;
    let newer = (minor(version) > MINOR).then(|| {
        let text = format!("recorded in format {version}, this release knows {VERSION}: what it does not know is passed over");
        ("newer_minor", text)
    });
    [header, end, missing, newer].into_iter().flatten()
}

/// Which frames are missing.
fn missing(index: &EpochIndex) -> Option<String> {
    let mut ranges = Vec::new();
    let mut next = 0_u64;
    for frame in &index.frames {
        if frame.n > next {
            ranges.push((next, frame.n - 1));
        }
        next = frame.n.saturating_add(1);
    }
    let count: u64 =
        ranges.iter().fold(0, |sum, (from, to)| sum.saturating_add(to - from).saturating_add(1));
    if count == 0 {
        return None;
    }
    let mut names: Vec<String> = ranges
        .iter()
        .take(TOLD)
        .map(|(from, to)| if from == to { from.to_string() } else { format!("{from}-{to}") })
        .collect();
    if ranges.len() > TOLD {
        names.push("…".to_owned());
    }
    Some(format!("missing frames ({count}): {}", names.join(", ")))
}

/// What the frames of an epoch tell of its header.
fn minimal(first: &FrameLine) -> EpochLine {
    EpochLine {
        format: FormatName { name: NAME.to_owned(), version: VERSION.to_owned() },
        uuid: first.epoch.clone(),
        system: first.system.clone(),
        system_set: false,
        collector: CollectorLine::default(),
        run: RunLine::default(),
        start: first.start,
        asked: AskedLine::default(),
        connections: Vec::new(),
        expects: ExpectsLine::default(),
    }
}
