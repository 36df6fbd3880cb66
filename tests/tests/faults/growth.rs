//! Systems that grow while they are recorded, that are crowded, and that are far away.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use nats_hindsight_testkit::{Client, Proxy, Service, Speed, System};
use nats_hindsight_tests::recording::Recording;
use nats_hindsight_tests::verdicts::judge;
use serde_json::Value;

use crate::process::Collector;
use crate::recorder::{Any, Epoch, Recorder};
use crate::{VERSIONS, with_each};

const LIMIT: Duration = Duration::from_mins(1);

/// A server joins between two requests of an epoch: it is recorded then or in the next epoch.
#[test]
fn a_server_that_joins_in_mid_epoch_is_no_gap() -> Any<()> {
    with_each(|version| {
        let mut system = System::builder().cluster("A", &["a1", "a2"], version).start()?;
        let proxy = Proxy::start(&system, "a1")?;
        let recorder = Recorder::new()?;
        let url = proxy.url(&system, "SYS")?;
        let args = ["--server", &url, "--system", "s"];
        assert_eq!(recorder.collect(&args)?.code, Some(0), "{version}");
        // After the servers were discovered, and before they tell who their peers are.
        proxy.hold(&format!("$SYS.REQ.SERVER.{}.ROUTEZ", system.id("a2")?));
        let run = Collector::start(recorder.command(&args)?)?;
        proxy.wait_held()?;
        system.add("A", "a3", version)?;
        proxy.release();
        let run = run.wait(LIMIT)?;
        let id = system.id("a3")?;
        let amid = recorder.last()?;
        assert_eq!(run.code, Some(0), "{version}: {}", run.stderr);
        let there = |epoch: &Epoch, endpoint| {
            epoch.replies(endpoint).any(|reply| reply["source"] == id.as_str())
        };
        assert!(there(&amid, "STATSZ") && there(&amid, "VARZ") && there(&amid, "CONNZ"));
        assert_eq!(recorder.collect(&args)?.code, Some(0), "{version}");
        assert_eq!(recorder.last()?.replies("VARZ").count(), 3, "{version}");
        let judged = judge(&Recording::folder(recorder.folder.path()), &[]);
        assert_eq!(judged.all_findings(), [], "{version}");
        Ok(())
    })
}

/// 200 connections with 50 subscriptions each, beside a service.
#[test]
fn a_crowd_of_clients_is_listed_whole() -> Any<()> {
    with_each(|version| {
        let system = System::builder().cluster("A", &["a1", "a2"], version).start()?;
        let orders = Service::python("orders", "1.2.0").on(&["a1", "a2"]).instances(2);
        let _orders = orders.start(&system)?;
        let mut crowd: Vec<Client> = Vec::new();
        for number in 0..200 {
            let mut client = system.client(["a1", "a2"][number % 2], "APP")?;
            let subjects: Vec<String> = (0..50).map(|n| format!("crowd.{number}.{n}")).collect();
            client.subscribe_all(&subjects)?;
            crowd.push(client);
        }
        let recorder = Recorder::new()?;
        let (servers, services) = (system.url("a1", "SYS")?, system.url("a2", "APP")?);
        let args = ["--server", &servers, "--account-server", &services, "--profile", "full"];
        let begin = Instant::now();
        let run = recorder.collect(&args)?;
        assert_eq!(run.code, Some(0), "{version}: {}", run.stderr);
        assert!(begin.elapsed() < Duration::from_secs(10), "{version}: {:?}", begin.elapsed());
        let epoch = recorder.last()?;
        let crowded = |row: &Value| {
            let subjects = row["subscriptions_list"].as_array().into_iter().flatten();
            let of_crowd = |subject: &&Value| {
                subject.as_str().is_some_and(|subject| subject.starts_with("crowd."))
            };
            subjects.filter(of_crowd).count() == 50
        };
        // Servers tell of them twice: to the system account, and to the account itself.
        let listed: BTreeSet<(String, u64)> = epoch
            .replies("CONNZ")
            .flat_map(|reply| {
                let rows = reply["body"]["data"]["connections"].as_array().into_iter().flatten();
                let source = reply["source"].to_string();
                rows.filter(|row| crowded(row))
                    .filter_map(move |row| Some((source.clone(), row["cid"].as_u64()?)))
            })
            .collect();
        assert_eq!(listed.len(), 200, "{version}");
        let light = recorder.collect(&["--server", &servers, "--profile", "light"])?;
        assert_eq!(light.code, Some(0), "{version}: {}", light.stderr);
        let epoch = recorder.last()?;
        let listed: usize = epoch
            .replies("CONNZ")
            .filter_map(|reply| reply["body"]["data"]["connections"].as_array().map(Vec::len))
            .sum();
        assert!(listed < 10, "{version}: the crowd is not listed for its service: {listed}");
        drop(crowd);
        Ok(())
    })
}

/// A link to the other side of the earth is slow, and everything comes.
#[test]
fn a_slow_link_takes_longer_and_loses_nothing() -> Any<()> {
    with_each(|version| {
        let system = System::builder().cluster("A", &["a1", "a2", "a3"], version).start()?;
        let orders = Service::python("orders", "1.2.0").on(&["a2", "a3"]).instances(2);
        let _orders = orders.start(&system)?;
        let latency = Duration::from_millis(150);
        let speed = Speed { latency, bytes_per_s: Some(256 << 10) };
        let proxy = Proxy::slow(&system, "a1", speed)?;
        let recorder = Recorder::new()?;
        let folder = recorder.folder.path().display().to_string();
        let (servers, services) = (proxy.url(&system, "SYS")?, proxy.url(&system, "APP")?);
        let args = ["--server", &servers, "--account-server", &services, "--out", &folder];
        let run = Collector::start(Recorder::bare(&args)?)?.wait(LIMIT)?;
        assert_eq!(run.code, Some(0), "{version}: {}", run.stderr);
        let epoch = recorder.last()?;
        let rtts = epoch.every_reply().filter_map(|reply| reply["rtt_us"].as_u64());
        let fastest = rtts.min().ok_or("no reply")?;
        assert!(fastest >= 300_000, "{version}: the link was not slow: {fastest} us");
        assert_eq!(epoch.replies("VARZ").count(), 3, "{version}");
        Ok(())
    })
}

/// A link that carries less than is asked for in the time that is given: what did not come is said,
/// and nobody is called silent for good.
#[test]
fn a_link_that_is_too_slow_makes_an_epoch_partial_and_nothing_worse() -> Any<()> {
    let system = System::builder().cluster("A", &["a1", "a2", "a3"], VERSIONS[1]).start()?;
    let orders = Service::python("orders", "1.2.0").on(&["a2", "a3"]).instances(2);
    let _orders = orders.start(&system)?;
    let recorder = Recorder::new()?;
    let direct = [system.url("a1", "SYS")?, system.url("a1", "APP")?];
    let speed = Speed { latency: Duration::from_millis(100), bytes_per_s: Some(6 << 10) };
    let proxy = Proxy::slow(&system, "a1", speed)?;
    let slow = [proxy.url(&system, "SYS")?, proxy.url(&system, "APP")?];
    for (urls, codes) in [(&direct, [0, 0]), (&slow, [4, 1]), (&direct, [0, 0])] {
        let args = ["--server", &urls[0], "--account-server", &urls[1], "--system", "s"];
        let run = Collector::start(recorder.command(&args)?)?.wait(LIMIT)?;
        assert!(run.code.is_some_and(|code| codes.contains(&code)), "{}", run.stderr);
    }
    let judged = judge(&Recording::folder(recorder.folder.path()), &[]);
    for server in ["A/a1", "A/a2", "A/a3"] {
        let verdicts = judged.verdicts("HINT_001", server);
        assert!(!verdicts.contains(&"finding".to_owned()), "{server}: {verdicts:?}");
    }
    assert_eq!(judged.findings("SERVICE_002", "APP/orders").len(), 0);
    Ok(())
}
