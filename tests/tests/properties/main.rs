//! Rules that hold for every sequence, every version and every set of tracks, tried on many.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod intervals;
mod tracks;
mod versions;
