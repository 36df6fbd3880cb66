//! Real services: one child process per instance, in Python (nats-py) or Rust (async-nats).

use std::collections::BTreeMap;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::child::{first_line, spawn};
use crate::error::{KitError, Result};
use crate::operator::Validity;
use crate::process::{Process, tail_of};
use crate::system::{PATIENCE, State, System};
use crate::wait::wait_until;

/// The client library a service runs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// nats-py.
    Python,
    /// async-nats.
    Rust,
}

/// Describes the instances of a service, and then holds the running ones.
#[derive(Debug)]
pub struct Service {
    name: String,
    version: String,
    language: Language,
    account: String,
    user: Option<(String, String)>,
    creds: Option<(String, Validity)>,
    servers: Vec<String>,
    connection_name: Option<String>,
    description: Option<String>,
    metadata: BTreeMap<String, String>,
    endpoints: Vec<(String, String)>,
    fails_on: Vec<String>,
    queue_group: Option<String>,
    reconnect: bool,
    count: usize,
    instances: Vec<Instance>,
}

/// What became of requests, as whoever sent them saw it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sent {
    /// All of them.
    pub requests: usize,
    /// Those that were answered with an error.
    pub errors: usize,
}

/// One running instance.
#[derive(Debug)]
pub struct Instance {
    id: String,
    server: String,
    version: String,
    language: Language,
    hung: bool,
    process: Process,
    /// Holds the script and what the instance prints.
    folder: TempDir,
}

impl Service {
    /// One instance in Python, in account `APP`, until more is said.
    pub fn python(name: &str, version: &str) -> Service {
        Service::new(Language::Python, name, version)
    }

    /// One instance in Rust, in account `APP`, until more is said.
    pub fn rust(name: &str, version: &str) -> Service {
        Service::new(Language::Rust, name, version)
    }

    /// One instance in this language.
    pub fn new(language: Language, name: &str, version: &str) -> Service {
        Service {
            name: name.to_owned(),
            version: version.to_owned(),
            language,
            account: "APP".to_owned(),
            user: None,
            creds: None,
            servers: Vec::new(),
            connection_name: None,
            description: None,
            metadata: BTreeMap::new(),
            endpoints: vec![("call".to_owned(), format!("{name}.call"))],
            fails_on: vec!["fail".to_owned()],
            queue_group: None,
            reconnect: true,
            count: 1,
            instances: Vec::new(),
        }
    }

    /// How many instances to start.
    #[must_use]
    pub fn instances(mut self, count: usize) -> Service {
        self.count = count;
        self
    }

    /// The servers to connect to: the first instance begins with the first, the second with the
    /// second and so on; each knows the others of the list. Without it: the first of the system.
    #[must_use]
    pub fn on(mut self, servers: &[&str]) -> Service {
        self.servers = servers.iter().map(|&server| server.to_owned()).collect();
        self
    }

    /// Another account than `APP`, as its first user.
    #[must_use]
    pub fn account(mut self, account: &str) -> Service {
        account.clone_into(&mut self.account);
        self
    }

    /// Another user of the account.
    #[must_use]
    pub fn user(mut self, name: &str, password: &str) -> Service {
        self.user = Some((name.to_owned(), password.to_owned()));
        self
    }

    /// In operator mode, credentials of this user, made when an instance starts. Only Rust services
    /// can: the Python library needs a further package for it.
    #[must_use]
    pub fn creds(mut self, user: &str, validity: Validity) -> Service {
        self.creds = Some((user.to_owned(), validity));
        self
    }

    /// The connection's name; otherwise the name of the service.
    #[must_use]
    pub fn connection_name(mut self, name: &str) -> Service {
        self.connection_name = Some(name.to_owned());
        self
    }

    /// The description in INFO.
    #[must_use]
    pub fn description(mut self, text: &str) -> Service {
        self.description = Some(text.to_owned());
        self
    }

    /// One entry of the metadata.
    #[must_use]
    pub fn metadata(mut self, key: &str, value: &str) -> Service {
        self.metadata.insert(key.to_owned(), value.to_owned());
        self
    }

    /// One more endpoint beside `call` on `<name>.call`. All echo, and fail on the payload `fail`.
    #[must_use]
    pub fn endpoint(mut self, name: &str, subject: &str) -> Service {
        self.endpoints.push((name.to_owned(), subject.to_owned()));
        self
    }

    /// The instances answer this payload with an error too.
    #[must_use]
    pub fn fails_on(mut self, payload: &str) -> Service {
        self.fails_on.push(payload.to_owned());
        self
    }

    /// The queue group of all endpoints, instead of the library's default.
    #[must_use]
    pub fn queue_group(mut self, group: &str) -> Service {
        self.queue_group = Some(group.to_owned());
        self
    }

    /// The instances end when they lose their server, instead of looking for another one.
    #[must_use]
    pub fn without_reconnect(mut self) -> Service {
        self.reconnect = false;
        self
    }

    /// Starts the instances and waits until each answers `$SRV.PING.<name>.<id>`.
    pub fn start(mut self, system: &System) -> Result<Service> {
        self.start_more(system, self.count)?;
        Ok(self)
    }

    /// Starts more instances of the same kind.
    pub fn start_more(&mut self, system: &System, count: usize) -> Result<()> {
        let begin = self.instances.len();
        for number in begin..begin + count {
            let instance = self.launch(system, number)?;
            self.instances.push(instance);
        }
        Ok(())
    }

    /// Later instances have this version.
    pub fn set_version(&mut self, version: &str) {
        version.clone_into(&mut self.version);
    }

    /// Later instances are written in this language.
    pub fn set_language(&mut self, language: Language) {
        self.language = language;
    }

    /// The name of the service.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What later instances are written in.
    pub fn language(&self) -> Language {
        self.language
    }

    /// The account it runs in.
    pub fn account_name(&self) -> &str {
        &self.account
    }

    /// The instances that were started and not ended.
    pub fn running(&self) -> &[Instance] {
        &self.instances
    }

    /// The same, to hang or resume one.
    pub fn running_mut(&mut self) -> &mut [Instance] {
        &mut self.instances
    }

    /// Ends the oldest `count` instances with SIGTERM.
    pub fn stop(&mut self, count: usize) -> Result<()> {
        for mut instance in self.take(count)? {
            instance.process.terminate(PATIENCE)?;
        }
        Ok(())
    }

    /// Ends the oldest `count` instances with SIGKILL.
    pub fn kill(&mut self, count: usize) -> Result<()> {
        for mut instance in self.take(count)? {
            instance.process.kill();
        }
        Ok(())
    }

    /// Sends `count` requests with this payload to the service's first endpoint, which whatever
    /// instances of that name there are share; every one must be answered.
    pub fn send(&self, system: &System, server: &str, payload: &str, count: usize) -> Result<Sent> {
        let mut client = system.client(server, &self.account)?;
        let (_, subject) = &self.endpoints[0];
        let mut sent = Sent::default();
        for _ in 0..count {
            match client.request(subject, payload, Duration::from_secs(5))? {
                Some(reply) if reply.status != Some(503) => {
                    sent.requests += 1;
                    sent.errors += usize::from(reply.service_error);
                }
                _ => return Err(KitError::Protocol(format!("nobody answers on {subject}"))),
            }
        }
        Ok(sent)
    }

    /// Forgets the instances without a server to go to: those that do not reconnect end by themselves
    /// when their server is down.
    pub(crate) fn forget_ended(&mut self, system: &System) {
        let lost = |instance: &Instance| matches!(system.state(&instance.server), Ok(State::Down));
        let reconnect = self.reconnect;
        self.instances.retain_mut(|instance| {
            !(instance.process.exited().is_some() || (!reconnect && lost(instance)))
        });
    }

    fn take(&mut self, count: usize) -> Result<Vec<Instance>> {
        if count > self.instances.len() {
            let there = self.instances.len();
            return Err(KitError::Plan(format!("{} has only {there} instances", self.name)));
        }
        Ok(self.instances.drain(..count).collect())
    }

    fn launch(&self, system: &System, number: usize) -> Result<Instance> {
        let mut servers: Vec<&str> = self.servers.iter().map(String::as_str).collect();
        if servers.is_empty() {
            servers.extend(system.names().first());
        }
        let begin = number % servers.len().max(1);
        servers.rotate_left(begin);
        let (folder, mut process) =
            spawn(&self.name, self.language, &self.plan(system, &servers)?.to_string())?;
        let id = first_line(&self.name, &mut process, &folder)?;
        let server = servers.first().map(|&server| server.to_owned()).unwrap_or_default();
        let (version, language) = (self.version.clone(), self.language);
        let instance = Instance { id, server, version, language, hung: false, process, folder };
        instance.wait_answers(system, self, &instance.server)?;
        Ok(instance)
    }

    /// The argument of the child process.
    fn plan(&self, system: &System, servers: &[&str]) -> Result<Value> {
        let urls: Result<Vec<String>> =
            servers.iter().map(|&server| system.address(server)).collect();
        let (user, password) = match &self.user {
            Some(known) => (Some(known.0.clone()), Some(known.1.clone())),
            None => system.credentials(&self.account)?.unzip(),
        };
        let creds = match &self.creds {
            Some((user, validity)) => Some(system.creds(&self.account, user, *validity)?.file()),
            None => None,
        };
        let endpoints: Vec<Value> = self
            .endpoints
            .iter()
            .map(|(name, subject)| json!({ "name": name, "subject": subject }))
            .collect();
        Ok(json!({
            "servers": urls?, "user": user, "password": password, "creds": creds, "listen": null,
            "connection_name": self.connection_name.as_ref().unwrap_or(&self.name),
            "reconnect": self.reconnect, "name": self.name, "version": self.version,
            "description": self.description, "metadata": self.metadata, "endpoints": endpoints,
            "fails_on": self.fails_on,
            "queue_group": self.queue_group,
        }))
    }
}

impl Instance {
    /// The id it announces.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The server it connected to first.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// The version it announces.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// What it is written in.
    pub fn language(&self) -> Language {
        self.language
    }

    /// Whether it was stopped with [`Instance::hang`].
    pub fn is_hung(&self) -> bool {
        self.hung
    }

    /// Whether its process has ended by itself, for example without its server.
    pub fn has_ended(&mut self) -> bool {
        self.process.exited().is_some()
    }

    /// SIGSTOP: it stays connected and answers nothing.
    pub fn hang(&mut self) -> Result<()> {
        self.hung = true;
        self.process.signal(Signal::STOP)
    }

    /// SIGCONT after [`Instance::hang`].
    pub fn resume(&mut self) -> Result<()> {
        self.hung = false;
        self.process.signal(Signal::CONT)
    }

    /// Waits until the instance answers by its id, as seen from a server.
    pub fn wait_answers(&self, system: &System, service: &Service, server: &str) -> Result<()> {
        let subject = format!("$SRV.PING.{}.{}", service.name, self.id);
        wait_until(&format!("{subject} is answered"), PATIENCE, || {
            let mut client =
                system.client(server, &service.account).map_err(|error| error.to_string())?;
            match client.request(&subject, "", Duration::from_secs(1)) {
                Ok(Some(reply)) if reply.json()["id"] == self.id.as_str() => Ok(()),
                Ok(other) => {
                    let log = tail_of(&self.folder.path().join("log"));
                    Err(format!("the reply was {other:?}; {log}"))
                }
                Err(error) => Err(error.to_string()),
            }
        })
    }
}
