//! Many servers and many instances: one epoch of a simulated fleet is whole, quick and small.
//!
//! 500 servers unless `HINDSIGHT_SERVERS` says how many; `docs/load.md` has the numbers of 2,000.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![expect(clippy::print_stdout, reason = "numbers for the documentation, with --nocapture")]

mod run;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use nats_hindsight_testkit::{Fleet, FleetPlan, System, V2_15};
use nats_hindsight_tests::recording::fixtures;
use serde_json::Value;

use run::{Epoch, Run, collect};

/// An epoch may take this long. What does not count is the time in which the collector could have
/// worked and others had the processors: that says how busy a machine is.
const TIME: Duration = Duration::from_secs(10);

/// And the collector may hold this much memory at most.
const MEMORY: u64 = 300 << 20;

/// Servers for which time and memory are promised.
const SERVERS: usize = 500;

fn plan() -> FleetPlan {
    let told = std::env::var("HINDSIGHT_SERVERS").ok().and_then(|text| text.parse().ok());
    let plan = FleetPlan::new(&fixtures().join("jetstream"));
    FleetPlan { servers: told.unwrap_or(SERVERS), ..plan }
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

/// Endpoints of servers that the standard profile asks for, with the accounts each is asked for.
fn due(epoch: &Epoch) -> BTreeSet<(String, Option<String>)> {
    let asked = epoch.header["asked"]["endpoints"].as_array().unwrap();
    let mut due = BTreeSet::new();
    for endpoint in asked.iter().map(|endpoint| endpoint.as_str().unwrap()) {
        let accounts: &[Option<&str>] = match endpoint {
            "USER_INFO" | "EVENTS" | "SRV_PING" | "SRV_INFO" | "SRV_STATS" => &[],
            "CONNZ" | "CONNZ_CLOSED" | "ACCOUNTZ_DETAIL" => &[Some("$G"), Some("APP"), Some("SYS")],
            "RAFTZ" => &[None, Some("APP")],
            _ => &[None],
        };
        due.extend(
            accounts.iter().map(|account| (endpoint.to_owned(), account.map(str::to_owned))),
        );
    }
    due
}

/// Every reply that was due is in the file; nothing that was asked for is missing.
fn assert_whole(epoch: &Epoch, fleet: &Fleet) {
    let due = due(epoch);
    assert!(due.len() >= 21, "{due:?}");
    let no_set = BTreeSet::new();
    for id in fleet.server_ids() {
        let came = epoch.by_server.get(&id).unwrap_or(&no_set);
        let missing: Vec<_> = due.difference(came).collect();
        assert!(missing.is_empty(), "{id} lacks {missing:?}");
    }
    for (service, ids) in fleet.instance_ids() {
        for id in ids {
            let verbs = epoch.by_instance.get(&(service.clone(), id.clone()));
            assert_eq!(verbs.map(BTreeSet::len), Some(3), "{service} {id}: {verbs:?}");
        }
    }
    let open: Vec<&Value> = epoch.captures.iter().filter(|line| line["status"] != "ok").collect();
    assert!(open.is_empty(), "{} captures, such as {:#}", open.len(), open[0]);
    assert_eq!(epoch.end["interrupted"], Value::Bool(false));
}

#[test]
fn one_epoch_of_five_hundred_servers_is_whole_quick_and_small() {
    let system = System::builder().standalone("real", V2_15).start().unwrap();
    let plan = plan();
    let fleet = Fleet::start(&system, "real", &plan).unwrap();
    assert!(fleet.server_ids().len() >= plan.servers);
    let output = folder();
    if plan.servers > SERVERS {
        return measured_only(&system, &fleet, output.path());
    }
    let run = collect(&system, output.path(), &[]);
    let tally = fleet.tally();
    report(&run, &tally);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    // Chance did what it is there for.
    assert!(tally.lost > 50 && tally.twice > 100 && tally.unknown == 0, "{tally:?}");
    let epoch = Epoch::read(&run.files[0]);
    assert_whole(&epoch, &fleet);
    assert_quick_and_small(&run, &epoch);
    // Who remembers who was there waits for nobody in vain, so it is no slower.
    let again = collect(&system, output.path(), &[]);
    report(&again, &fleet.tally());
    let epoch = Epoch::read(again.files.last().unwrap());
    assert_whole(&epoch, &fleet);
    assert_quick_and_small(&again, &epoch);
    drop(fleet);
    replays_quietly(&run.files[0], &again.files);
}

fn assert_quick_and_small(run: &Run, epoch: &Epoch) {
    assert!(epoch.took < TIME + run.starved, "{:?}, starved for {:?}", epoch.took, run.starved);
    assert!(run.memory < MEMORY, "{} bytes", run.memory);
}

/// More servers than promised are only measured, in two epochs.
fn measured_only(system: &System, fleet: &Fleet, output: &std::path::Path) {
    for _ in 0..2 {
        let run = collect(system, output, &[]);
        report(&run, &fleet.tally());
        println!("{}", run.stderr);
    }
}

/// What the fleet answered is a system that is well: copies, duplicates and late answers are no news.
fn replays_quietly(first: &PathBuf, files: &[PathBuf]) {
    assert_eq!(files.len(), 2);
    assert_eq!(first, &files[0]);
    let output = std::process::Command::new(nats_hindsight_testkit::hindsight().unwrap())
        .args(["analyze", "--format", "json", "--fail-on", "never"])
        .args(files)
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let system = &report["systems"][0];
    let mut codes: BTreeMap<&str, usize> = BTreeMap::new();
    for finding in system["findings"].as_array().unwrap() {
        *codes.entry(finding["code"].as_str().unwrap()).or_default() += 1;
    }
    assert_eq!(report["systems"].as_array().map(Vec::len), Some(1));
    assert!(codes.is_empty(), "{codes:?}");
    assert_eq!(report["problems"], serde_json::json!([]));
    let services =
        system["checks"].as_array().unwrap().iter().find(|check| check["code"] == "SERVICE_001");
    assert_eq!(services.map(|check| &check["subjects"]), Some(&Value::from(40)));
}

fn report(run: &Run, tally: &nats_hindsight_testkit::Tally) {
    for file in &run.files {
        let epoch = Epoch::read(file);
        println!(
            "{:?} ({:?} starved), {:.1} s of CPU (and {:.1} s of the fleet's until now), {} MiB, {} replies, {} captures, file {} KiB, {tally:?}",
            epoch.took,
            run.starved,
            run.cpu,
            run::cpu_seconds(std::path::Path::new("/proc/self/stat")),
            run.memory >> 20,
            epoch.replies,
            epoch.captures.len(),
            std::fs::metadata(file).unwrap().len() >> 10
        );
        println!("{}", epoch.timeline());
    }
}
