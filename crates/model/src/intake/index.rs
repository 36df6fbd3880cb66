//! One epoch: where its frames stand, and how they are read.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;

use jiff::Timestamp;
use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_snapshot::format::{Limits, Line, Reply};
use nats_hindsight_snapshot::lines::{EndLine, EpochLine};
use sha2::{Digest, Sha256};

use super::Problem;
use super::capture::Capture;
use super::place::Place;
use super::reader::{Files, FrameReader};
use crate::expected::Expected;

/// Malformed lines of one endpoint that are told one by one.
const TOLD: usize = 3;

/// Lines that are looked at together.
const RUN: usize = 128;

/// Where one frame of an epoch stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrameRef {
    /// Which input, for this crate only.
    pub(super) place: usize,
    /// Offset of the zstd frame in its input.
    pub offset: u64,
    /// Bytes of the zstd frame.
    pub stored: u64,
    /// Bytes of its lines.
    pub length: u64,
    /// Number of the frame in its epoch.
    pub n: u64,
    /// What it is about.
    pub endpoint: Endpoint,
}

/// A line that is met, and what a look ahead made of it.
pub enum Met<'r, 'a, T> {
    /// A reply.
    Reply(&'r Reply<'a>, T),
    /// Any other line.
    Other(Line<'a>),
}

/// One epoch, not yet read.
///
/// It holds little, so that a long sequence fits into memory: of the header and of the end only
/// what is needed to put epochs in order. [`header`](Self::header) and [`end`](Self::end) read
/// them whole.
#[derive(Clone, Debug)]
pub struct EpochIndex {
    /// UUID of the epoch.
    pub uuid: String,
    /// The header without what the epoch expects; made from the frames where it is lost.
    pub head: EpochLine,
    /// Whether the header was there.
    pub has_header: bool,
    /// The end without what is to be remembered, and without its outcomes where they are many.
    pub totals: Option<EndLine>,
    /// Whether [`totals`](Self::totals) is all that a reader of the epoch needs of its end.
    pub(super) end_known: bool,
    /// Its frames, by number.
    pub frames: Vec<FrameRef>,
    /// `sha256:` and the digest over the stored frames in order of their numbers.
    pub digest: String,
    /// Whether header, end and every frame between are there. How the requests went is another
    /// matter: [`EndLine::complete`].
    pub complete: bool,
    /// What is wrong with it.
    pub problems: Vec<Problem>,
    /// Servers that it holds replies of, if no collector of ours recorded it.
    pub(super) answered: Option<usize>,
    /// Where its replies are, if no collector of ours recorded it; it has no frames then.
    pub(super) capture: Option<Arc<Capture>>,
    pub(super) files: Arc<Files>,
}

impl EpochIndex {
    /// Start of the epoch by the collector's clock.
    pub fn start(&self) -> Timestamp {
        self.head.start
    }

    /// How much of anything is taken from it.
    pub fn limits(&self) -> &Limits {
        &self.files.limits
    }

    /// Name of the input in which it begins.
    pub fn place(&self) -> Option<String> {
        let first = self.frames.first().map(|at| at.place);
        let first = first.or(self.capture.as_ref().map(|capture| capture.place));
        let place = first.and_then(|place| self.files.places.get(place));
        place.map(|place| place.name.clone())
    }

    /// The whole header; where it is lost, what the frames tell of it.
    pub fn header(&self) -> EpochLine {
        let mut header = None;
        self.read(&|endpoint| *endpoint == Endpoint::EPOCH, &mut |line| {
            if let Line::Epoch(line) = line
                && let Ok(line) = line.whole()
            {
                header.get_or_insert(line);
            }
        });
        header.unwrap_or_else(|| self.head.clone())
    }

    /// Servers that the header expects to answer. It is read for them: few epochs of a sequence are
    /// asked.
    pub fn expected_servers(&self) -> usize {
        let mut expected = self.answered;
        if expected.is_none() {
            self.read(&|endpoint| *endpoint == Endpoint::EPOCH, &mut |line| {
                if let Line::Epoch(line) = line {
                    expected.get_or_insert_with(|| Expected::count_servers(&line.expects));
                }
            });
        }
        expected.unwrap_or(0)
    }

    /// The whole end, if the epoch has one.
    pub fn end(&self) -> Option<EndLine> {
        if self.capture.is_some() {
            return self.totals.clone();
        }
        let mut end = None;
        self.read(&|endpoint| *endpoint == Endpoint::END, &mut |line| {
            if let Line::End(line) = line
                && let Ok(line) = line.whole()
            {
                end.get_or_insert(line);
            }
        });
        end
    }

    /// Reads the frames whose endpoint is wanted, in order, and hands over their lines.
    ///
    /// Lines that do not belong where they stand are dropped; what was dropped or cannot be read
    /// is told in the problems, unless [`problems`](Self::problems) says it already. A line of an
    /// unknown kind is no problem but a sign of a newer recorder: whoever reads counts it.
    pub fn read(
        &self,
        wanted: &dyn Fn(&Endpoint) -> bool,
        each: &mut dyn FnMut(Line<'_>),
    ) -> Vec<Problem> {
        if let Some(capture) = &self.capture {
            let mut problems = capture.read(&self.uuid, &self.files.places, wanted, each);
            problems.retain(|problem| !self.problems.contains(problem));
            return problems;
        }
        self.runs(wanted, &mut |run| run.drain(..).for_each(&mut *each))
    }

    /// The same, some lines at a time.
    fn runs(
        &self,
        wanted: &dyn Fn(&Endpoint) -> bool,
        each: &mut dyn FnMut(&mut Vec<Line<'_>>),
    ) -> Vec<Problem> {
        let mut reader = FrameReader::new(&self.files);
        let mut notes = Notes::default();
        for at in self.frames.iter().filter(|at| wanted(&at.endpoint)) {
            match reader.frame(at, &self.uuid) {
                Ok(frame) => {
                    let mut run = Vec::with_capacity(RUN);
                    for line in frame.lines() {
                        if notes.admit(&line, at, &self.uuid) {
                            run.push(line);
                        }
                        if run.len() == RUN {
                            each(&mut run);
                            run.clear();
                        }
                    }
                    each(&mut run);
                }
                Err((kind, why)) => notes.frame(at, kind, &why),
            }
        }
        let mut problems = notes.problems(&self.uuid, &self.files.places);
        problems.retain(|problem| !self.problems.contains(problem));
        problems
    }

    /// The same, with a look ahead: `look` is shown some replies at a time and makes something of
    /// each, which is handed over with it. Lines come in the order of [`read`](Self::read). Of an
    /// epoch that no collector of ours recorded, which is one archive, this is done by all threads of
    /// the pool it is called in, and the replies have no body any more.
    pub fn read_ahead<T: Send>(
        &self,
        wanted: &dyn Fn(&Endpoint) -> bool,
        look: &(dyn Fn(&[&Reply<'_>]) -> Vec<T> + Sync),
        each: &mut dyn FnMut(Met<'_, '_, T>),
    ) -> Vec<Problem> {
        let Some(capture) = &self.capture else {
            return self.runs(wanted, &mut |run| {
                let replies: Vec<&Reply<'_>> = run.iter().filter_map(Line::reply).collect();
                let mut seen = look(&replies).into_iter();
                for line in run {
                    if let Line::Reply(reply) = line {
                        seen.next().into_iter().for_each(|seen| each(Met::Reply(reply, seen)));
                    } else {
                        let gone = Line::Unknown { kind: String::new() };
                        each(Met::Other(std::mem::replace(line, gone)));
                    }
                }
            });
        };
        let places = &self.files.places;
        let look = |reply: &Reply<'_>| look(&[reply]);
        let mut each = |line: Line<'_>, seen: Option<Vec<T>>| match line {
            Line::Reply(reply) => {
                seen.into_iter().flatten().for_each(|seen| each(Met::Reply(&reply, seen)));
            }
            other => each(Met::Other(other)),
        };
        let mut problems = capture.read_ahead(&self.uuid, places, wanted, &look, &mut each);
        problems.retain(|problem| !self.problems.contains(problem));
        problems
    }

    /// The end without what is to be remembered, where it is known and need not be read again.
    pub(crate) fn known_end(&self) -> Option<&EndLine> {
        self.totals.as_ref().filter(|_| self.end_known)
    }

    /// Whether no collector of ours recorded it: header and end are made of what is there.
    pub fn is_captured(&self) -> bool {
        self.capture.is_some()
    }

    /// Every endpoint that it tells anything of.
    pub fn endpoints(&self) -> BTreeSet<&Endpoint> {
        let captured = self.capture.iter().flat_map(|capture| capture.endpoints());
        self.frames.iter().map(|frame| &frame.endpoint).chain(captured).collect()
    }

    /// Of how many frames, or pages of an archive, it is made, and how many bytes these take where
    /// they are stored.
    pub fn extent(&self) -> (usize, u64) {
        match &self.capture {
            Some(capture) => {
                let pages = &capture.pages;
                (pages.len(), pages.stored)
            }
            None => (self.frames.len(), self.frames.iter().map(|frame| frame.stored).sum()),
        }
    }

    /// The digest over the stored frames.
    pub(super) fn take_digest(&self) -> io::Result<String> {
        let mut reader = FrameReader::new(&self.files);
        let mut hasher = Sha256::new();
        for at in &self.frames {
            hasher.update(reader.stored(at)?);
        }
        Ok(format!("sha256:{:x}", hasher.finalize()))
    }
}

/// Whether a line stands in a frame it can stand in: a check must never see, through a frame it
/// asked for, an endpoint it did not ask for.
fn belongs(line: &Line<'_>, endpoint: &Endpoint, uuid: &str) -> bool {
    match line {
        Line::Reply(reply) => reply.endpoint == *endpoint,
        Line::Event(_) => *endpoint == Endpoint::EVENTS,
        Line::Capture(capture) => capture.endpoint == *endpoint,
        Line::Epoch(header) => *endpoint == Endpoint::EPOCH && header.uuid == uuid,
        Line::OtherMajor { .. } => *endpoint == Endpoint::EPOCH,
        Line::End(_) => *endpoint == Endpoint::END,
        Line::Unknown { .. } | Line::Malformed { .. } => true,
    }
}

/// What was met while reading, by kind and text, so that it is the same in any order.
#[derive(Default)]
struct Notes {
    counts: BTreeMap<(&'static str, Endpoint, String), (u64, FrameRef)>,
    malformed: BTreeMap<Endpoint, usize>,
    frames: Vec<(FrameRef, &'static str, String)>,
}

impl Notes {
    /// Whether a line belongs where it stands; if not, or if it cannot be read, that is noted.
    fn admit(&mut self, line: &Line<'_>, at: &FrameRef, uuid: &str) -> bool {
        self.look_at(line, at);
        let here = belongs(line, &at.endpoint, uuid);
        if !here {
            self.add(at, "line_misplaced", "lines of another endpoint or epoch");
        }
        here
    }

    fn look_at(&mut self, line: &Line<'_>, at: &FrameRef) {
        let Line::Malformed { offset, why } = line else { return };
        let told = self.malformed.entry(at.endpoint.clone()).or_default();
        *told += 1;
        let text = if *told > TOLD {
            "more lines that cannot be read".to_owned()
        } else {
            format!("line at byte {offset} of frame {} cannot be read: {why}", at.n)
        };
        self.add(at, "line_malformed", &text);
    }

    fn add(&mut self, at: &FrameRef, kind: &'static str, text: &str) {
        let key = (kind, at.endpoint.clone(), text.to_owned());
        self.counts.entry(key).or_insert_with(|| (0, at.clone())).0 += 1;
    }

    fn frame(&mut self, at: &FrameRef, kind: &'static str, why: &str) {
        let text = format!("frame {} ({}): {why}", at.n, at.endpoint);
        self.frames.push((at.clone(), kind, text));
    }

    fn problems(self, uuid: &str, places: &[Place]) -> Vec<Problem> {
        let problem = |at: &FrameRef, kind, text| Problem {
            epoch: Some(uuid.to_owned()),
            kind,
            text,
            where_: places.get(at.place).map(|place| place.at(at.offset)),
        };
        let mut problems: Vec<Problem> = Vec::new();
        for ((kind, endpoint, text), (count, at)) in &self.counts {
            let text = match count {
                1 => format!("{endpoint}: {text}"),
                _ => format!("{endpoint}: {count} {text}"),
            };
            problems.push(problem(at, kind, text));
        }
        problems.extend(self.frames.iter().map(|(at, kind, why)| problem(at, kind, why.clone())));
        problems.sort();
        problems
    }
}
