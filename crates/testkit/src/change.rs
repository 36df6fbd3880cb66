//! What is changed in the configuration of a system while it runs.

use rustix::process::Signal;
use serde_json::Value;

use crate::client::Message;
use crate::error::{KitError, Result};
use crate::system::{PATIENCE, State, System};
use crate::wait::wait_until;

impl System {
    /// Joins a server that was kept apart: its routes are added to its file, which it reads again.
    pub fn join(&mut self, server: &str) -> Result<()> {
        let index = self.index(server)?;
        self.plan.servers[index].apart = false;
        self.write_config(index)?;
        self.process(index)?.signal(Signal::HUP)?;
        self.wait_ready()
    }

    /// Gives a server these lines of its own instead of those it had, and has it read its file
    /// again; an empty text leaves it with what all servers have.
    pub fn reload_with(&mut self, server: &str, lines: &str) -> Result<()> {
        let index = self.index(server)?;
        lines.clone_into(&mut self.plan.servers[index].settings);
        self.reload(index)?;
        self.wait_ready()
    }

    /// Takes a user from the configuration of all running servers, which read it again one after
    /// the other and close the connections of that user.
    pub fn remove_user(&mut self, account: &str, user: &str) -> Result<()> {
        for known in self.plan.accounts.iter_mut().filter(|known| known.name == account) {
            known.users.retain(|known| known.name != user);
        }
        for index in 0..self.servers.len() {
            if self.servers[index].state == State::Running {
                self.reload(index)?;
            }
        }
        Ok(())
    }

    /// In operator mode, revokes the credentials that a user was given, and tells all servers so
    /// through `server`.
    pub fn revoke(&mut self, server: &str, account: &str, user: &str) -> Result<()> {
        let without = || KitError::Plan("the system has no operator".to_owned());
        let jwt = self.operator.as_mut().ok_or_else(without)?.revoke(account, user)?;
        let subject = format!("$SYS.REQ.ACCOUNT.{}.CLAIMS.UPDATE", self.account_id(account)?);
        let running = self.servers.iter().filter(|server| server.state == State::Running).count();
        let mut client = self.client(server, "SYS")?;
        let replies = client.request_many(&subject, &jwt, running, PATIENCE)?;
        let taken = replies.iter().filter(|reply| reply.json()["data"]["code"] == 200).count();
        if taken == running {
            return Ok(());
        }
        let replies: Vec<Value> = replies.iter().map(Message::json).collect();
        Err(KitError::Protocol(format!("not all servers took the claims: {replies:?}")))
    }

    fn reload(&mut self, index: usize) -> Result<()> {
        let server = self.plan.servers[index].name.clone();
        let before = self.config_load_time(&server)?;
        self.write_config(index)?;
        self.process(index)?.signal(Signal::HUP)?;
        // A server that refuses the file keeps its settings and says why in its log.
        wait_until(&format!("{server} has reloaded"), PATIENCE, || {
            let now = self.config_load_time(&server).map_err(|error| error.to_string())?;
            if now == before { Err(format!("loaded {now}")) } else { Ok(()) }
        })
    }

    fn config_load_time(&self, server: &str) -> Result<String> {
        let varz = self.monitor(server, "/varz")?;
        Ok(varz["config_load_time"].as_str().unwrap_or_default().to_owned())
    }
}
