//! Recordings cut, flipped, mixed up and filled with rubbish, in every frame: what stands outside
//! the damage is used as it was written, the damage is named by file and offset, and no verdict
//! moves but towards `unknown`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod cuts;
mod flips;
mod moved;
mod strangers;
mod support;
