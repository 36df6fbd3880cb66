//! Being told to stop.

use std::process;

use tokio::signal;
use tokio::sync::watch;

/// Exit code after a second signal, as a shell reports one that ended by Ctrl-C.
const AT_ONCE: i32 = 130;

/// Whether somebody asked the collector to stop.
#[derive(Clone)]
pub(crate) struct Stop {
    told: watch::Receiver<bool>,
}

impl Stop {
    /// Listens to SIGINT and SIGTERM. The first one ends the current file validly; a second one
    /// ends the program at once, and what was flushed stays readable as a cut epoch.
    pub(crate) fn on_signals() -> std::io::Result<Self> {
        let (tell, told) = watch::channel(false);
        let mut signals = Signals::listen()?;
        tokio::spawn(async move {
            signals.next().await;
            tell.send_replace(true);
            signals.next().await;
            process::exit(AT_ONCE);
        });
        Ok(Self { told })
    }

    /// Whether it was told already.
    pub(crate) fn is_told(&self) -> bool {
        *self.told.borrow()
    }

    /// Waits until it is told.
    pub(crate) async fn told(&self) {
        let mut told = self.told.clone();
        if told.wait_for(|told| *told).await.is_err() {
            // Nobody can tell any more, so nobody will.
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(unix)]
struct Signals {
    interrupt: signal::unix::Signal,
    terminate: signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> std::io::Result<Self> {
        use signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        let _ = signal::ctrl_c().await;
    }
}
