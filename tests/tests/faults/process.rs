//! A collector that runs beside the test.

use std::fs::File;
use std::io::{Read, Seek};
use std::process::{Child, Command, ExitStatus};
use std::time::Duration;

use nats_hindsight_testkit::wait_until;
use rustix::process::{Pid, Signal, kill_process};

use crate::recorder::{Any, Run};

/// One process of the collector. Dropping it kills it.
pub(crate) struct Collector {
    child: Child,
    stderr: File,
}

impl Collector {
    pub(crate) fn start(mut command: Command) -> Any<Self> {
        let stderr = tempfile::tempfile()?;
        let child = command.stderr(stderr.try_clone()?).spawn()?;
        Ok(Self { child, stderr })
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn tell(&self, signal: Signal) -> Any<()> {
        Ok(kill_process(Pid::from_child(&self.child), signal)?)
    }

    /// SIGKILL.
    pub(crate) fn kill(mut self) -> Any<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// What it has said so far.
    pub(crate) fn said(&mut self) -> Any<String> {
        let mut text = Vec::new();
        self.stderr.rewind()?;
        self.stderr.read_to_end(&mut text)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Waits until it has ended by itself.
    pub(crate) fn wait(mut self, limit: Duration) -> Any<Run> {
        let status = wait_until("the collector ends", limit, || {
            self.ended().ok_or_else(|| self.said().unwrap_or_default())
        })?;
        Ok(Run { code: status.code(), stderr: self.said()? })
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
