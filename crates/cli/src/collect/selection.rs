//! What to ask for: a profile, and endpoints one by one.

use clap::{Args, ValueEnum};
use nats_hindsight_collector::{Profile, Selection};

/// What to ask for.
#[derive(Args, Debug)]
pub(super) struct SelectionArgs {
    /// How much to record
    #[arg(long, value_enum, default_value = "standard", help_heading = "What is asked")]
    profile: ProfileArg,

    /// Ask this endpoint too (repeatable, or with commas): EXPVARZ, or what the profile leaves out
    #[arg(long, value_name = "ENDPOINT", value_delimiter = ',', help_heading = "What is asked")]
    with: Vec<String>,

    /// Do not ask this endpoint (repeatable, or with commas)
    #[arg(long, value_name = "ENDPOINT", value_delimiter = ',', help_heading = "What is asked")]
    without: Vec<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ProfileArg {
    /// Who is there, in which version, with which peers; connections of services
    Light,
    /// The same, and JetStream, accounts, gateways, health, Raft groups, internal queues
    Standard,
    /// The same, and all connections with their subscriptions
    Full,
}

impl SelectionArgs {
    /// The endpoints, or what is wrong with their names.
    pub(super) fn resolve(&self) -> Result<Selection, String> {
        let mut selection = Selection::of(match self.profile {
            ProfileArg::Light => Profile::Light,
            ProfileArg::Standard => Profile::Standard,
            ProfileArg::Full => Profile::Full,
        });
        for name in &self.with {
            selection.with(name).map_err(|error| format!("--with: {error}"))?;
        }
        for name in &self.without {
            if self.with.iter().any(|with| with.eq_ignore_ascii_case(name)) {
                return Err(format!("{name} is given with --with and --without: choose one"));
            }
            selection.without(name).map_err(|error| format!("--without: {error}"))?;
        }
        Ok(selection)
    }
}
