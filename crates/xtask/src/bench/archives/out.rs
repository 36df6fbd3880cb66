//! An archive that is being written, as the gatherer writes it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

use serde_json::{Map, Value, json};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::recorded::{Any, MANIFEST};

/// Of whom and what an artifact is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tags<'a> {
    pub(super) kind: &'a str,
    pub(super) cluster: &'a str,
    pub(super) server: &'a str,
    /// Empty for what is of a server.
    pub(super) account: &'a str,
    /// Empty for all but streams.
    pub(super) stream: &'a str,
}

impl Tags<'_> {
    fn folder(&self) -> String {
        let Self { kind, cluster, server, account, stream } = self;
        match (*account, *stream) {
            ("", _) => format!("capture/clusters/{cluster}/{server}/{kind}"),
            (_, "") => format!("capture/accounts/{account}/servers/{cluster}__{server}/{kind}"),
            _ => format!(
                "capture/accounts/{account}/streams/{stream}/replicas/{cluster}__{server}/{kind}"
            ),
        }
    }

    fn listed(&self) -> Value {
        let Self { kind, cluster, server, account, stream } = self;
        let all = [
            ("account", account),
            ("stream", stream),
            ("server", server),
            ("cluster", cluster),
            ("artifact_type", kind),
        ];
        let told = all.into_iter().filter(|(_, value)| !value.is_empty());
        told.map(|(name, value)| json!({ "Name": name, "Value": value })).collect()
    }
}

/// Entries and bytes of each kind of artifact.
pub(super) type Composition = BTreeMap<String, (usize, u64)>;

/// An archive that is being written.
pub(super) struct Out {
    zip: ZipWriter<BufWriter<File>>,
    manifest: Map<String, Value>,
    composition: Composition,
}

impl Out {
    pub(super) fn create(path: &Path) -> Any<Self> {
        let zip = ZipWriter::new(BufWriter::new(File::create(path)?));
        Ok(Self { zip, manifest: Map::new(), composition: BTreeMap::new() })
    }

    /// Puts in the pages of an artifact.
    pub(super) fn pages(&mut self, tags: Tags<'_>, pages: &[String]) -> io::Result<()> {
        let folder = tags.folder();
        for (number, text) in (1..).zip(pages) {
            let path = format!("{folder}/{number:04}.json");
            self.file(tags.kind, &path, text)?;
            self.manifest.insert(path, tags.listed());
        }
        Ok(())
    }

    /// Puts in what is of no server.
    pub(super) fn special(&mut self, name: &str, end: &str, text: &str) -> io::Result<()> {
        let path = format!("capture/misc/{name}.{end}");
        self.file(name, &path, text)?;
        self.manifest.insert(path, json!([{ "Name": "special", "Value": name }]));
        Ok(())
    }

    fn file(&mut self, kind: &str, path: &str, text: &str) -> io::Result<()> {
        let sum = self.composition.entry(kind.to_owned()).or_default();
        *sum = (sum.0 + 1, sum.1 + text.len() as u64);
        self.zip.start_file(path, SimpleFileOptions::default()).map_err(io::Error::other)?;
        self.zip.write_all(text.as_bytes())
    }

    /// Writes the manifest, which is the last entry.
    pub(super) fn finish(mut self) -> Any<Composition> {
        let manifest = serde_json::to_string_pretty(&std::mem::take(&mut self.manifest))?;
        self.file("manifest", MANIFEST, &manifest)?;
        self.zip.finish()?.flush()?;
        Ok(self.composition)
    }
}
