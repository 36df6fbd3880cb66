//! `hindsight`: records NATS systems and judges them from their recordings.

mod collect;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Judges a NATS system from its recordings
#[derive(Parser)]
#[command(name = "hindsight", version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Collect(collect::CollectArgs),
}

fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Collect(args) => collect::run(args),
    }
}
