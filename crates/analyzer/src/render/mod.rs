//! Outputs. All of them render the same frozen report; none computes.

pub mod json;
pub mod page;
pub mod plain;
pub mod text;
