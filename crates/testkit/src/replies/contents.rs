//! What runs in the system whose replies are recorded: streams, consumers, messages, interest.

use serde_json::{Value, json};

use crate::client::Client;
use crate::error::{KitError, Result};
use crate::plan::{Account, SystemBuilder};
use crate::system::{PATIENCE, System};
use crate::wait::wait_until;

/// Leads the replicated stream, holds the streams with one replica, and is the one asked.
pub(super) const LEADER: &str = "a1";

/// A cluster, another one behind a gateway, and a leaf server, all of one version.
pub(super) fn plan(version: &str) -> SystemBuilder {
    let exports = "exports: [{ stream: \"public.>\" }, { service: \"help.*\" }]";
    let imports = "jetstream { max_mem: 8MB, max_file: 32MB, max_streams: 5, max_consumers: 10 }
    imports: [
      { stream: { account: APP, subject: \"public.>\" }, prefix: \"app\" }
      { service: { account: APP, subject: \"help.ops\" } }
    ]";
    System::builder()
        .cluster("A", &[LEADER, "a2", "a3"], version)
        .cluster("B", &["b1", "b2"], version)
        .leaf("leaf1", version, "A", &["APP"])
        .domain("edge")
        .account(Account::new("APP").extra(exports))
        .account(Account::new("OPS").extra(imports))
        .jetstream()
}

/// Makes everything, and gives the connections that have to stay.
pub(super) fn fill(system: &System) -> Result<Vec<Client>> {
    let mut app = system.client(LEADER, "APP")?;
    let mut ops = system.client(LEADER, "OPS")?;
    let mut beyond = system.client("b1", "APP")?;
    orders(&mut app)?;
    jobs(&mut app)?;
    for config in [copies(), sources(), bucket(), beyond_the_gateway()] {
        app.add_stream(&config)?;
    }
    ops.add_stream(&json!({
        "name": "EVENTS", "subjects": ["events.>"], "num_replicas": 1, "storage": "file",
        "placement": here(),
    }))?;
    ops.store("events.started", "{}")?;
    app.store("$KV.settings.colour", "green")?;
    app.subscribe("help.ops")?;
    beyond.subscribe("orders.queries.*")?;
    ops.subscribe("app.public.news")?;
    settle(&mut app)?;
    Ok(vec![app, ops, beyond])
}

fn here() -> Value {
    json!({ "cluster": "A", "tags": [LEADER] })
}

/// Three replicas; one consumer that is behind, one push consumer bound, one that is not.
fn orders(app: &mut Client) -> Result<()> {
    app.add_stream(&json!({
        "name": "ORDERS", "subjects": ["orders.>"], "num_replicas": 3, "storage": "file",
        "placement": { "cluster": "A" }, "max_msgs": 1000, "max_bytes": 1_048_576,
        "max_age": 3_600_000_000_000_u64, "max_consumers": 20, "discard": "old",
        "compression": "s2", "allow_direct": true, "duplicate_window": 60_000_000_000_u64,
        "metadata": { "io.nats.monitor.peer-expect": "3", "io.nats.monitor.msgs-warn": "500" },
    }))?;
    lead_here(app, "ORDERS")?;
    for number in 0..20 {
        app.store(&format!("orders.{}", number % 5), "an order")?;
    }
    app.jetstream("STREAM.MSG.DELETE.ORDERS", &json!({ "seq": 10 }))?;
    app.subscribe("push.audit")?;
    for config in consumers_of_orders() {
        app.add_consumer("ORDERS", &config)?;
    }
    let taken = app.pull("ORDERS", "billing", 6)?;
    taken.iter().take(4).try_for_each(|message| app.acknowledge(message))
}

fn consumers_of_orders() -> [Value; 4] {
    [
        json!({
            "durable_name": "billing", "ack_policy": "explicit", "deliver_policy": "all",
            "ack_wait": 600_000_000_000_u64, "max_ack_pending": 100, "max_deliver": 5,
            "metadata": { "io.nats.monitor.unprocessed-critical": "1000" },
        }),
        json!({
            "durable_name": "audit", "ack_policy": "none", "deliver_policy": "all",
            "deliver_subject": "push.audit",
        }),
        json!({
            "durable_name": "unbound", "ack_policy": "explicit", "deliver_policy": "new",
            "deliver_subject": "push.nobody", "num_replicas": 1,
        }),
        json!({
            "durable_name": "pinned", "ack_policy": "explicit", "deliver_policy": "all",
            "priority_groups": ["jobs"], "priority_policy": "pinned_client",
            "priority_timeout": 60_000_000_000_u64,
        }),
    ]
}

/// A work queue in memory with one replica, whose first messages are done.
fn jobs(app: &mut Client) -> Result<()> {
    app.add_stream(&json!({
        "name": "JOBS", "subjects": ["jobs.>"], "num_replicas": 1, "storage": "memory",
        "retention": "workqueue", "discard": "new", "max_bytes": 65_536, "placement": here(),
    }))?;
    app.add_consumer(
        "JOBS",
        &json!({
            "durable_name": "worker", "ack_policy": "explicit", "deliver_policy": "all",
            "ack_wait": 600_000_000_000_u64,
        }),
    )?;
    for number in 0..10 {
        app.store(&format!("jobs.{number}"), "a job")?;
    }
    let taken = app.pull("JOBS", "worker", 3)?;
    taken.iter().try_for_each(|message| app.acknowledge(message))
}

fn copies() -> Value {
    json!({
        "name": "ORDERS_COPY", "num_replicas": 1, "storage": "file", "placement": here(),
        "mirror": { "name": "ORDERS" },
        "metadata": { "io.nats.monitor.lag-critical": "100" },
    })
}

fn sources() -> Value {
    json!({
        "name": "GATHERED", "num_replicas": 1, "storage": "file", "placement": here(),
        "sources": [{ "name": "ORDERS", "filter_subject": "orders.1" }, { "name": "KV_settings" }],
    })
}

fn bucket() -> Value {
    json!({
        "name": "KV_settings", "subjects": ["$KV.settings.>"], "num_replicas": 1,
        "storage": "file", "placement": here(), "max_msgs_per_subject": 1, "allow_direct": true,
        "allow_rollup_hdrs": true, "deny_delete": true, "discard": "new",
    })
}

fn beyond_the_gateway() -> Value {
    json!({
        "name": "REMOTE", "subjects": ["remote.>"], "num_replicas": 1, "storage": "file",
        "placement": { "cluster": "B" },
    })
}

/// Asks leaders to step down until the stream is led where it is wanted.
fn lead_here(app: &mut Client, stream: &str) -> Result<()> {
    wait_until(&format!("{stream} is led by {LEADER}"), PATIENCE * 3, || {
        let info = app.jetstream(&format!("STREAM.INFO.{stream}"), &Value::Null);
        let info = info.map_err(|error| error.to_string())?;
        let leader = info["cluster"]["leader"].as_str().unwrap_or_default();
        if leader == LEADER {
            return Ok(());
        }
        let call = format!("STREAM.LEADER.STEPDOWN.{stream}");
        app.jetstream(&call, &Value::Null).map_err(|error| error.to_string())?;
        Err(format!("{leader:?} leads"))
    })
}

/// Waits until replicas and copies have everything.
fn settle(app: &mut Client) -> Result<()> {
    wait_until("replicas and copies have everything", PATIENCE, || {
        let mut info = |stream: &str| {
            let call = format!("STREAM.INFO.{stream}");
            app.jetstream(&call, &Value::Null).map_err(|error: KitError| error.to_string())
        };
        let orders = info("ORDERS")?;
        let replicas = orders["cluster"]["replicas"].as_array().cloned().unwrap_or_default();
        let behind =
            |peer: &Value| peer["current"] != true || peer["lag"].as_u64().unwrap_or(0) > 0;
        if replicas.len() != 2 || replicas.iter().any(behind) {
            return Err(format!("replicas: {replicas:?}"));
        }
        for (stream, messages) in [("ORDERS_COPY", 19), ("GATHERED", 5)] {
            let found = info(stream)?["state"]["messages"].as_u64();
            if found != Some(messages) {
                return Err(format!("{stream} has {found:?} messages"));
            }
        }
        Ok(())
    })
}
