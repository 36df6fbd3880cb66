//! What a recording means: checks, the engine that runs them, the report and its renderers.
//!
//! Everything here is pure: no clock, no environment, no files, no hash order. The same records
//! give the same report, whatever the machine, the threads or the names of files.

pub mod check;
pub mod checks;
pub mod engine;
pub mod listing;
mod pace;
pub mod registry;
pub mod render;
pub mod report;
pub mod schema;
pub mod settings;
pub mod survey;
pub mod verdict;
