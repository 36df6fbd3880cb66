//! `cargo xtask docs`: the pages in `docs/checks/`, made from what the checks declare.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use nats_hindsight_analyzer::registry;
use nats_hindsight_analyzer::render::page;
use nats_hindsight_testkit::workspace_root;

use crate::Outcome;

/// Write the generated pages in `docs/`
#[derive(Args)]
#[command(after_help = "Examples:
  cargo xtask docs
  cargo xtask docs --check")]
pub(crate) struct Docs {
    /// Write nothing, and fail where a page is not what would be written
    #[arg(long)]
    check: bool,
}

impl Docs {
    pub(crate) fn run(self) -> Outcome {
        let folder = workspace_root().join("docs").join("checks");
        let wanted = pages();
        let stale = stale(&folder, &wanted)?;
        if self.check {
            for path in &stale {
                writeln!(io::stderr(), "not current: {}; run cargo xtask docs", path.display())?;
            }
            return Ok(stale.is_empty());
        }
        fs::create_dir_all(&folder)?;
        for path in stale {
            match path.file_name().and_then(|name| wanted.get(name.to_str()?)) {
                Some(text) => fs::write(&path, text)?,
                None => fs::remove_file(&path)?,
            }
            writeln!(io::stdout(), "{}", path.display())?;
        }
        Ok(true)
    }
}

/// Every generated page by its file name.
fn pages() -> BTreeMap<String, String> {
    let checks = registry::all();
    let mut pages: BTreeMap<String, String> =
        checks.iter().map(|check| (format!("{}.md", check.code), page::check(check))).collect();
    pages.insert("README.md".to_owned(), page::index(&checks));
    pages
}

/// Pages that differ from what is wanted, are missing, or are wanted no more.
fn stale(folder: &Path, wanted: &BTreeMap<String, String>) -> io::Result<Vec<PathBuf>> {
    let mut stale: Vec<PathBuf> = wanted
        .iter()
        .map(|(name, text)| (folder.join(name), text))
        .filter(|(path, text)| fs::read_to_string(path).ok().as_ref() != Some(text))
        .map(|(path, _)| path)
        .collect();
    if folder.is_dir() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if !wanted.contains_key(entry.file_name().to_string_lossy().as_ref()) {
                stale.push(entry.path());
            }
        }
    }
    stale.sort();
    Ok(stale)
}
