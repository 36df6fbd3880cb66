//! Which files of the output folder could be this collector's, by their names alone.

use std::fs;
use std::io;
use std::path::Path;

use nats_hindsight_snapshot::format::{EXTENSION, PARTIAL};

/// Characters of the start in a name: `yyyymmddThhmmssZ`.
const START: usize = 16;

/// Characters of the uuid in a name.
const UUID: usize = 8;

/// Names that are held at most: what an epoch per second leaves in eleven days.
const MOST: usize = 1_000_000;

/// The name of a snapshot behind the label of its system, small enough to hold very many. They are
/// in order of time as far as the names tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Name {
    start: [u8; START],
    uuid: [u8; UUID],
    partial: bool,
}

impl Name {
    /// A name that snapshots of this prefix have; nothing for any other.
    pub(super) fn parse(text: &str, prefix: &str) -> Option<Self> {
        let rest = text.strip_prefix(prefix)?;
        let whole = rest.strip_suffix(PARTIAL);
        let (start, uuid) = whole.unwrap_or(rest).strip_suffix(EXTENSION)?.split_once('.')?;
        let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !plain(start) || !plain(uuid) {
            return None;
        }
        Some(Self {
            start: start.as_bytes().try_into().ok()?,
            uuid: uuid.as_bytes().try_into().ok()?,
            partial: whole.is_some(),
        })
    }

    /// Whether it is the name of an epoch that was finished.
    pub(super) fn is_whole(&self) -> bool {
        !self.partial
    }

    /// The name as it stands in the folder.
    pub(super) fn text(&self, prefix: &str) -> String {
        let text = |bytes: &[u8]| bytes.iter().copied().map(char::from).collect::<String>();
        let partial = if self.partial { PARTIAL } else { "" };
        format!("{prefix}{}.{}{EXTENSION}{partial}", text(&self.start), text(&self.uuid))
    }
}

/// Names of plain files that snapshots of this prefix could have, sorted. Links are none of them,
/// and folders are not entered.
pub(super) fn list(folder: &Path, prefix: &str) -> io::Result<Vec<Name>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_str().and_then(|name| Name::parse(name, prefix));
        if let Some(name) = name
            && entry.file_type().is_ok_and(|kind| kind.is_file())
        {
            names.push(name);
        }
        if names.len() == MOST {
            break;
        }
    }
    names.sort_unstable();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_written_alike() {
        for name in [
            "prod.20261121T090000Z.0123abcd.ndjson.zst",
            "prod.20261121T090000Z.0123abcd.ndjson.zst.partial",
        ] {
            let parsed = Name::parse(name, "prod.").map(|parsed| parsed.text("prod."));
            assert_eq!(parsed.as_deref(), Some(name));
        }
    }

    #[test]
    fn other_names_are_none() {
        for name in [
            "prod.ndjson.zst",
            "prod.20261121T090000Z.ndjson.zst",
            "prod.20261121T090000Z.0123abcde.ndjson.zst",
            "prod.20261121T090000Z.0123abc/.ndjson.zst",
            "prod.eu.20261121T090000Z.0123abcd.ndjson.zst",
            "prod2.20261121T090000Z.0123abcd.ndjson.zst",
            "prod.20261121T090000Z.0123abcd.ndjson.zst.bak",
            "prod.20261121T090000Z.0123abcd.ndjson",
            ".hindsight-collector-id",
        ] {
            assert_eq!(Name::parse(name, "prod."), None, "{name}");
        }
    }
}
