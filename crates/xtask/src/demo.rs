//! `cargo xtask demo`: a real cluster with real trouble, recorded and judged, in half a minute.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;
use nats_hindsight_testkit::scenario::{self, News};
use nats_hindsight_testkit::{KitError, catch_interrupts};
use serde_json::Value;

use crate::Outcome;
use crate::build::{self, Profile};

/// Wider than this, a command is continued on the next line.
const WIDTH: usize = 80;

/// Start a real cluster on loopback, let things go wrong, record it and show the report
#[derive(Args)]
#[command(after_help = "Examples:
  cargo xtask demo
  cargo xtask demo --keep recordings

Three servers and two services run on free ports of loopback, for half a minute. All of them are
ended in any case, and nothing is left behind. The first time, servers and Python packages are
fetched into .cache/.")]
pub(crate) struct Demo {
    /// Keep the recordings in this folder, which must be new or empty
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// A built `hindsight` to use, instead of building it first
    #[arg(long, value_name = "FILE")]
    hindsight: Option<PathBuf>,
}

/// What the report has to say, or the demo has failed.
struct Expected {
    code: &'static str,
    subject: (&'static str, &'static str),
    /// A field of the details and its value.
    detail: (&'static str, &'static str),
    /// Epoch in which it opened.
    opened: u64,
}

const EXPECTED: [Expected; 3] = [
    Expected {
        code: "SERVER_002",
        subject: ("cluster", "A"),
        detail: ("stage", "stalled"),
        opened: 1,
    },
    Expected {
        code: "SERVICE_001",
        subject: ("service", "orders"),
        detail: ("stage", "stalled"),
        opened: 1,
    },
    Expected {
        code: "SERVICE_002",
        subject: ("service", "billing"),
        detail: ("kind", "gone"),
        opened: 4,
    },
];

impl Demo {
    pub(crate) fn run(self) -> Outcome {
        let kept = self.keep.as_deref().map(empty_folder).transpose()?;
        let hindsight = match &self.hindsight {
            Some(path) => path.canonicalize()?,
            None => build::hindsight(Profile::Dev)?,
        };
        catch_interrupts()?;
        let temporary = tempfile::tempdir()?;
        let folder = kept.as_deref().unwrap_or(temporary.path());
        match show(&hindsight, folder) {
            Ok(missing) => {
                for what in &missing {
                    writeln!(io::stderr(), "error: the report does not say: {what}")?;
                }
                finish(kept.as_deref(), missing.is_empty())?;
                Ok(missing.is_empty())
            }
            Err(error) => Err(error),
        }
    }
}

/// The folder to keep recordings in, so that nothing of somebody else's is judged or overwritten.
fn empty_folder(path: &Path) -> Result<PathBuf, Box<dyn std::error::Error>> {
    fs::create_dir_all(path)?;
    if fs::read_dir(path)?.next().is_some() {
        return Err(format!("{} is not empty; name a new folder", path.display()).into());
    }
    Ok(path.canonicalize()?)
}

/// Performs, judges, and gives what is missing in the report.
fn show(hindsight: &Path, folder: &Path) -> Result<Vec<String>, Box<dyn std::error::Error>> {
    let scenario = scenario::demo();
    say("Making ready: servers, Python packages, a service in Rust. Once this takes a while …")?;
    scenario.prepare()?;
    say("Starting three servers and two services on loopback …")?;
    let mut lost = None;
    let mut epoch = 0;
    scenario::perform(scenario, hindsight, folder, &mut |news| {
        lost = lost.take().or(tell(&news, &mut epoch).err());
    })?;
    if let Some(error) = lost {
        return Err(error.into());
    }
    judge(hindsight, folder)
}

/// The command and what it says are the same in every epoch, so they are shown in full once.
fn tell(news: &News<'_>, epoch: &mut usize) -> io::Result<()> {
    match news {
        News::Step(number, label) => {
            *epoch = *number;
            say(&format!("\n== Epoch {number}: {label}"))
        }
        News::Command(words) if *epoch == 0 => say(&wrapped(words)),
        News::Command(_) => say("$ hindsight collect …  (the same)"),
        News::Said(text) => {
            let lines = if *epoch == 0 { usize::MAX } else { 1 };
            // The name of the file comes first; what became of it is after the colon.
            let said = text.split_once(": ").map_or(*text, |(_, outcome)| outcome);
            said.trim_end().lines().take(lines).try_for_each(say)
        }
    }
}

fn say(text: &str) -> io::Result<()> {
    let mut output = io::stdout();
    writeln!(output, "{text}")?;
    output.flush()
}

/// `hindsight` with arguments, as one would type it.
fn command(arguments: &[String]) -> String {
    let words: Vec<String> =
        std::iter::once("hindsight".to_owned()).chain(arguments.iter().cloned()).collect();
    wrapped(&words)
}

/// A command as one would type it, continued where it is long.
fn wrapped(words: &[String]) -> String {
    let mut lines = vec!["$".to_owned()];
    let mut words = words.iter().peekable();
    while let Some(word) = words.next() {
        // A flag stays with its value.
        let value = words.next_if(|next| word.starts_with("--") && !next.starts_with("--"));
        let piece = value.map_or_else(|| word.clone(), |value| format!("{word} {value}"));
        match lines.last_mut() {
            Some(line) if line.len() + piece.len() + 3 <= WIDTH => {
                line.push(' ');
                line.push_str(&piece);
            }
            _ => lines.push(format!("      {piece}")),
        }
    }
    lines.join(" \\\n")
}

/// Prints the report and looks into it.
fn judge(hindsight: &Path, folder: &Path) -> Result<Vec<String>, Box<dyn std::error::Error>> {
    say("\n== The report. Thresholds are scaled: here minutes take seconds.")?;
    let arguments = analyze(folder);
    say(&(command(&arguments) + "\n"))?;
    let run = |more: &[&str]| Command::new(hindsight).args(&arguments).args(more).output();
    let text = run(&[])?;
    io::stdout().write_all(&text.stdout)?;
    // One means that something was found, which is what a demo is for.
    if text.status.code() != Some(1) {
        let said = String::from_utf8_lossy(&text.stderr).into_owned();
        return Err(format!("hindsight analyze ended with {}: {said}", text.status).into());
    }
    let report: Value = serde_json::from_slice(&run(&["--format", "json"])?.stdout)?;
    Ok(missing(&report))
}

/// The arguments that judge the recordings of a folder.
fn analyze(folder: &Path) -> Vec<String> {
    let recent = scenario::RECENT.as_secs();
    let mut arguments = vec!["analyze".to_owned(), folder.display().to_string()];
    for threshold in ["SERVER_002.recent", "SERVICE_001.recent", "SERVICE_002.settle_after"] {
        arguments.extend(["--set".to_owned(), format!("{threshold}={recent}s")]);
    }
    arguments
}

/// What the report should say and does not.
fn missing(report: &Value) -> Vec<String> {
    let findings = report["systems"][0]["findings"].as_array().map_or(&[][..], Vec::as_slice);
    let lacking = EXPECTED.iter().filter(|expected| !findings.iter().any(|f| expected.is(f)));
    lacking.map(Expected::sentence).collect()
}

impl Expected {
    fn is(&self, finding: &Value) -> bool {
        let (kind, name) = self.subject;
        let (key, value) = self.detail;
        finding["code"] == self.code
            && (finding["subject"]["kind"] == kind && finding["subject"][kind] == name)
            && finding["details"][key] == value
            && finding["opened"]["epoch"] == self.opened
            && finding["closed"].is_null()
    }

    fn sentence(&self) -> String {
        let Self { code, subject: (kind, name), detail: (key, value), opened } = self;
        format!("{code} on {kind} {name}, open since epoch {opened}, with {key} = {value}")
    }
}

/// The last words: what is left, and how to go on.
fn finish(kept: Option<&Path>, good: bool) -> Result<(), KitError> {
    let mut lines = match kept {
        None => vec![
            "\n== Done: the servers and services have ended and the recordings are gone."
                .to_owned(),
            "Keep them with `cargo xtask demo --keep DIR`.".to_owned(),
        ],
        Some(folder) => vec![
            "\n== Done: the servers and services have ended.".to_owned(),
            format!("The recordings are in {}. Judge them again:", folder.display()),
            command(&analyze(folder)),
        ],
    };
    if good {
        let explain = "What a finding means and what to do: `hindsight explain SERVICE_002`.";
        lines.push(explain.to_owned());
    }
    say(&lines.join("\n"))
        .map_err(|source| KitError::Io { what: "cannot write".to_owned(), source })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{EXPECTED, missing, wrapped};

    #[test]
    fn a_long_command_is_continued_and_flags_stay_with_their_values() {
        let words: Vec<String> = ["hindsight", "analyze", "some/rather/long/folder/of/recordings"]
            .into_iter()
            .chain(["--set", "SERVER_002.recent=5s", "--set", "SERVICE_001.recent=5s"])
            .map(str::to_owned)
            .collect();
        let text = wrapped(&words);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "$ hindsight analyze some/rather/long/folder/of/recordings \\");
        assert_eq!(lines[1], "      --set SERVER_002.recent=5s --set SERVICE_001.recent=5s");
    }

    #[test]
    fn what_a_report_lacks_is_named() {
        assert_eq!(missing(&json!({ "systems": [] })).len(), EXPECTED.len());
        let mut billing = json!({
            "code": "SERVICE_002", "subject": { "kind": "service", "service": "billing" },
            "details": { "kind": "gone" }, "opened": { "epoch": 4 }, "closed": null,
        });
        let of = |finding| missing(&json!({ "systems": [{ "findings": [finding] }] }));
        assert_eq!(of(billing.clone()).len(), EXPECTED.len() - 1);
        billing["closed"] = json!({ "how": "cured" });
        let lacking = of(billing);
        assert!(lacking.iter().any(|what| what.contains("SERVICE_002 on service billing")));
    }
}
