//! What is recorded of servers.

use std::time::Instant;

use nats_hindsight_testkit::System;

use crate::VERSIONS;
use crate::recorder::{Any, Recorder, Run};

/// Every endpoint of every server is there, over the system account.
#[test]
fn a_cluster_is_recorded_whole() -> Any<()> {
    for version in VERSIONS {
        let system = System::builder().cluster("A", &["a1", "a2", "a3"], version).start()?;
        let recorder = Recorder::new()?;
        let run = recorder.collect(&["--server", &system.url("a1", "SYS")?, "--system", "s"])?;
        assert_eq!(run.code, Some(0), "{version}: {}", run.stderr);
        let epoch = recorder.last()?;
        for endpoint in ["STATSZ", "VARZ", "ACCOUNTZ", "ROUTEZ", "LEAFZ", "CONNZ", "CONNZ_CLOSED"] {
            let mut sources: Vec<&str> =
                epoch.replies(endpoint).filter_map(|reply| reply["source"].as_str()).collect();
            sources.sort_unstable();
            sources.dedup();
            assert_eq!(sources.len(), 3, "{version} {endpoint}: {}", run.stderr);
        }
        assert_eq!(epoch.end()["complete"], true, "{version}");
        assert_eq!(epoch.end()["remember"]["servers"].as_array().map(Vec::len), Some(3));
        assert_eq!(epoch.header()["connections"][0]["kind"], "system");
        let body = epoch.replies("VARZ").next().map(|reply| &reply["body"]["data"]["version"]);
        assert_eq!(body, Some(&version.into()));
    }
    Ok(())
}

/// A server that hangs is asked by its id, named on stderr, and delays nothing but itself.
#[test]
fn a_hung_server_is_named_and_delays_only_itself() -> Any<()> {
    for version in VERSIONS {
        let mut system = System::builder().cluster("A", &["a1", "a2", "a3"], version).start()?;
        let id = system.id("a3")?;
        system.hang("a3")?;
        let recorder = Recorder::new()?;
        let mut command = recorder.command(&["--server", &system.url("a1", "SYS")?])?;
        let began = Instant::now();
        let run = Run::from(command.output()?);
        assert!(began.elapsed().as_secs() < 6, "{version} took {:?}", began.elapsed());
        assert_eq!(run.code, Some(4), "{version}: {}", run.stderr);
        assert!(run.stderr.contains(&format!("silent: a3 ({id})")), "{}", run.stderr);
        let epoch = recorder.last()?;
        let capture = epoch
            .captures("STATSZ")
            .find(|capture| capture["target"] == id.as_str())
            .ok_or("the hung server was not asked")?;
        assert_eq!(capture["status"], "timeout");
        assert_eq!(capture["attempts"].as_array().map(Vec::len), Some(3));
        for endpoint in ["VARZ", "ROUTEZ", "CONNZ"] {
            let skipped = epoch.captures(endpoint).find(|capture| capture["target"] == id.as_str());
            assert_eq!(skipped.map(|capture| &capture["status"]), Some(&"skipped".into()));
        }
        let listed_us =
            epoch.replies("CONNZ").filter_map(|reply| reply["arrival_us"].as_u64()).max();
        let gave_up_us = capture["attempts"][2]["at_us"].as_u64();
        assert!(listed_us < gave_up_us, "connections waited for the hung server");
        let known = epoch.end()["remember"]["servers"].as_array().cloned().unwrap_or_default();
        assert!(known.iter().any(|server| server["id"] == id.as_str()), "it is expected next time");
    }
    Ok(())
}

/// The server that the collector is connected to hangs: another one is used.
#[test]
fn the_next_server_is_used_when_the_first_hangs() -> Any<()> {
    let mut system = System::builder().cluster("A", &["a1", "a2"], VERSIONS[1]).start()?;
    let urls = format!("{},{}", system.url("a1", "SYS")?, system.url("a2", "SYS")?);
    system.hang("a1")?;
    let recorder = Recorder::new()?;
    let run = recorder.collect(&["--server", &urls])?;
    assert_eq!(run.code, Some(4), "{}", run.stderr);
    assert!(recorder.last()?.replies("VARZ").count() == 1, "{}", run.stderr);
    Ok(())
}

/// A server that was killed stays expected and is proven absent; its next process replaces it.
#[test]
fn a_killed_server_is_proven_absent_and_a_restarted_one_replaces_it() -> Any<()> {
    let mut system = System::builder().cluster("A", &["a1", "a2", "a3"], VERSIONS[2]).start()?;
    let recorder = Recorder::new()?;
    let url = system.url("a1", "SYS")?;
    let args = ["--server", url.as_str(), "--system", "s"];
    recorder.collect(&args)?;
    let id = system.id("a3")?;
    system.kill("a3")?;
    let run = recorder.collect(&args)?;
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let epoch = recorder.last()?;
    assert_eq!(epoch.header()["expects"]["servers"].as_array().map(Vec::len), Some(3));
    let capture = epoch.captures("STATSZ").find(|capture| capture["target"] == id.as_str());
    assert_eq!(capture.map(|capture| &capture["status"]), Some(&"no_responders".into()));
    assert_eq!(epoch.end()["remember"]["servers"].as_array().map(Vec::len), Some(3));
    system.start("a3")?;
    recorder.collect(&args)?;
    let remembered = recorder.last()?.end()["remember"]["servers"].clone();
    let ids: Vec<&str> =
        remembered.as_array().into_iter().flatten().filter_map(|s| s["id"].as_str()).collect();
    assert_eq!(ids.len(), 3);
    assert!(!ids.contains(&id.as_str()), "the ended process is forgotten");
    Ok(())
}

/// Without a system account the monitoring ports do.
#[test]
fn monitoring_ports_do_without_a_system_account() -> Any<()> {
    for version in VERSIONS {
        let system = System::builder()
            .cluster("A", &["a1", "a2"], version)
            .without_system_account()
            .start()?;
        let recorder = Recorder::new()?;
        let (first, second) = (system.monitor_url("a1")?, system.monitor_url("a2")?);
        let run = recorder.collect(&["--http", &first, &second])?;
        assert_eq!(run.code, Some(0), "{version}: {}", run.stderr);
        let epoch = recorder.last()?;
        for endpoint in ["VARZ", "ROUTEZ", "LEAFZ", "CONNZ", "CONNZ_CLOSED"] {
            assert_eq!(epoch.replies(endpoint).count(), 2, "{version} {endpoint}");
            assert_eq!(epoch.statuses(endpoint), ["ok"], "{version} {endpoint}");
        }
        let varz = epoch.replies("VARZ").find(|reply| reply["source"] == first.as_str());
        assert_eq!(varz.map(|reply| &reply["subject"]), Some(&"/varz".into()));
        assert_eq!(varz.map(|reply| &reply["body"]["server_name"]), Some(&"a1".into()));
        assert_eq!(epoch.header()["system"], "127.0.0.1");
        assert_eq!(epoch.header()["system_set"], false);
    }
    Ok(())
}
