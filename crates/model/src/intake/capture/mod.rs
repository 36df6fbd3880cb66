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
mod pages;
mod readers;
mod saved;
mod streams;
mod told;

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use nats_hindsight_bundle::{Container, Kept};
use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_snapshot::format::{Line, ReadAt, Reply};
use nats_hindsight_snapshot::lines::{CaptureLine, EndLine, EpochLine, Status};

use super::Problem;
use super::place::Place;
pub(super) use archive::archives;
use page::{Page, Told, Useless};
use pages::Pages;
use readers::Readers;

pub(super) use saved::{Saved, saved, unite};

/// The pages of one epoch, and what is known of what is missing.
#[derive(Clone, Debug, Default)]
pub(super) struct Capture {
    /// Which input, where pages are in its container.
    pub(super) place: usize,
    /// The entries of its container that are pages, in their order.
    entries: Option<Kept>,
    pub(super) pages: Pages,
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
        let (source, container) = self.open(&mut reading, wanted);
        let readers = Readers::new(container.as_ref(), source.as_deref());
        for page in self.pages.iter().filter(|page| wanted(&page.what.endpoint)) {
            let show = |reply: &Reply<'_>| each(Line::Reply(reply.clone()));
            let shown = readers.lend(|reader| page.show(reader, show));
            reading.add(&page, shown.map(|(told, ())| told));
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
        let (source, container) = self.open(&mut reading, wanted);
        let readers = Readers::new(container.as_ref(), source.as_deref());
        let pages = self.pages.iter().filter(|page| wanted(&page.what.endpoint));
        let pages: Vec<Page<'_>> = pages.collect();
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

    /// What pages that are wanted are read from.
    fn open(
        &self,
        reading: &mut Reading<'_>,
        wanted: &dyn Fn(&Endpoint) -> bool,
    ) -> (Option<Box<dyn ReadAt>>, Option<Container>) {
        let source = reading.open();
        let entries = self.entries.as_ref().filter(|_| self.pages.reads_entries(wanted));
        let container = reading.take(entries.map(Kept::open).transpose()).flatten();
        (source, container)
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
        self.pages.servers().collect()
    }

    /// The endpoints it tells anything of.
    pub(super) fn endpoints(&self) -> impl Iterator<Item = &Endpoint> {
        self.pages.endpoints().chain(self.captures.iter().map(|capture| &capture.endpoint))
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
        self.take(self.place.map(Place::open).transpose()).flatten()
    }

    /// What was opened, or nothing and a problem.
    fn take<T>(&mut self, opened: io::Result<T>) -> Option<T> {
        opened
            .map_err(|error| self.problems.push(unreadable(Some(self.uuid), self.place, &error)))
            .ok()
    }

    fn add(&mut self, page: &Page<'a>, told: Result<Told, Useless>) {
        let of = (&page.what.endpoint, page.target());
        match told {
            Ok(Told::All) => {}
            Ok(Told::Part) => drop(self.lacking.entry(of).or_insert(Status::Partial)),
            Err(problem) => {
                // A file with one stream is no reply that somebody asked the server for.
                if !page.what.of_stream {
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

fn unreadable(uuid: Option<&str>, place: Option<&Place>, error: &io::Error) -> Problem {
    Problem {
        epoch: uuid.map(str::to_owned),
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
