//! Recordings as the tests use them: loaded from `fixtures/`, edited in code, judged.
//!
//! A fixture is never edited by hand. Where no real cluster can show a case in seconds (a server
//! up for ninety days, forty servers over two days), a recording of a real one is edited here, on
//! the level of its lines, written out again in the real format and read by the real reader.

pub mod cases;
pub mod frames;
pub mod lattice;
pub mod recording;
pub mod schema;
pub mod targets;
pub mod verdicts;
pub mod workers;
