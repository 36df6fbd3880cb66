//! Files of an archive with one stream each: whose they are, and how they become replies.
//!
//! They hold no id of a server, only the manifest names it, by name and cluster. The cluster is the
//! one that the *stream* tells: none for a server whose JetStream is in no cluster, also where the
//! server itself is in one, as leaf nodes are that call their cluster by their own name.

use std::collections::BTreeMap;
use std::sync::Arc;

use nats_hindsight_bundle::Artifact;
use nats_hindsight_snapshot::Endpoint;
use serde_json::json;

use super::archive::Seat;
use super::identity::Known;
use super::page::What;
use super::pages::{Filing, Of};

/// A server, and the cluster that the manifest says it is in.
type InCluster = (Option<Arc<str>>, Arc<Known>);

/// Servers that streams may be filed under.
#[derive(Default)]
pub(super) struct Keepers {
    by_name: BTreeMap<Arc<str>, Vec<InCluster>>,
    /// By the folder `<cluster>__<server>`, which is all there is where the manifest is lost.
    by_folder: BTreeMap<String, Vec<Arc<Known>>>,
}

impl Keepers {
    pub(super) fn of(servers: &BTreeMap<Seat, Vec<Arc<Known>>>) -> Self {
        let mut keepers = Self::default();
        for ((cluster, name), all) in servers {
            for known in all {
                let named = keepers.by_name.entry(Arc::clone(name)).or_default();
                named.push((cluster.clone(), Arc::clone(known)));
                for folder in folders(cluster.as_deref(), name) {
                    keepers.by_folder.entry(folder).or_default().push(Arc::clone(known));
                }
            }
        }
        keepers
    }

    /// The server that keeps a stream, without an id where none or several fit.
    fn find(&self, artifact: &Artifact) -> Arc<Known> {
        let fitting = match (&artifact.server, &artifact.folder) {
            (Some(name), _) => self.called(name, artifact.cluster.as_deref()),
            (None, Some(folder)) => {
                self.by_folder.get(&**folder).map_or_else(Vec::new, |all| all.iter().collect())
            }
            (None, None) => Vec::new(),
        };
        if let [one] = fitting[..] {
            return Arc::clone(one);
        }
        let name = artifact.server.as_deref().or(artifact.folder.as_deref());
        Arc::new(Known {
            name: name.unwrap_or_default().to_owned(),
            cluster: artifact.cluster.as_ref().map(ToString::to_string),
            ..Known::default()
        })
    }

    fn called(&self, name: &Arc<str>, cluster: Option<&str>) -> Vec<&Arc<Known>> {
        let named = || self.by_name.get(name).into_iter().flatten();
        let fits = |of: Option<&str>| {
            of == cluster || (cluster.is_none() && of.is_none_or(|of| *of == **name))
        };
        let fitting: Vec<&Arc<Known>> =
            named().filter(|(of, _)| fits(of.as_deref())).map(|(_, known)| known).collect();
        if fitting.is_empty() && cluster.is_none() {
            return named().map(|(_, known)| known).collect();
        }
        fitting
    }
}

/// The folders in which the gatherer files streams of a server: its releases do not agree on how to
/// say that there is no cluster.
fn folders(cluster: Option<&str>, name: &str) -> Vec<String> {
    match cluster {
        Some(cluster) if cluster == name => vec![format!("{cluster}__{name}"), format!("__{name}")],
        Some(cluster) => vec![format!("{cluster}__{name}")],
        None => vec![format!("unclustered__{name}"), format!("__{name}")],
    }
}

/// Files a page for each entry of a stream.
pub(super) fn file(
    artifact: &Artifact,
    keepers: &Keepers,
    stored: &dyn Fn(usize) -> u64,
    pages: &mut Filing,
) {
    let server = keepers.find(artifact);
    for entry in &artifact.pages {
        let what = What { endpoint: Endpoint::JSZ, of_stream: true };
        let of = Of { what, account: artifact.account.as_ref(), server: Some(&server) };
        pages.entry(of, *entry, stored(*entry));
    }
}

/// A stream in a reply as JSZ would give it, and in an envelope of what is known of its server.
pub(super) fn reply(known: &Known, account: Option<&str>, stream: &str) -> String {
    let server = json!({ "id": known.id, "name": known.name, "cluster": known.cluster });
    let config = known.domain.as_ref().map(|domain| json!({ "domain": domain }));
    let (config, account) = (json!(config), json!(account));
    format!(
        "{{\"server\":{server},\"data\":{{\"config\":{config},\"account_details\":[{{\"id\":\
         {account},\"stream_detail\":[{stream}]}}]}}}}"
    )
}
