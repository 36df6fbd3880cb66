//! What is recorded of services.

use std::time::Duration;

use nats_hindsight_testkit::{
    Account, PATIENCE, Service, Sniffer, Stranger, System, User, wait_until,
};
use serde_json::Value;

use crate::VERSIONS;
use crate::recorder::{Any, Epoch, Recorder};

fn ids(epoch: &Epoch, endpoint: &str, service: &str) -> Vec<String> {
    let replies = epoch.replies(endpoint).filter(|reply| reply["body"]["name"] == service);
    let mut ids: Vec<String> =
        replies.filter_map(|reply| Some(reply["source"].as_str()?.to_owned())).collect();
    ids.sort();
    ids
}

/// Starts a service and waits until every server knows all its subscriptions: libraries subscribe
/// to STATS last, so an instance that answers PING may not answer the others yet.
fn start(service: Service, system: &System) -> Any<Service> {
    let service = service.start(system)?;
    for instance in service.running() {
        let subject = format!("$SRV.STATS.{}.{}", service.name(), instance.id());
        for server in system.names() {
            wait_until(&format!("{subject} is answered at {server}"), PATIENCE, || {
                let mut client = system
                    .client(server, service.account_name())
                    .map_err(|error| error.to_string())?;
                match client.request(&subject, "", Duration::from_secs(1)) {
                    Ok(Some(reply)) if reply.json()["id"] == instance.id() => Ok(()),
                    Ok(_) => Err("it was not".to_owned()),
                    Err(error) => Err(error.to_string()),
                }
            })?;
        }
    }
    Ok(service)
}

/// Two accounts have a service of one name: they stay two, with all instances and their holders.
#[test]
fn services_of_two_accounts_are_told_apart() -> Any<()> {
    for version in VERSIONS {
        let system = System::builder()
            .cluster("A", &["a1", "a2"], version)
            .account(Account::new("OTHER"))
            .start()?;
        let _app =
            start(Service::python("orders", "1.0.0").instances(2).on(&["a1", "a2"]), &system)?;
        let _other = start(Service::rust("orders", "2.0.0").account("OTHER"), &system)?;
        let recorder = Recorder::new()?;
        let run = recorder.collect(&[
            "--server",
            &system.url("a1", "SYS")?,
            "--account-server",
            &system.url("a2", "APP")?,
            "--account-server",
            &system.url("a2", "OTHER")?,
        ])?;
        assert_eq!(run.code, Some(0), "{version}: {}", run.stderr);
        let epoch = recorder.last()?;
        for endpoint in ["SRV_PING", "SRV_INFO", "SRV_STATS"] {
            let found = ids(&epoch, endpoint, "orders");
            assert_eq!(found.len(), 3, "{version} {endpoint}: {found:?} {}", run.stderr);
            let of_app = epoch.replies(endpoint).filter(|reply| reply["account"] == "APP").count();
            assert_eq!(of_app, 2, "{version} {endpoint}");
        }
        let remembered =
            epoch.end()["remember"]["services"].as_array().cloned().unwrap_or_default();
        let accounts: Vec<&Value> = remembered.iter().map(|service| &service["account"]).collect();
        assert_eq!(accounts, ["APP", "OTHER"], "{version}");
        assert_eq!(remembered[0]["servers"].as_array().map(Vec::len), Some(2), "{version}");
        assert_eq!(remembered[0]["instances"].as_array().map(Vec::len), Some(2), "{version}");
        let filters = epoch.replies("CONNZ").filter(|reply| reply["filter"]["account"] == "APP");
        assert!(filters.count() >= 2, "{version}: both servers list the account");
    }
    Ok(())
}

/// An application's own credentials are enough for its services.
#[test]
fn an_account_connection_alone_is_enough() -> Any<()> {
    for version in VERSIONS {
        let system = System::builder().cluster("A", &["a1", "a2"], version).start()?;
        let service =
            start(Service::python("orders", "1.0.0").instances(2).on(&["a1", "a2"]), &system)?;
        let recorder = Recorder::new()?;
        let run = recorder.collect(&["--account-server", &system.url("a1", "APP")?])?;
        assert_eq!(run.code, Some(0), "{version}: {}", run.stderr);
        let epoch = recorder.last()?;
        assert_eq!(epoch.header()["connections"][0]["account"], "APP");
        assert_eq!(ids(&epoch, "SRV_INFO", "orders").len(), service.running().len());
        assert_eq!(epoch.replies("CONNZ").count(), 2, "{version}: one per server");
        assert!(epoch.replies("CONNZ").all(|reply| reply["account"] == "APP"));
        let servers = epoch.remembered("orders").map(|service| &service["servers"]);
        assert_eq!(servers.and_then(Value::as_array).map(Vec::len), Some(2), "{version}");
        assert_eq!(epoch.replies("VARZ").count(), 0);
    }
    Ok(())
}

/// A service that is gone is asked by name until its absence is proven, in every later epoch too,
/// and connections are listed after that.
#[test]
fn absence_is_proven_by_name_and_then_by_connections() -> Any<()> {
    for version in VERSIONS {
        let system = System::builder().cluster("A", &["a1", "a2"], version).start()?;
        let mut service = start(Service::python("orders", "1.0.0").on(&["a2"]), &system)?;
        let (server, account) = (system.url("a1", "SYS")?, system.url("a1", "APP")?);
        let args = ["--server", &server, "--account-server", &account, "--system", "s"];
        let recorder = Recorder::new()?;
        recorder.collect(&args)?;
        service.kill(1)?;
        for _ in 0..2 {
            let run = recorder.collect(&args)?;
            assert_eq!(run.code, Some(0), "{version}: {}", run.stderr);
            let epoch = recorder.last()?;
            let capture = epoch.asked_by_name("orders").ok_or("not asked by name")?;
            assert_eq!(capture["status"], "no_responders", "{version}");
            assert_eq!(capture["subject"], "$SRV.PING.orders");
            assert_eq!(capture["account"], "APP");
            assert_eq!(capture["through"], system.id("a1")?.as_str());
            assert_confirmed(capture, &epoch, version);
            assert!(epoch.remembered("orders").is_some(), "it stays expected");
        }
        let mut back = service;
        back.start_more(&system, 1)?;
        recorder.collect(&args)?;
        let epoch = recorder.last()?;
        assert!(epoch.asked_by_name("orders").is_none(), "who answers is not asked by name");
        assert_eq!(ids(&epoch, "SRV_PING", "orders").len(), 1);
    }
    Ok(())
}

/// The last two answers lie `--confirm-after` apart, and connections were listed after them.
fn assert_confirmed(capture: &Value, epoch: &Epoch, version: &str) {
    let attempts = capture["attempts"].as_array().cloned().unwrap_or_default();
    let time = |attempt: &Value, field: &str| attempt[field].as_u64().unwrap_or_default();
    let last: Vec<&Value> = attempts.iter().rev().take(2).collect();
    assert_eq!(last.len(), 2, "{version}");
    assert!(last.iter().all(|attempt| attempt["status"] == "no_responders"), "{version}");
    assert!(time(last[0], "at_us") >= time(last[1], "at_us") + 300_000, "{version}: {attempts:?}");
    let after = time(last[0], "at_us") + time(last[0], "waited_us");
    let of_app = epoch.replies("CONNZ").filter(|reply| reply["filter"]["account"] == "APP");
    let listed: Vec<u64> = of_app.filter_map(|reply| reply["arrival_us"].as_u64()).collect();
    assert!(!listed.is_empty() && listed.iter().all(|at| *at > after), "{version}");
}

/// An instance that does not answer but is connected is asked by its id.
#[test]
fn a_mute_instance_is_asked_by_id() -> Any<()> {
    for version in VERSIONS {
        let system = System::builder().cluster("A", &["a1"], version).start()?;
        let mut service = start(Service::python("orders", "1.0.0").instances(2), &system)?;
        let mute = service.running()[0].id().to_owned();
        service.running_mut()[0].hang()?;
        let recorder = Recorder::new()?;
        let run = recorder.collect(&[
            "--server",
            &system.url("a1", "SYS")?,
            "--account-server",
            &system.url("a1", "APP")?,
        ])?;
        assert_eq!(run.code, Some(4), "{version}: {}", run.stderr);
        let epoch = recorder.last()?;
        let capture = epoch.captures("SRV_PING").find(|capture| capture["target"] == mute.as_str());
        assert_eq!(capture.map(|capture| &capture["status"]), Some(&"timeout".into()), "{version}");
        let asked = epoch.captures("SRV_INFO").filter(|capture| !capture["target"].is_null());
        assert_eq!(asked.count(), 0, "who is mute is asked for nothing else");
    }
    Ok(())
}

/// Somebody who listens to everything takes away the proof of absence: that is a time-out.
#[test]
fn a_sniffer_makes_absence_a_time_out() -> Any<()> {
    let system = System::builder().cluster("A", &["a1"], VERSIONS[1]).start()?;
    let mut service = start(Service::python("orders", "1.0.0"), &system)?;
    let url = system.url("a1", "APP")?;
    let args = ["--account-server", url.as_str(), "--system", "s"];
    let recorder = Recorder::new()?;
    recorder.collect(&args)?;
    let _sniffer = Sniffer::start(&system, "a1", "APP", "$SRV.>")?;
    service.kill(1)?;
    let run = recorder.collect(&args)?;
    assert_eq!(run.code, Some(4), "{}", run.stderr);
    let epoch = recorder.last()?;
    let capture = epoch.asked_by_name("orders").ok_or("not asked by name")?;
    assert_eq!(capture["status"], "timeout");
    assert_eq!(capture["attempts"].as_array().map(Vec::len), Some(2));
    Ok(())
}

/// What a user may not ask is told as such, at once and not after the time-out.
#[test]
fn what_is_not_permitted_is_denied_at_once() -> Any<()> {
    for version in VERSIONS {
        let account = Account::new("APP")
            .user(User::new("mute", "mute").deny_publish(&["$SRV.>"]))
            .user(User::new("deaf", "deaf").deny_subscribe(&["_INBOX.>"]));
        let system = System::builder().cluster("A", &["a1"], version).account(account).start()?;
        let _service = start(Service::python("orders", "1.0.0"), &system)?;
        for (user, endpoint) in [("mute", "SRV_PING"), ("deaf", "USER_INFO")] {
            let url = system.address("a1")?.replace("nats://", &format!("nats://{user}:{user}@"));
            let recorder = Recorder::new()?;
            let run = recorder.collect(&["--account-server", &url])?;
            let epoch = recorder.last()?;
            assert_eq!(epoch.statuses(endpoint), ["denied"], "{version} {user}: {}", run.stderr);
            let waited =
                epoch.captures(endpoint).map(|capture| &capture["attempts"][0]["waited_us"]);
            let longest = waited.filter_map(Value::as_u64).max();
            assert!(longest < Some(500_000), "{version} {user} waited {longest:?} µs");
            assert!(run.stderr.contains("may not"), "{}", run.stderr);
            // Connections can still be listed by one who may not ask services.
            assert_eq!(run.code, Some(if user == "mute" { 4 } else { 1 }), "{}", run.stderr);
        }
    }
    Ok(())
}

/// What nobody can ask is recorded as not asked: an id with a control character is no token of a
/// subject that this tool would send, although a server takes it from others.
#[test]
fn an_instance_that_cannot_be_asked_by_its_id_is_recorded_as_not_asked() -> Any<()> {
    let system = System::builder().standalone("a1", VERSIONS[0]).start()?;
    let id = "one\u{1b}[2J";
    let present =
        Stranger::new("APP", "a1", "x").serves("orders", id, "1", "x").connect(&system)?;
    let recorder = Recorder::new()?;
    let (server, app) = (system.url("a1", "SYS")?, system.url("a1", "APP")?);
    let args = ["--server", &server, "--account-server", &app];
    let run = recorder.collect(&args)?;
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_eq!(ids(&recorder.last()?, "SRV_PING", "orders"), [id]);
    drop(present);
    let run = recorder.collect(&args)?;
    assert!(matches!(run.code, Some(0 | 4)), "{}", run.stderr);
    let epoch = recorder.last()?;
    let of_one: Vec<&Value> = epoch.captures("SRV_PING").filter(|c| c["target"] == id).collect();
    assert_eq!(of_one.len(), 1, "{of_one:?}");
    assert_eq!(of_one[0]["status"], "skipped");
    assert_eq!(of_one[0]["note"], "this name cannot stand in a subject");
    Ok(())
}
