//! Slips of the tongue: commands, flags and names that do not exist.

use crate::book::{Any, Book};

pub(crate) fn make(book: &mut Book) -> Any<()> {
    book.chapter("Commands and checks");
    book.add("a command that is written otherwise", &["analyse", "epochs"], 2)?;
    book.add("a flag that does not exist", &["analyze", "epochs", "--output", "x"], 2)?;
    book.add("nothing to analyze", &["analyze"], 2)?;
    book.add("a check that does not exist", &["explain", "SERVER_02"], 2)?;
    book.add("a check that is like no other", &["explain", "everything"], 2)?;
    book.add(
        "a check to select that does not exist",
        &["analyze", "DIR", "--check", "SERVICE_02"],
        2,
    )?;
    book.add(
        "all checks left out",
        &["analyze", "DIR", "--check", "HINT_001", "--skip", "HINT_001"],
        2,
    )?;
    Ok(())
}
