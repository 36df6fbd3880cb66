//! The server that the collector is connected to goes away, or stops answering, in mid-epoch.

use std::time::Duration;

use nats_hindsight_testkit::{Proxy, Service, System, wait_until};
use nats_hindsight_tests::recording::Recording;
use nats_hindsight_tests::verdicts::{Judged, judge};
use rustix::process::Signal;

use crate::process::Collector;
use crate::recorder::{Any, Epoch, Recorder};
use crate::with_each;

const LIMIT: Duration = Duration::from_mins(1);

/// One run through a proxy, during the second epoch of which something happens to the server `a1`
/// just before a request is sent; its epochs up to one that is whole again for the two others, and
/// how they are judged.
fn run_amid(
    system: &mut System,
    subject: &str,
    happens: impl FnOnce(&mut System) -> nats_hindsight_testkit::Result<()>,
) -> Any<(Vec<Epoch>, Judged)> {
    let proxy = Proxy::start(system, "a1")?;
    let recorder = Recorder::new()?;
    let (servers, services) = (proxy.url(system, "SYS")?, proxy.url(system, "APP")?);
    let args = ["--server", &servers, "--account-server", &services, "--system", "s"];
    let mut run = Collector::start(recorder.command(&[&args, &["--every", "2s"][..]].concat())?)?;
    wait_until("the first epoch is written", LIMIT, || {
        let first = recorder.files().map_err(|error| error.to_string())?.len();
        if first > 0 { Ok(()) } else { Err(run.said().unwrap_or_default()) }
    })?;
    proxy.hold(subject);
    proxy.wait_held()?;
    happens(system)?;
    let amid = recorder.files()?.len();
    proxy.release();
    wait_until("an epoch with the two others", LIMIT, || {
        let files = recorder.files().map_err(|error| error.to_string())?;
        let last = recorder.last().map_err(|error| error.to_string())?;
        let well = last.replies("VARZ").count() == 2 && files.len() > amid + 1;
        if well { Ok(()) } else { Err(run.said().unwrap_or_default()) }
    })?;
    run.tell(Signal::TERM)?;
    let run = run.wait(LIMIT)?;
    assert!(matches!(run.code, Some(0 | 4)), "{}", run.stderr);
    let files = recorder.files()?;
    let epochs = files.iter().map(|file| Epoch::read(file)).collect::<Any<Vec<_>>>()?;
    for (number, epoch) in epochs.iter().enumerate() {
        assert_eq!(epoch.header()["run"]["sequence"], number, "every epoch is written");
    }
    Ok((epochs, judge(&Recording::folder(recorder.folder.path()), &[])))
}

/// No epoch says of a server or a service that is well that it is not.
fn assert_no_false_alarm(judged: &Judged, version: &str) {
    for server in ["A/a2", "A/a3"] {
        assert_eq!(judged.findings("HINT_001", server).len(), 0, "{version} {server}");
    }
    assert_eq!(judged.findings("SERVICE_002", "APP/orders").len(), 0, "{version}");
}

fn cluster(version: &str) -> Any<(System, Service)> {
    let system = System::builder().cluster("A", &["a1", "a2", "a3"], version).start()?;
    let orders = Service::python("orders", "1.2.0").on(&["a2", "a3"]).instances(2);
    let orders = orders.start(&system)?;
    Ok((system, orders))
}

#[test]
fn killed_the_epoch_is_partial_and_the_next_comes_over_another_server() -> Any<()> {
    with_each(|version| {
        let (mut system, _orders) = cluster(version)?;
        let (a1, a2) = (system.id("a1")?, system.id("a2")?);
        let connz = format!("$SYS.REQ.SERVER.{a2}.CONNZ");
        let (epochs, judged) = run_amid(&mut system, &connz, |system| system.kill("a1"))?;
        let broken = epochs.iter().position(|epoch| epoch.end()["complete"] == false);
        let broken = broken.ok_or("no epoch is partial")?;
        for (endpoint, server) in [("VARZ", &a2), ("CONNZ", &a2), ("VARZ", &a1), ("CONNZ", &a1)] {
            let epoch = &epochs[broken];
            let came = epoch.replies(endpoint).any(|reply| reply["source"] == server.as_str());
            let mut captures =
                epoch.captures(endpoint).filter(|capture| capture["target"] == server.as_str());
            let said = captures.any(|capture| capture["status"] != "ok");
            assert!(came || said, "{version}: not a word about {endpoint} of {server}");
        }
        let last = epochs.iter().rfind(|epoch| epoch.end()["interrupted"] == false);
        let last = last.ok_or("no epoch")?;
        assert_eq!(last.header()["connections"][0]["state"], "connected", "{version}");
        assert_eq!(last.replies("VARZ").count(), 2, "{version}");
        assert_eq!(last.end()["complete"], true, "{version}");
        let gone = last.captures("STATSZ").find(|capture| capture["target"] == a1.as_str());
        assert_eq!(gone.map(|capture| &capture["status"]), Some(&"no_responders".into()));
        assert_no_false_alarm(&judged, version);
        let verdicts = judged.verdicts("HINT_001", "A/a1");
        // The last epoch is interrupted by the end of the test.
        assert_eq!(verdicts.first().map(String::as_str), Some("ok"), "{version}");
        assert!(verdicts.contains(&"finding".to_owned()), "{version}: {verdicts:?}");
        Ok(())
    })
}

/// Then nothing at all is answered: which says nothing about the others.
#[test]
fn hung_it_is_left_for_another_and_nobody_else_is_suspected() -> Any<()> {
    with_each(|version| {
        let (mut system, _orders) = cluster(version)?;
        let statsz = "$SYS.REQ.SERVER.PING.STATSZ";
        let (epochs, judged) = run_amid(&mut system, statsz, |system| system.hang("a1"))?;
        let silent = epochs.iter().find(|epoch| epoch.replies("STATSZ").count() == 0);
        let silent = silent.ok_or("every epoch has answers")?;
        assert_eq!(silent.end()["complete"], false, "{version}");
        assert_no_false_alarm(&judged, version);
        let verdicts = judged.verdicts("HINT_001", "A/a1");
        // The last epoch is interrupted by the end of the test.
        assert_eq!(verdicts.first().map(String::as_str), Some("ok"), "{version}");
        assert!(verdicts.contains(&"finding".to_owned()), "{version}: {verdicts:?}");
        Ok(())
    })
}
