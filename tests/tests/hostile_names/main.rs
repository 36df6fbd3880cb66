//! Names chosen by strangers reach a terminal only as text, stay in their columns, and stay exactly
//! what they are where a program reads them.
//!
//! The cluster of these names was recorded; see `HOSTILE` for what is in them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod live;
mod paths;
mod recorded;
mod terminal;
