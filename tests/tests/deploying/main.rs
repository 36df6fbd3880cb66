//! What `docs/deploying` gives people to deploy: it can be read, it promises what it should, and
//! every command line in it records a real server.

mod container;
mod kubernetes;
mod running;
mod unit;
mod without;

use std::fs;
use std::path::PathBuf;

type Any<T> = Result<T, Box<dyn std::error::Error>>;

fn path(name: &str) -> PathBuf {
    nats_hindsight_testkit::workspace_root().join("docs/deploying").join(name)
}

fn text(name: &str) -> Any<String> {
    Ok(fs::read_to_string(path(name))?)
}

/// The line for cron in the page.
fn cron() -> Any<String> {
    let page = text("README.md")?;
    let (_, block) = page.split_once("```cron\n").ok_or("no line for cron")?;
    let (line, _) = block.split_once("\n```").ok_or("the block for cron has no end")?;
    Ok(line.to_owned())
}

#[test]
fn cron_starts_an_epoch_every_few_minutes_and_never_two() -> Any<()> {
    let line = cron()?;
    assert_eq!(line.lines().count(), 1, "cron knows no continued lines");
    assert!(!line.contains('%'), "cron takes it for the end of a line");
    assert!(line.starts_with("*/10 * * * * flock -n "), "{line}");
    Ok(())
}
