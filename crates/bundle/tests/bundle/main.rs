//! What is read of real archives, of archives that were cut, and of archives of strangers.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod captures;
mod cut;
mod forge;
mod loose;
mod recorded;
mod support;
mod tars;
mod zips;
