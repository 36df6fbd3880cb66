//! The connection to the account of a service breaks or hangs, while the system connection works.

use std::time::Duration;

use nats_hindsight_testkit::{Proxy, Service, System};
use nats_hindsight_tests::recording::Recording;
use nats_hindsight_tests::verdicts::{Judged, judge};
use serde_json::Value;

use crate::process::Collector;
use crate::recorder::{Any, Epoch, Recorder};
use crate::with_each;

const LIMIT: Duration = Duration::from_secs(30);

/// Two epochs: one in which all is well, and one in which something happens to the link of the
/// account just before its services are asked. The second epoch, and how both are judged.
fn second_epoch(
    version: &str,
    happens: impl FnOnce(Proxy) -> Option<Proxy>,
) -> Any<(Epoch, Judged)> {
    let system = System::builder().cluster("A", &["a1", "a2"], version).start()?;
    let orders = Service::python("orders", "1.2.0").on(&["a1", "a2"]).instances(2);
    let _orders = orders.start(&system)?;
    let proxy = Proxy::start(&system, "a2")?;
    let recorder = Recorder::new()?;
    let (servers, services) = (system.url("a1", "SYS")?, proxy.url(&system, "APP")?);
    let args = ["--server", &servers, "--account-server", &services, "--system", "s"];
    let run = recorder.collect(&args)?;
    assert_eq!(run.code, Some(0), "{version}: {}", run.stderr);
    proxy.hold("$SRV.PING");
    let run = Collector::start(recorder.command(&args)?)?;
    proxy.wait_held()?;
    let held = happens(proxy);
    let run = run.wait(LIMIT)?;
    drop(held);
    assert_eq!(run.code, Some(4), "{version}: {}", run.stderr);
    Ok((recorder.last()?, judge(&Recording::folder(recorder.folder.path()), &[])))
}

/// Statuses of all attempts to ask for a service by its name.
fn attempts(epoch: &Epoch) -> Vec<Value> {
    let asked = epoch.asked_by_name("orders").map(|capture| capture["attempts"].clone());
    let attempts = asked.as_ref().and_then(Value::as_array).into_iter().flatten();
    attempts.map(|attempt| attempt["status"].clone()).collect()
}

/// Nothing goes through any more, and nobody says so.
#[test]
fn a_link_that_hangs_does_not_make_a_service_silent() -> Any<()> {
    with_each(|version| {
        let (epoch, judged) = second_epoch(version, Some)?;
        assert_eq!(judged.findings("SERVICE_002", "APP/orders").len(), 0, "{version}");
        let attempts = attempts(&epoch);
        assert!(attempts.len() > 1, "{version}: it was asked by name");
        assert!(attempts.iter().all(|status| status == "skipped"), "{version}: {attempts:?}");
        let note = epoch.asked_by_name("orders").map(|capture| capture["note"].clone());
        assert!(note.is_some_and(|note| note.to_string().contains("answers nothing")));
        Ok(())
    })
}

/// The connection is closed in the midst of a question, and made anew to another server.
#[test]
fn a_link_that_breaks_does_not_make_a_service_silent() -> Any<()> {
    with_each(|version| {
        let (epoch, judged) = second_epoch(version, |proxy| {
            drop(proxy);
            None
        })?;
        assert_eq!(epoch.end()["complete"], false, "{version}: the broadcast was lost");
        assert!(!attempts(&epoch).contains(&"timeout".into()), "{version}");
        assert_eq!(judged.findings("SERVICE_002", "APP/orders").len(), 0, "{version}");
        Ok(())
    })
}
