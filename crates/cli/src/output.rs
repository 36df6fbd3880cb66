//! How results leave the program.

use std::io;

use clap::ValueEnum;

use crate::error::CliError;

/// Shape of a result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For a reader, 80 columns.
    #[default]
    Text,
    /// For machines.
    Json,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Color {
    fn choice(self) -> anstream::ColorChoice {
        match self {
            Self::Auto => anstream::ColorChoice::Auto,
            Self::Always => anstream::ColorChoice::Always,
            Self::Never => anstream::ColorChoice::Never,
        }
    }
}

/// Writes styled text to standard output, where colour is wanted as such and elsewhere plain.
pub(crate) fn print(text: &str, color: Color) -> Result<(), CliError> {
    write(anstream::AutoStream::new(io::stdout().lock(), color.choice()), text)
}

/// Writes text that has no styles to standard output, as it is.
pub(crate) fn print_plain(text: &str) -> Result<(), CliError> {
    write(io::stdout().lock(), text)
}

fn write(mut out: impl io::Write, text: &str) -> Result<(), CliError> {
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(CliError::stdout)
}
