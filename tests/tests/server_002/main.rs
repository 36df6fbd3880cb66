//! `SERVER_002 server-version-mismatch`: every row of its table, and the rules behind them.

#![expect(clippy::unwrap_used, reason = "a helper that finds nothing fails its test")]

mod histories;
mod membership;
mod rows_edited;
mod rows_recorded;
mod sequences;
mod sites;
mod support;
