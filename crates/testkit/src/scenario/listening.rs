//! One run of the collector that takes all epochs of a scenario and listens in between.

use std::process::{Command, Stdio};
use std::time::Duration;

use super::collector::Collector;
use crate::error::{KitError, Result};
use crate::process::Process;
use crate::wait::wait_until;

impl Collector<'_> {
    /// The next epoch of the run. What happened before it must have ended by then.
    pub(super) fn next(
        &self,
        arguments: Vec<String>,
        every: Duration,
        number: usize,
    ) -> Result<String> {
        let late = || KitError::Protocol(format!("epoch {number} came before its step was done"));
        // The first epoch begins with the run itself.
        let begun = number > 0 && self.is_writing()?;
        if self.files()?.len() > number || begun {
            return Err(late());
        }
        let mut run = self.run.borrow_mut();
        let run = match &mut *run {
            Some(run) => run,
            none => none.insert(self.start(arguments, every)?),
        };
        wait_until("the next epoch is written", every + crate::PATIENCE, || {
            let count = self.files().map_err(|error| error.to_string())?.len();
            match count == number + 1 {
                true => Ok(()),
                false if run.exited().is_some() => Err("the collector has ended".to_owned()),
                false => Err(format!("{count} epochs")),
            }
        })?;
        self.files()?.pop().ok_or_else(late)
    }

    fn start(&self, arguments: Vec<String>, every: Duration) -> Result<Process> {
        let mut command = Command::new(self.hindsight);
        command.args(arguments).arg("--every").arg(format!("{}ms", every.as_millis()));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Process::spawn("hindsight collect", &mut command)
    }

    /// Whether an epoch is being written just now.
    fn is_writing(&self) -> Result<bool> {
        Ok(self.names()?.iter().any(|name| name.ends_with(".partial")))
    }
}
