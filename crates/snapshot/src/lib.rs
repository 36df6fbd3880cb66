//! Snapshot format of NATS Hindsight and the wire shapes of NATS replies.
//!
//! [`lines`] holds what a line of a snapshot can say, [`format`] how frames of such lines are
//! written, found again and salvaged, [`wire`] tolerant structs of the replies themselves.
//! This crate interprets nothing: what a reply *means* is decided in the model.

pub mod endpoint;
pub mod format;
mod json;
pub mod lines;
pub mod wire;

pub use endpoint::Endpoint;
