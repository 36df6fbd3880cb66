//! Archives of `nats audit gather`, scaled up from a recorded one, the same way every time.

use std::fs::File;
use std::io::{self, BufWriter, Read as _, Write as _};
use std::path::Path;

use nats_hindsight_testkit::workspace_root;
use serde_json::{Map, Value, json};
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

/// The recorded archive: three servers of cluster A, with services in account APP.
const RECORDED: &str = "fixtures/bundles/healthy/epoch-000.zip";

/// Where its manifest is.
const MANIFEST: &str = "capture/misc/manifest.json";

/// Its servers.
const SERVERS: [&str; 3] = ["a1", "a2", "a3"];

/// How large an archive is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    pub(super) name: &'static str,
    /// Clusters of three servers.
    pub(super) clusters: usize,
    pub(super) accounts: usize,
    /// Streams, each on the three servers of the first cluster.
    pub(super) streams: usize,
}

/// Nine servers.
pub(super) const MEDIUM: Size = Size { name: "M", clusters: 3, accounts: 200, streams: 1000 };

/// 27 servers.
pub(super) const LARGE: Size = Size { name: "L", clusters: 9, accounts: 500, streams: 2000 };

/// An artifact of the recorded archive.
struct Artifact {
    text: String,
    server: String,
    account: String,
    stream: String,
    kind: String,
}

/// The recorded archive, in memory.
pub(super) struct Archive {
    artifacts: Vec<Artifact>,
    metadata: String,
    /// Ids of its servers.
    ids: Vec<String>,
}

type Any<T> = Result<T, Box<dyn std::error::Error>>;

impl Archive {
    pub(super) fn load() -> Any<Self> {
        let mut zip = ZipArchive::new(File::open(workspace_root().join(RECORDED))?)?;
        let manifest: Map<String, Value> = serde_json::from_str(&text(&mut zip, MANIFEST)?)?;
        let mut artifacts = Vec::new();
        for (path, tags) in &manifest {
            let tag = |name: &str| {
                let tags = tags.as_array().into_iter().flatten();
                let tag = tags.into_iter().find(|tag| tag["Name"] == name);
                tag.and_then(|tag| tag["Value"].as_str()).unwrap_or_default().to_owned()
            };
            if tag("special").is_empty() {
                artifacts.push(Artifact {
                    text: text(&mut zip, path)?,
                    server: tag("server"),
                    account: tag("account"),
                    stream: tag("stream"),
                    kind: tag("artifact_type"),
                });
            }
        }
        let id = |server: &str| {
            let of = artifacts.iter().find(|a| a.server == server && a.kind == "variables");
            let reply: Value = serde_json::from_str(of.map_or("{}", |of| of.text.as_str()))?;
            Ok(reply["server"]["id"].as_str().unwrap_or_default().to_owned())
        };
        let ids: Any<Vec<String>> = SERVERS.into_iter().map(id).collect();
        let metadata = text(&mut zip, "capture/misc/audit_gather_metadata.json")?;
        Ok(Self { ids: ids?, artifacts, metadata })
    }

    /// Writes an archive of a size, so many minutes after the recorded one. Gives the number of its
    /// entries and of the bytes they unpack to.
    pub(super) fn write(&self, size: Size, minutes: usize, path: &Path) -> Any<(usize, u64)> {
        let zip = ZipWriter::new(BufWriter::new(File::create(path)?));
        let mut out = Out { zip, manifest: Map::new(), bytes: 0 };
        let moment = |text: &str| text.replace("T09:44:", &format!("T09:{}:", 44 + minutes));
        for cluster in 0..size.clusters {
            self.cluster(size, cluster, &moment, &mut out)?;
        }
        for of in self.artifacts.iter().filter(|of| of.stream == "ORDERS") {
            let text = moment(&self.of_cluster(&of.text, 0));
            for stream in 0..size.streams {
                let account = format!("ACC{}", stream % size.accounts);
                let name = format!("S{stream}");
                let text = text.replace("\"ORDERS\"", &format!("\"{name}\""));
                out.put(of, 0, &[("account", &account), ("stream", &name)], &text)?;
            }
        }
        out.finish(&moment(&self.metadata))
    }

    /// What the servers of one cluster say of themselves and of every account.
    fn cluster(
        &self,
        size: Size,
        cluster: usize,
        moment: &dyn Fn(&str) -> String,
        out: &mut Out,
    ) -> Any<()> {
        let names: Vec<String> = (0..size.accounts).map(|n| format!("\"ACC{n}\",")).collect();
        let listed = format!("\"accounts\": [{}", names.concat());
        for of in self.artifacts.iter().filter(|of| of.stream.is_empty()) {
            let text = moment(&self.of_cluster(&of.text, cluster));
            match of.account.as_str() {
                "" => {
                    out.put(of, cluster, &[], &text.replace("\"accounts\": [", &listed))?;
                }
                "APP" => {
                    for account in 0..size.accounts {
                        let name = format!("ACC{account}");
                        let text = text.replace("\"APP\"", &format!("\"{name}\""));
                        out.put(of, cluster, &[("account", &name)], &text)?;
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// What a server of the recorded cluster says, as one of another cluster.
    fn of_cluster(&self, text: &str, cluster: usize) -> String {
        let mut text = text.replace("\"A\"", &format!("\"C{cluster}\""));
        for (name, id) in SERVERS.iter().zip(&self.ids) {
            let head = id.get(..id.len().saturating_sub(6)).unwrap_or(id);
            text = text.replace(id, &format!("{head}{cluster:06}"));
            text = text.replace(&format!("\"{name}\""), &format!("\"{}\"", server(cluster, name)));
        }
        text
    }
}

/// The name of a server in a cluster.
fn server(cluster: usize, name: &str) -> String {
    format!("c{cluster}-{name}")
}

fn text(zip: &mut ZipArchive<File>, path: &str) -> Any<String> {
    let mut text = String::new();
    zip.by_name(path)?.read_to_string(&mut text)?;
    Ok(text)
}

/// An archive that is being written.
struct Out {
    zip: ZipWriter<BufWriter<File>>,
    manifest: Map<String, Value>,
    bytes: u64,
}

impl Out {
    /// Puts in what a server of a cluster says, with further tags.
    fn put(&mut self, of: &Artifact, cluster: usize, tags: &[(&str, &str)], text: &str) -> Any<()> {
        let path = format!("capture/{:06}/0001.json", self.manifest.len());
        self.file(&path, text)?;
        let (server, cluster) = (server(cluster, &of.server), format!("C{cluster}"));
        let own = [("server", &*server), ("cluster", &*cluster), ("artifact_type", &*of.kind)];
        let tags = own.iter().chain(tags);
        let tags = tags.map(|(name, value)| json!({ "Name": name, "Value": value }));
        self.manifest.insert(path, tags.collect());
        Ok(())
    }

    fn special(&mut self, name: &str, path: &str, text: &str) -> Any<()> {
        self.file(path, text)?;
        self.manifest.insert(path.to_owned(), json!([{ "Name": "special", "Value": name }]));
        Ok(())
    }

    fn file(&mut self, path: &str, text: &str) -> io::Result<()> {
        self.bytes += text.len() as u64;
        let options = SimpleFileOptions::default();
        self.zip.start_file(path, options).map_err(io::Error::other)?;
        self.zip.write_all(text.as_bytes())
    }

    fn finish(mut self, metadata: &str) -> Any<(usize, u64)> {
        let path = "capture/misc/audit_gather_metadata.json";
        self.special("audit_gather_metadata", path, metadata)?;
        let manifest = Value::Object(std::mem::take(&mut self.manifest));
        let entries = manifest.as_object().map_or(0, Map::len) + 1;
        self.file(MANIFEST, &manifest.to_string())?;
        self.zip.finish()?.flush()?;
        Ok((entries, self.bytes))
    }
}
