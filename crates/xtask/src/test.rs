//! `cargo xtask test`: everything the tests need, then the tests, then one line with the counts.

use std::io::{self, BufRead, BufReader, Write};
use std::process::Stdio;

use clap::Args;
use nats_hindsight_testkit::{cargo, fetch_all, python};

use crate::Outcome;

/// Fetch the pinned servers and Python packages, then run all tests of the workspace
#[derive(Args)]
#[command(after_help = "Examples:
  cargo xtask test
  cargo xtask test -p nats-hindsight-analyzer
  cargo xtask test -- --test-threads 1")]
pub(crate) struct Test {
    /// Passed on to `cargo test`; without `-p` it runs the whole workspace
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
    /// Only fetch what the tests need
    #[arg(long)]
    prepare: bool,
}

/// Sums over all `test result:` lines.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    passed: u64,
    failed: u64,
    skipped: u64,
}

impl Test {
    pub(crate) fn run(self) -> Outcome {
        let interpreter = python()?;
        let servers = fetch_all()?;
        let mut errors = io::stderr();
        writeln!(errors, "{} servers and {} are ready", servers.len(), interpreter.display())?;
        if self.prepare {
            return Ok(true);
        }
        let mut command = cargo();
        // One failing test program must not hide the others from the counts.
        command.args(["test", "--no-fail-fast"]);
        if !self.arguments.iter().any(|argument| selects_a_package(argument)) {
            command.arg("--workspace");
        }
        command.args(&self.arguments).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let counts = match child.stdout.take() {
            Some(stdout) => relay(BufReader::new(stdout), &mut io::stdout())?,
            None => Counts::default(),
        };
        let status = child.wait()?;
        let Counts { passed, failed, skipped } = counts;
        writeln!(io::stdout(), "{passed} passed, {failed} failed, {skipped} skipped")?;
        Ok(status.success() && failed == 0)
    }
}

fn selects_a_package(argument: &str) -> bool {
    argument == "-p" || argument.starts_with("--package") || argument == "--workspace"
}

/// Passes every line on, and adds up what the test programs report.
fn relay(lines: impl BufRead, output: &mut impl Write) -> io::Result<Counts> {
    let mut counts = Counts::default();
    for line in lines.split(b'\n') {
        let line = line?;
        output.write_all(&line)?;
        output.write_all(b"\n")?;
        counts.add(&String::from_utf8_lossy(&line));
    }
    Ok(counts)
}

impl Counts {
    fn add(&mut self, line: &str) {
        let Some(result) = line.strip_prefix("test result: ") else { return };
        let (_, numbers) = result.split_once(". ").unwrap_or_default();
        for part in numbers.split("; ") {
            let (number, what) = part.split_once(' ').unwrap_or_default();
            let number: u64 = number.parse().unwrap_or(0);
            match what {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.skipped += number,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Counts, relay};

    #[test]
    fn results_of_all_programs_are_added_up() -> std::io::Result<()> {
        let text = "running 3 tests\n\
            test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.00s\n\
            test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.2s\n";
        let mut output = Vec::new();
        let counts = relay(text.as_bytes(), &mut output)?;
        assert_eq!(counts, Counts { passed: 4, failed: 2, skipped: 1 });
        assert_eq!(output, text.as_bytes());
        Ok(())
    }
}
