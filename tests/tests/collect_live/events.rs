//! What servers publish by themselves, while a collector runs and listens.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nats_hindsight_testkit::{Account, Client, Login, Service, System, User, wait_until};
use serde_json::Value;

use crate::VERSIONS;
use crate::recorder::{Any, Epoch, Recorder};

/// A run that takes an epoch every two seconds until it is told to stop.
struct Running<'a> {
    recorder: &'a Recorder,
    child: Child,
}

impl<'a> Running<'a> {
    fn start(recorder: &'a Recorder, system: &System, more: &[&str]) -> Any<Self> {
        let url = system.url("a1", "SYS")?;
        let mut command = recorder.command(&["--server", &url, "--every", "2s"])?;
        let child = command.args(more).stderr(Stdio::null()).spawn()?;
        let running = Self { recorder, child };
        running.until("two epochs are written", |epochs| epochs.len() > 1)?;
        Ok(running)
    }

    fn epochs(&self) -> Any<Vec<Epoch>> {
        self.recorder.files()?.iter().map(|file| Epoch::read(file)).collect()
    }

    fn until(&self, what: &str, done: impl Fn(&[Epoch]) -> bool) -> Any<Vec<Epoch>> {
        wait_until(what, Duration::from_secs(30), || {
            let epochs = self.epochs().map_err(|error| error.to_string())?;
            if done(&epochs) { Ok(()) } else { Err(format!("{} epochs", epochs.len())) }
        })?;
        self.epochs()
    }

    /// The epochs once one of them holds an event whose subject ends so.
    fn until_heard(&self, end: &str) -> Any<Vec<Epoch>> {
        self.until(end, |epochs| epochs.iter().any(|epoch| epoch.events(end).next().is_some()))
    }

    fn stop(mut self) -> Any<Option<i32>> {
        let pid = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &pid]).status()?;
        Ok(self.child.wait()?.code())
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        // Fails only if it has ended, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn port(system: &System, server: &str) -> Any<u16> {
    let address = system.address(server)?;
    Ok(address.rsplit(':').next().unwrap_or_default().parse()?)
}

fn all<'a>(epochs: &'a [Epoch], end: &str) -> Vec<&'a Value> {
    epochs.iter().flat_map(|epoch| epoch.events(end).collect::<Vec<_>>()).collect()
}

/// The capture of one subscription in the newest epoch.
fn capture(epochs: &[Epoch], subject: &str) -> Value {
    let last = epochs.last().into_iter().flat_map(|epoch| epoch.captures("EVENTS"));
    last.filter(|capture| capture["subject"] == subject).last().cloned().unwrap_or_default()
}

fn contains(bytes: &[u8], needle: &str) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle.as_bytes())
}

/// Stops, connections that come and go, and refused credentials stand in the next epoch, each once,
/// and no user, password or token in any byte.
#[test]
fn what_servers_publish_is_in_the_next_epoch_without_secrets() -> Any<()> {
    for version in [VERSIONS[0], VERSIONS[2]] {
        let mut system = System::builder()
            .cluster("A", &["a1", "a2"], version)
            .account(Account::new("APP").user(User::new("shown-user", "pw-of-app-Zq")))
            .start()?;
        let id = system.id("a2")?;
        let recorder = Recorder::new()?;
        let running = Running::start(&recorder, &system, &[])?;
        let user = Some(("shown-user".to_owned(), "pw-of-app-Zq".to_owned()));
        drop(Client::connect(&Login { port: port(&system, "a2")?, user, creds: None })?);
        let wrong = system.address("a1")?.replace("nats://", "nats://t0ken-of-all-Zq@");
        Recorder::bare(&["--account-server", &wrong, "--out", "-"])?.output()?;
        system.stop("a2")?;
        let epochs = running.until_heard(".SHUTDOWN")?;
        let shutdown = all(&epochs, ".SHUTDOWN");
        assert_eq!(shutdown.len(), 1, "{version}: {shutdown:?}");
        assert_eq!(shutdown[0]["subject"], format!("$SYS.SERVER.{id}.SHUTDOWN"));
        assert_eq!(shutdown[0]["body"]["name"], "a2", "{version}");
        assert!(shutdown[0]["account"].is_null());
        let refused = all(&epochs, ".CLIENT.AUTH.ERR");
        assert!(!refused.is_empty(), "{version}: the refused login");
        let gone = all(&epochs, "$SYS.ACCOUNT.APP.DISCONNECT");
        let gone = gone.iter().find(|event| event["body"]["server"]["id"] == *id);
        let gone = gone.ok_or("the client of a2")?;
        assert_eq!(gone["body"]["reason"], "Client Closed", "{version}");
        assert_eq!(gone["scrubbed"], serde_json::json!(["client.user"]), "{version}");
        assert_eq!(running.stop()?, Some(0), "{version}");
        let bytes = recorder.all_bytes()?;
        for secret in ["t0ken-of-all-Zq", "pw-of-app-Zq", "shown-user"] {
            assert!(!contains(&bytes, secret), "{version}: {secret} was recorded");
        }
    }
    Ok(())
}

/// One epoch says until when it was listened, and the next goes on from there. The first of a run
/// begins with the run.
#[test]
fn periods_of_listening_follow_each_other() -> Any<()> {
    let system = System::builder().standalone("a1", VERSIONS[1]).start()?;
    let recorder = Recorder::new()?;
    let running = Running::start(&recorder, &system, &[])?;
    let epochs = running.until("three epochs", |epochs| epochs.len() > 2)?;
    assert_eq!(running.stop()?, Some(0));
    let period = |index: usize| capture(&epochs[..=index], "$SYS.SERVER.*.SHUTDOWN");
    for (index, epoch) in epochs.iter().enumerate().take(3) {
        assert_eq!(period(index)["status"], "ok");
        assert!(period(index)["listened"]["gaps"].is_null());
        let start = epoch.header()["start"].as_str();
        assert!(period(index)["listened"]["until"].as_str() > start, "{}", period(index));
    }
    assert_eq!(period(2)["listened"]["since"], period(1)["listened"]["until"]);
    assert!(epochs[0].header()["asked"]["endpoints"].to_string().contains("EVENTS"));
    let once = Recorder::new()?;
    assert_eq!(once.collect(&["--server", &system.url("a1", "SYS")?])?.code, Some(0));
    assert_eq!(once.last()?.captures("EVENTS").count(), 0, "who records once does not listen");
    Ok(())
}

/// Who may not subscribe to events hears none; everything else is recorded as ever.
#[test]
fn a_user_who_may_not_listen_is_noted_and_nothing_else_suffers() -> Any<()> {
    for version in [VERSIONS[0], VERSIONS[2]] {
        let strict = |name: &str, subject: &str| {
            Account::new(name).user(User::new("strict", "strict").deny_subscribe(&[subject]))
        };
        let system = System::builder()
            .standalone("a1", version)
            .account(strict("APP", "$JS.EVENT.ADVISORY.>"))
            .start()?;
        let _service = Service::python("orders", "1.0.0").start(&system)?;
        let recorder = Recorder::new()?;
        let url = system.address("a1")?.replace("nats://", "nats://strict:strict@");
        let running = Running::start(&recorder, &system, &["--account-server", &url])?;
        let epochs = running.epochs()?;
        let last = epochs.last().ok_or("no epoch")?;
        let denied = capture(&epochs, "$JS.EVENT.ADVISORY.STREAM.>");
        assert_eq!((&denied["status"], &denied["account"]), (&"denied".into(), &"APP".into()));
        assert!(denied["listened"].is_null());
        assert_eq!(capture(&epochs, "$SYS.SERVER.*.SHUTDOWN")["status"], "ok", "{version}");
        assert_eq!(last.replies("SRV_PING").count(), 1, "{version}: the connection goes on");
        assert_eq!(last.end()["complete"], true, "{version}");
        assert_eq!(running.stop()?, Some(0), "{version}");
    }
    Ok(())
}

/// A flood is cut and counted, and leaves room for the last word of a server.
#[test]
fn a_flood_is_cut_counted_and_leaves_room_for_others() -> Any<()> {
    let mut system = System::builder().cluster("A", &["a1", "a2"], VERSIONS[2]).start()?;
    let recorder = Recorder::new()?;
    let running = Running::start(&recorder, &system, &[])?;
    let body = format!("{{\"pad\":\"{}\"}}", "x".repeat(500));
    system.client("a1", "SYS")?.flood("$SYS.ACCOUNT.FLOOD.CONNECT", &body, 20_000)?;
    system.stop("a2")?;
    let epochs = running.until_heard(".SHUTDOWN")?;
    let epochs = running.until("the flood is over", |now| now.len() > epochs.len())?;
    let flood = all(&epochs, ".FLOOD.CONNECT").len();
    assert!((1000..1300).contains(&flood), "{flood} of 20000 were kept");
    let dropped: u64 = epochs
        .iter()
        .flat_map(|epoch| epoch.captures("EVENTS"))
        .filter(|capture| capture["subject"] == "$SYS.ACCOUNT.*.CONNECT")
        .filter_map(|capture| capture["listened"]["dropped"].as_u64())
        .sum();
    assert!(dropped + flood as u64 >= 20_000, "{dropped} are counted, {flood} were kept");
    assert_eq!(all(&epochs, ".SHUTDOWN").len(), 1);
    let heard = capture(&epochs, "$SYS.SERVER.*.SHUTDOWN");
    assert_eq!((&heard["status"], heard["listened"]["dropped"].is_null()), (&"ok".into(), true));
    assert_eq!(running.stop()?, Some(0));
    Ok(())
}

/// The server at hand goes and comes back: a gap is told, and the subscriptions stand again.
#[test]
fn a_broken_connection_is_a_gap_and_events_come_again_afterwards() -> Any<()> {
    let mut system = System::builder().cluster("A", &["a1", "a2"], VERSIONS[1]).start()?;
    let recorder = Recorder::new()?;
    let running = Running::start(&recorder, &system, &[])?;
    system.kill("a1")?;
    system.start("a1")?;
    let gap = |epoch: &Epoch| {
        let told = |capture: &&Value| capture["listened"]["gaps"].is_array();
        epoch.captures("EVENTS").filter(told).map(|c| c["status"].clone()).collect::<Vec<_>>()
    };
    let epochs = running.until("a gap is told", |now| now.iter().any(|e| !gap(e).is_empty()))?;
    let told = epochs.iter().map(gap).find(|told| !told.is_empty()).unwrap_or_default();
    assert_eq!(told, ["partial"; 5], "all subscriptions were deaf");
    assert_eq!(all(&epochs, ".SHUTDOWN").len(), 0, "a1 was killed");
    system.stop("a2")?;
    let epochs = running.until_heard(".SHUTDOWN")?;
    assert_eq!(all(&epochs, ".SHUTDOWN").len(), 1);
    running.stop()?;
    Ok(())
}
