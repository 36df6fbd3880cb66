//! A running system: real servers on loopback that can be stopped, killed, hung and replaced.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;

use crate::client::{Client, Login};
use crate::config::{Neighbours, Ports, render};
use crate::error::{KitError, Result, io, io_at};
use crate::http;
use crate::operator::{Creds, Operator, Validity};
use crate::plan::{ServerPlan, SystemBuilder, SystemPlan, User};
use crate::process::{Process, tail_of};
use crate::servers::server_binary;

/// How long a server may take to start or to stop on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// What the kit did to a server last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Started, and nothing done to it since.
    Running,
    /// Stopped with SIGSTOP: its connections stand, nothing is answered.
    Hung,
    /// Told to leave; it still serves its clients.
    LameDuck,
    /// Its process has ended.
    Down,
}

#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) folder: PathBuf,
    pub(crate) process: Option<Process>,
    pub(crate) state: State,
}

/// Servers of one plan, running in a temporary folder. Dropping it kills every one of them.
#[derive(Debug)]
pub struct System {
    pub(crate) plan: SystemPlan,
    pub(crate) ports: Vec<Ports>,
    pub(crate) servers: Vec<Server>,
    pub(crate) operator: Option<Operator>,
    folder: TempDir,
}

impl SystemBuilder {
    /// Starts every server and waits until they have found each other.
    pub fn start(self) -> Result<System> {
        let folder = tempfile::tempdir().map_err(io("no temporary folder"))?;
        let plan = self.plan;
        let accounts = plan.accounts.iter().map(|account| account.name.as_str());
        let operator = plan.operator_mode.then(|| Operator::new(accounts)).transpose()?;
        let (ports, servers) = (Vec::new(), Vec::new());
        let mut system = System { plan, ports, servers, operator, folder };
        for index in 0..system.plan.servers.len() {
            system.prepare(index)?;
        }
        for index in 0..system.plan.servers.len() {
            system.launch(index)?;
        }
        system.wait_ready()?;
        system.wait_meta_leader()?;
        Ok(system)
    }
}

impl System {
    /// Begins the description of a system.
    pub fn builder() -> SystemBuilder {
        SystemBuilder::default()
    }

    /// `nats://user:password@127.0.0.1:port` for a client of this server. The account's first user.
    pub fn url(&self, server: &str, account: &str) -> Result<String> {
        let port = self.ports[self.index(server)?].client;
        let user = self.user_of(account)?;
        Ok(format!("nats://{}:{}@127.0.0.1:{port}", user.name, user.password))
    }

    /// `nats://127.0.0.1:port`, without a user.
    pub fn address(&self, server: &str) -> Result<String> {
        Ok(format!("nats://127.0.0.1:{}", self.ports[self.index(server)?].client))
    }

    /// `http://127.0.0.1:port` of the server's monitor.
    pub fn monitor_url(&self, server: &str) -> Result<String> {
        Ok(format!("http://127.0.0.1:{}", self.ports[self.index(server)?].monitor))
    }

    /// Asks the server's monitor, for example for `/varz`.
    pub fn monitor(&self, server: &str, path: &str) -> Result<Value> {
        let port = self.ports[self.index(server)?].monitor;
        http::get(port, path).map_err(KitError::Protocol)
    }

    /// Asks the server's monitor and gives the bytes of its reply, whatever its status.
    pub fn monitor_bytes(&self, server: &str, path: &str) -> Result<(u16, Vec<u8>)> {
        let port = self.ports[self.index(server)?].monitor;
        http::fetch(port, path).map_err(KitError::Protocol)
    }

    /// The id of the server's present process.
    pub fn id(&self, server: &str) -> Result<String> {
        let varz = self.monitor(server, "/varz")?;
        let id = varz["server_id"].as_str().unwrap_or_default();
        Ok(id.to_owned())
    }

    /// The names of all servers in the order of the plan.
    pub fn names(&self) -> Vec<&str> {
        self.plan.servers.iter().map(|server| server.name.as_str()).collect()
    }

    /// The version the server was started with last.
    pub fn version(&self, server: &str) -> Result<&str> {
        Ok(&self.plan.servers[self.index(server)?].version)
    }

    /// What was done to the server last.
    pub fn state(&self, server: &str) -> Result<State> {
        Ok(self.servers[self.index(server)?].state)
    }

    /// Name and password of the account's first user; nothing where there are no accounts at all.
    pub fn credentials(&self, account: &str) -> Result<Option<(String, String)>> {
        if self.plan.accounts.is_empty() || self.plan.operator_mode {
            return Ok(None);
        }
        let user = self.user_of(account)?;
        Ok(Some((user.name.clone(), user.password.clone())))
    }

    /// A connection as the first user of `account`.
    pub fn client(&self, server: &str, account: &str) -> Result<Client> {
        Client::connect(&self.login(server, account)?)
    }

    /// Where and as whom such a connection is made.
    pub(crate) fn login(&self, server: &str, account: &str) -> Result<Login> {
        let user = self.credentials(account)?;
        let creds = match &self.operator {
            Some(operator) => Some(operator.creds(account, "testkit", Validity::Forever)?),
            None => None,
        };
        Ok(Login { port: self.ports[self.index(server)?].client, user, creds })
    }

    /// Credentials of a user in operator mode. The same name is the same user, so that a second
    /// call renews the credentials.
    pub fn creds(&self, account: &str, user: &str, validity: Validity) -> Result<Creds> {
        self.operator()?.creds(account, user, validity)
    }

    /// The same as a file, which only its owner can read and which goes with the system.
    pub fn creds_file(&self, account: &str, user: &str, validity: Validity) -> Result<PathBuf> {
        let creds = self.creds(account, user, validity)?;
        let (folder, prefix) = (self.folder.path(), format!("{account}-{user}-"));
        let file = tempfile::Builder::new().prefix(&prefix).suffix(".creds").tempfile_in(folder);
        let file = file.map_err(io_at("no file in", folder))?;
        let (_, path) = file.keep().map_err(|error| error.error).map_err(io("keeping a file"))?;
        fs::write(&path, creds.file()).map_err(io_at("cannot write", &path))?;
        Ok(path)
    }

    /// The id of an account: its name, or in operator mode its public key.
    pub fn account_id(&self, account: &str) -> Result<String> {
        match &self.operator {
            Some(operator) => operator.account_id(account),
            None => Ok(account.to_owned()),
        }
    }

    fn operator(&self) -> Result<&Operator> {
        let without = || KitError::Plan("the system has no operator".to_owned());
        self.operator.as_ref().ok_or_else(without)
    }

    pub(crate) fn in_operator_mode(&self) -> bool {
        self.operator.is_some()
    }

    /// Starts a server that is down, with the version it had and on its old ports.
    pub fn start(&mut self, server: &str) -> Result<()> {
        let index = self.index(server)?;
        self.launch(index)?;
        self.wait_ready()
    }

    /// SIGTERM: the server closes its connections and ends.
    pub fn stop(&mut self, server: &str) -> Result<()> {
        let index = self.index(server)?;
        let result = self.process(index)?.terminate(PATIENCE);
        self.down(index);
        result
    }

    /// SIGKILL: the server ends without a word.
    pub fn kill(&mut self, server: &str) -> Result<()> {
        let index = self.index(server)?;
        self.process(index)?.kill();
        self.down(index);
        Ok(())
    }

    /// SIGSTOP: connections stay open, nothing is answered.
    pub fn hang(&mut self, server: &str) -> Result<()> {
        self.send(server, Signal::STOP, State::Hung)
    }

    /// SIGCONT after [`System::hang`].
    pub fn resume(&mut self, server: &str) -> Result<()> {
        self.send(server, Signal::CONT, State::Running)
    }

    /// Tells the server to leave: it hands its clients to the others and ends after a while.
    pub fn lame_duck(&mut self, server: &str) -> Result<()> {
        self.send(server, Signal::USR2, State::LameDuck)
    }

    /// Waits until a lame duck has left by itself.
    pub fn wait_left(&mut self, server: &str) -> Result<()> {
        let index = self.index(server)?;
        self.process(index)?.wait_exit(Duration::from_mins(1))?;
        self.down(index);
        Ok(())
    }

    /// Stops the server and starts it again under the same name and on the same ports.
    pub fn restart(&mut self, server: &str) -> Result<()> {
        let version = self.version(server)?.to_owned();
        self.restart_as(server, &version)
    }

    /// The same with another version.
    pub fn restart_as(&mut self, server: &str, version: &str) -> Result<()> {
        let index = self.index(server)?;
        if self.servers[index].process.is_some() {
            self.stop(server)?;
        }
        version.clone_into(&mut self.plan.servers[index].version);
        self.start(server)
    }

    /// Adds a server to a cluster while it runs. The others learn of it from its routes.
    pub fn add(&mut self, cluster: &str, name: &str, version: &str) -> Result<()> {
        self.plan.servers.push(ServerPlan::new(name, version, Some(cluster)));
        let index = self.plan.servers.len() - 1;
        self.prepare(index)?;
        self.launch(index)?;
        self.wait_ready()
    }

    pub(crate) fn index(&self, server: &str) -> Result<usize> {
        self.plan
            .servers
            .iter()
            .position(|known| known.name == server)
            .ok_or_else(|| KitError::Plan(format!("there is no server {server}")))
    }

    pub(crate) fn user_of(&self, account: &str) -> Result<&User> {
        self.plan
            .accounts
            .iter()
            .find(|known| known.name == account)
            .and_then(|known| known.users.first())
            .ok_or_else(|| KitError::Plan(format!("the account {account} has no user")))
    }

    fn send(&mut self, server: &str, signal: Signal, state: State) -> Result<()> {
        let index = self.index(server)?;
        self.process(index)?.signal(signal)?;
        self.servers[index].state = state;
        Ok(())
    }

    pub(crate) fn process(&mut self, index: usize) -> Result<&mut Process> {
        let name = &self.plan.servers[index].name;
        let missing = || KitError::Plan(format!("the server {name} is down"));
        self.servers[index].process.as_mut().ok_or_else(missing)
    }

    fn down(&mut self, index: usize) {
        self.servers[index].process = None;
        self.servers[index].state = State::Down;
    }

    fn prepare(&mut self, index: usize) -> Result<()> {
        let folder = self.folder.path().join(index.to_string());
        fs::create_dir(&folder).map_err(io_at("cannot create", &folder))?;
        self.ports.push(Ports::free()?);
        self.servers.push(Server { folder, process: None, state: State::Down });
        Ok(())
    }

    pub(crate) fn write_config(&self, index: usize) -> Result<()> {
        let operator = self.operator.as_ref().map(Operator::lines).transpose()?;
        let (plan, ports) = (&self.plan, self.ports.as_slice());
        let text = render(&Neighbours { plan, ports, operator: operator.as_deref() }, index);
        let path = self.servers[index].folder.join("server.conf");
        fs::write(&path, text).map_err(io_at("cannot write", &path))
    }

    fn launch(&mut self, index: usize) -> Result<()> {
        if self.servers[index].process.is_some() {
            let name = &self.plan.servers[index].name;
            return Err(KitError::Plan(format!("the server {name} already runs")));
        }
        self.write_config(index)?;
        let plan = &self.plan.servers[index];
        let server = &mut self.servers[index];
        let path = server.folder.join("server.log");
        let log = File::options()
            .create(true)
            .append(true)
            .open(&path)
            .map_err(io_at("cannot write", &path))?;
        let mut command = Command::new(server_binary(&plan.version)?);
        // Its own folder and a bare name, so that no path of this machine gets into a reply.
        command.arg0("nats-server").args(["-c", "server.conf"]).current_dir(&server.folder);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        server.process = Some(Process::spawn(&plan.name, &mut command)?);
        server.state = State::Running;
        Ok(())
    }

    /// The end of a server's log.
    pub fn log(&self, server: &str) -> Result<String> {
        Ok(tail_of(&self.servers[self.index(server)?].folder.join("server.log")))
    }
}
