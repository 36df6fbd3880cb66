//! What servers publish by themselves, between epochs and during them.
//!
//! Each connection of a run that records again and again subscribes to a few subjects ([`kinds`]).
//! A task of its own ([`listener`]) takes what comes and holds it, within bounds ([`held`]), until an
//! epoch asks for it. How long the connection could hear at all is told by [`hearing`]: without it
//! nobody could tell silence from deafness.

mod hearing;
mod held;
mod kinds;
mod listener;

pub(crate) use hearing::Hearing;
pub(crate) use held::Heard;
pub(crate) use kinds::kinds;
pub(crate) use listener::{Listener, Part};
