//! Tasks of the workspace: `cargo xtask <task>`.

mod bench;
mod build;
mod demo;
mod docs;
mod load;
mod mutants;
mod new_check;
mod record;
mod record_replies;
mod sources;
mod test;

use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use mimalloc::MiMalloc;

/// What is measured here beside the tool has the allocator of the tool.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// What a task gives: whether it succeeded, or why it could not run.
type Outcome = Result<bool, Box<dyn std::error::Error>>;

/// Tasks of the NATS Hindsight workspace
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    Demo(demo::Demo),
    Test(test::Test),
    Record(record::Record),
    RecordReplies(record_replies::RecordReplies),
    NewCheck(new_check::NewCheck),
    Docs(docs::Docs),
    Load(load::Load),
    Mutants(mutants::Mutants),
    Bench(bench::Bench),
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().task {
        Task::Demo(task) => task.run(),
        Task::Test(task) => task.run(),
        Task::Record(task) => task.run(),
        Task::RecordReplies(task) => task.run(),
        Task::NewCheck(task) => task.run(),
        Task::Docs(task) => task.run(),
        Task::Load(task) => task.run(),
        Task::Mutants(task) => task.run(),
        Task::Bench(task) => task.run(),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // Nobody is left to tell if even this cannot be written.
            let _ = writeln!(std::io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}
