//! Real archives, and ways to read one.

use std::fs;
use std::path::{Path, PathBuf};

use nats_hindsight_bundle::{Container, Gather, Problem, Reader};
use nats_hindsight_snapshot::format::{Limits, ReadAt};

/// Every archive that was recorded, by its path below `fixtures/bundles`.
pub(crate) fn recorded() -> Vec<(String, Vec<u8>)> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/bundles");
    let mut paths = Vec::new();
    collect(&top, &mut paths);
    paths.sort();
    let name = |path: &Path| path.strip_prefix(&top).unwrap().display().to_string();
    paths.iter().map(|path| (name(path), fs::read(path).unwrap())).collect()
}

/// One of them.
pub(crate) fn archive(name: &str) -> Vec<u8> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/bundles");
    fs::read(top.join(name)).unwrap()
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, paths);
        } else if path.extension().is_some_and(|extension| extension == "zip") {
            paths.push(path);
        }
    }
}

/// Bytes in memory as a source.
pub(crate) struct Bytes<'a>(pub(crate) &'a [u8]);

impl ReadAt for Bytes<'_> {
    fn size(&self) -> std::io::Result<u64> {
        self.0.size()
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> std::io::Result<usize> {
        self.0.read_at(offset, into)
    }
}

/// A container of bytes with the limits that hold by default.
pub(crate) fn open(bytes: &[u8]) -> Option<Container> {
    Container::open(&Bytes(bytes), &Limits::default()).unwrap()
}

/// Every entry with what reading it gave.
pub(crate) fn read_all(
    container: &Container,
    bytes: &[u8],
) -> Vec<(String, Result<Vec<u8>, Problem>)> {
    let source = Bytes(bytes);
    let mut reader = Reader::new(container, &source);
    (0..container.entries().len())
        .map(|index| (container.name(index).to_owned(), reader.read(index).map(<[u8]>::to_vec)))
        .collect()
}

/// The captures in a container.
pub(crate) fn gathers(container: &Container, bytes: &[u8]) -> Vec<Gather> {
    let source = Bytes(bytes);
    Gather::find(&mut Reader::new(container, &source), &Limits::default())
}

/// Kinds of problems with the entries they are of.
pub(crate) fn kinds(problems: &[Problem]) -> Vec<(&'static str, Option<&str>)> {
    problems.iter().map(|problem| (problem.kind, problem.entry.as_deref())).collect()
}
