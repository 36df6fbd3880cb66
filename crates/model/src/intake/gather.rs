//! Scans every input.

use std::collections::BTreeSet;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use nats_hindsight_snapshot::format::ReadAt;
use nats_hindsight_snapshot::format::{self, Damage, DamageKind, FrameAt, Limits, Scan, scan};

use super::capture::{self, Captured, Saved};
use super::discover::Discovered;
use super::foreign::seems_to_be;
use super::look::{self, Looked, Sort};
use super::place::Place;
use super::room::Room;
use super::{Input, Problem, parallel};

/// Problems of one input that are told one by one.
const TOLD: usize = 200;

/// Every input with what was found in it.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub(super) places: Vec<Place>,
    pub(super) inputs: Vec<Input>,
    /// Index of the place, and its frames.
    pub(super) frames: Vec<(usize, Vec<FrameAt>)>,
    /// Frames known to be lost: the epoch, the number, and the problem.
    pub(super) lost: Vec<(u64, Problem)>,
    pub(super) problems: Vec<Problem>,
    /// Epochs that no collector of ours recorded.
    pub(super) captures: Vec<Captured>,
    /// Replies that are to be put together.
    saved: Vec<Saved>,
    /// What is inside of archives.
    nested: Vec<Place>,
}

/// What one look at an input found.
enum Found {
    Snapshot(Scanned),
    Other(Looked),
    /// It merely lies beside inputs.
    Nothing,
}

/// What one scan found.
struct Scanned {
    scan: Scan,
    frames: Vec<FrameAt>,
    damage: Vec<Damage>,
    untold: usize,
    head: Vec<u8>,
}

/// Scans all inputs, in parallel.
pub(super) fn gather(
    discovered: Discovered,
    limits: &Limits,
    progress: &(dyn Fn(u64, u64) + Sync),
) -> Gathered {
    let Discovered { places, problems } = discovered;
    let total = places.iter().map(|place| place.size).sum();
    let done = AtomicU64::new(0);
    let tell = |more: u64| progress(done.fetch_add(more, Ordering::Relaxed) + more, total);
    let mut all = Gathered { problems, ..Gathered::default() };
    let mut seen = BTreeSet::new();
    all.take(places, true, limits, &tell, &mut seen);
    // Archives in archives are opened once: what is in those again is told, and not looked at.
    let nested = std::mem::take(&mut all.nested);
    all.take(nested, false, limits, &|_| {}, &mut seen);
    let (captures, problems) = capture::unite(std::mem::take(&mut all.saved), &all.places);
    all.captures.extend(captures);
    all.problems.extend(problems);
    all
}

/// Looks at one input: as a snapshot, unless it begins like something else.
fn look_at(
    at: usize,
    place: &Place,
    nesting: bool,
    limits: &Limits,
    room: &Room,
    tell: &dyn Fn(u64),
) -> io::Result<Found> {
    let source = place.open()?;
    let head = look::head(source.as_ref())?;
    let sort = look::sort(&head, &place.name);
    if sort == Sort::Other && !place.named {
        tell(place.size);
        return Ok(Found::Nothing);
    }
    let container =
        || room.with(place.size, || look::container(at, place, source.as_ref(), nesting, limits));
    if sort == Sort::Container
        && let Some(looked) = container()?
    {
        tell(place.size);
        return Ok(Found::Other(looked));
    }
    let scanned = scan_place(place, source.as_ref(), head, limits, tell)?;
    let looked = match sort {
        _ if !scanned.is_foreign() => None,
        Sort::Zstd => container()?,
        Sort::Text => look::replies(at, place, source.as_ref(), limits)?,
        _ => None,
    };
    Ok(looked.map_or(Found::Snapshot(scanned), Found::Other))
}

/// Whether it is an archive of which no two are opened at the same time.
fn is_large_archive(place: &Place) -> bool {
    let head = || look::head(place.open()?.as_ref());
    Room::fits_one(place.size)
        && head().is_ok_and(|head| look::sort(&head, &place.name) == Sort::Container)
}

fn scan_place(
    place: &Place,
    source: &dyn ReadAt,
    head: Vec<u8>,
    limits: &Limits,
    tell: &dyn Fn(u64),
) -> io::Result<Scanned> {
    let (mut frames, mut damage, mut untold, mut told) = (Vec::new(), Vec::new(), 0, 0);
    let mut epochs = Epochs::default();
    let scan = scan(source, limits, &mut |found| match found {
        format::Found::Frame(frame) => {
            let end = frame.offset + frame.stored;
            tell(end - told);
            told = end;
            if epochs.take(&frame, limits) {
                frames.push(frame);
            }
        }
        format::Found::Damage(stretch) if damage.len() < TOLD => damage.push(stretch),
        format::Found::Damage(_) => untold += 1,
    })?;
    tell(place.size.saturating_sub(told));
    damage.extend(epochs.beyond(limits));
    Ok(Scanned { scan, frames, damage, untold, head })
}

/// The epochs of one input, and what is beyond the limit of them.
#[derive(Default)]
struct Epochs {
    known: BTreeSet<String>,
    beyond: u64,
    /// Where the first frame beyond stands.
    from: u64,
}

impl Epochs {
    /// Whether a frame is of one of the first epochs.
    fn take(&mut self, frame: &FrameAt, limits: &Limits) -> bool {
        if self.known.contains(&frame.line.epoch) {
            return true;
        }
        let room = (self.known.len() as u64) < limits.max_epochs;
        if room {
            self.known.insert(frame.line.epoch.clone());
        } else {
            self.from = if self.beyond == 0 { frame.offset } else { self.from };
            self.beyond += 1;
        }
        room
    }

    fn beyond(&self, limits: &Limits) -> Option<Damage> {
        let text = format!(
            "the input has more epochs than limit `max_epochs`, {}; {} frames of others are passed \
             over",
            limits.max_epochs, self.beyond
        );
        let (offset, kind) = (self.from, DamageKind::Limit);
        (self.beyond > 0).then_some(Damage { offset, length: 0, kind, text, frame: None })
    }
}

impl Scanned {
    /// Whether nothing in it is of a snapshot.
    fn is_foreign(&self) -> bool {
        let nothing =
            |stretch: &Damage| matches!(stretch.kind, DamageKind::Garbage | DamageKind::Foreign);
        self.frames.is_empty() && self.damage.iter().all(nothing)
    }
}

impl Gathered {
    /// Looks at some inputs, in parallel. `nesting` is for those that are in no archive themselves.
    fn take(
        &mut self,
        places: Vec<Place>,
        nesting: bool,
        limits: &Limits,
        tell: &(dyn Fn(u64) + Sync),
        seen: &mut BTreeSet<String>,
    ) {
        let (first, room) = (self.places.len(), Room::default());
        let large = |index: usize| is_large_archive(&places[index]);
        let looked = parallel::each(places.len(), large, |index| {
            look_at(first + index, &places[index], nesting, limits, &room, &tell)
        });
        for (index, (place, found)) in places.iter().zip(looked).enumerate() {
            match found {
                Ok(Found::Snapshot(scanned)) => {
                    self.add(first + index, place, nesting, scanned, seen);
                }
                Ok(Found::Nothing) => {}
                Ok(Found::Other(looked)) => self.other(place, nesting, looked, seen),
                Err(error) => self.problems.push(Problem {
                    epoch: None,
                    kind: "input_unreadable",
                    text: format!("cannot be read: {error}"),
                    where_: Some(place.name.clone()),
                }),
            }
        }
        self.places.extend(places);
    }

    fn other(&mut self, place: &Place, input: bool, found: Looked, seen: &mut BTreeSet<String>) {
        let Looked { kind, digest, bytes, captures, saved, nested, problems } = found;
        // Of an archive of the gatherer that is of no use it was said why.
        let nothing = kind == "bundle" && nested.is_empty();
        let kind = if nothing { "foreign" } else { kind };
        if input {
            let (path, digest) = (place.name.clone(), digest.clone());
            self.inputs.push(Input { path, digest, kind, bytes });
        }
        if !seen.insert(digest) {
            return;
        }
        if nothing {
            self.foreign(place, "an archive of which nothing can be read, or nothing is of NATS");
        }
        self.captures.extend(captures);
        self.saved.extend(saved);
        self.nested.extend(nested);
        self.problems.extend(problems);
    }

    fn foreign(&mut self, place: &Place, what: &str) {
        self.problems.push(Problem {
            epoch: None,
            kind: "input_foreign",
            text: format!("no snapshot: it seems to be {what}"),
            where_: Some(place.name.clone()),
        });
    }

    fn add(
        &mut self,
        index: usize,
        place: &Place,
        input: bool,
        found: Scanned,
        seen: &mut BTreeSet<String>,
    ) {
        let foreign = found.is_foreign();
        let Scanned { scan, frames, damage, untold, head } = found;
        // A text that nobody named and that holds no reply just lies beside the others.
        if foreign && !place.named && look::sort(&head, &place.name) == Sort::Text {
            return;
        }
        let kind = match scan.bytes {
            0 => "empty",
            _ if foreign => "foreign",
            _ => "snapshot",
        };
        if input {
            self.inputs.push(Input {
                path: place.name.clone(),
                digest: scan.digest.clone(),
                kind,
                bytes: scan.bytes,
            });
        }
        // The same bytes under another name tell nothing new, not even problems.
        if !seen.insert(scan.digest) {
            return;
        }
        self.frames.push((index, frames));
        if kind == "foreign" {
            self.foreign(place, seems_to_be(&head));
            return;
        }
        for stretch in damage {
            self.damage(place, stretch);
        }
        if untold > 0 {
            self.problems.push(Problem {
                epoch: None,
                kind: "more_damage",
                text: format!("{untold} more damaged stretches"),
                where_: Some(place.name.clone()),
            });
        }
    }

    fn damage(&mut self, place: &Place, stretch: Damage) {
        let where_ = Some(place.at(stretch.offset));
        let kind = stretch.kind.as_str();
        let Some(line) = stretch.frame else {
            let text = match stretch.length {
                0 => stretch.text.clone(),
                bytes => format!("{} ({bytes} bytes)", stretch.text),
            };
            self.problems.push(Problem { epoch: None, kind, text, where_ });
            return;
        };
        let text = format!("frame {} ({}): {}", line.n, line.endpoint, stretch.text);
        self.lost.push((line.n, Problem { epoch: Some(line.epoch), kind, text, where_ }));
    }
}
