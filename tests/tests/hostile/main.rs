//! What a stranger sends to break the reader, each read by the real binary in 512 MiB and 10 s: it
//! ends by itself, says what is wrong with what and where, and the good epoch beside it is used.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod archives;
mod bombs;
mod crowds;
mod files;
mod numbers;
mod support;
mod texts;
