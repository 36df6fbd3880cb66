//! Runs commands in turns and takes the median, so that noise meets all of them alike.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

type Failure = Box<dyn std::error::Error>;

/// What is needed to measure a command.
pub(super) struct Track {
    /// Interpreter of `measure.py`.
    pub(super) python: PathBuf,
    /// Where outputs go.
    pub(super) folder: PathBuf,
    /// How often each command is run.
    pub(super) runs: usize,
}

/// A command under a name.
pub(super) struct Contender {
    pub(super) name: &'static str,
    pub(super) command: Vec<OsString>,
    /// Exit statuses that are no failure: `hindsight` exits with 1 if it found something.
    pub(super) accepted: &'static [i32],
}

/// What one run took.
#[derive(Clone, Copy, Debug, Deserialize)]
struct Run {
    wall: f64,
    cpu: f64,
    memory: u64,
    status: i32,
}

/// What a command takes.
#[derive(Clone, Debug)]
pub(super) struct Taken {
    /// Median seconds by the clock.
    pub(super) wall: f64,
    /// Median seconds of all processors.
    pub(super) cpu: f64,
    /// Mean seconds of all processors in the third of the runs that took least: what else a machine
    /// does only adds to it, and the least of all is chance.
    pub(super) least_cpu: f64,
    /// Largest resident set of all runs, in bytes.
    pub(super) memory: u64,
    /// What the last run printed.
    pub(super) output: PathBuf,
}

impl Track {
    /// Runs all contenders in turns.
    pub(super) fn run(&self, contenders: &[Contender]) -> Result<Vec<Taken>, Failure> {
        let script = self.folder.join("measure.py");
        fs::write(&script, include_str!("measure.py"))?;
        let mut runs: Vec<Vec<Run>> = vec![Vec::new(); contenders.len()];
        for _ in 0..self.runs {
            for (contender, runs) in contenders.iter().zip(&mut runs) {
                runs.push(self.once(&script, contender)?);
            }
        }
        Ok(contenders
            .iter()
            .zip(runs)
            .map(|(contender, runs)| Taken {
                wall: median(runs.iter().map(|run| run.wall)),
                cpu: median(runs.iter().map(|run| run.cpu)),
                least_cpu: of_least(runs.iter().map(|run| run.cpu)),
                memory: runs.iter().map(|run| run.memory).max().unwrap_or(0),
                output: self.output(contender),
            })
            .collect())
    }

    fn output(&self, contender: &Contender) -> PathBuf {
        self.folder.join(format!("{}.out", contender.name))
    }

    fn once(&self, script: &Path, contender: &Contender) -> Result<Run, Failure> {
        let mut command = Command::new(&self.python);
        command.arg(script).arg(self.output(contender)).args(&contender.command);
        let output = command.stderr(Stdio::inherit()).output()?;
        let run: Run = serde_json::from_slice(&output.stdout)?;
        if contender.accepted.contains(&run.status) {
            Ok(run)
        } else {
            Err(format!("{} failed with status {}", contender.name, run.status).into())
        }
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let values = sorted(values);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The mean of the least third.
fn of_least(values: impl Iterator<Item = f64>) -> f64 {
    let mut values = sorted(values);
    values.truncate(values.len().div_ceil(3));
    values.iter().sum::<f64>() / values.len() as f64
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}

#[cfg(test)]
mod tests {
    use super::{median, of_least};

    #[test]
    fn the_least_third_is_rounded_up() {
        assert_eq!(of_least([9.0, 1.0, 5.0, 3.0].into_iter()).to_string(), "2");
        assert_eq!(of_least([7.0].into_iter()).to_string(), "7");
        assert!(of_least([].into_iter()).is_nan());
    }

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median([3.0, 1.0, 2.0].into_iter()).to_string(), "2");
        assert!(median([].into_iter()).is_nan());
    }
}
