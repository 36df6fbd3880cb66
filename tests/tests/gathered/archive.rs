//! An archive in memory, from which artifacts are taken without packing anything again.
//!
//! An entry is lost when the directory does not name it any more; a manifest that does not know of
//! it is written behind the others. So one edit costs a copy of the bytes.

use std::io::Read;
use std::ops::Range;

use flate2::Crc;
use flate2::read::DeflateDecoder;
use serde_json::{Map, Value};

const MANIFEST: &str = "capture/misc/manifest.json";

/// A record of the directory without its name.
const RECORD: usize = 46;

/// A local header without its name.
const LOCAL: usize = 30;

/// The end of the directory, without a comment.
const END: usize = 22;

/// What is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Loss {
    /// The bytes, while the manifest still names them.
    Entry,
    /// The word in the manifest too, as the gatherer leaves out what did not answer.
    Artifact,
}

/// One artifact, as the manifest tells it.
#[derive(Clone, Debug)]
pub(super) struct Artifact {
    pub(super) entry: String,
    pub(super) kind: String,
    pub(super) server: Option<String>,
}

/// An archive of the gatherer.
pub(super) struct Archive {
    bytes: Vec<u8>,
    directory: usize,
    /// Names of the entries, and where their records are.
    records: Vec<(String, Range<usize>)>,
    manifest: Map<String, Value>,
}

impl Archive {
    /// `None` where it has no manifest, because the run did not end.
    pub(super) fn of(bytes: Vec<u8>) -> Option<Self> {
        let end = bytes.len() - END;
        assert_eq!(&bytes[end..end + 4], b"PK\x05\x06", "an archive ends with its directory");
        let directory = u32_at(&bytes, end + 16);
        let mut records = Vec::new();
        let mut at = directory;
        while at < end {
            let [name, extra, comment] = [28, 30, 32].map(|field| u16_at(&bytes, at + field));
            let text = String::from_utf8(bytes[at + RECORD..at + RECORD + name].to_vec()).unwrap();
            let next = at + RECORD + name + extra + comment;
            records.push((text, at..next));
            at = next;
        }
        let manifest = records.iter().find(|(name, _)| name == MANIFEST)?.1.start;
        let manifest = serde_json::from_slice(&unpacked(&bytes, manifest)).unwrap();
        Some(Self { bytes, directory, records, manifest })
    }

    /// Everything the manifest names but what is about the run itself.
    pub(super) fn artifacts(&self) -> Vec<Artifact> {
        let all = self.manifest.iter().filter_map(|(entry, tags)| {
            let tag = |name: &str| {
                let mut tags = tags.as_array().unwrap().iter();
                let tag = tags.find(|tag| tag["Name"] == name)?;
                Some(tag["Value"].as_str().unwrap().to_owned())
            };
            let (kind, server) = (tag("artifact_type")?, tag("server"));
            Some(Artifact { entry: entry.clone(), kind, server })
        });
        all.collect()
    }

    /// The archive without an entry.
    pub(super) fn without(&self, entry: &str, loss: Loss) -> Vec<u8> {
        let mut bytes = self.bytes[..self.directory].to_vec();
        let left_out = |name: &str| name == entry || (loss == Loss::Artifact && name == MANIFEST);
        let kept = self.records.iter().filter(|(name, _)| !left_out(name));
        let mut directory: Vec<u8> =
            kept.clone().flat_map(|(_, record)| &self.bytes[record.clone()]).copied().collect();
        let mut count = kept.count();
        if loss == Loss::Artifact {
            let mut manifest = self.manifest.clone();
            manifest.remove(entry).unwrap();
            directory.extend(add(&mut bytes, MANIFEST, &serde_json::to_vec(&manifest).unwrap()));
            count += 1;
        }
        let at = u32::try_from(bytes.len()).unwrap();
        bytes.extend(&directory);
        bytes.extend(b"PK\x05\x06\0\0\0\0");
        bytes.extend([u16::try_from(count).unwrap().to_le_bytes(); 2].concat());
        bytes.extend(u32::try_from(directory.len()).unwrap().to_le_bytes());
        bytes.extend(at.to_le_bytes());
        bytes.extend([0; 2]);
        bytes
    }
}

/// Adds an entry that is stored as it is, and gives its record.
fn add(bytes: &mut Vec<u8>, name: &str, content: &[u8]) -> Vec<u8> {
    let mut crc = Crc::new();
    crc.update(content);
    let length = u32::try_from(content.len()).unwrap();
    let at = u32::try_from(bytes.len()).unwrap();
    // The version that is needed, no flags, stored, no time; checksum, sizes, lengths of names.
    let mut fields = vec![20, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    fields.extend(crc.sum().to_le_bytes());
    fields.extend([length.to_le_bytes(); 2].concat());
    fields.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
    fields.extend([0; 2]);
    bytes.extend(b"PK\x03\x04");
    bytes.extend(&fields);
    bytes.extend(name.as_bytes());
    bytes.extend(content);
    let mut record = b"PK\x01\x02\x14\0".to_vec();
    record.extend(&fields);
    // No comment, the first volume, nothing of the file system.
    record.extend([0; 10]);
    record.extend(at.to_le_bytes());
    record.extend(name.as_bytes());
    record
}

/// What the entry of a record holds.
fn unpacked(bytes: &[u8], record: usize) -> Vec<u8> {
    let stored = u32_at(bytes, record + 20);
    let local = u32_at(bytes, record + 42);
    let data = local + LOCAL + u16_at(bytes, local + 26) + u16_at(bytes, local + 28);
    let data = &bytes[data..data + stored];
    if u16_at(bytes, record + 10) == 0 {
        return data.to_vec();
    }
    let mut content = Vec::new();
    DeflateDecoder::new(data).read_to_end(&mut content).unwrap();
    content
}

fn u16_at(bytes: &[u8], at: usize) -> usize {
    usize::from(u16::from_le_bytes(bytes[at..at + 2].try_into().unwrap()))
}

fn u32_at(bytes: &[u8], at: usize) -> usize {
    usize::try_from(u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())).unwrap()
}
