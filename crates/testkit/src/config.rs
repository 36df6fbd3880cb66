//! The configuration file of one server, written from the plan.
//!
//! Everything is relative and on 127.0.0.1, because servers report their folders and addresses in
//! replies, and replies end up in recordings that others read.

use std::fmt::Write;

use crate::plan::{Account, Hub, ServerPlan, SystemPlan, User};
use crate::ports::free_port;

/// The ports of one server; they stay the same as long as the system lives.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ports {
    pub(crate) client: u16,
    pub(crate) monitor: u16,
    pub(crate) route: u16,
    pub(crate) gateway: u16,
    pub(crate) leaf: u16,
}

impl Ports {
    pub(crate) fn free() -> crate::error::Result<Ports> {
        Ok(Ports {
            client: free_port()?,
            monitor: free_port()?,
            route: free_port()?,
            gateway: free_port()?,
            leaf: free_port()?,
        })
    }
}

/// What the configuration needs to know of the other servers.
pub(crate) struct Neighbours<'a> {
    pub(crate) plan: &'a SystemPlan,
    pub(crate) ports: &'a [Ports],
    /// The lines of operator mode, where accounts are not in the file.
    pub(crate) operator: Option<&'a str>,
}

/// The file for one server of the plan.
pub(crate) fn render(all: &Neighbours<'_>, index: usize) -> String {
    let server = &all.plan.servers[index];
    let ports = all.ports[index];
    let mut text = String::new();
    if !server.unnamed {
        line(&mut text, &format!("server_name: {}", quoted(&server.name)));
    }
    line(&mut text, &format!("listen: \"127.0.0.1:{}\"", ports.client));
    line(&mut text, &format!("http: \"127.0.0.1:{}\"", ports.monitor));
    // The shortest that servers accept, so that tests see the whole of a lame duck's life.
    line(&mut text, "lame_duck_duration: \"30s\"");
    line(&mut text, "lame_duck_grace_period: \"1s\"");
    if all.plan.jetstream {
        jetstream_block(&mut text, server);
    }
    if let Some(cluster) = &server.cluster {
        route_block(&mut text, all, index, cluster);
        gateway_block(&mut text, all, ports, cluster);
        line(&mut text, &format!("leafnodes {{ listen: \"127.0.0.1:{}\" }}", ports.leaf));
    }
    if let Some(hub) = &server.hub {
        leaf_block(&mut text, all, hub);
    }
    match all.operator {
        Some(lines) => line(&mut text, lines),
        None => account_blocks(&mut text, all.plan),
    }
    line(&mut text, &all.plan.extra);
    line(&mut text, &server.settings);
    text
}

fn jetstream_block(text: &mut String, server: &ServerPlan) {
    let domain = match &server.domain {
        Some(domain) => format!("domain: {}, ", quoted(domain)),
        None => String::new(),
    };
    line(text, &format!("server_tags: [{}]", quoted(&server.name)));
    line(
        text,
        &format!("jetstream {{ {domain}store_dir: \"store\", max_mem: 64MB, max_file: 256MB }}"),
    );
}

fn route_block(text: &mut String, all: &Neighbours<'_>, index: usize, cluster: &str) {
    let own = &all.plan.servers[index];
    let joined = |other: &ServerPlan| {
        other.cluster.as_deref() == Some(cluster) && !other.apart && !own.apart
    };
    let routes: Vec<String> = (0..all.plan.servers.len())
        .filter(|&other| other != index && joined(&all.plan.servers[other]))
        .map(|other| format!("\"nats-route://127.0.0.1:{}\"", all.ports[other].route))
        .collect();
    line(text, "cluster {");
    line(text, &format!("  name: {}", quoted(cluster)));
    line(text, &format!("  listen: \"127.0.0.1:{}\"", all.ports[index].route));
    line(text, &format!("  routes: [{}]", routes.join(", ")));
    line(text, "}");
}

fn gateway_block(text: &mut String, all: &Neighbours<'_>, ports: Ports, cluster: &str) {
    let clusters = all.plan.clusters();
    if clusters.len() < 2 {
        return;
    }
    line(text, "gateway {");
    line(text, &format!("  name: {}", quoted(cluster)));
    line(text, &format!("  listen: \"127.0.0.1:{}\"", ports.gateway));
    line(text, "  gateways: [");
    for name in clusters {
        let urls: Vec<String> = members(all, name)
            .map(|other| format!("\"nats://127.0.0.1:{}\"", all.ports[other].gateway))
            .collect();
        line(text, &format!("    {{ name: {}, urls: [{}] }}", quoted(name), urls.join(", ")));
    }
    line(text, "  ]\n}");
}

fn leaf_block(text: &mut String, all: &Neighbours<'_>, hub: &Hub) {
    line(text, "leafnodes {\n  remotes: [");
    for account in &hub.accounts {
        let urls: Vec<String> = members(all, &hub.cluster)
            .map(|other| leaf_url(all.plan, account, all.ports[other].leaf))
            .collect();
        let account = quoted(account);
        line(text, &format!("    {{ account: {account}, urls: [{}] }}", urls.join(", ")));
    }
    line(text, "  ]\n}");
}

fn leaf_url(plan: &SystemPlan, account: &str, port: u16) -> String {
    let user = plan.accounts.iter().find(|known| known.name == account);
    match user.and_then(|known| known.users.first()) {
        Some(user) => format!("\"nats-leaf://{}:{}@127.0.0.1:{port}\"", user.name, user.password),
        None => format!("\"nats-leaf://127.0.0.1:{port}\""),
    }
}

fn members<'a>(all: &'a Neighbours<'_>, cluster: &'a str) -> impl Iterator<Item = usize> + 'a {
    (0..all.plan.servers.len()).filter(move |&other| {
        let server = &all.plan.servers[other];
        server.cluster.as_deref() == Some(cluster) && !server.apart
    })
}

fn account_blocks(text: &mut String, plan: &SystemPlan) {
    if plan.system_account {
        line(text, "system_account: SYS");
    }
    if plan.accounts.is_empty() {
        return;
    }
    line(text, "accounts {");
    for Account { name, users, extra } in &plan.accounts {
        line(text, &format!("  {} {{\n    users: [", key(name)));
        for user in users {
            line(text, &format!("      {}", user_block(user)));
        }
        line(text, "    ]");
        // First, so that the account's own lines can set limits instead.
        if plan.jetstream && name != "SYS" {
            line(text, "    jetstream: enabled");
        }
        line(text, &format!("    {extra}\n  }}"));
    }
    line(text, "}");
}

fn user_block(user: &User) -> String {
    let deny = |subjects: &[String]| {
        subjects.iter().map(|subject| quoted(subject)).collect::<Vec<_>>().join(", ")
    };
    let mut permissions = String::new();
    if !user.deny_publish.is_empty() {
        let _ = write!(permissions, "publish: {{ deny: [{}] }} ", deny(&user.deny_publish));
    }
    if !user.deny_subscribe.is_empty() {
        let _ = write!(permissions, "subscribe: {{ deny: [{}] }} ", deny(&user.deny_subscribe));
    }
    let (name, password) = (quoted(&user.name), quoted(&user.password));
    if permissions.is_empty() {
        return format!("{{ user: {name}, password: {password} }}");
    }
    format!("{{ user: {name}, password: {password}, permissions: {{ {permissions}}} }}")
}

fn line(text: &mut String, content: &str) {
    text.push_str(content);
    text.push('\n');
}

/// A string of the configuration language.
/// Keys know no escapes: whatever stands between the marks is meant.
fn key(text: &str) -> String {
    format!("\"{text}\"")
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for letter in text.chars() {
        match letter {
            '\\' | '"' => out.extend(['\\', letter]),
            letter if letter.is_ascii_control() => {
                let _ = write!(out, "\\x{:02x}", u32::from(letter));
            }
            letter => out.push(letter),
        }
    }
    out.push('"');
    out
}
