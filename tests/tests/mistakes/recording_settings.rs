//! Thresholds, times and the configuration file.

use crate::book::{Any, Book};

pub(crate) fn make(book: &mut Book) -> Any<()> {
    book.chapter("Settings");
    let mut set = |title: &str, args: &[&str]| {
        let all: Vec<&str> = [&["analyze", "DIR/good.ndjson.zst"], args].concat();
        book.add(title, &all, 2)
    };
    set("a threshold that does not exist", &["--set", "SERVER_002.recnt=30min"])?;
    set("a threshold without a value", &["--set", "SERVER_002.recent"])?;
    set("a threshold without a unit", &["--set", "SERVER_002.recent=30"])?;
    set("a time that is none", &["--from", "yesterday"])?;
    set(
        "times the wrong way round",
        &["--from", "2026-11-22T00:00:00Z", "--to", "2026-11-21T00:00:00Z"],
    )?;
    set("a configuration that is not there", &["--config", "DIR/hindsight.toml"])?;
    for (title, name, text) in [
        ("a configuration with a slip", "slip.toml", "[checks.SERVER_002]\nrecnt = \"30min\"\n"),
        ("a configuration with an unknown section", "section.toml", "[check.SERVER_002]\n"),
        ("an exception without a reason", "reason.toml", "[[may_be_zero]]\nservice = \"orders\"\n"),
        ("a configuration that is no TOML", "json.toml", "{ \"checks\": {} }\n"),
    ] {
        book.write(name, text)?;
        let config = format!("DIR/{name}");
        book.add(title, &["analyze", "DIR/good.ndjson.zst", "--config", &config], 2)?;
    }
    Ok(())
}
