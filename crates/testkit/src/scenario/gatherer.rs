//! The stock gatherer, which takes one archive at a time.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::Scenario;
use crate::error::{KitError, Result, io, io_at};
use crate::operator::Validity;
use crate::process::{Process, run, tail_of};
use crate::system::System;

/// It waits five seconds for servers, once more for accounts, and may take a profile of each.
const LIMIT: Duration = Duration::from_mins(3);

/// How archives are gathered.
pub(super) struct Gatherer<'a> {
    /// The `nats` tool.
    nats: &'a Path,
    /// Where the archives go.
    output: &'a Path,
    /// Where it finds nothing of whoever runs this: no contexts, no settings.
    home: PathBuf,
    /// Whether profiles of the servers are taken too.
    profiles: bool,
}

impl<'a> Gatherer<'a> {
    /// With a folder of its own in `scratch`.
    pub(super) fn new(
        nats: &'a Path,
        profiles: bool,
        output: &'a Path,
        scratch: &Path,
    ) -> Result<Self> {
        let home = scratch.join("home");
        fs::create_dir_all(&home).map_err(io_at("cannot create", &home))?;
        Ok(Self { nats, output, home, profiles })
    }

    /// What it calls itself, with its version.
    pub(super) fn version(&self) -> Result<String> {
        let said = run("nats --version", self.command().arg("--version"))?;
        let said = said.trim();
        Ok(format!("nats {}", said.strip_prefix('v').unwrap_or(said)))
    }

    /// One archive; gives the name of its file.
    pub(super) fn gather(
        &self,
        system: &System,
        scenario: &Scenario,
        number: usize,
    ) -> Result<String> {
        let file = format!("epoch-{number:03}.zip");
        let log = self.home.join("gather.log");
        let said = File::create(&log).map_err(io_at("cannot write", &log))?;
        let again = said.try_clone().map_err(io_at("cannot write", &log))?;
        let mut command = self.command();
        command.args(credentials(system, scenario)?);
        command.args(["audit", "gather", "--no-progress", "--output", &file]);
        if !self.profiles {
            command.arg("--no-server-profiles");
        }
        command.stdin(Stdio::null()).stdout(said).stderr(again);
        let mut process = Process::spawn("nats audit gather", &mut command)?;
        process.wait_exit(LIMIT)?;
        let failed = |output| KitError::Tool { what: "nats audit gather".to_owned(), output };
        match process.exited() {
            Some(status) if status.success() && self.output.join(&file).is_file() => Ok(file),
            _ => Err(failed(tail_of(&log))),
        }
    }

    /// Archives have bare names, so that no path of this machine gets into their logs.
    fn command(&self) -> Command {
        let mut command = Command::new(self.nats);
        command.current_dir(self.output).env_clear().env("HOME", &self.home);
        command
    }
}

/// Older gatherers write down the address with all that is in it, so the user is told beside it.
fn credentials(system: &System, scenario: &Scenario) -> Result<Vec<String>> {
    let mut arguments = vec!["--server".to_owned(), system.address(scenario.through)?];
    if system.in_operator_mode() {
        let creds = system.creds_file("SYS", "gatherer", Validity::Forever)?;
        arguments.extend(["--creds".to_owned(), creds.display().to_string()]);
    } else if let Some((user, password)) = system.credentials("SYS")? {
        arguments.extend(["--user".to_owned(), user, "--password".to_owned(), password]);
    }
    Ok(arguments)
}

/// Every entry of an archive, unpacked into a folder, to look at what it tells.
pub(super) fn unpack(archive: &Path, folder: &Path) -> Result<Vec<PathBuf>> {
    let damaged = |error: zip::result::ZipError| {
        KitError::Protocol(format!("{} cannot be read: {error}", archive.display()))
    };
    let file = File::open(archive).map_err(io_at("cannot open", archive))?;
    let mut zip = zip::ZipArchive::new(file).map_err(damaged)?;
    let mut paths = Vec::new();
    for index in 0..zip.len() {
        let mut entry = zip.by_index(index).map_err(damaged)?;
        let path = folder.join(format!("{index}.entry"));
        let mut to = File::create(&path).map_err(io_at("cannot write", &path))?;
        std::io::copy(&mut entry, &mut to)
            .map_err(io(format!("cannot unpack {}", entry.name())))?;
        paths.push(path);
    }
    Ok(paths)
}
