//! Child processes that never outlive the test: not a panic, not a killed test, not a hang.

use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use std::os::unix::process::CommandExt;

use rustix::process::{Pid, Signal, kill_process};

use crate::error::{KitError, Result, io};
use crate::wait::wait_until;

/// No process of a test lives longer than this.
pub(crate) const LIFETIME: Duration = Duration::from_mins(15);

/// A signal to stop is obeyed long before this.
const STANDS: Duration = Duration::from_secs(10);

/// `cat` ends when this process ends, however it ends, because only it holds the other side of the
/// pipe; `timeout` ends it when the lifetime is over. Either way the guarded process is killed.
const GUARD: &str = r#"timeout -s KILL "$2" cat >/dev/null; kill -KILL "$1" 2>/dev/null"#;

/// One child process together with the guard that outlives us to end it.
#[derive(Debug)]
pub(crate) struct Process {
    name: String,
    child: Child,
    guard: Child,
    ended: Option<ExitStatus>,
}

impl Process {
    /// Starts `command` in a process group of its own, so that Ctrl-C reaches only the test.
    pub(crate) fn spawn(name: &str, command: &mut Command) -> Result<Process> {
        let child = command.process_group(0).spawn().map_err(io(format!("cannot start {name}")))?;
        match guard(child.id()) {
            Ok(guard) => Ok(Process { name: name.to_owned(), child, guard, ended: None }),
            Err(error) => {
                let mut child = child;
                end(&mut child);
                Err(error)
            }
        }
    }

    /// The id of the process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// What the child prints, if it was started with a pipe; can be taken once.
    pub(crate) fn take_stdout(&mut self) -> Option<std::process::ChildStdout> {
        self.child.stdout.take()
    }

    /// The status with which the process ended, if it did.
    pub(crate) fn exited(&mut self) -> Option<ExitStatus> {
        if self.ended.is_none() {
            self.ended = self.child.try_wait().ok().flatten();
        }
        self.ended
    }

    /// Sends a signal to the process, by its own id. After SIGSTOP no thread of it runs any more: one
    /// that did might answer still.
    pub(crate) fn signal(&mut self, signal: Signal) -> Result<()> {
        if self.exited().is_some() {
            return Err(KitError::Plan(format!("{} has already ended", self.name)));
        }
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).map_err(|errno| KitError::Io {
            what: format!("cannot send {signal:?} to {}", self.name),
            source: errno.into(),
        })?;
        if signal != Signal::STOP {
            return Ok(());
        }
        let threads = format!("/proc/{}/task", self.id());
        wait_until(&format!("{} stands still", self.name), STANDS, || running(Path::new(&threads)))
    }

    /// SIGTERM, then waits until the process has ended by itself.
    pub(crate) fn terminate(&mut self, limit: Duration) -> Result<()> {
        self.signal(Signal::TERM)?;
        self.wait_exit(limit)
    }

    /// Waits until the process has ended by itself.
    pub(crate) fn wait_exit(&mut self, limit: Duration) -> Result<()> {
        let what = format!("{} ends", self.name);
        wait_until(&what, limit, || self.exited().map(drop).ok_or_else(|| "it runs".to_owned()))
    }

    /// SIGKILL, then waits until the system has buried it.
    pub(crate) fn kill(&mut self) {
        end(&mut self.child);
        let _ = self.exited();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The guard goes first: afterwards the process id may belong to somebody else.
        end(&mut self.guard);
        self.kill();
    }
}

/// Fails with the state of a thread that was not stopped yet. Where the system does not tell, none is.
fn running(threads: &Path) -> std::result::Result<(), String> {
    for thread in std::fs::read_dir(threads).into_iter().flatten().flatten() {
        let stat = std::fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
        // The name in front of the state may hold anything.
        let state = stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next());
        if state.is_some_and(|state| state != 'T') {
            return Err(format!("a thread is in state {state:?}"));
        }
    }
    Ok(())
}

fn end(child: &mut Child) {
    // Both fail only if the process has already ended, which is what is wanted.
    let _ = child.kill();
    let _ = child.wait();
}

fn guard(pid: u32) -> Result<Child> {
    Command::new("sh")
        .args(["-c", GUARD, "guard", &pid.to_string(), &LIFETIME.as_secs().to_string()])
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(io("cannot start the guard of a process (sh, timeout)"))
}

/// Runs a tool to its end and gives what it printed.
pub(crate) fn run(what: &str, command: &mut Command) -> Result<String> {
    let output =
        command.stdin(Stdio::null()).output().map_err(io(format!("cannot start {what}")))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let text = [output.stdout, output.stderr].concat();
    Err(KitError::Tool { what: what.to_owned(), output: tail(&String::from_utf8_lossy(&text)) })
}

/// The last lines of a log, for error messages.
pub(crate) fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.trim_end().lines().collect();
    lines[lines.len().saturating_sub(12)..].join("\n")
}

/// The last lines of a log file, empty if there is none.
pub(crate) fn tail_of(path: &Path) -> String {
    tail(&std::fs::read_to_string(path).unwrap_or_default())
}
