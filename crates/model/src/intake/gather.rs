//! Scans every input.

use std::collections::BTreeSet;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use nats_hindsight_snapshot::format::source::read_up_to;
use nats_hindsight_snapshot::format::{Damage, DamageKind, Found, FrameAt, Limits, Scan, scan};

use super::discover::Discovered;
use super::foreign::seems_to_be;
use super::place::Place;
use super::{Input, Problem, parallel};

/// Problems of one input that are told one by one.
const TOLD: usize = 200;

/// Every input with what was found in it.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub(super) places: Vec<Place>,
    pub(super) inputs: Vec<Input>,
    /// Index of the place, and the frame.
    pub(super) frames: Vec<(usize, FrameAt)>,
    /// Frames known to be lost: the epoch, the number, and the problem.
    pub(super) lost: Vec<(u64, Problem)>,
    pub(super) problems: Vec<Problem>,
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
    let scanned = parallel::each(places.len(), |index| scan_place(&places[index], limits, &tell));
    let mut all = Gathered { problems, ..Gathered::default() };
    let mut seen = BTreeSet::new();
    for (index, (place, scanned)) in places.iter().zip(scanned).enumerate() {
        match scanned {
            Ok(scanned) => all.add(index, place, scanned, &mut seen),
            Err(error) => all.problems.push(Problem {
                epoch: None,
                kind: "input_unreadable",
                text: format!("cannot be read: {error}"),
                where_: Some(place.name.clone()),
            }),
        }
    }
    all.places = places;
    all
}

fn scan_place(place: &Place, limits: &Limits, tell: &dyn Fn(u64)) -> io::Result<Scanned> {
    let source = place.open()?;
    let (mut frames, mut damage, mut untold, mut told) = (Vec::new(), Vec::new(), 0, 0);
    let mut epochs = Epochs::default();
    let scan = scan(source.as_ref(), limits, &mut |found| match found {
        Found::Frame(frame) => {
            let end = frame.offset + frame.stored;
            tell(end - told);
            told = end;
            if epochs.take(&frame, limits) {
                frames.push(frame);
            }
        }
        Found::Damage(stretch) if damage.len() < TOLD => damage.push(stretch),
        Found::Damage(_) => untold += 1,
    })?;
    tell(place.size.saturating_sub(told));
    damage.extend(epochs.beyond(limits));
    let mut head = Vec::new();
    if frames.is_empty() {
        read_up_to(source.as_ref(), 0, 512, &mut head)?;
    }
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

impl Gathered {
    fn add(&mut self, index: usize, place: &Place, found: Scanned, seen: &mut BTreeSet<String>) {
        let Scanned { scan, frames, damage, untold, head } = found;
        let nothing =
            |stretch: &Damage| matches!(stretch.kind, DamageKind::Garbage | DamageKind::Foreign);
        let foreign = frames.is_empty() && damage.iter().all(nothing);
        let kind = match scan.bytes {
            0 => "empty",
            _ if foreign => "foreign",
            _ => "snapshot",
        };
        self.inputs.push(Input {
            path: place.name.clone(),
            digest: scan.digest.clone(),
            kind,
            bytes: scan.bytes,
        });
        // The same bytes under another name tell nothing new, not even problems.
        if !seen.insert(scan.digest) {
            return;
        }
        self.frames.extend(frames.into_iter().map(|frame| (index, frame)));
        if kind == "foreign" {
            self.problems.push(Problem {
                epoch: None,
                kind: "input_foreign",
                text: format!("no snapshot: it seems to be {}", seems_to_be(&head)),
                where_: Some(place.name.clone()),
            });
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
