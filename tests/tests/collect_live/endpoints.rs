//! Which endpoints are recorded: by profile, by name, over NATS and over HTTP.

use std::collections::BTreeSet;

use nats_hindsight_testkit::{Account, Service, System, V2_10};
use serde_json::json;

use crate::VERSIONS;
use crate::recorder::{Any, Epoch, Recorder};

/// What `standard` asks of servers beyond `light`.
const STANDARD: [&str; 8] = [
    "ACCOUNTZ_DETAIL",
    "ACCOUNT_STATZ",
    "GATEWAYZ",
    "SUBSZ",
    "JSZ",
    "HEALTHZ",
    "RAFTZ",
    "IPQUEUESZ",
];

/// RAFTZ and IPQUEUESZ came with 2.10.26 as subjects.
fn is_there(endpoint: &str, version: &str) -> bool {
    version != V2_10 || !["RAFTZ", "IPQUEUESZ"].contains(&endpoint)
}

fn replied(epoch: &Epoch, endpoint: &str) -> BTreeSet<String> {
    let sources = epoch.replies(endpoint).filter_map(|reply| reply["source"].as_str());
    sources.map(str::to_owned).collect()
}

/// Every endpoint comes from every server of every version, or the record says why not.
#[test]
fn the_standard_profile_records_everything() -> Any<()> {
    for version in VERSIONS {
        let system =
            System::builder().cluster("A", &["a1", "a2", "a3"], version).jetstream().start()?;
        make_stream(&system, 3)?;
        let recorder = Recorder::new()?;
        let run = recorder.collect(&["--server", &system.url("a1", "SYS")?])?;
        assert_eq!(run.code, Some(0), "{version}: {}", run.stderr);
        let epoch = recorder.last()?;
        assert_eq!(epoch.end()["complete"], true, "{version}");
        for endpoint in STANDARD {
            let there = if is_there(endpoint, version) { 3 } else { 0 };
            assert_eq!(replied(&epoch, endpoint).len(), there, "{version} {endpoint}");
            let status = |wanted: &str| {
                epoch.captures(endpoint).filter(|capture| capture["status"] == wanted).count()
            };
            assert_eq!(status("not_supported") > 0, there == 0, "{version} {endpoint}");
        }
        the_stream_is_there(&epoch, version);
    }
    Ok(())
}

fn make_stream(system: &System, replicas: u64) -> Any<()> {
    let config = json!({"name": "ORDERS", "subjects": ["orders.>"], "num_replicas": replicas});
    system.client("a1", "APP")?.add_stream(&config)?;
    Ok(())
}

/// The stream, its configuration and its Raft group, as far as the version tells.
fn the_stream_is_there(epoch: &Epoch, version: &str) {
    let streams: Vec<_> = epoch
        .replies("JSZ")
        .flat_map(|reply| {
            reply["body"]["data"]["account_details"].as_array().cloned().unwrap_or_default()
        })
        .flat_map(|account| account["stream_detail"].as_array().cloned().unwrap_or_default())
        .collect();
    assert_eq!(streams.len(), 3, "{version}: one per replica");
    assert!(streams.iter().all(|stream| stream["name"] == "ORDERS"));
    assert!(streams.iter().all(|stream| stream["config"]["num_replicas"] == 3), "{version}");
    let group = streams[0]["stream_raft_group"].as_str().unwrap_or_default().to_owned();
    assert!(!group.is_empty(), "{version}");
    if version != V2_10 {
        let named = epoch.replies("RAFTZ").filter(|reply| {
            reply["filter"]["account"] == "APP" && !reply["body"]["data"]["APP"][&group].is_null()
        });
        assert_eq!(named.count(), 3, "{version}: the group of the stream, by its account");
    }
    let meta = epoch.replies("RAFTZ").filter(|reply| !reply["body"]["data"]["SYS"].is_null());
    assert_eq!(meta.count(), if version == V2_10 { 0 } else { 3 }, "{version}");
}

/// Each account in full, and its statistics, with no credential in them.
#[test]
fn accounts_are_recorded_in_full() -> Any<()> {
    let accounts = [Account::new("ONE"), Account::new("TWO")];
    let mut builder = System::builder().cluster("A", &["a1", "a2"], VERSIONS[2]);
    for account in accounts {
        builder = builder.account(account);
    }
    let system = builder.start()?;
    let recorder = Recorder::new()?;
    let run = recorder.collect(&["--server", &system.url("a1", "SYS")?])?;
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let epoch = recorder.last()?;
    for account in ["ONE", "TWO"] {
        let details = epoch
            .replies("ACCOUNTZ_DETAIL")
            .filter(|reply| reply["body"]["data"]["account_detail"]["account_name"] == account);
        assert_eq!(details.count(), 2, "{account} of both servers");
    }
    let statistics = epoch.replies("ACCOUNT_STATZ").filter(|reply| {
        let listed = reply["body"]["data"]["account_statz"].as_array().cloned().unwrap_or_default();
        // Accounts without a connection are told too: what is missing is not zero.
        listed.iter().any(|account| account["acc"] == "TWO" && account["conns"] == 0)
    });
    assert_eq!(statistics.count(), 2);
    Ok(())
}

/// `light` asks less, `full` lists all connections, and each endpoint can be switched.
#[test]
fn profiles_and_names_choose_what_is_asked() -> Any<()> {
    let system = System::builder().cluster("A", &["a1"], VERSIONS[2]).start()?;
    let _service = Service::python("quote", "1.0.0").on(&["a1"]).start(&system)?;
    let _plain = system.client("a1", "APP")?;
    let url = system.url("a1", "SYS")?;
    let rows = |epoch: &Epoch| -> usize {
        let lists = epoch
            .replies("CONNZ")
            .filter_map(|reply| Some(reply["body"]["data"]["connections"].as_array()?.len()));
        lists.sum()
    };
    let light = Recorder::new()?;
    let run = light.collect(&["--server", &url, "--profile", "light"])?;
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let light = light.last()?;
    assert!(STANDARD.iter().all(|endpoint| replied(&light, endpoint).is_empty()));
    assert_eq!(rows(&light), 1, "the service, not the plain client");

    let full = Recorder::new()?;
    let with =
        ["--server", &url, "--profile", "full", "--with", "expvarz", "--without", "JSZ,RAFTZ"];
    let run = full.collect(&with)?;
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let full = full.last()?;
    assert!(rows(&full) >= 3, "the service, the plain client and the collector");
    assert!(replied(&full, "JSZ").is_empty() && replied(&full, "RAFTZ").is_empty());
    let process = full.replies("EXPVARZ").next().ok_or("EXPVARZ was switched on")?;
    let arguments = process["body"]["data"]["cmdline"].as_array().ok_or("a command line")?;
    assert!(arguments.iter().all(|argument| argument == "[REDACTED]"), "{arguments:?}");
    assert_eq!(process["scrubbed"][0], "data.cmdline[]");
    let asked = full.header()["asked"]["endpoints"].to_string();
    assert!(asked.contains("EXPVARZ") && !asked.contains("JSZ"), "{asked}");
    Ok(())
}

/// Over HTTP the same endpoints come from the ports, without a system account.
#[test]
fn ports_answer_for_all_endpoints_they_have() -> Any<()> {
    for version in VERSIONS {
        let system = System::builder().cluster("A", &["a1", "a2"], version).jetstream().start()?;
        let url = system.monitor_url("a1")?;
        let recorder = Recorder::new()?;
        let run = recorder.collect(&["--http", &url])?;
        assert_eq!(run.code, Some(0), "{version}: {}", run.stderr);
        let epoch = recorder.last()?;
        assert_eq!(epoch.end()["complete"], true, "{version}");
        for endpoint in STANDARD {
            assert!(!replied(&epoch, endpoint).is_empty(), "{version} {endpoint}: {}", run.stderr);
        }
        let named = epoch.replies("ACCOUNTZ_DETAIL").filter(|reply| {
            reply["filter"]["account"] == "APP"
                && reply["body"]["account_detail"]["account_name"] == "APP"
        });
        assert_eq!(named.count(), 1, "{version}");
    }
    Ok(())
}

/// A dry run names whom it would ask for what, and writes nothing.
#[test]
fn a_dry_run_tells_what_a_run_does() -> Any<()> {
    let system = System::builder().cluster("A", &["a1", "a2"], VERSIONS[2]).jetstream().start()?;
    make_stream(&system, 1)?;
    let arguments =
        ["--server", &system.url("a1", "SYS")?, "--account-server", &system.url("a1", "APP")?];
    let recorder = Recorder::new()?;
    let output = recorder.command(&[arguments.as_slice(), &["--dry-run"]].concat())?.output()?;
    let text = String::from_utf8(output.stdout)?;
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert_eq!(std::fs::read_dir(recorder.folder.path())?.count(), 0, "it writes nothing");
    assert!(text.contains("2 servers") && text.contains("a1 ") && text.contains("a2 "), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    recorder.collect(&arguments)?;
    let epoch = recorder.last()?;
    for endpoint in STANDARD.into_iter().chain(["STATSZ", "VARZ", "CONNZ", "SRV_PING"]) {
        let line = text.lines().find(|line| line.split_whitespace().next() == Some(endpoint));
        assert!(line.is_some(), "{endpoint} is announced:\n{text}");
    }
    let announced = total(&text).ok_or("a total")?;
    let came: usize = epoch.every_reply().map(|reply| reply["body"].to_string().len()).sum();
    let ratio = announced as f64 / came as f64;
    assert!((0.4..2.5).contains(&ratio), "announced {announced} bytes, {came} came");
    Ok(())
}

/// Bytes of `Together about 123 KB in replies`.
fn total(text: &str) -> Option<usize> {
    let mut words = text.split("Together about ").nth(1)?.split_whitespace();
    let number: usize = words.next()?.parse().ok()?;
    (words.next()? == "KB").then_some(number * 1000)
}

/// What makes no sense together is refused before anything is asked.
#[test]
fn selections_that_make_no_sense_are_refused() -> Any<()> {
    let refused = |arguments: &[&str]| -> Any<String> {
        let base = ["--server", "nats://127.0.0.1:1"];
        let run = Recorder::new()?.collect(&[&base, arguments].concat())?;
        assert_eq!(run.code, Some(2), "{}", run.stderr);
        Ok(run.stderr)
    };
    assert!(refused(&["--with", "profilez"])?.contains("no endpoint \"profilez\""));
    assert!(refused(&["--without", "STATSZ"])?.contains("STATSZ cannot be switched off"));
    assert!(refused(&["--with", "jsz", "--without", "JSZ"])?.contains("choose one"));
    Ok(())
}
