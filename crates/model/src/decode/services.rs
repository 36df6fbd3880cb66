//! From replies of services to records.

use std::collections::BTreeMap;
use std::sync::Arc;

use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_snapshot::format::Body;
use nats_hindsight_snapshot::wire::{
    REPLY_TYPE_PREFIX, ServiceEndpoint, ServiceMetadata, ServiceOutline, Told as Field,
};
use serde_json::value::RawValue;
use smol_str::SmolStr;

use super::memo::Memo;
use super::told::Told;
use super::{owned, time};
use crate::epoch::{InstanceTold, ServedEndpoint};

/// Metadata of an instance, empty if unset; none if it cannot be read.
pub(super) type Metadata = Option<Arc<BTreeMap<String, String>>>;

/// The endpoints that a reply announces.
#[derive(Clone)]
pub(super) struct Announced {
    /// None if they cannot be read.
    endpoints: Option<Arc<[ServedEndpoint]>>,
    /// Whether some queue group cannot be read.
    odd_group: bool,
}

pub(super) fn told(endpoint: &Endpoint, body: &Body<'_>, memo: &Memo) -> Told {
    let reply: ServiceOutline<'_> = match body.parse() {
        Ok(reply) => reply,
        Err(error) => return Told::unreadable(error.to_string()),
    };
    let typed = reply.reply_type.as_deref().is_some_and(|t| t.starts_with(REPLY_TYPE_PREFIX));
    let (Some(name), Some(id), true) =
        (owned(reply.name.as_ref()), owned(reply.id.as_ref()), typed)
    else {
        let why = "not a reply of a service (a stream that listens to `$SRV` answers too)";
        return Told::unreadable(why);
    };
    let metadata = match reply.metadata {
        Some(raw) => memo.metadata.known(endpoint, raw.get().as_bytes(), || metadata(Some(raw))),
        None => metadata(None),
    };
    let announced = match reply.endpoints {
        // Endpoints with numbers are never the same again.
        Some(raw) if *endpoint != Endpoint::SRV_STATS => {
            memo.endpoints.known(endpoint, raw.get().as_bytes(), || announced(Some(raw)))
        }
        raw => announced(raw),
    };
    // Fields that others read and that may be of an unexpected type.
    let odd = [
        ("metadata", metadata.is_none()),
        ("endpoints", announced.endpoints.is_none()),
        ("queue_group", announced.odd_group),
    ];
    let odd = odd.into_iter().filter_map(|(field, odd)| odd.then_some(field)).collect();
    let told = InstanceTold {
        name,
        id,
        version: owned(reply.version.as_ref()),
        metadata,
        started: time(reply.started.as_deref()),
        endpoints: announced.endpoints,
        odd,
    };
    Told::Instance(Arc::new(told))
}

fn metadata(raw: Option<&RawValue>) -> Metadata {
    Field::<ServiceMetadata>::of(raw).readable().map(|all| Arc::new(all.0))
}

fn announced(raw: Option<&RawValue>) -> Announced {
    let told = Field::<Vec<ServiceEndpoint<'_>>>::of(raw);
    let odd_group =
        told.set().is_some_and(|all: &Vec<_>| all.iter().any(|e| e.queue_group.is_odd()));
    let endpoints = told.readable().map(|all| {
        let mut all: Vec<ServedEndpoint> = all.into_iter().map(served).collect();
        all.sort();
        all.dedup_by(|next, first| next.requests.is_none() && next == first);
        all.into()
    });
    Announced { endpoints, odd_group }
}

fn served(endpoint: ServiceEndpoint<'_>) -> ServedEndpoint {
    ServedEndpoint {
        name: owned(endpoint.name.as_ref()).unwrap_or_default(),
        subject: owned(endpoint.subject.as_ref()).unwrap_or_default(),
        queue_group: endpoint.queue_group.set().map(SmolStr::new),
        metadata_keys: endpoint
            .metadata
            .readable()
            .map(|all| all.0.into_keys().map(SmolStr::from).collect()),
        requests: endpoint.num_requests,
        errors: endpoint.num_errors,
    }
}
