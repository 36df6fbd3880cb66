//! A service for the tests, with the same JSON argument as `python/service.py`.
//!
//! Prints one JSON line with its id as soon as it runs, and ends on SIGTERM.

use std::collections::HashMap;
use std::io::Write;
use std::time::Duration;

use async_nats::service::{ServiceExt, endpoint::Endpoint, error};
use async_nats::{Client, ConnectOptions, ServerAddr};
use futures::StreamExt;
use serde::Deserialize;
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[derive(Deserialize)]
struct Plan {
    servers: Vec<String>,
    user: Option<String>,
    password: Option<String>,
    /// Text of a credentials file.
    creds: Option<String>,
    connection_name: String,
    reconnect: bool,
    name: String,
    version: String,
    description: Option<String>,
    metadata: HashMap<String, String>,
    queue_group: Option<String>,
    endpoints: Vec<EndpointPlan>,
    fails_on: Vec<String>,
}

#[derive(Deserialize)]
struct EndpointPlan {
    name: String,
    subject: String,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let argument = std::env::args().nth(1).ok_or("one argument with the plan is needed")?;
    let plan: Plan = serde_json::from_str(&argument)?;
    let client = connect(&plan).await?;
    let mut builder = client.service_builder().metadata(plan.metadata);
    if let Some(description) = plan.description {
        builder = builder.description(description);
    }
    if let Some(group) = plan.queue_group {
        builder = builder.queue_group(group);
    }
    let service = builder.start(plan.name, plan.version).await?;
    for wanted in &plan.endpoints {
        let builder = service.endpoint_builder().name(&wanted.name);
        tokio::spawn(answer(builder.add(&wanted.subject).await?, plan.fails_on.clone()));
    }
    client.flush().await?;
    let id = service.info().await.id;
    writeln!(std::io::stdout(), "{}", json!({ "id": id }))?;
    signal(SignalKind::terminate())?.recv().await;
    Ok(())
}

async fn connect(plan: &Plan) -> Result<Client, Failure> {
    let servers: Vec<ServerAddr> =
        plan.servers.iter().map(|url| url.parse()).collect::<Result<_, _>>()?;
    let mut options = ConnectOptions::new()
        .name(&plan.connection_name)
        .retain_servers_order()
        .reconnect_delay_callback(|_| Duration::from_millis(100));
    if !plan.reconnect {
        options = options.ignore_discovered_servers().max_reconnects(1);
    }
    if let (Some(user), Some(password)) = (&plan.user, &plan.password) {
        options = options.user_and_password(user.clone(), password.clone());
    }
    if let Some(creds) = &plan.creds {
        options = options.credentials(creds)?;
    }
    Ok(options.connect(servers).await?)
}

async fn answer(mut endpoint: Endpoint, fails_on: Vec<String>) {
    while let Some(request) = endpoint.next().await {
        let wanted = request.message.payload.clone();
        let reply = if fails_on.iter().any(|payload| wanted == payload.as_bytes()) {
            Err(error::Error { status: "asked to fail".to_owned(), code: 500 })
        } else {
            Ok(wanted)
        };
        // Whoever asked may be gone; the next request does not care.
        let _ = request.respond(reply).await;
    }
}
