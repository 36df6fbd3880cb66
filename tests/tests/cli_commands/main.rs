//! The command line as people use it: the real binary, its output and its exit codes.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod analyze;
mod hostile;
mod inspect;
mod others;
mod settings;
mod support;
