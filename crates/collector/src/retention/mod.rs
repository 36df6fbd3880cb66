//! Old epochs make room for new ones.
//!
//! After each epoch the output folder is looked at: [`folder`] says which files could be this
//! collector's by their names, [`own`] whether they are by their headers, [`rule`] which of them
//! have had their time. Whatever is in doubt stays.

mod folder;
mod own;
mod rule;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use nats_hindsight_snapshot::format::name_prefix;

use self::folder::Name;
use self::own::{Look, Owner};
pub use self::rule::Keep;
use self::rule::Kept;

/// Files that are opened in one pass. The rest waits for the next epoch, so that a folder with a
/// hundred thousand of them never holds up the recording.
const OPENED: usize = 10_000;

/// What was deleted after an epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Removed {
    /// Files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// The epoch that was just written: it stays, whatever its date.
#[derive(Clone, Debug)]
pub(crate) struct Latest {
    /// Nothing if it could not be written: then the newest whole one stays.
    pub(crate) file_name: Option<String>,
    pub(crate) start: Timestamp,
}

/// Keeps an output folder within bounds for as long as a run lasts.
pub(crate) struct Retention {
    keep: Keep,
    folder: PathBuf,
    owner: Owner,
    prefix: String,
    /// What the headers of files said that were opened already.
    known: BTreeMap<Name, Look>,
    warned: Warned,
    delete: fn(&Path) -> io::Result<()>,
}

/// What a person was told already.
#[derive(Default)]
struct Warned {
    folder: bool,
    future: bool,
    hole: bool,
    files: BTreeSet<Name>,
}

impl Retention {
    pub(crate) fn new(keep: Keep, folder: &Path, system: &str, collector: &str) -> Self {
        Self {
            keep,
            folder: folder.to_owned(),
            owner: Owner { system: system.to_owned(), collector: collector.to_owned() },
            prefix: name_prefix(system),
            known: BTreeMap::new(),
            warned: Warned::default(),
            delete: |path| fs::remove_file(path),
        }
    }

    /// Deletes what has had its time. Ends early once `stopped` says so; nothing that goes wrong
    /// here is more than a warning.
    pub(crate) fn pass(
        &mut self,
        latest: &Latest,
        stopped: &dyn Fn() -> bool,
        warn: &dyn Fn(&str),
    ) -> Removed {
        let names = match folder::list(&self.folder, &self.prefix) {
            Ok(names) => names,
            Err(error) => {
                if !std::mem::replace(&mut self.warned.folder, true) {
                    let folder = self.folder.display();
                    warn(&format!(
                        "cannot look for old snapshots in {folder}: {error}; nothing is deleted"
                    ));
                }
                return Removed::default();
            }
        };
        self.known.retain(|name, _| names.binary_search(name).is_ok());
        let mut left = OPENED;
        self.look(&names, &mut left, stopped);
        let epochs = self.epochs();
        self.warn_of_future(&epochs, latest.start, warn);
        self.warn_of_hole(&epochs, latest.start, warn);
        let newest = epochs.iter().rev().map(|epoch| epoch.file).find(Name::is_whole);
        let surplus = rule::surplus(&epochs, latest.start, self.keep, &|name: &Name| match &latest
            .file_name
        {
            Some(written) => name.text(&self.prefix) == *written,
            None => Some(*name) == newest,
        });
        self.remove(surplus, left, stopped, warn)
    }

    /// Opens files that are not known yet, the oldest first.
    fn look(&mut self, names: &[Name], left: &mut usize, stopped: &dyn Fn() -> bool) {
        for name in names {
            if self.known.contains_key(name) {
                continue;
            }
            if *left == 0 || stopped() {
                return;
            }
            *left -= 1;
            if let Some(look) = self.owner.look(&self.folder, &name.text(&self.prefix)) {
                self.known.insert(*name, look);
            }
        }
    }

    /// Epochs of this collector, by their start.
    fn epochs(&self) -> Vec<Kept<Name>> {
        let mut epochs: Vec<Kept<Name>> = self
            .known
            .iter()
            .filter_map(|(name, look)| match *look {
                Look::Own { start, bytes } => Some(Kept { start, bytes, file: *name }),
                Look::Foreign => None,
            })
            .collect();
        epochs.sort_unstable_by_key(|epoch| (epoch.start, epoch.file));
        epochs
    }

    fn warn_of_hole(&mut self, epochs: &[Kept<Name>], now: Timestamp, warn: &dyn Fn(&str)) {
        let spared = rule::spared(epochs, now, self.keep);
        if spared > 0 && !std::mem::replace(&mut self.warned.hole, true) {
            warn(&format!(
                "{} older than --keep lie before a hole in the recording and stay for now: a clock \
                 may have jumped. They go once half of that time has been recorded without a hole; \
                 delete them by hand if they are of no use",
                snapshots(spared)
            ));
        }
    }

    fn warn_of_future(&mut self, epochs: &[Kept<Name>], now: Timestamp, warn: &dyn Fn(&str)) {
        let future = epochs.len() - epochs.partition_point(|epoch| epoch.start <= now);
        let Some(newest) = epochs.last().filter(|_| future > 0) else { return };
        if !std::mem::replace(&mut self.warned.future, true) {
            let path = self.folder.join(newest.file.text(&self.prefix));
            warn(&format!(
                "{} of this collector started later than now, the last one is {}; a clock was \
                 wrong, and --keep does not delete them: check the clock, and delete them by hand \
                 if they are of no use",
                snapshots(future),
                path.display()
            ));
        }
    }

    fn remove(
        &mut self,
        surplus: Vec<Kept<Name>>,
        mut left: usize,
        stopped: &dyn Fn() -> bool,
        warn: &dyn Fn(&str),
    ) -> Removed {
        let mut removed = Removed::default();
        let mut failed = Vec::new();
        for epoch in surplus {
            if left == 0 || stopped() {
                break;
            }
            let text = epoch.file.text(&self.prefix);
            match self.owner.delete(&self.folder, &text, &mut left, self.delete) {
                Ok(true) => {
                    self.known.remove(&epoch.file);
                    removed.files += 1;
                    removed.bytes += epoch.bytes;
                }
                Ok(false) => {}
                Err(error) => {
                    if self.warned.files.insert(epoch.file) {
                        failed.push((text, error));
                    }
                }
            }
        }
        self.warn_of_failures(&failed, warn);
        removed
    }

    fn warn_of_failures(&self, failed: &[(String, io::Error)], warn: &dyn Fn(&str)) {
        let Some((name, error)) = failed.first() else { return };
        let more = match failed.len() - 1 {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let path = self.folder.join(name);
        warn(&format!(
            "cannot delete {}{more}: {error}; check who may write in the folder, or delete by hand",
            path.display()
        ));
    }
}

fn snapshots(count: usize) -> String {
    if count == 1 { "1 snapshot".to_owned() } else { format!("{count} snapshots") }
}
