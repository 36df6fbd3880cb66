//! Looks at what is no snapshot: archives, what is in them, and replies that somebody saved.

use std::io;
use std::panic::resume_unwind;
use std::thread;

use nats_hindsight_bundle::{Container, Reader};
use nats_hindsight_snapshot::format::source::read_up_to;
use nats_hindsight_snapshot::format::{Limits, ReadAt};
use sha2::{Digest, Sha256};

use super::Problem;
use super::capture::{Captured, Saved, archives, as_problem, saved};
use super::discover::is_snapshot_name;
use super::place::{Bytes, Place};

/// Bytes that tell what a file is.
const HEAD: usize = 512;

/// Bytes that are hashed at a time.
const CHUNK: usize = 1 << 20;

/// What was found in an input that is no snapshot.
#[derive(Debug, Default)]
pub(super) struct Looked {
    /// `archive`, `bundle` or `replies`.
    pub(super) kind: &'static str,
    pub(super) digest: String,
    pub(super) bytes: u64,
    pub(super) captures: Vec<Captured>,
    pub(super) saved: Vec<Saved>,
    /// What is inside and is to be looked at by itself.
    pub(super) nested: Vec<Place>,
    pub(super) problems: Vec<Problem>,
}

/// What a file is worth looking at for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    /// A ZIP or tar archive, or gzip.
    Container,
    /// zstd: a snapshot, or a tar archive.
    Zstd,
    /// JSON, or text with JSON in it.
    Text,
    /// None of these.
    Other,
}

/// Tells a file's sort by its beginning, and by its name where that is text.
pub(super) fn sort(head: &[u8], name: &str) -> Sort {
    let text = || match head.trim_ascii_start().first() {
        Some(b'{' | b'[') => true,
        _ => [".json", ".txt", ".out"].iter().any(|end| name.ends_with(end)),
    };
    if head.starts_with(b"PK\x03\x04")
        || head.starts_with(b"PK\x05\x06")
        || head.starts_with(b"\x1f\x8b")
        || head.get(257..262) == Some(b"ustar")
    {
        Sort::Container
    } else if head.starts_with(b"\x28\xb5\x2f\xfd") || head.get(1..4) == Some(b"\x2a\x4d\x18") {
        Sort::Zstd
    } else if text() || head.starts_with(b"\xef\xbb\xbf") || head.starts_with(b"\xff\xfe") {
        Sort::Text
    } else {
        Sort::Other
    }
}

/// The first bytes of an input.
pub(super) fn head(source: &dyn ReadAt) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    read_up_to(source, 0, HEAD, &mut head)?;
    Ok(head)
}

/// Looks into an archive. `nesting` says whether what is inside may be archives again.
pub(super) fn container(
    at: usize,
    place: &Place,
    source: &dyn ReadAt,
    nesting: bool,
    limits: &Limits,
) -> io::Result<Option<Looked>> {
    let Some(container) = Container::open(source, limits)? else { return Ok(None) };
    let mut reader = Reader::new(&container, source);
    // The digest is of the whole file, which takes as long as finding out what is in it.
    let (digested, (captures, problems)) = thread::scope(|scope| {
        let digested = scope.spawn(|| digest(source));
        let found = archives(at, place, &container, &mut reader, limits);
        (digested.join(), found)
    });
    let (digest, bytes) = digested.unwrap_or_else(|panic| resume_unwind(panic))?;
    let mut looked =
        Looked { kind: "archive", digest, bytes, captures, problems, ..Looked::default() };
    if looked.captures.is_empty() && looked.problems.is_empty() {
        looked.kind = "bundle";
        looked.problems = container.problems().iter().map(|p| as_problem(p, None, place)).collect();
        if nesting {
            unwrap(place, &mut reader, limits, &mut looked);
        } else if !container.entries().is_empty() {
            looked.problems.push(Problem {
                epoch: None,
                kind: "nested_too_deep",
                text:
                    "an archive in an archive that holds no capture itself; what is in it is not \
                       looked at"
                        .to_owned(),
                where_: Some(place.name.clone()),
            });
        }
    }
    Ok(Some(looked))
}

/// Takes out what may be snapshots, archives or replies.
fn unwrap(place: &Place, reader: &mut Reader<'_>, limits: &Limits, looked: &mut Looked) {
    let container = reader.container();
    let mut left = limits.max_held;
    for index in 0..container.entries().len() {
        // What is refused was told when the archive was listed.
        if container.entries()[index].refused.is_some() {
            continue;
        }
        let entry = container.name(index);
        let name = if entry.is_empty() {
            place.name.clone()
        } else {
            format!("{}, entry {}", place.name, entry.replace('\\', "/"))
        };
        let length = container.entries()[index].length;
        if length > left {
            let text = "is passed over: more than limit `max_held` bytes are held of this archive";
            looked.problems.push(Problem {
                epoch: None,
                kind: "limit",
                text: text.to_owned(),
                where_: Some(name),
            });
            continue;
        }
        match reader.read(index) {
            Ok(bytes) => {
                let sort = sort(bytes.get(..HEAD).unwrap_or(bytes), entry);
                if sort == Sort::Other {
                    continue;
                }
                left -= length;
                let (size, bytes) = (bytes.len() as u64, Bytes::Held(bytes.into()));
                let alone = entry.is_empty() && place.named;
                let named = alone || sort != Sort::Text || is_snapshot_name(entry.as_ref());
                looked.nested.push(Place { name, bytes, size, named });
            }
            Err(problem) => looked.problems.push(as_problem(&problem, None, place)),
        }
    }
}

/// Looks for replies in a text.
pub(super) fn replies(
    at: usize,
    place: &Place,
    source: &dyn ReadAt,
    limits: &Limits,
) -> io::Result<Option<Looked>> {
    let size = source.size()?;
    let Ok(want) = usize::try_from(size.min(limits.max_entry_length)) else { return Ok(None) };
    let mut text = Vec::new();
    read_up_to(source, 0, want, &mut text)?;
    let (saved, mut problems) = saved(at, place, &text, limits);
    if saved.is_empty() {
        return Ok(None);
    }
    if (want as u64) < size {
        problems.push(Problem {
            epoch: None,
            kind: "limit",
            text: format!(
                "has more bytes than limit `max_entry_length`, {}; the rest is not read",
                limits.max_entry_length
            ),
            where_: Some(place.name.clone()),
        });
    }
    let (digest, bytes) = digest(source)?;
    Ok(Some(Looked { kind: "replies", digest, bytes, saved, problems, ..Looked::default() }))
}

/// Digest and number of the bytes of an input.
fn digest(source: &dyn ReadAt) -> io::Result<(String, u64)> {
    let (mut hasher, mut chunk, mut at) = (Sha256::new(), Vec::new(), 0_u64);
    loop {
        read_up_to(source, at, CHUNK, &mut chunk)?;
        if chunk.is_empty() {
            return Ok((format!("sha256:{:x}", hasher.finalize()), at));
        }
        hasher.update(&chunk);
        at += chunk.len() as u64;
    }
}
