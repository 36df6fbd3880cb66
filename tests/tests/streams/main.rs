//! Streams joined from what all servers of an epoch tell of them: archives of `nats audit gather`
//! held against what really ran, our own recordings, and cases that neither shows.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod archives;
mod edited;
mod gathered;
mod recorded;
mod repacked;
mod shown;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nats_hindsight_model::intake::{EpochIndex, Intake, Source, open};
use nats_hindsight_model::streams::{Doubt, Stream, StreamKey, Streams};
use nats_hindsight_model::{Joined, View, decode};
use nats_hindsight_snapshot::format::Limits;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures")
}

fn listed(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut all: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    all.sort();
    all
}

fn opened(sources: &[Source]) -> Intake {
    open(sources, &Limits::default(), &|_, _| {}).unwrap()
}

fn held(bytes: Vec<u8>) -> Intake {
    opened(&[Source::Held { name: "edited".to_owned(), bytes: bytes.into() }])
}

/// The streams of an epoch of which everything is read.
fn streams(index: &EpochIndex) -> Arc<Streams> {
    let (epoch, _) = decode::load(index, &|_| true, &decode::Memo::default());
    View::new(&epoch, &|_| true, &Joined::default()).streams()
}

/// The only epoch of an input.
fn only(intake: &Intake) -> Arc<Streams> {
    let [index] = &intake.epochs[..] else { panic!("{:#?}", intake.problems) };
    streams(index)
}

/// A stream by account, domain and name; none or several are a failure.
fn stream<'a>(streams: &'a Streams, account: &str, domain: &str, name: &str) -> &'a Stream {
    let is = |key: &&StreamKey| {
        key.account == account && key.domain.as_deref() == Some(domain) && key.name == name
    };
    let found: Vec<&StreamKey> = streams.streams.keys().filter(is).collect();
    let [key] = found[..] else { panic!("{name} of {account}: {:#?}", streams.streams.keys()) };
    &streams.streams[key]
}

/// Names of the servers that tell of a stream, and of those that do not.
fn names(stream: &Stream) -> (Vec<&str>, Vec<&str>) {
    let told = stream.replicas.iter().map(|replica| replica.name.as_deref().unwrap_or("?"));
    (told.collect(), stream.silent.iter().map(|silent| silent.name.as_str()).collect())
}

/// Names of the servers that say they lead.
fn leading(stream: &Stream) -> Vec<&str> {
    let leading = stream.replicas.iter().filter(|replica| replica.leads == Some(true));
    leading.map(|replica| replica.name.as_deref().unwrap_or("?")).collect()
}

fn kinds(streams: &Streams) -> BTreeSet<&'static str> {
    streams.doubts.keys().map(Doubt::kind).collect()
}

/// Streams, replicas that told, that are silent, that nobody lists; tellings that are not joined.
fn counts(streams: &Streams) -> [u64; 5] {
    [
        streams.streams.len() as u64,
        streams.replicas(),
        streams.silent(),
        streams.unlisted(),
        streams.not_joined,
    ]
}
