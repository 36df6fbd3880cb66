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
mod saved;
mod streams;
mod told;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use nats_hindsight_bundle::{Container, Reader};
use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_snapshot::format::Line;
use nats_hindsight_snapshot::lines::{CaptureLine, EndLine, EpochLine, Status};

use super::Problem;
use super::place::Place;
pub(super) use archive::archives;
use page::Told;

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
        let mut problems = Vec::new();
        let mut lacking: BTreeMap<(&Endpoint, Option<&str>), Status> = BTreeMap::new();
        let place = places.get(self.place);
        let source = match place.map(Place::open).transpose() {
            Ok(source) => source,
            Err(error) => {
                problems.push(unreadable(uuid, place, &error));
                None
            }
        };
        let mut reader = match (&self.container, &source) {
            (Some(container), Some(source)) => Some(Reader::new(container, source.as_ref())),
            _ => None,
        };
        for page in self.pages.iter().filter(|page| wanted(&page.endpoint)) {
            let of = (&page.endpoint, page.target.as_deref());
            match page.hand_over(reader.as_mut(), each) {
                Ok(Told::All) => {}
                Ok(Told::Part) => drop(lacking.entry(of).or_insert(Status::Partial)),
                Err(problem) => {
                    // A file with one stream is no reply that somebody asked the server for.
                    if !page.of_stream {
                        lacking.insert(of, Status::Malformed);
                    }
                    problems.push(problem.told(uuid, place, page));
                }
            }
        }
        for capture in self.captures.iter().filter(|capture| wanted(&capture.endpoint)) {
            let lacks = lacking.get(&(&capture.endpoint, capture.target.as_deref()));
            let lacks = lacks.filter(|_| capture.status == Status::Ok).cloned();
            let status = lacks.unwrap_or_else(|| capture.status.clone());
            each(Line::Capture(Box::new(CaptureLine { status, ..capture.clone() })));
        }
        problems.sort();
        problems
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
