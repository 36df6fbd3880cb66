//! `SERVER_002 server-version-mismatch`: every row of its table, and the rules behind them.

mod histories;
mod membership;
mod rows_edited;
mod rows_recorded;
mod sequences;
mod sites;
mod support;
