//! Names chosen by strangers reach a terminal only as text, stay in their columns, and stay exactly
//! what they are where a program reads them.
//!
//! The cluster of these names was recorded; see `HOSTILE` for what is in them. Another one was
//! gathered into archives by the stock tool.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod gathered;
mod live;
mod paths;
mod recorded;
mod tables;
mod terminal;
