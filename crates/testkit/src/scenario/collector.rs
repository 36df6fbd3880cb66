//! The real collector, which takes one epoch at a time.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use super::{News, Scenario};
use crate::error::{KitError, Result, io, io_at};
use crate::operator::Validity;
use crate::process::{Process, tail};
use crate::system::System;

/// How epochs are recorded.
pub(super) struct Collector<'a> {
    pub(super) hindsight: &'a Path,
    /// Where the epochs go.
    pub(super) output: &'a Path,
    /// The label of the system.
    pub(super) system: &'a str,
    /// The name of the collector.
    pub(super) id: &'a str,
    /// The run that takes all epochs of a scenario whose collector listens in between.
    pub(super) run: RefCell<Option<Process>>,
}

impl<'a> Collector<'a> {
    pub(super) fn new(hindsight: &'a Path, output: &'a Path, system: &'a str, id: &'a str) -> Self {
        Self { hindsight, output, system, id, run: RefCell::new(None) }
    }

    /// One epoch; gives the name of its file.
    pub(super) fn collect(
        &self,
        system: &System,
        scenario: &Scenario,
        number: usize,
        watch: &mut dyn FnMut(News<'_>),
    ) -> Result<String> {
        match scenario.every {
            Some(every) => self.next(self.arguments(system, scenario)?, every, number),
            None => self.once(system, scenario, watch),
        }
    }

    fn once(
        &self,
        system: &System,
        scenario: &Scenario,
        watch: &mut dyn FnMut(News<'_>),
    ) -> Result<String> {
        let before: BTreeSet<String> = self.files()?.into_iter().collect();
        let arguments = self.arguments(system, scenario)?;
        let words: Vec<String> =
            std::iter::once("hindsight").map(str::to_owned).chain(arguments.clone()).collect();
        watch(News::Command(&words));
        let mut command = Command::new(self.hindsight);
        let output = command.args(arguments).output().map_err(io("cannot start hindsight"))?;
        let said = String::from_utf8_lossy(&output.stderr);
        // A partial epoch is what several scenarios are about.
        if !matches!(output.status.code(), Some(0 | 4)) {
            let what = "hindsight collect".to_owned();
            return Err(KitError::Tool { what, output: tail(&said) });
        }
        watch(News::Said(&said));
        let mut fresh = self.files()?.into_iter().filter(|file| !before.contains(file));
        match (fresh.next(), fresh.next()) {
            (Some(file), None) => Ok(file),
            _ => Err(KitError::Protocol("hindsight collect did not write one epoch".to_owned())),
        }
    }

    fn arguments(&self, system: &System, scenario: &Scenario) -> Result<Vec<String>> {
        let output = self.output.display().to_string();
        let fixed = ["collect", "--system", self.system, "--collector-id", self.id];
        let mut arguments: Vec<String> = fixed.map(str::to_owned).into();
        arguments.extend(["--confirm-after", "1s", "--out", &output].map(str::to_owned));
        arguments.extend(connections(system, scenario)?);
        Ok(arguments)
    }

    /// The epochs there are, in the order of their names.
    pub(super) fn files(&self) -> Result<Vec<String>> {
        let mut names = self.names()?;
        names.retain(|name| name.ends_with(".ndjson.zst"));
        names.sort();
        Ok(names)
    }

    pub(super) fn names(&self) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(self.output).map_err(io_at("cannot list", self.output))? {
            let entry = entry.map_err(io_at("cannot list", self.output))?;
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
        Ok(names)
    }
}

/// Whom the collector asks, and as whom.
fn connections(system: &System, scenario: &Scenario) -> Result<Vec<String>> {
    let creds = |account| {
        let file = system.creds_file(account, "collector", Validity::Forever)?;
        Ok(file.display().to_string())
    };
    let url = |account| system.url(scenario.through, account);
    let operator = system.in_operator_mode();
    let mut arguments = if operator {
        let server = system.address(scenario.through)?;
        vec!["--server".to_owned(), server, "--creds".to_owned(), creds("SYS")?]
    } else {
        vec!["--server".to_owned(), url("SYS")?]
    };
    for account in &scenario.accounts {
        arguments.extend(if operator {
            ["--account-creds".to_owned(), creds(account)?]
        } else {
            ["--account-server".to_owned(), url(account)?]
        });
    }
    Ok(arguments)
}
