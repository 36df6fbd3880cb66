//! From replies of services to records.

use std::sync::Arc;

use nats_hindsight_snapshot::format::Body;
use nats_hindsight_snapshot::wire::{REPLY_TYPE_PREFIX, ServiceEndpoint, ServiceReply};
use smol_str::SmolStr;

use super::told::Told;
use super::{owned, time};
use crate::epoch::{InstanceTold, ServedEndpoint};

pub(super) fn told(body: &Body<'_>) -> Told {
    let reply: ServiceReply<'_> = match body.parse() {
        Ok(reply) => reply,
        Err(error) => return Told::Unreadable(error.to_string()),
    };
    let typed = reply.reply_type.as_deref().is_some_and(|t| t.starts_with(REPLY_TYPE_PREFIX));
    let (Some(name), Some(id), true) =
        (owned(reply.name.as_ref()), owned(reply.id.as_ref()), typed)
    else {
        let why = "not a reply of a service (a stream that listens to `$SRV` answers too)";
        return Told::Unreadable(why.to_owned());
    };
    let odd = odd_fields(&reply).into_iter().filter_map(|(field, odd)| odd.then_some(field));
    let odd = odd.collect();
    let endpoints = reply.endpoints.readable().map(|all| {
        let mut all: Vec<ServedEndpoint> = all.into_iter().map(served).collect();
        all.sort();
        all.dedup_by(|next, first| next.requests.is_none() && next == first);
        all.into()
    });
    let told = InstanceTold {
        name,
        id,
        version: owned(reply.version.as_ref()),
        metadata: reply.metadata.readable().map(|all| Arc::new(all.0)),
        started: time(reply.started.as_deref()),
        endpoints,
    };
    Told::Instance { told: Arc::new(told), odd }
}

/// Fields that others read and that may be of an unexpected type.
fn odd_fields(reply: &ServiceReply<'_>) -> [(&'static str, bool); 3] {
    let odd_group = |all: &Vec<ServiceEndpoint<'_>>| all.iter().any(|e| e.queue_group.is_odd());
    [
        ("metadata", reply.metadata.is_odd()),
        ("endpoints", reply.endpoints.is_odd()),
        ("queue_group", reply.endpoints.set().is_some_and(odd_group)),
    ]
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
