//! Makes a scenario happen on real processes, and has the real collector take an epoch after each step.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;

use super::collector::Collector;
use super::gatherer::{self, Gatherer};
use super::provenance::{self, Epoch, Provenance};
use super::{Action, LARGEST, LARGEST_GATHERED, Scenario, privacy, truth};
use crate::error::{KitError, Result, io, io_at};
use crate::process::run;
use crate::services::{Instance, Sent, Service};
use crate::sniffer::Sniffer;
use crate::strangers::Present;
use crate::system::{State, System};
use crate::wait::wait_until;

/// Peers drop a hung server after about 87 s.
const DROP_LIMIT: Duration = Duration::from_mins(2);
/// Servers ask a mute client three times, two minutes apart.
const STALE_LIMIT: Duration = Duration::from_mins(8);
/// The label under which every scenario is recorded.
const SYSTEM: &str = "prod";

/// What happens while a scenario is performed, for somebody who watches.
#[derive(Debug)]
pub enum News<'a> {
    /// The actions before an epoch begin: which epoch, and what they bring about.
    Step(usize, &'a str),
    /// A command is about to run: its words, the program first.
    Command(&'a [String]),
    /// What it said.
    Said(&'a str),
}

/// What was recorded.
#[derive(Debug)]
pub struct Recording {
    /// The folder of the scenario.
    pub folder: PathBuf,
    /// How many bytes are in it.
    pub bytes: u64,
    /// What ran.
    pub provenance: Provenance,
}

/// Records the scenario with the `hindsight` binary into `fixtures/<scenario>`, which is replaced
/// only after everything has worked.
pub fn record(scenario: Scenario, hindsight: &Path, fixtures: &Path) -> Result<Recording> {
    let name = scenario.name;
    let output = tempfile::tempdir().map_err(io("no temporary folder"))?;
    let version = run("hindsight --version", Command::new(hindsight).arg("--version"))?;
    let id = format!("fixture-{name}");
    let collector = Collector::new(hindsight, output.path(), SYSTEM, &id);
    let (mut provenance, _) = play(scenario, &Recorder::Collector(&collector), &mut |_| {})?;
    version.trim().clone_into(&mut provenance.tool);
    let files = collector.files()?;
    for (epoch, file) in provenance.epochs.iter().zip(&files) {
        if &epoch.file != file {
            let text = format!("{file} is not in the order of its time");
            return Err(KitError::Protocol(text));
        }
    }
    write_json(output.path(), "provenance.json", &provenance)?;
    let bytes = publish(output.path(), &files, &fixtures.join(name), LARGEST)?;
    Ok(Recording { folder: fixtures.join(name), bytes, provenance })
}

/// Has the stock gatherer take an archive after each step instead, into `folder`, which is replaced
/// only after everything has worked. What is true of each epoch is written beside them.
pub fn gather(scenario: Scenario, nats: &Path, profiles: bool, folder: &Path) -> Result<Recording> {
    let name = scenario.name;
    let scratch = tempfile::tempdir().map_err(io("no temporary folder"))?;
    let output = scratch.path().join("archives");
    fs::create_dir(&output).map_err(io_at("cannot create", &output))?;
    let gatherer = Gatherer::new(nats, profiles, &output, scratch.path())?;
    let tool = gatherer.version()?;
    let recorder = Recorder::Gatherer(&gatherer);
    let (mut provenance, times) = play(scenario, &recorder, &mut |_| {})?;
    provenance.tool = tool;
    provenance.command = format!("cargo xtask record {name} --gather-with NATS --out DIR");
    let mut files: Vec<String> = provenance.epochs.iter().map(|epoch| epoch.file.clone()).collect();
    for file in &files {
        let entries = scratch.path().join(format!("{file}.entries"));
        fs::create_dir(&entries).map_err(io_at("cannot create", &entries))?;
        gatherer::unpack(&output.join(file), &entries)?
            .iter()
            .try_for_each(|p| privacy::check(p))?;
    }
    write_json(&output, "expected.json", &truth::expected(&provenance, &times))?;
    write_json(&output, "provenance.json", &provenance)?;
    files.push("expected.json".to_owned());
    let bytes = publish(&output, &files, folder, LARGEST_GATHERED)?;
    Ok(Recording { folder: folder.to_owned(), bytes, provenance })
}

/// Lets the scenario happen without a collector, to see that it works.
pub fn rehearse(scenario: Scenario) -> Result<Provenance> {
    play(scenario, &Recorder::Nobody, &mut |_| {}).map(|(provenance, _)| provenance)
}

/// Performs the scenario for somebody who watches, with epochs by the `hindsight` binary in
/// `output`, which is there and empty.
pub fn perform(
    scenario: Scenario,
    hindsight: &Path,
    output: &Path,
    watch: &mut dyn FnMut(News<'_>),
) -> Result<Provenance> {
    let name = scenario.name;
    let collector = Collector::new(hindsight, output, name, name);
    play(scenario, &Recorder::Collector(&collector), watch).map(|(provenance, _)| provenance)
}

fn write_json(folder: &Path, name: &str, value: &impl Serialize) -> Result<()> {
    let mut text = serde_json::to_string_pretty(value)
        .map_err(|error| KitError::Protocol(error.to_string()))?;
    text.push('\n');
    let path = folder.join(name);
    fs::write(&path, text).map_err(io_at("cannot write", &path))
}

/// Moves the files to where they belong, after looking at what they tell.
fn publish(from: &Path, files: &[String], folder: &Path, largest: u64) -> Result<u64> {
    let mut bytes = 0;
    let names = || files.iter().map(String::as_str).chain(["provenance.json"]);
    for name in names() {
        let path = from.join(name);
        privacy::check(&path)?;
        bytes += fs::metadata(&path).map_err(io_at("cannot look at", &path))?.len();
    }
    if bytes > largest {
        return Err(KitError::Protocol(format!("{bytes} bytes are more than {largest}")));
    }
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(io_at("cannot replace", folder))?;
    }
    fs::create_dir_all(folder).map_err(io_at("cannot create", folder))?;
    for name in names() {
        let target = folder.join(name);
        // Written anew instead of moved or copied, so that it gets the ordinary permissions.
        let content = fs::read(from.join(name)).map_err(io_at("cannot read", &from.join(name)))?;
        fs::write(&target, content).map_err(io_at("cannot write", &target))?;
    }
    Ok(bytes)
}

/// Who takes an epoch after each step.
enum Recorder<'a> {
    Nobody,
    Collector(&'a Collector<'a>),
    Gatherer(&'a Gatherer<'a>),
}

impl Recorder<'_> {
    /// Takes one; gives the name of its file, empty if there is none.
    fn take(
        &self,
        system: &System,
        scenario: &Scenario,
        number: usize,
        watch: &mut dyn FnMut(News<'_>),
    ) -> Result<String> {
        match self {
            Self::Nobody => Ok(String::new()),
            Self::Collector(collector) => collector.collect(system, scenario, number, watch),
            Self::Gatherer(gatherer) => gatherer.gather(system, scenario, number),
        }
    }

    fn system(&self) -> &str {
        if let Self::Collector(collector) = self { collector.system } else { SYSTEM }
    }
}

/// Gives what ran, and when each epoch began.
fn play(
    mut scenario: Scenario,
    recorder: &Recorder<'_>,
    watch: &mut dyn FnMut(News<'_>),
) -> Result<(Provenance, Vec<Timestamp>)> {
    let steps = std::mem::take(&mut scenario.steps);
    let system = scenario.system.clone().start()?;
    let mut stage = Stage {
        system,
        through: scenario.through,
        services: BTreeMap::new(),
        sniffers: Vec::new(),
        strangers: BTreeMap::new(),
        sent: BTreeMap::new(),
        last_epoch: Instant::now(),
    };
    let (mut epochs, mut times) = (Vec::new(), Vec::new());
    for (number, step) in steps.into_iter().enumerate() {
        watch(News::Step(number, step.label));
        for action in step.actions {
            stage.act(action)?;
        }
        stage.settle()?;
        let servers = provenance::servers(&stage.system);
        let services = provenance::services(&stage.system, stage.services.values());
        times.push(Timestamp::now());
        let file = recorder.take(&stage.system, &scenario, number, watch)?;
        stage.next_second()?;
        let sent = provenance::sent(std::mem::take(&mut stage.sent));
        epochs.push(Epoch { label: step.label.to_owned(), file, servers, services, sent });
    }
    let provenance = Provenance {
        scenario: scenario.name.to_owned(),
        about: scenario.about.to_owned(),
        tool: String::new(),
        command: format!("cargo xtask record {}", scenario.name),
        system: recorder.system().to_owned(),
        through: scenario.through.to_owned(),
        accounts: scenario.accounts.iter().map(|&account| account.to_owned()).collect(),
        epochs,
    };
    Ok((provenance, times))
}

struct Stage {
    system: System,
    through: &'static str,
    services: BTreeMap<&'static str, Service>,
    sniffers: Vec<Sniffer>,
    strangers: BTreeMap<&'static str, Vec<Present>>,
    /// Requests since the last epoch, by account and service.
    sent: BTreeMap<(String, String), Sent>,
    last_epoch: Instant,
}

impl Stage {
    fn act(&mut self, action: Action) -> Result<()> {
        let system = &mut self.system;
        match action {
            Action::Stop(server) => {
                system.stop(server)?;
                system.wait_dropped(server, crate::PATIENCE)
            }
            Action::Kill(server) => {
                system.kill(server)?;
                system.wait_dropped(server, crate::PATIENCE)
            }
            Action::LameDuck(server) => system.lame_duck(server),
            Action::Left(server) => system.wait_left(server),
            Action::Hang(server) => system.hang(server),
            Action::Resume(server) => {
                system.resume(server)?;
                system.wait_ready()
            }
            Action::Start(server) => system.start(server),
            Action::Restart(server, version) => system.restart_as(server, version),
            Action::Reload(server, lines) => system.reload_with(server, lines),
            Action::Join(server) => system.join(server),
            Action::Dropped(server) => system.wait_dropped(server, DROP_LIMIT),
            Action::Unlinked(server) => system.wait_unlinked(server, STALE_LIMIT),
            Action::Age(server, age) => system.wait_age(server, age),
            Action::Pause(time) => self.pause(time),
            other => self.act_on_services(other),
        }
    }

    fn act_on_services(&mut self, action: Action) -> Result<()> {
        let system = &self.system;
        match action {
            Action::Run(key, service) => {
                self.services.insert(key, service.start(system)?);
                Ok(())
            }
            Action::More(key, count) => find(&mut self.services, key)?.start_more(system, count),
            Action::End(key, count) => find(&mut self.services, key)?.stop(count),
            Action::Mute(key) => {
                find(&mut self.services, key)?.running_mut().iter_mut().try_for_each(Instance::hang)
            }
            Action::Stale(key) => {
                let service = find(&mut self.services, key)?;
                wait_until(&format!("no server lists {key}"), STALE_LIMIT, || {
                    let listed = provenance::listed(system);
                    let there = service.running().iter().filter(|one| listed.contains(one.id()));
                    match there.count() {
                        0 => Ok(()),
                        count => Err(format!("{count} instances are listed")),
                    }
                })
            }
            Action::Unmute(key) => find(&mut self.services, key)?
                .running_mut()
                .iter_mut()
                .try_for_each(Instance::resume),
            Action::Requests(key, count) => self.send(key, "hello", count),
            Action::Failures(key, count) => self.send(key, "fail", count),
            Action::Send(key, payload, count) => self.send(key, payload, count),
            Action::Stream(name, replicas) => {
                let subject = format!("{}.>", name.to_lowercase());
                let config =
                    json!({ "name": name, "subjects": [subject], "num_replicas": replicas });
                system.client(self.through, "APP")?.add_stream(&config).map(drop)
            }
            Action::Strangers(key, strangers) => {
                let all = strangers.iter().map(|stranger| stranger.connect(system));
                self.strangers.insert(key, all.collect::<Result<_>>()?);
                Ok(())
            }
            Action::Leave(key) => {
                self.strangers.remove(key);
                Ok(())
            }
            Action::Assets(configs) => {
                let (stream, consumer) = *configs;
                let mut client = system.client(self.through, "APP")?;
                client.add_stream(&stream)?;
                let name = stream["name"].as_str().unwrap_or_default();
                client.add_consumer(name, &consumer).map(drop)
            }
            Action::Sniff(subject) => {
                self.sniffers.push(Sniffer::start(system, self.through, "APP", subject)?);
                Ok(())
            }
            other => Err(KitError::Plan(format!("{other:?} is nothing done to a service"))),
        }
    }

    fn send(&mut self, key: &str, payload: &str, count: usize) -> Result<()> {
        let service = find(&mut self.services, key)?;
        let sent = service.send(&self.system, self.through, payload, count)?;
        let name = (service.account_name().to_owned(), service.name().to_owned());
        let all = self.sent.entry(name).or_default();
        all.requests += sent.requests;
        all.errors += sent.errors;
        Ok(())
    }

    /// Waits until everything that can answer does, as seen from where the collector looks.
    fn settle(&mut self) -> Result<()> {
        let system = &mut self.system;
        system.wait_ready()?;
        for service in self.services.values_mut() {
            service.forget_ended(system);
            for instance in service.running() {
                let hidden = system.state(instance.server())? == State::Hung;
                if !instance.is_hung() && !hidden {
                    instance.wait_answers(system, service, self.through)?;
                }
            }
        }
        Ok(())
    }

    fn pause(&self, time: Duration) -> Result<()> {
        let limit = time + crate::PATIENCE;
        wait_until("enough time has passed since the last epoch", limit, || {
            let passed = self.last_epoch.elapsed();
            if passed >= time { Ok(()) } else { Err(format!("{} ms", passed.as_millis())) }
        })
    }

    /// The names of epochs have seconds, and a reader of a folder wants to see their order.
    fn next_second(&mut self) -> Result<()> {
        self.last_epoch = Instant::now();
        self.pause(Duration::from_secs(1))
    }
}

fn find<'a>(
    services: &'a mut BTreeMap<&'static str, Service>,
    key: &str,
) -> Result<&'a mut Service> {
    services.get_mut(key).ok_or_else(|| KitError::Plan(format!("no service was started as {key}")))
}
