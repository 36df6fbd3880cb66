//! `cargo xtask docs`: the files in `docs/` that are made from the sources: a page per check from
//! what it declares, and the JSON Schemas from the types that are printed.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use nats_hindsight_analyzer::render::page;
use nats_hindsight_analyzer::{registry, schema};
use nats_hindsight_testkit::workspace_root;

use crate::Outcome;

/// The folder in which nothing else stands.
const CHECKS: &str = "checks";

/// Write the generated pages and schemas in `docs/`
#[derive(Args)]
#[command(after_help = "Examples:
  cargo xtask docs
  cargo xtask docs --check")]
pub(crate) struct Docs {
    /// Write nothing, and fail where a file is not what would be written
    #[arg(long)]
    check: bool,
}

impl Docs {
    pub(crate) fn run(self) -> Outcome {
        let folder = workspace_root().join("docs");
        let wanted = generated()?;
        let stale = stale(&folder, &wanted)?;
        if self.check {
            for path in &stale {
                writeln!(io::stderr(), "not current: {}; run cargo xtask docs", path.display())?;
            }
            return Ok(stale.is_empty());
        }
        fs::create_dir_all(folder.join(CHECKS))?;
        for path in stale {
            match path.strip_prefix(&folder).ok().and_then(|name| wanted.get(name)) {
                Some(text) => fs::write(&path, text)?,
                None => fs::remove_file(&path)?,
            }
            writeln!(io::stdout(), "{}", path.display())?;
        }
        Ok(true)
    }
}

/// Every generated file by its path below `docs/`.
fn generated() -> Result<BTreeMap<PathBuf, String>, serde_json::Error> {
    let checks = registry::all();
    let folder = Path::new(CHECKS);
    let mut files: BTreeMap<PathBuf, String> = checks
        .iter()
        .map(|check| (folder.join(format!("{}.md", check.code)), page::check(check)))
        .collect();
    files.insert(folder.join("README.md"), page::index(&checks));
    for (name, schema) in schema::all() {
        files.insert(name.into(), serde_json::to_string_pretty(&schema)? + "\n");
    }
    Ok(files)
}

/// Files that differ from what is wanted, are missing, or are wanted no more.
fn stale(folder: &Path, wanted: &BTreeMap<PathBuf, String>) -> io::Result<Vec<PathBuf>> {
    let mut stale: Vec<PathBuf> = wanted
        .iter()
        .map(|(name, text)| (folder.join(name), text))
        .filter(|(path, text)| fs::read_to_string(path).ok().as_ref() != Some(text))
        .map(|(path, _)| path)
        .collect();
    let checks = folder.join(CHECKS);
    if checks.is_dir() {
        for entry in fs::read_dir(checks)? {
            let entry = entry?;
            if !wanted.contains_key(&Path::new(CHECKS).join(entry.file_name())) {
                stale.push(entry.path());
            }
        }
    }
    stale.sort();
    Ok(stale)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{generated, stale};

    #[test]
    fn what_is_missing_altered_or_left_over_is_stale() {
        let wanted = generated().unwrap();
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("checks")).unwrap();
        assert_eq!(stale(folder.path(), &wanted).unwrap().len(), wanted.len());
        for (name, text) in &wanted {
            fs::write(folder.path().join(name), text).unwrap();
        }
        assert!(stale(folder.path(), &wanted).unwrap().is_empty());
        let (schema, left) = ("report.schema.json", "checks/GONE_001.md");
        fs::write(folder.path().join(schema), "{}").unwrap();
        fs::write(folder.path().join(left), "").unwrap();
        // A page written by hand beside the generated files is nobody's business here.
        fs::write(folder.path().join("decisions.md"), "").unwrap();
        let found = stale(folder.path(), &wanted).unwrap();
        assert_eq!(found, [left, schema].map(|name| folder.path().join(name)));
    }
}
