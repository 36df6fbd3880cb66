//! What the collector costs the system that it records: measured on real servers.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::param::clock_ticks_per_second;
use serde_json::{Value, json};

use crate::client::Client;
use crate::error::{KitError, Result, io, io_at};
use crate::process::tail;
use crate::services::Service;
use crate::system::System;
use crate::wait::wait_until;

/// A system to be recorded, and how often.
#[derive(Debug, Clone, Copy)]
pub struct LoadPlan {
    /// Of all servers.
    pub version: &'static str,
    /// Servers of one cluster, three at least.
    pub servers: usize,
    /// Connections with ten subscriptions each, spread over the servers.
    pub connections: usize,
    /// Streams with three replicas.
    pub streams: usize,
    /// Epochs that are averaged over.
    pub epochs: u32,
}

/// What one profile costs, on average per epoch, less what the servers do anyway.
#[derive(Debug, Clone)]
pub struct LoadRow {
    /// `light`, `standard` or `full`.
    pub profile: &'static str,
    /// Requests that the collector sent.
    pub requests: f64,
    /// Replies that it recorded.
    pub replies: f64,
    /// Messages that one server took, from the collector and from other servers.
    pub messages_in: f64,
    /// Bytes that one server sent, to the collector and to other servers.
    pub bytes_out: f64,
    /// Processor time of one server.
    pub cpu: Duration,
    /// Size of a snapshot.
    pub snapshot: f64,
    /// From the start of an epoch to its end.
    pub took: Duration,
}

/// Sums over all servers of a system, since their start.
#[derive(Debug, Clone, Copy, Default)]
struct Counted {
    messages_in: f64,
    bytes_out: f64,
    cpu_s: f64,
}

const PROFILES: [&str; 3] = ["light", "standard", "full"];

/// Starts the system and records it with each profile.
pub fn measure(plan: LoadPlan, hindsight: &Path) -> Result<Vec<LoadRow>> {
    let names: Vec<String> = (1..=plan.servers).map(|number| format!("a{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let system = System::builder().cluster("A", &names, plan.version).jetstream().start()?;
    let orders = Service::python("orders", "1.2.0").on(&names).instances(3).start(&system)?;
    let crowd = crowd(&system, &names, plan.connections)?;
    let mut client = system.client("a1", "APP")?;
    for number in 0..plan.streams {
        let subjects = [format!("load{number}.>")];
        let config =
            json!({ "name": format!("L{number}"), "subjects": subjects, "num_replicas": 3 });
        client.add_stream(&config)?;
    }
    let idle = idle(&system, Duration::from_secs(10))?;
    let rows = PROFILES.map(|profile| record(&system, hindsight, plan, profile, idle));
    drop((orders, crowd));
    rows.into_iter().collect()
}

fn crowd(system: &System, names: &[&str], count: usize) -> Result<Vec<Client>> {
    let mut clients = Vec::new();
    for (number, server) in names.iter().cycle().take(count).enumerate() {
        let subjects: Vec<String> = (0..10).map(|n| format!("crowd.{number}.{n}")).collect();
        let mut client = system.client(server, "APP")?;
        client.subscribe_all(&subjects)?;
        clients.push(client);
    }
    Ok(clients)
}

/// What the servers do in a second while nobody records them.
fn idle(system: &System, time: Duration) -> Result<Counted> {
    let (before, begin) = (counted(system)?, Instant::now());
    wait_until("an idle time has passed", time * 2, || {
        if begin.elapsed() >= time { Ok(()) } else { Err("not yet".to_owned()) }
    })?;
    let (after, seconds) = (counted(system)?, begin.elapsed().as_secs_f64());
    Ok(Counted {
        messages_in: (after.messages_in - before.messages_in) / seconds,
        bytes_out: (after.bytes_out - before.bytes_out) / seconds,
        cpu_s: (after.cpu_s - before.cpu_s) / seconds,
    })
}

fn record(
    system: &System,
    hindsight: &Path,
    plan: LoadPlan,
    profile: &'static str,
    idle: Counted,
) -> Result<LoadRow> {
    let folder = tempfile::tempdir().map_err(io("no temporary folder"))?;
    let (before, begin) = (counted(system)?, Instant::now());
    let mut command = Command::new(hindsight);
    command.args(["collect", "--profile", profile, "--server", &system.url("a1", "SYS")?]);
    command.args(["--account-server", &system.url("a2", "APP")?, "--every", "2s", "--count"]);
    command.arg(plan.epochs.to_string()).arg("--out").arg(folder.path());
    let output = command.output().map_err(io("cannot start hindsight"))?;
    let (after, seconds) = (counted(system)?, begin.elapsed().as_secs_f64());
    if !output.status.success() {
        let output = tail(&String::from_utf8_lossy(&output.stderr));
        return Err(KitError::Tool { what: format!("recording with {profile}"), output });
    }
    let written = written(folder.path())?;
    let epochs = f64::from(plan.epochs);
    let each = epochs * plan.servers as f64;
    let less = |after: f64, before: f64, idle: f64| (after - before - idle * seconds) / each;
    let cpu = less(after.cpu_s, before.cpu_s, idle.cpu_s);
    Ok(LoadRow {
        profile,
        requests: written.requests / epochs,
        replies: written.replies / epochs,
        messages_in: less(after.messages_in, before.messages_in, idle.messages_in),
        bytes_out: less(after.bytes_out, before.bytes_out, idle.bytes_out),
        cpu: Duration::from_secs_f64(cpu.max(0.0)),
        snapshot: written.bytes / epochs,
        took: Duration::from_secs_f64(written.seconds / epochs),
    })
}

/// Over HTTP, which the counters leave out.
fn counted(system: &System) -> Result<Counted> {
    let mut sum = Counted::default();
    for (index, name) in system.names().into_iter().enumerate() {
        let varz = system.monitor(name, "/varz")?;
        let number = |key: &str| varz[key].as_f64().unwrap_or_default();
        sum.messages_in += number("in_msgs");
        sum.bytes_out += number("out_bytes");
        let process = system.servers[index].process.as_ref().map_or(0, crate::process::Process::id);
        sum.cpu_s += processor_time(process)?;
    }
    Ok(sum)
}

/// User and system time of a process in seconds (`man 5 proc_pid_stat`, fields 14 and 15).
fn processor_time(process: u32) -> Result<f64> {
    let path = Path::new("/proc").join(process.to_string()).join("stat");
    let text = fs::read_to_string(&path).map_err(io_at("cannot read", &path))?;
    // The name of the program may hold spaces; the third field stands behind its bracket.
    let rest = text.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks =
        rest.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<f64>().ok());
    Ok(ticks.sum::<f64>() / clock_ticks_per_second() as f64)
}

#[derive(Default)]
struct Written {
    requests: f64,
    replies: f64,
    bytes: f64,
    seconds: f64,
}

fn written(folder: &Path) -> Result<Written> {
    let mut sum = Written::default();
    for entry in fs::read_dir(folder).map_err(io_at("cannot list", folder))? {
        let path = entry.map_err(io_at("cannot list", folder))?.path();
        if !path.to_string_lossy().ends_with(".zst") {
            continue;
        }
        let bytes = fs::read(&path).map_err(io_at("cannot read", &path))?;
        sum.bytes += bytes.len() as f64;
        let text = zstd::decode_all(bytes.as_slice()).map_err(io_at("cannot unpack", &path))?;
        let mut last_us = 0;
        for line in String::from_utf8_lossy(&text).lines() {
            let line: BTreeMap<String, Value> = serde_json::from_str(line).unwrap_or_default();
            if let Some(capture) = line.get("capture") {
                sum.requests += capture["attempts"].as_array().map_or(0, Vec::len) as f64;
            }
            if let Some(reply) = line.get("reply") {
                sum.replies += 1.0;
                last_us = last_us.max(reply["arrival_us"].as_u64().unwrap_or(0));
            }
        }
        sum.seconds += Duration::from_micros(last_us).as_secs_f64();
    }
    Ok(sum)
}
