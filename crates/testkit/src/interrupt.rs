//! Ctrl-C as an error like any other, so that what was started is ended and cleaned up on the way
//! out.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::signal::unix::{SignalKind, signal};

use crate::error::{KitError, Result, io};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// From here on SIGINT and SIGTERM do not end this process: whatever the kit waits for fails with
/// [`KitError::Interrupted`]. A second signal ends it at once; the guards then end the children.
pub fn catch_interrupts() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()
        .map_err(io("cannot listen to signals"))?;
    // Listening begins here and not in the thread, so that no signal is missed.
    let (mut int, mut term) = {
        let _guard = runtime.enter();
        let listen = |kind| signal(kind).map_err(io("cannot listen to signals"));
        (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?)
    };
    std::thread::spawn(move || {
        runtime.block_on(async {
            loop {
                tokio::select! {
                    _ = int.recv() => {}
                    _ = term.recv() => {}
                }
                if INTERRUPTED.swap(true, Ordering::SeqCst) {
                    std::process::exit(130);
                }
            }
        });
    });
    Ok(())
}

/// Fails once a signal has come.
pub(crate) fn check() -> Result<()> {
    if INTERRUPTED.load(Ordering::SeqCst) { Err(KitError::Interrupted) } else { Ok(()) }
}
