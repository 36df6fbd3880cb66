//! What people get wrong, and what they are told: every message says what, where, and what to do.
//!
//! Each mistake is really made, with the real binary and where a server takes part with a real one.
//! All answers together are one snapshot, so that they are read together whenever one changes.

mod book;
mod connecting;
mod recording_settings;
mod recordings;
mod tls;
mod words;

use book::{Any, Book};

/// More than these are no snapshot any more that somebody reads.
const FEWEST: usize = 20;

#[test]
fn every_mistake_is_answered() -> Any<()> {
    let mut book = Book::new()?;
    words::make(&mut book)?;
    recordings::make(&mut book)?;
    recording_settings::make(&mut book)?;
    connecting::make(&mut book)?;
    tls::make(&mut book)?;
    assert!(book.count() >= FEWEST);
    insta::assert_snapshot!("mistakes", book.text());
    Ok(())
}
