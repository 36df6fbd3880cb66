//! `cargo xtask new-check`: the files of a check that does not judge yet, and says what is left to
//! write by failing cases.

mod family;
mod names;

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;
use nats_hindsight_testkit::workspace_root;

use crate::Outcome;
use names::{Known, Name};

/// Where the families of checks are.
const CHECKS: &str = "crates/analyzer/src/checks";
/// Where the cases are, in a folder per check.
const CASES: &str = "tests/cases";

/// Make source, page and cases of a new check, which compile and fail until it judges
#[derive(Args)]
#[command(after_help = "Examples:
  cargo xtask new-check server server-long-running
  cargo xtask new-check service service-endpoint-gone --code SKEW
  cargo xtask new-check jetstream stream-quorum-lost --code JETSTREAM_008 --new-family

docs/writing-a-check.md goes on from here.")]
pub(crate) struct NewCheck {
    /// The family, a folder of crates/analyzer/src/checks
    family: String,
    /// The slug: lower case words with hyphens, what is wrong rather than what is looked at
    slug: String,
    /// A code such as `JETSTREAM_008` (a check of the public catalogue keeps its code), or `HINT` or
    /// `SKEW` for the next free one
    #[arg(long, value_name = "CODE", default_value = "HINT")]
    code: String,
    /// Make the family too
    #[arg(long)]
    new_family: bool,
    /// Another checkout of this workspace
    #[arg(long, value_name = "DIR", hide = true)]
    root: Option<PathBuf>,
}

impl NewCheck {
    pub(crate) fn run(self) -> Outcome {
        let root = self.root.clone().unwrap_or_else(workspace_root);
        let name = Name::of(&self.code, &self.slug, &Known::read(&root)?)?;
        let checks = root.join(CHECKS);
        let is_new = family::is_new(&checks, &self.family, self.new_family)?;
        let files = files(&self.family, &name);
        if let Some((path, _)) = files.iter().find(|(path, _)| root.join(path).exists()) {
            return Err(format!("{} is already there", path.display()).into());
        }
        if is_new {
            family::create(&checks, &self.family)?;
        }
        family::add(&checks.join(&self.family).join("mod.rs"), &name.stem)?;
        for (path, text) in &files {
            write(&root.join(path), text)?;
        }
        format_family(&checks)?;
        self.tell(&name, &files, is_new)?;
        Ok(true)
    }

    fn tell(&self, name: &Name, files: &[(PathBuf, String)], is_new: bool) -> io::Result<()> {
        let mut output = io::stdout();
        writeln!(output, "{} {}:", name.code, name.slug)?;
        for (path, _) in files {
            writeln!(output, "  {}", path.display())?;
        }
        writeln!(output, "  {CHECKS}/{}/mod.rs names it", self.family)?;
        if is_new {
            writeln!(output, "  {CHECKS}/mod.rs names the family {}", self.family)?;
        }
        writeln!(output, "Now the cases fail and say what to write where:")?;
        writeln!(output, "  cargo test -p nats-hindsight-tests --test cases")?;
        writeln!(output, "docs/writing-a-check.md walks through the rest.")
    }
}

/// Every new file of a check by its path from the root.
fn files(family: &str, name: &Name) -> Vec<(PathBuf, String)> {
    let folder = Path::new(CHECKS).join(family);
    let source = folder.join(format!("{}.rs", name.stem));
    let page = folder.join(format!("{}.md", name.stem));
    let case = |kind: &str| Path::new(CASES).join(&name.code).join(format!("{kind}.toml"));
    let templates = [
        (source.clone(), include_str!("templates/check.rs.txt")),
        (page, include_str!("templates/page.md.txt")),
        (case("fires_when_it_should"), include_str!("templates/fires.toml.txt")),
        (case("quiet_when_all_is_well"), include_str!("templates/quiet.toml.txt")),
        (case("unknown_without_a_reply"), include_str!("templates/unknown.toml.txt")),
    ];
    let fill = |template: &str| {
        let known = [("@CODE@", &name.code), ("@SLUG@", &name.slug), ("@STEM@", &name.stem)];
        known.iter().fold(
            template.replace("@SOURCE@", &source.display().to_string()),
            |text, (key, value)| text.replace(key, value),
        )
    };
    templates.into_iter().map(|(path, template)| (path, fill(template))).collect()
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, text)
}

/// Lists that grew may have to be broken into lines, which is rustfmt's trade.
fn format_family(checks: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let status = Command::new("rustfmt")
        .current_dir(checks)
        .args(["--edition", "2024", "mod.rs"])
        .status()
        .map_err(|error| format!("cannot start rustfmt: {error}"))?;
    if status.success() { Ok(()) } else { Err("rustfmt failed".into()) }
}
