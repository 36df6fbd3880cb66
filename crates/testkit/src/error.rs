//! What can go wrong while real processes are started and driven.

use std::path::Path;
use std::time::Duration;

/// The result of everything in this kit.
pub type Result<T> = std::result::Result<T, KitError>;

/// Why a server, a service or a scenario could not be brought where it was wanted.
#[derive(Debug, thiserror::Error)]
pub enum KitError {
    /// The operating system refused something.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// A tool ended with a failure.
    #[error("{what} failed: {output}")]
    Tool {
        /// The tool and its task.
        what: String,
        /// The end of what it printed.
        output: String,
    },
    /// A downloaded file is not the one that was pinned.
    #[error("{file} has the digest {found}, but {expected} is pinned: it was not used")]
    Digest {
        /// Which file.
        file: String,
        /// The pinned digest.
        expected: String,
        /// The digest of the file that came.
        found: String,
    },
    /// A version or platform without a pinned file.
    #[error("nats-server {version} is not pinned for {platform} (pinned: {pinned})")]
    NotPinned {
        /// The version asked for.
        version: String,
        /// This machine.
        platform: String,
        /// What there is.
        pinned: String,
    },
    /// A condition did not come true in time.
    #[error("after {} ms still waiting until {what}: {last}", waited.as_millis())]
    Timeout {
        /// The condition.
        what: String,
        /// How long it was awaited.
        waited: Duration,
        /// What was seen last.
        last: String,
    },
    /// The other side said something unexpected.
    #[error("{0}")]
    Protocol(String),
    /// Somebody asked this process to end.
    #[error("interrupted")]
    Interrupted,
    /// A name that the plan does not have, or a step that makes no sense in this state.
    #[error("{0}")]
    Plan(String),
}

/// Turns an error of the operating system into one that says what was tried.
pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> KitError {
    let what = what.into();
    move |source| KitError::Io { what, source }
}

/// The same for a path.
pub(crate) fn io_at(what: &str, path: &Path) -> impl FnOnce(std::io::Error) -> KitError {
    io(format!("{what} {}", path.display()))
}
