//! Servers that hang, die, restart and leave between two requests of one epoch.

use std::time::{Duration, Instant};

use nats_hindsight_testkit::{Proxy, Service, System, wait_until};
use nats_hindsight_tests::recording::Recording;
use nats_hindsight_tests::verdicts::judge;

use crate::process::Collector;
use crate::recorder::{Any, Epoch, Recorder, Run};
use crate::with_each;

/// Longer than any epoch of these tests takes.
const LIMIT: Duration = Duration::from_secs(30);

/// A cluster that is recorded through a proxy.
struct Scene {
    system: System,
    proxy: Proxy,
    recorder: Recorder,
    _services: [Service; 2],
}

impl Scene {
    fn new(version: &str) -> Any<Self> {
        let system = System::builder().cluster("A", &["a1", "a2", "a3"], version).start()?;
        let orders = Service::python("orders", "1.2.0").on(&["a1", "a2"]).instances(2);
        let billing = Service::rust("billing", "2.0.1").on(&["a3", "a1"]).instances(2);
        let services = [orders.start(&system)?, billing.start(&system)?];
        let proxy = Proxy::start(&system, "a1")?;
        Ok(Self { system, proxy, recorder: Recorder::new()?, _services: services })
    }

    fn arguments(&self) -> Any<Vec<String>> {
        let (servers, services) =
            (self.proxy.url(&self.system, "SYS")?, self.system.url("a1", "APP")?);
        let words = ["--server", &servers, "--account-server", &services, "--system", "s"];
        Ok(words.map(str::to_owned).into())
    }

    /// One epoch in which nothing happens.
    fn quiet(&self) -> Any<Epoch> {
        let run = self.recorder.collect(&self.arguments()?)?;
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        self.recorder.last()
    }

    /// One epoch in which something happens just before a request is sent, how the run ended, and
    /// how long it took from then on.
    fn amid(
        &mut self,
        subject: &str,
        happens: impl FnOnce(&mut System) -> nats_hindsight_testkit::Result<()>,
    ) -> Any<(Epoch, Run, Duration)> {
        self.proxy.hold(subject);
        let run = Collector::start(self.recorder.command(&self.arguments()?)?)?;
        self.proxy.wait_held()?;
        happens(&mut self.system)?;
        let since = Instant::now();
        self.proxy.release();
        let run = run.wait(LIMIT)?;
        Ok((self.recorder.last()?, run, since.elapsed()))
    }

    fn judged(&self) -> nats_hindsight_tests::verdicts::Judged {
        judge(&Recording::folder(self.recorder.folder.path()), &[])
    }
}

/// Status of the requests for an endpoint of one server, each once.
fn outcomes(epoch: &Epoch, endpoint: &str, server: &str) -> Vec<String> {
    let captures = epoch.captures(endpoint).filter(|capture| capture["target"] == server);
    let mut statuses: Vec<String> =
        captures.map(|capture| capture["status"].as_str().unwrap_or_default().to_owned()).collect();
    statuses.sort();
    statuses.dedup();
    statuses
}

fn answered(epoch: &Epoch, endpoint: &str, server: &str) -> bool {
    epoch.replies(endpoint).any(|reply| reply["source"] == server)
}

/// What holds of every server to which nothing happened.
fn assert_whole(epoch: &Epoch, servers: &[&str]) {
    for server in servers {
        for endpoint in ["STATSZ", "VARZ", "ROUTEZ", "CONNZ", "CONNZ_CLOSED", "JSZ"] {
            assert!(answered(epoch, endpoint, server), "{endpoint} of {server}");
        }
    }
}

#[test]
fn a_server_that_hangs_costs_two_timeouts_and_nobody_else_anything() -> Any<()> {
    with_each(|version| {
        let mut scene = Scene::new(version)?;
        scene.quiet()?;
        let ids = ["a1", "a2", "a3"].map(|name| scene.system.id(name).unwrap_or_default());
        let [a1, a2, a3] = ids.each_ref().map(String::as_str);
        // After its small answers, when its connections are asked for.
        let connz = format!("$SYS.REQ.SERVER.{a3}.CONNZ");
        let (epoch, run, took) = scene.amid(&connz, |system| system.hang("a3"))?;
        assert_eq!(run.code, Some(4), "{version}: {}", run.stderr);
        assert!(took < Duration::from_secs(6), "{version}: {took:?}");
        assert_eq!(epoch.end()["complete"], false, "{version}");
        assert!(answered(&epoch, "VARZ", a3), "{version}: it answered before it hung");
        let listed = [outcomes(&epoch, "CONNZ", a3), outcomes(&epoch, "CONNZ_CLOSED", a3)].concat();
        assert!(listed.contains(&"timeout".to_owned()), "{version}: {listed:?}");
        assert!(!listed.contains(&"ok".to_owned()), "{version}: {listed:?}");
        assert_whole(&epoch, &[a1, a2]);
        // Before the first answer but that to the discovery.
        scene.system.resume("a3")?;
        scene.quiet()?;
        let varz = "$SYS.REQ.SERVER.PING.VARZ";
        let (epoch, run, took) = scene.amid(varz, |system| system.hang("a3"))?;
        assert_eq!(run.code, Some(4), "{version}: {}", run.stderr);
        assert!(took < Duration::from_secs(6), "{version}: {took:?}");
        assert!(answered(&epoch, "STATSZ", a3) && !answered(&epoch, "VARZ", a3), "{version}");
        assert_eq!(outcomes(&epoch, "VARZ", a3), ["timeout"], "{version}");
        assert_whole(&epoch, &[a1, a2]);
        scene.system.resume("a3")?;
        scene.quiet()?;
        // It answered something in every epoch, and nothing that it did not say became a fault.
        let judged = scene.judged();
        assert_eq!(judged.all_findings(), [], "{version}");
        assert_eq!(judged.verdicts("HINT_001", "A/a3"), ["ok"; 5], "{version}");
        Ok(())
    })
}

#[test]
fn a_server_that_dies_and_comes_back_is_told_apart_from_one_that_hangs() -> Any<()> {
    with_each(|version| {
        let mut scene = Scene::new(version)?;
        scene.quiet()?;
        let [a1, a2, a3] = ["a1", "a2", "a3"].map(|name| scene.system.id(name).unwrap_or_default());
        let connz = format!("$SYS.REQ.SERVER.{a3}.CONNZ");
        let (epoch, run, _) = scene.amid(&connz, |system| {
            system.kill("a3")?;
            system.wait_dropped("a3", nats_hindsight_testkit::PATIENCE)
        })?;
        assert_eq!(run.code, Some(4), "{version}: {}", run.stderr);
        assert_eq!(epoch.end()["complete"], false, "{version}: its connections were not listed");
        assert!(answered(&epoch, "VARZ", &a3), "{version}");
        let gone = epoch.captures("CONNZ").find(|capture| capture["target"] == a3.as_str());
        let note = gone.map_or("", |capture| capture["note"].as_str().unwrap_or_default());
        assert!(note.contains("went away during the epoch"), "{version}: {gone:?}");
        assert_whole(&epoch, &[&a1, &a2]);
        scene.system.start("a3")?;
        scene.quiet()?;
        let before = scene.system.id("a3")?;
        let connz = format!("$SYS.REQ.SERVER.{before}.CONNZ");
        let (epoch, run, _) = scene.amid(&connz, |system| {
            system.kill("a3")?;
            system.start("a3")
        })?;
        assert_eq!(run.code, Some(4), "{version}: {}", run.stderr);
        assert_eq!(outcomes(&epoch, "CONNZ", &before), ["no_responders"], "{version}");
        assert_whole(&epoch, &[&a1, &a2]);
        let epoch = scene.quiet()?;
        assert_whole(&epoch, &[&a1, &a2, &scene.system.id("a3")?]);
        assert_eq!(epoch.end()["remember"]["servers"].as_array().map(Vec::len), Some(3));
        let judged = scene.judged();
        assert_eq!(judged.verdicts("HINT_001", "A/a3"), ["ok"; 5], "{version}");
        assert_eq!(judged.findings("SERVICE_002", "APP/orders").len(), 0, "{version}");
        Ok(())
    })
}

#[test]
fn a_server_that_leaves_as_a_lame_duck_is_silent_and_then_gone() -> Any<()> {
    with_each(|version| {
        let mut scene = Scene::new(version)?;
        scene.quiet()?;
        let [a1, a2, a3] = ["a1", "a2", "a3"].map(|name| scene.system.id(name).unwrap_or_default());
        let connz = format!("$SYS.REQ.SERVER.{a3}.CONNZ");
        let (epoch, run, took) = scene.amid(&connz, |system| {
            system.lame_duck("a3")?;
            wait_until("a3 leaves", LIMIT, || {
                let log = system.log("a3").map_err(|error| error.to_string())?;
                if log.contains("lame duck") { Ok(()) } else { Err(log) }
            })
        })?;
        assert_eq!(run.code, Some(4), "{version}: {}", run.stderr);
        assert!(took < Duration::from_secs(6), "{version}: {took:?}");
        assert_eq!(epoch.end()["complete"], false, "{version}");
        assert!(answered(&epoch, "VARZ", &a3), "{version}");
        let listed = outcomes(&epoch, "CONNZ", &a3);
        assert!(!listed.contains(&"ok".to_owned()), "{version}: {listed:?}");
        assert_whole(&epoch, &[&a1, &a2]);
        scene.system.wait_left("a3")?;
        let epoch = scene.quiet()?;
        assert_eq!(outcomes(&epoch, "STATSZ", &a3), ["no_responders"], "{version}");
        let judged = scene.judged();
        assert_eq!(judged.verdicts("HINT_001", "A/a3"), ["ok", "ok", "finding"], "{version}");
        Ok(())
    })
}
