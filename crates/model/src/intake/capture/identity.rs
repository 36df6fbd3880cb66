//! Which server an artifact is of: the manifest knows names only, and names are not unique.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::Timestamp;
use nats_hindsight_bundle::{ArtifactKind, Reader, document};
use nats_hindsight_snapshot::wire::{ServerInfo, VarzJetStream};
use serde::Deserialize;
use serde_json::value::RawValue;

/// Kinds whose pages tell whose they are, best first.
pub(super) const TELLING: [ArtifactKind; 9] = [
    ArtifactKind::Variables,
    ArtifactKind::Connections,
    ArtifactKind::Routes,
    ArtifactKind::Accounts,
    ArtifactKind::Leafs,
    ArtifactKind::Gateways,
    ArtifactKind::JetStreamInfo,
    ArtifactKind::Subs,
    ArtifactKind::Health,
];

/// A server, as one of its replies tells.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Known {
    pub(super) id: Option<Arc<str>>,
    pub(super) name: String,
    pub(super) cluster: Option<String>,
    /// JetStream domain; empty where it has none, none where nothing tells.
    pub(super) domain: Option<String>,
    pub(super) version: Option<String>,
    pub(super) time: Option<Timestamp>,
    pub(super) jetstream: bool,
}

/// What replies without envelope tell of their server. Only VARZ tells more than the id.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Bare<'a> {
    #[serde(borrow)]
    server_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    server_name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    version: Option<Cow<'a, str>>,
    #[serde(borrow)]
    now: Option<Cow<'a, str>>,
    #[serde(borrow)]
    cluster: Option<&'a RawValue>,
    #[serde(borrow)]
    jetstream: Option<&'a RawValue>,
}

/// What a page tells of the server it is from.
pub(super) fn of_page(reader: &mut Reader<'_>, index: usize) -> Option<Known> {
    of_bytes(reader.read(index).ok()?)
}

/// What a document tells of the server it is from.
pub(super) fn of_bytes(bytes: &[u8]) -> Option<Known> {
    let document = document::split(bytes).ok()?;
    let text =
        |text: Option<Cow<'_, str>>| text.filter(|text| !text.is_empty()).map(Cow::into_owned);
    let bare: Bare<'_> =
        document.body.and_then(|body| serde_json::from_str(body).ok()).unwrap_or_default();
    let now = bare.now.as_deref().and_then(|now| now.parse().ok());
    if let Some(server) = document.server {
        let told = of_server(&server);
        return Some(Known { time: told.time.or(now), ..told });
    }
    let block = |raw: Option<&RawValue>| {
        raw.is_some_and(|raw| !matches!(raw.get(), "{}" | "null" | "false"))
    };
    Some(Known {
        id: text(bare.server_id).map(Into::into),
        name: text(bare.server_name).unwrap_or_default(),
        cluster: bare.cluster.and_then(cluster_name),
        domain: bare.jetstream.and_then(domain),
        version: text(bare.version),
        time: now,
        jetstream: block(bare.jetstream),
    })
}

/// What an envelope tells of the server it is from.
pub(super) fn of_server(server: &ServerInfo<'_>) -> Known {
    let text = |text: &Option<Cow<'_, str>>| {
        text.as_deref().filter(|text| !text.is_empty()).map(str::to_owned)
    };
    Known {
        id: text(&server.id).map(Into::into),
        name: text(&server.name).unwrap_or_default(),
        cluster: text(&server.cluster),
        // An envelope leaves out what is not there; without JetStream it says nothing.
        domain: text(&server.domain)
            .or_else(|| server.jetstream.unwrap_or(false).then(String::new)),
        version: text(&server.ver),
        time: server.time.as_deref().and_then(|time| time.parse().ok()),
        jetstream: server.jetstream.unwrap_or(false),
    }
}

/// VARZ holds the domain in the configuration of JetStream.
fn domain(raw: &RawValue) -> Option<String> {
    let block: VarzJetStream<'_> = serde_json::from_str(raw.get()).ok()?;
    Some(block.config?.domain.map(Cow::into_owned).unwrap_or_default())
}

/// VARZ holds the cluster as a block with a name.
fn cluster_name(raw: &RawValue) -> Option<String> {
    #[derive(Deserialize)]
    struct Block<'a> {
        #[serde(borrow)]
        name: Option<Cow<'a, str>>,
    }
    let block: Block<'_> = serde_json::from_str(raw.get()).ok()?;
    block.name.filter(|name| !name.is_empty()).map(Cow::into_owned)
}
