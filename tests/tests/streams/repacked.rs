//! An archive that is taken apart, changed and packed again.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Read, Write};
use std::path::Path;

use serde_json::{Value, json};
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

const MANIFEST: &str = "capture/misc/manifest.json";

/// The entries of an archive, and what its manifest says of them.
pub(super) struct Archive {
    pub(super) entries: BTreeMap<String, Vec<u8>>,
    pub(super) manifest: BTreeMap<String, Vec<Tag>>,
}

#[derive(Clone, Debug, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Tag {
    pub(super) name: String,
    pub(super) value: String,
}

impl Archive {
    /// A recorded archive, by its path among the bundles.
    pub(super) fn open(path: &str) -> Self {
        let path = super::fixtures().join("bundles").join(Path::new(path));
        let mut zip = ZipArchive::new(Cursor::new(fs::read(path).unwrap())).unwrap();
        let mut entries = BTreeMap::new();
        for index in 0..zip.len() {
            let mut entry = zip.by_index(index).unwrap();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            entries.insert(entry.name().to_owned(), bytes);
        }
        let manifest = serde_json::from_slice(&entries.remove(MANIFEST).unwrap()).unwrap();
        Self { entries, manifest }
    }

    /// Changes every document with a tag of that value.
    pub(super) fn each(&mut self, tag: &str, value: &str, edit: impl Fn(&str, &mut Value)) {
        for path in self.tagged(tag, value) {
            let kind = self.tag(&path, "artifact_type").unwrap_or_default();
            let Some(bytes) = self.entries.get_mut(&path).filter(|_| kind != "profile") else {
                continue;
            };
            let mut document: Value = serde_json::from_slice(bytes).unwrap();
            edit(&kind, &mut document);
            *bytes = serde_json::to_vec(&document).unwrap();
        }
    }

    /// Gives every entry with a tag of one value another value there.
    pub(super) fn retag(&mut self, tag: &str, from: &str, to: &str) {
        for tags in self.manifest.values_mut() {
            for known in tags.iter_mut().filter(|known| known.name == tag && known.value == from) {
                to.clone_into(&mut known.value);
            }
        }
    }

    /// Paths of the entries with a tag of that value.
    pub(super) fn tagged(&self, tag: &str, value: &str) -> Vec<String> {
        let is = |tags: &[Tag]| tags.iter().any(|known| known.name == tag && known.value == value);
        self.manifest.iter().filter(|(_, tags)| is(tags)).map(|(path, _)| path.clone()).collect()
    }

    fn tag(&self, path: &str, tag: &str) -> Option<String> {
        let tags = self.manifest.get(path)?;
        tags.iter().find(|known| known.name == tag).map(|known| known.value.clone())
    }

    /// Adds the file of a stream.
    pub(super) fn add_stream(
        &mut self,
        account: &str,
        (cluster, server): (&str, &str),
        document: &Value,
    ) {
        let name = document["name"].as_str().unwrap();
        let path = format!(
            "capture/accounts/{account}/streams/{name}/replicas/{cluster}__{server}/stream_info/0001.json"
        );
        let tags = [
            ("account", account),
            ("cluster", cluster),
            ("server", server),
            ("stream", name),
            ("artifact_type", "stream_info"),
        ];
        let tags = tags.map(|(name, value)| Tag { name: name.to_owned(), value: value.to_owned() });
        self.manifest.insert(path.clone(), tags.to_vec());
        self.entries.insert(path, serde_json::to_vec(document).unwrap());
    }

    /// The file of a stream.
    pub(super) fn stream(&self, name: &str, server: &str) -> Value {
        let of_stream = self.tagged("stream", name);
        let path =
            of_stream.iter().find(|path| self.tag(path, "server").as_deref() == Some(server));
        serde_json::from_slice(&self.entries[path.unwrap()]).unwrap()
    }

    /// The archive as bytes.
    pub(super) fn pack(&self) -> Vec<u8> {
        let manifest = serde_json::to_vec(&json!(self.manifest)).unwrap();
        self.with(Some((MANIFEST, &manifest)))
    }

    /// The archive as if its end were lost.
    pub(super) fn pack_without_manifest(&self) -> Vec<u8> {
        self.with(None)
    }

    fn with(&self, last: Option<(&str, &[u8])>) -> Vec<u8> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        let entries = self.entries.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
        for (name, bytes) in entries.chain(last) {
            zip.start_file(name, SimpleFileOptions::default()).unwrap();
            zip.write_all(bytes).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }
}
