//! From what the manifest names to artifacts with their pages.

use std::borrow::Cow;
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use nats_hindsight_snapshot::format::Limits;

use super::kind::ArtifactKind;
use super::manifest::{Each, Tags};
use super::texts::{Id, Texts};
use super::{Artifact, Members, path};
use crate::container::Container;
use crate::problem::{Problem, Problems};

/// Kind, cluster, server, account, stream, profile and folder: what makes two pages pages of one
/// artifact.
type Key = [Id; 7];

/// One page: of what, its number, and its entry where it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Row {
    key: Key,
    page: u32,
    entry: Option<u32>,
}

/// Every page, and the two entries that are about the run.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pub(super) pages: Vec<Row>,
    pub(super) metadata: Option<usize>,
    pub(super) log: Option<usize>,
}

impl Rows {
    fn special(&mut self, name: &str, entry: usize) {
        match name {
            "audit_gather_metadata" => self.metadata = Some(entry),
            "audit_gather_log" => self.log = Some(entry),
            // Releases to come may say more.
            _ => {}
        }
    }

    fn push(&mut self, tags: Tags, folder: Id, page: u32, entry: Option<usize>) {
        let Tags { kind, cluster, server, account, stream, profile_name, .. } = tags;
        let key = [kind, cluster, server, account, stream, profile_name, folder];
        // Indexes are below limit `max_entries`; one that were not would count as missing.
        let entry = entry.and_then(|index| u32::try_from(index).ok());
        self.pages.push(Row { key, page, entry });
    }
}

/// The entries of a capture by their names, with slashes and without the folder around it.
struct Names<'a> {
    first: HashMap<Cow<'a, str>, usize>,
    /// Further entries of one name, by the first.
    further: HashMap<usize, Vec<usize>>,
    /// Which entries the manifest named.
    named: Vec<bool>,
}

impl<'a> Names<'a> {
    fn new(root: &str, members: &Members, container: &'a Container) -> Self {
        let mut first = HashMap::with_capacity(members.entries.len());
        let mut further: HashMap<usize, Vec<usize>> = HashMap::new();
        for index in &members.entries {
            match first.entry(below(container.name(*index), root)) {
                Entry::Vacant(place) => {
                    place.insert(*index);
                }
                Entry::Occupied(place) => further.entry(*place.get()).or_default().push(*index),
            }
        }
        Self { first, further, named: vec![false; container.entries().len()] }
    }

    /// The entries of a name, in the order of the archive.
    fn get(&self, name: &str) -> Vec<usize> {
        let Some(first) = self.first.get(name) else { return Vec::new() };
        let further = self.further.get(first).map_or(&[][..], Vec::as_slice);
        [&[*first], further].concat()
    }
}

/// A name with slashes and without the folder around the capture.
fn below<'a>(name: &'a str, root: &str) -> Cow<'a, str> {
    match path::slashed(name) {
        Cow::Borrowed(name) => Cow::Borrowed(name.strip_prefix(root).unwrap_or(name)),
        Cow::Owned(name) => match name.strip_prefix(root) {
            Some(rest) => Cow::Owned(rest.to_owned()),
            None => Cow::Owned(name),
        },
    }
}

/// The capture that rows are taken of.
pub(super) struct Taker<'a> {
    pub(super) root: &'a str,
    pub(super) members: &'a Members,
    pub(super) container: &'a Container,
    pub(super) limits: &'a Limits,
}

impl Taker<'_> {
    /// Takes everything from the manifest, which `read` reads, and says where it and the entries do
    /// not agree. Where it cannot be read, nothing is said.
    pub(super) fn by_manifest<E>(
        &self,
        read: impl FnOnce(&mut Texts, Each<'_>) -> Result<(), E>,
        texts: &mut Texts,
        problems: &mut Problems,
    ) -> Result<Rows, E> {
        let (members, container) = (self.members, self.container);
        let mut names = Names::new(self.root, members, container);
        let mut rows = Rows::default();
        rows.pages.reserve_exact(members.entries.len());
        // Of a manifest that is not used after all, nothing is told but that.
        let mut met = Problems::default();
        let mut count = 0;
        let mut each = |path: &str, tags: Tags, texts: &Texts| {
            count += 1;
            if count > self.limits.max_entries {
                return Err("it names more entries than limit `max_entries`");
            }
            take(path, (tags, texts), container, &mut names, &mut rows, &mut met);
            Ok(())
        };
        read(texts, &mut each)?;
        problems.join(met);
        for index in &members.entries {
            if names.named.get(*index) == Some(&false) {
                let text = "is not in the manifest; it is not used";
                problems.add(Problem::new("entry_unlisted", text).of(container.name(*index)));
            }
        }
        Ok(rows)
    }

    /// Takes everything from the names of the entries.
    pub(super) fn by_path(&self, texts: &mut Texts, problems: &mut Problems) -> Rows {
        let mut rows = Rows::default();
        for index in &self.members.entries {
            let name = below(self.container.name(*index), self.root);
            let Some(told) = path::read(&name, texts) else {
                let text = "its path does not say what it is; it is not used";
                let name = self.container.name(*index);
                problems.add(Problem::new("entry_unplaced", text).of(name));
                continue;
            };
            match texts.get(told.tags.special) {
                Some(special) => rows.special(special, *index),
                None => rows.push(told.tags, told.folder, path::page(&name), Some(*index)),
            }
        }
        rows
    }
}

/// Takes one entry that the manifest names.
fn take(
    path: &str,
    (tags, texts): (Tags, &Texts),
    container: &Container,
    names: &mut Names<'_>,
    rows: &mut Rows,
    problems: &mut Problems,
) {
    let slashed = path::slashed(path);
    let Some(entries) = claim(path, &slashed, names, problems) else { return };
    if let Some(special) = texts.get(tags.special) {
        if let Some(entry) = entries.last() {
            rows.special(special, *entry);
        }
        return;
    }
    let Some(kind) = texts.get(tags.kind) else {
        let text = "the manifest does not say what it is; it is not used";
        problems.add(Problem::new("manifest_incomplete", text).of(path));
        return;
    };
    let entries = distinct(&entries, container);
    // Profiles of servers of one name have one name.
    if entries.len() > 1 && **kind != *ArtifactKind::Profile.as_str() {
        let text = "several entries have this name and differ; all are read";
        problems.add(Problem::new("entry_duplicate", text).of(path));
    }
    let page = path::page(&slashed);
    if entries.is_empty() {
        rows.push(tags, Id::default(), page, None);
    }
    for entry in entries {
        rows.push(tags, Id::default(), page, Some(entry));
    }
}

/// The entries of a path, none where the manifest had it before.
fn claim(
    path: &str,
    slashed: &str,
    names: &mut Names<'_>,
    problems: &mut Problems,
) -> Option<Vec<usize>> {
    let entries = names.get(slashed);
    if entries.iter().any(|index| names.named.get(*index) == Some(&true)) {
        let text = "is in the manifest twice; the first counts";
        problems.add(Problem::new("manifest_repeats", text).of(path));
        return None;
    }
    for index in &entries {
        names.named[*index] = true;
    }
    if entries.is_empty() {
        let text = "is in the manifest and not in the archive";
        problems.add(Problem::new("entry_missing", text).of(path));
    }
    Some(entries)
}

/// Entries of one name without those that repeat what another one says.
fn distinct(entries: &[usize], container: &Container) -> Vec<usize> {
    let content = |index: usize| {
        let entry = container.entries().get(index)?;
        entry.refused.is_none().then_some((entry.crc?, entry.length))
    };
    let mut kept: Vec<usize> = Vec::with_capacity(entries.len());
    for index in entries {
        let same = |other: &usize| content(*index).is_some() && content(*other) == content(*index);
        // More than a few of one name are not worth comparing.
        if !kept.iter().take(16).any(same) {
            kept.push(*index);
        }
    }
    kept
}

/// Pages to artifacts, in the order of what they are.
pub(super) fn group(mut rows: Vec<Row>, texts: &Texts, identity_from_path: bool) -> Vec<Artifact> {
    let kinds = kinds(&rows, texts);
    let ranks = texts.ranks();
    rows.sort_by_cached_key(|row| {
        let [kind, who @ ..] = row.key;
        let kind = kinds.get(&kind).map(|(rank, _)| *rank);
        (kind, who.map(|id| ranks.of(id)), row.page, row.entry)
    });
    let same = |a: &Row, b: &Row| a.key == b.key;
    // There are as many as entries, or nearly: they are counted to take no more memory than that.
    let mut artifacts = Vec::with_capacity(rows.chunk_by(same).count());
    for rows in rows.chunk_by(same) {
        let key = &rows[0].key;
        let Some((_, kind)) = kinds.get(&key[0]) else { continue };
        let entries = rows.iter().filter_map(|row| usize::try_from(row.entry?).ok());
        let mut pages = Vec::with_capacity(rows.len());
        pages.extend(entries);
        let missing = u32::try_from(rows.len() - pages.len()).unwrap_or(u32::MAX);
        let artifact = empty(kind.clone(), key, texts, identity_from_path);
        artifacts.push(Artifact { pages, missing, ..artifact });
    }
    artifacts
}

/// Every kind there is, in order.
fn kinds(rows: &[Row], texts: &Texts) -> BTreeMap<Id, (usize, ArtifactKind)> {
    let ids: BTreeSet<Id> = rows.iter().map(|row| row.key[0]).collect();
    let kind = |id: Id| ArtifactKind::named(texts.get(id).map_or("", AsRef::as_ref));
    let mut kinds: Vec<(ArtifactKind, Id)> = ids.into_iter().map(|id| (kind(id), id)).collect();
    kinds.sort();
    kinds.into_iter().enumerate().map(|(rank, (kind, id))| (id, (rank, kind))).collect()
}

fn empty(kind: ArtifactKind, key: &Key, texts: &Texts, identity_from_path: bool) -> Artifact {
    let [_, cluster, server, account, stream, profile_name, folder] =
        key.map(|id| texts.get(id).cloned());
    let (pages, missing) = (Vec::new(), 0);
    Artifact {
        kind,
        cluster,
        server,
        account,
        stream,
        profile_name,
        folder,
        identity_from_path,
        pages,
        missing,
    }
}
