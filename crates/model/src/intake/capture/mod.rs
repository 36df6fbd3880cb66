//! Epochs that no collector of ours recorded: an archive of `nats audit gather`, or replies that
//! somebody saved by hand.
//!
//! Nothing in them says how a request went. What should be there is known from what others of the
//! same capture tell, and what is not there is told as a request that was not answered: the
//! gatherer drops a server that hangs without a word.

mod archive;
mod identity;
mod outcome;
mod page;
mod readers;
mod saved;
mod streams;
mod told;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use nats_hindsight_bundle::Container;
use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_snapshot::format::{Line, ReadAt, Reply};
use nats_hindsight_snapshot::lines::{CaptureLine, EndLine, EpochLine, Status};

use super::Problem;
use super::place::Place;
pub(super) use archive::archives;
use page::{Told, Useless};
use readers::Readers;

pub(super) use page::Page;
pub(super) use saved::{Saved, saved, unite};

/// The pages of one epoch, and what is known of what is missing.
#[derive(Clone, Debug, Default)]
pub(super) struct Capture {
    /// Which input, where pages are in its container.
    pub(super) place: usize,
    pub(super) container: Option<Arc<Container>>,
    pub(super) pages: Vec<Page>,
    /// How requests must have gone, by what is there.
    pub(super) captures: Vec<CaptureLine>,
}

/// A capture with what is known of the whole epoch.
#[derive(Debug)]
pub(super) struct Captured {
    pub(super) head: EpochLine,
    pub(super) end: EndLine,
    pub(super) digest: String,
    /// Whether all of it is there.
    pub(super) whole: bool,
    /// Servers that it holds replies of.
    pub(super) servers: usize,
    pub(super) capture: Capture,
    pub(super) problems: Vec<Problem>,
}

impl Capture {
    /// Reads the pages whose endpoint is wanted, and hands over a line for each, and how their
    /// requests went. What cannot be read is told, and counts as a reply that nobody understood.
    pub(super) fn read(
        &self,
        uuid: &str,
        places: &[Place],
        wanted: &dyn Fn(&Endpoint) -> bool,
        each: &mut dyn FnMut(Line<'_>),
    ) -> Vec<Problem> {
        let mut reading = Reading::of(uuid, places.get(self.place));
        let source = reading.open();
        let readers = Readers::new(self.container.as_deref(), source.as_deref());
        for page in self.pages.iter().filter(|page| wanted(&page.endpoint)) {
            let show = |reply: &Reply<'_>| each(Line::Reply(reply.clone()));
            let shown = readers.lend(|reader| page.show(reader, show));
            reading.add(page, shown.map(|(told, ())| told));
        }
        self.how_requests_went(&reading, wanted, each);
        reading.finish()
    }

    /// The same by all threads of the pool it is called in: `look` is shown the reply with its body,
    /// and what it makes of it is handed over with the line, which has none any more. In what order
    /// is the same as in [`Self::read`].
    pub(super) fn read_ahead<T: Send>(
        &self,
        uuid: &str,
        places: &[Place],
        wanted: &dyn Fn(&Endpoint) -> bool,
        look: &(dyn Fn(&Reply<'_>) -> T + Sync),
        each: &mut dyn FnMut(Line<'_>, Option<T>),
    ) -> Vec<Problem> {
        let mut reading = Reading::of(uuid, places.get(self.place));
        let source = reading.open();
        let readers = Readers::new(self.container.as_deref(), source.as_deref());
        let pages: Vec<&Page> = self.pages.iter().filter(|page| wanted(&page.endpoint)).collect();
        readers.each(&pages, look, &mut |page, shown| {
            let told = shown.map(|(told, seen)| {
                each(Line::Reply(page.reply(told)), Some(seen));
                told
            });
            reading.add(page, told);
        });
        self.how_requests_went(&reading, wanted, &mut |line| each(line, None));
        reading.finish()
    }

    fn how_requests_went(
        &self,
        reading: &Reading<'_>,
        wanted: &dyn Fn(&Endpoint) -> bool,
        each: &mut dyn FnMut(Line<'_>),
    ) {
        for capture in self.captures.iter().filter(|capture| wanted(&capture.endpoint)) {
            let lacks = reading.lacking.get(&(&capture.endpoint, capture.target.as_deref()));
            let lacks = lacks.filter(|_| capture.status == Status::Ok).cloned();
            let status = lacks.unwrap_or_else(|| capture.status.clone());
            each(Line::Capture(Box::new(CaptureLine { status, ..capture.clone() })));
        }
    }

    /// Ids of the servers whose replies it holds.
    pub(super) fn servers(&self) -> BTreeSet<&str> {
        self.pages.iter().filter_map(|page| page.target.as_deref()).collect()
    }

    /// The endpoints it tells anything of.
    pub(super) fn endpoints(&self) -> impl Iterator<Item = &Endpoint> {
        let pages = self.pages.iter().map(|page| &page.endpoint);
        pages.chain(self.captures.iter().map(|capture| &capture.endpoint))
    }
}

/// What is met while pages are read.
struct Reading<'a> {
    uuid: &'a str,
    place: Option<&'a Place>,
    problems: Vec<Problem>,
    /// What pages lack, by what was asked of whom.
    lacking: BTreeMap<(&'a Endpoint, Option<&'a str>), Status>,
}

impl<'a> Reading<'a> {
    fn of(uuid: &'a str, place: Option<&'a Place>) -> Self {
        Self { uuid, place, problems: Vec::new(), lacking: BTreeMap::new() }
    }

    fn open(&mut self) -> Option<Box<dyn ReadAt>> {
        match self.place.map(Place::open).transpose() {
            Ok(source) => source,
            Err(error) => {
                self.problems.push(unreadable(self.uuid, self.place, &error));
                None
            }
        }
    }

    fn add(&mut self, page: &'a Page, told: Result<Told, Useless>) {
        let of = (&page.endpoint, page.target.as_deref());
        match told {
            Ok(Told::All) => {}
            Ok(Told::Part) => drop(self.lacking.entry(of).or_insert(Status::Partial)),
            Err(problem) => {
                // A file with one stream is no reply that somebody asked the server for.
                if !page.of_stream {
                    self.lacking.insert(of, Status::Malformed);
                }
                self.problems.push(problem.told(self.uuid, self.place, page));
            }
        }
    }

    fn finish(mut self) -> Vec<Problem> {
        self.problems.sort();
        self.problems
    }
}

fn unreadable(uuid: &str, place: Option<&Place>, error: &std::io::Error) -> Problem {
    Problem {
        epoch: Some(uuid.to_owned()),
        kind: "input_unreadable",
        text: format!("cannot be read: {error}"),
        where_: place.map(|place| place.name.clone()),
    }
}

/// What a part of an archive says is wrong with it, as a problem of the whole run.
pub(super) fn as_problem(
    problem: &nats_hindsight_bundle::Problem,
    epoch: Option<&str>,
    place: &Place,
) -> Problem {
    let entry = problem.entry.as_ref().map(|entry| format!(", entry {entry}"));
    let offset = problem.offset.map(|offset| format!(", offset {offset}"));
    let (entry, offset) = (entry.unwrap_or_default(), offset.unwrap_or_default());
    Problem {
        epoch: epoch.map(str::to_owned),
        kind: problem.kind,
        text: problem.text.clone(),
        where_: Some(format!("{}{entry}{offset}", place.name)),
    }
}
