//! What people send: archives, and what `nats audit gather` puts in them.
//!
//! [`container`] lists the entries of a ZIP or tar archive and reads them on demand, entry by
//! entry, in memory. [`gather`] says which of them are artifacts of `nats audit gather`, and of
//! which server, account and stream. [`document`] takes one JSON document apart, and recognises
//! replies that somebody saved by hand.
//!
//! Nothing here knows what a reply means, and nothing is ever written. What is wrong with an
//! archive is a [`Problem`], which costs the part it is about and nothing else.

pub mod container;
pub mod document;
pub mod gather;

pub mod problem;

pub use container::{Container, Entry, Kept, Reader};
pub use gather::{Artifact, ArtifactKind, Gather};

pub use problem::Problem;
