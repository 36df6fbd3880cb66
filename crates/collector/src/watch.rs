//! What the collector tells while it works.

use crate::EpochSummary;

/// Somebody who watches: a progress line, a log, a test.
pub trait Watch: Send + Sync {
    /// An epoch begins.
    fn begins(&self, _sequence: u64) {}
    /// Another reply has come.
    fn received(&self) {}
    /// An epoch is written.
    fn ended(&self, _summary: &EpochSummary) {}
    /// Something a person should know at once; never holds a secret.
    fn warn(&self, _text: &str) {}
}

/// Nobody watches.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unwatched;

impl Watch for Unwatched {}
