//! Archives of `nats audit gather`, of any release that wrote any.
//!
//! The manifest says which entry is what and of whom; paths are never taken apart. It is the last
//! entry, so that an archive that was cut has lost it: only then the kind of an artifact comes from
//! its path, and whose it is should come from the document itself where that tells.

mod kind;
mod manifest;
mod metadata;
mod parts;
mod path;
mod rows;
mod texts;

use std::collections::BTreeMap;
use std::sync::Arc;

use nats_hindsight_snapshot::format::Limits;

pub use kind::ArtifactKind;
pub use metadata::Metadata;

use crate::container::{Container, Reader};
use crate::problem::{Problem, Problems};
use manifest::Each;
use parts::Parts;
use rows::{Rows, Taker};
use texts::Texts;

/// One run of `nats audit gather`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gather {
    /// The folder around it in the container, with a slash at its end; empty where there is none.
    pub root: String,
    /// Whether the manifest is lost, so that artifacts are told by their paths.
    pub identity_from_path: bool,
    /// What was gathered, ordered by kind, cluster, server, account and stream.
    pub artifacts: Vec<Artifact>,
    /// What it says of its own making; a run that failed did not write it.
    pub metadata: Option<Metadata>,
    /// Its log, which tells of replies that did not come, cut at limit `max_log`.
    pub log: Option<String>,
    /// What could not be used, beside the problems of the container.
    pub problems: Vec<Problem>,
}

/// One answer of one server, or what one server says of an account or a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// What it is.
    pub kind: ArtifactKind,
    /// Name of the cluster; `None` for a server without one.
    pub cluster: Option<Arc<str>>,
    /// Name of the server. Names are not unique; the id is in the envelope of a page.
    pub server: Option<Arc<str>>,
    /// The account, as the server names it.
    pub account: Option<Arc<str>>,
    /// The stream.
    pub stream: Option<Arc<str>>,
    /// Which profile.
    pub profile_name: Option<Arc<str>>,
    /// Where the manifest is lost: the folder `<cluster>__<server>` the artifact was in. It cannot
    /// be split, because names may hold `__`.
    pub folder: Option<Arc<str>>,
    /// Whether all this is from its path.
    pub identity_from_path: bool,
    /// Indexes of its entries, in the order of its pages. Several may also be of several servers
    /// of one name.
    pub pages: Vec<usize>,
    /// How many pages the manifest names that are not there.
    pub missing: u32,
}

impl Gather {
    /// Finds every capture in a container: in its root, or one folder deeper. Ordered by folder;
    /// empty where there is none.
    pub fn find(reader: &mut Reader<'_>, limits: &Limits) -> Vec<Self> {
        let mut found: Vec<Self> = Vec::new();
        let (roots, beyond) = roots(reader.container(), limits);
        for (root, entries) in roots {
            let gather = open(root, &entries, reader, limits);
            // Any archive may have a folder of that name.
            if !gather.identity_from_path || !gather.artifacts.is_empty() {
                found.push(gather);
            }
        }
        if let Some(last) = found.last_mut().filter(|_| beyond > 0) {
            let text = format!(
                "the archive has more captures than limit `max_epochs`, {}; {beyond} entries of \
                 others are passed over",
                limits.max_epochs
            );
            last.problems.push(Problem::new("limit", text));
        }
        found
    }
}

/// The entries that belong to one capture.
#[derive(Default)]
struct Members {
    entries: Vec<usize>,
    manifests: Vec<usize>,
}

/// Every folder with a capture in it, and how many entries are of folders beyond the limit.
fn roots(container: &Container, limits: &Limits) -> (BTreeMap<String, Members>, u64) {
    let mut beyond = 0;
    let mut roots: BTreeMap<String, Members> = BTreeMap::new();
    for index in 0..container.entries().len() {
        let name = path::slashed(container.name(index));
        let Some(root) = path::root_of_entry(&name) else { continue };
        let known = roots.contains_key(root);
        if !known && roots.len() as u64 >= limits.max_epochs {
            beyond += 1;
            continue;
        }
        if !known {
            roots.insert(root.to_owned(), Members::default());
        }
        let Some(members) = roots.get_mut(root) else { continue };
        if path::is_manifest(&name, root) {
            members.manifests.push(index);
        } else {
            members.entries.push(index);
        }
    }
    (roots, beyond)
}

fn open(root: String, members: &Members, reader: &mut Reader<'_>, limits: &Limits) -> Gather {
    let mut problems = Problems::default();
    let mut texts = Texts::default();
    let container = reader.container();
    let taker = Taker { root: &root, members, container, limits };
    let rows = match pick(members, container, &mut problems) {
        Some(index) => by_manifest(index, &taker, reader, &mut texts, &mut problems),
        None => None,
    };
    let identity_from_path = rows.is_none();
    let rows = rows.unwrap_or_else(|| taker.by_path(&mut texts, &mut problems));
    let Rows { pages, metadata, log } = rows;
    let metadata = metadata.and_then(|index| read_metadata(index, reader, &mut problems));
    let log = log.and_then(|index| read_log(index, reader, limits, &mut problems));
    let artifacts = rows::group(pages, &texts, identity_from_path);
    let problems = problems.finish();
    Gather { root, identity_from_path, artifacts, metadata, log, problems }
}

/// Everything from the manifest: piece by piece where it is as it should be, else as a whole, which
/// tells what is wrong with it.
fn by_manifest(
    index: usize,
    taker: &Taker<'_>,
    reader: &mut Reader<'_>,
    texts: &mut Texts,
    problems: &mut Problems,
) -> Option<Rows> {
    let name = taker.container.name(index);
    let known = taker.container.entries().get(index);
    if known.is_some_and(|entry| entry.length <= taker.limits.max_manifest) {
        let pieces = |texts: &mut Texts, each: Each<'_>| {
            let mut parts = Parts::default();
            let mut take = |piece: &[u8], last| parts.take(piece, last, texts, each);
            reader.read_pieces(index, &mut take).then_some(()).ok_or(())
        };
        if let Ok(rows) = taker.by_manifest(pieces, texts, problems) {
            return Some(rows);
        }
        *texts = Texts::default();
    }
    let whole = |texts: &mut Texts, each: Each<'_>| {
        manifest::read(load(index, reader, taker.limits)?, texts, each).map_err(|error| {
            let text = format!("cannot be read ({error}); what an entry is, is told by its path");
            Problem::new("manifest_damaged", text)
        })
    };
    let rows = taker.by_manifest(whole, texts, problems);
    rows.map_err(|problem| problems.add(problem.of(name))).ok()
}

/// The manifest to use, if there is one that can be read.
fn pick(members: &Members, container: &Container, problems: &mut Problems) -> Option<usize> {
    let whole = |index: &&usize| {
        container.entries().get(**index).is_some_and(|entry| entry.refused.is_none())
    };
    // It is the last thing that is written, so of two the last is the one that knows all.
    let last = members.manifests.iter().rfind(whole);
    if last.is_none() {
        let text = "there is no manifest, so the run or the archive was cut; what an entry is, is \
                    told by its path";
        problems.add(Problem::new("manifest_missing", text));
    } else if members.manifests.len() > 1 {
        let text = "there are several manifests; the last is used";
        problems.add(Problem::new("manifest_twice", text));
    }
    last.copied()
}

fn load<'r>(
    index: usize,
    reader: &'r mut Reader<'_>,
    limits: &Limits,
) -> Result<&'r [u8], Problem> {
    let container = reader.container();
    let length = container.entries().get(index).map_or(0, |entry| entry.length);
    if length > limits.max_manifest {
        let text = format!(
            "the manifest declares {length} bytes, limit `max_manifest` is {}",
            limits.max_manifest
        );
        return Err(Problem::new("limit", text).of(container.name(index)));
    }
    reader.read(index)
}

fn read_metadata(
    index: usize,
    reader: &mut Reader<'_>,
    problems: &mut Problems,
) -> Option<Metadata> {
    let name = reader.container().name(index);
    let read = reader.read(index).and_then(|bytes| {
        metadata::parse(bytes).map_err(|error| {
            Problem::new("metadata_damaged", format!("cannot be read: {error}")).of(name)
        })
    });
    read.map_err(|problem| problems.add(problem)).ok()
}

fn read_log(
    index: usize,
    reader: &mut Reader<'_>,
    limits: &Limits,
    problems: &mut Problems,
) -> Option<String> {
    let name = reader.container().name(index);
    let bytes = reader.read(index).map_err(|problem| problems.add(problem)).ok()?;
    let most = usize::try_from(limits.max_log).unwrap_or(usize::MAX);
    if bytes.len() > most {
        let text = format!("has more bytes than limit `max_log`, {most}; the rest is not held");
        problems.add(Problem::new("limit", text).of(name));
    }
    Some(String::from_utf8_lossy(&bytes[..bytes.len().min(most)]).into_owned())
}
