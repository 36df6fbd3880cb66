//! The collector's credentials are revoked while it runs.

use std::fs;
use std::time::Duration;

use nats_hindsight_testkit::{Account, Proxy, Service, System, User, Validity, wait_until};
use nats_hindsight_tests::recording::Recording;
use nats_hindsight_tests::verdicts::judge;
use rustix::process::Signal;

use crate::process::Collector;
use crate::recorder::{Any, Epoch, Recorder};
use crate::with_each;

const LIMIT: Duration = Duration::from_mins(1);

fn until_first(recorder: &Recorder, run: &mut Collector) -> Any<()> {
    wait_until("the first epoch is written", LIMIT, || {
        let first = recorder.files().map_err(|error| error.to_string())?.len();
        if first > 0 { Ok(()) } else { Err(run.said().unwrap_or_default()) }
    })?;
    Ok(())
}

fn until_last(recorder: &Recorder, run: &mut Collector, is_so: impl Fn(&Epoch) -> bool) -> Any<()> {
    wait_until("the last epoch is as it should be", LIMIT, || {
        let last = recorder.last().map_err(|error| error.to_string())?;
        if is_so(&last) { Ok(()) } else { Err(run.said().unwrap_or_default()) }
    })?;
    Ok(())
}

fn epochs(recorder: &Recorder) -> Any<Vec<Epoch>> {
    recorder.files()?.iter().map(|file| Epoch::read(file)).collect()
}

/// From the start of an epoch to its end, in seconds.
fn lasted(epoch: &Epoch) -> f64 {
    let time = |value: &serde_json::Value| {
        value.as_str().and_then(|text| text.parse::<jiff::Timestamp>().ok()).unwrap_or_default()
    };
    let (start, end) = (time(&epoch.header()["start"]), time(&epoch.end()["end"]));
    end.duration_since(start).as_secs_f64()
}

/// A signed user is revoked between two requests of an epoch, with the claims of its account.
#[test]
fn a_revoked_user_of_the_system_account_is_named_and_nothing_is_made_up() -> Any<()> {
    with_each(|version| {
        let builder = System::builder().cluster("A", &["a1", "a2", "a3"], version);
        let mut system = builder.operator_mode().start()?;
        let a2 = system.id("a2")?;
        let creds = system.creds_file("SYS", "watcher", Validity::Forever)?.display().to_string();
        let proxy = Proxy::start(&system, "a1")?;
        let recorder = Recorder::new()?;
        let address = proxy.address();
        let args = ["--server", &address, "--creds", &creds, "--system", "s", "--every", "2s"];
        let mut run = Collector::start(recorder.command(&args)?)?;
        until_first(&recorder, &mut run)?;
        proxy.hold(&format!("$SYS.REQ.SERVER.{a2}.CONNZ"));
        proxy.wait_held()?;
        system.revoke("a1", "SYS", "watcher")?;
        proxy.release();
        let state = |epoch: &Epoch| {
            epoch.header()["connections"][0]["state"].as_str().unwrap_or_default().to_owned()
        };
        until_last(&recorder, &mut run, |epoch| state(epoch).contains("refused the credentials"))?;
        // The same file with credentials that were made since.
        fs::write(&creds, system.creds("SYS", "watcher", Validity::Forever)?.file())?;
        until_last(&recorder, &mut run, |epoch| epoch.end()["complete"] == true)?;
        run.tell(Signal::TERM)?;
        let run = run.wait(LIMIT)?;
        let mut epochs = epochs(&recorder)?;
        let again = epochs.iter().rposition(|epoch| epoch.end()["complete"] == true);
        epochs.truncate(again.ok_or("no epoch is whole")? + 1);
        let last = epochs.pop().ok_or("no epoch")?;
        assert_eq!(last.replies("VARZ").count(), 3, "{version}: {}", run.stderr);
        assert!(!run.stderr.contains("eyJ"), "{version}: a token is shown: {}", run.stderr);
        let cut = epochs.iter().position(|epoch| epoch.end()["complete"] == false).ok_or("none")?;
        assert!(epochs[cut].replies("VARZ").count() > 0, "{version}: what came before is there");
        assert!(lasted(&epochs[cut]) < 10.0, "{version}: {} s", lasted(&epochs[cut]));
        let refused: Vec<&Epoch> =
            epochs.iter().filter(|epoch| epoch.replies("STATSZ").count() == 0).collect();
        assert!(!refused.is_empty(), "{version}");
        for epoch in refused {
            let state = state(epoch);
            assert!(state.contains("refused the credentials"), "{version}: {state}");
            assert_eq!(epoch.end()["complete"], false, "{version}");
            assert!(lasted(epoch) < 6.0, "{version}: {} s", lasted(epoch));
        }
        let judged = judge(&Recording::folder(recorder.folder.path()), &[]);
        assert_eq!(judged.all_findings(), [], "{version}");
        for server in ["A/a1", "A/a2", "A/a3"] {
            let verdicts = judged.verdicts("HINT_001", server);
            let unknown = verdicts.iter().filter(|verdict| verdict.starts_with("unknown")).count();
            assert!(unknown > 0, "{version}: {verdicts:?}");
            assert!(!verdicts.contains(&"finding".to_owned()), "{version}: {verdicts:?}");
        }
        Ok(())
    })
}

/// A user is taken from the configuration, which every server reads again.
#[test]
fn a_user_of_an_account_that_was_removed_makes_no_service_vanish() -> Any<()> {
    with_each(|version| {
        let account = Account::new("APP").user(User::new("watcher", "watcher"));
        let builder = System::builder().cluster("A", &["a1", "a2"], version).account(account);
        let mut system = builder.start()?;
        let orders = Service::python("orders", "1.2.0").on(&["a1", "a2"]).instances(2);
        let _orders = orders.start(&system)?;
        let recorder = Recorder::new()?;
        let servers = system.url("a1", "SYS")?;
        let services = system.address("a2")?.replace("nats://", "nats://watcher:watcher@");
        let args = ["--server", &servers, "--account-server", &services, "--system", "s"];
        let timer = ["--every", "2s", "--count", "4"];
        let mut run = Collector::start(recorder.command(&[&args, &timer[..]].concat())?)?;
        until_first(&recorder, &mut run)?;
        system.remove_user("APP", "watcher")?;
        let run = run.wait(LIMIT)?;
        assert_eq!(run.code, Some(4), "{version}: {}", run.stderr);
        let epochs = epochs(&recorder)?;
        let last = epochs.last().ok_or("no epoch")?;
        let state = last.header()["connections"][1]["state"].as_str().unwrap_or_default();
        assert!(state.contains("refused the credentials"), "{version}: {state}");
        assert!(!run.stderr.contains("watcher"), "{version}: {}", run.stderr);
        assert_eq!(last.statuses("SRV_PING"), ["skipped"], "{version}");
        assert_eq!(last.replies("VARZ").count(), 2, "{version}: the other connection works");
        let judged = judge(&Recording::folder(recorder.folder.path()), &[]);
        assert_eq!(judged.findings("SERVICE_002", "APP/orders").len(), 0, "{version}");
        let verdicts = judged.verdicts("SERVICE_002", "APP/orders");
        assert_eq!(verdicts.len(), 4, "{version}");
        assert!(verdicts.iter().all(|v| v == "ok" || v.starts_with("unknown")), "{verdicts:?}");
        Ok(())
    })
}
