//! Everything that is expected to go wrong, and the one place that turns it into an exit code.

use std::io::{self, Write as _};

use nats_hindsight_analyzer::engine::EngineError;
use nats_hindsight_analyzer::render::plain;
use nats_hindsight_model::intake::IntakeError;

use crate::settings::SettingsError;

/// Why a command could not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    /// Arguments that do not go together, or name what does not exist.
    #[error("{0}")]
    Usage(String),
    /// Settings that cannot be used.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// Nothing could be opened.
    #[error(transparent)]
    Intake(#[from] IntakeError),
    /// The engine could not start.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A result could not be written.
    #[error(
        "cannot write {what}: {source}; check that the folder is there, that you may write in it, \
         and that the disk has room"
    )]
    Write { what: String, source: io::Error },
}

impl CliError {
    /// A failure to write to standard output.
    pub(crate) fn stdout(source: io::Error) -> Self {
        Self::Write { what: "to standard output".to_owned(), source }
    }

    /// A reader that closed the pipe has seen what it wanted, which is no failure.
    fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Write { source, .. } if source.kind() == io::ErrorKind::BrokenPipe)
    }

    /// The exit code: 2 for what the caller can change in the command, 3 for unreadable input.
    pub(crate) fn code(&self) -> u8 {
        match self {
            broken if broken.is_broken_pipe() => 0,
            Self::Intake(_) => 3,
            Self::Usage(_) | Self::Settings(_) | Self::Engine(_) | Self::Write { .. } => 2,
        }
    }

    /// Says what went wrong on standard error. Names in it may come from anywhere.
    pub(crate) fn tell(&self) {
        if self.is_broken_pipe() {
            return;
        }
        tell("error", &self.to_string());
        if let Self::Settings(SettingsError::Config(error)) = self {
            // Nobody is left to be told if standard error is gone.
            let _ = writeln!(anstream::stderr(), "{}", error.excerpt());
        }
    }
}

/// One line on standard error, safe to show.
pub(crate) fn tell(kind: &str, text: &str) {
    let _ = writeln!(anstream::stderr(), "{kind}: {}", plain::Untrusted(text));
}
