//! What happened: decoded epochs, and the facts that several checks share.
//!
//! [`epoch`] holds the tables of one epoch, [`decode`] fills them, [`View`] shows a check the part
//! it declared. [`census`] and [`clusters`] say who the servers of a system are, [`roster`] and
//! [`services`] which services it runs, [`expected`] what the collector counted on, [`streams`]
//! which streams it keeps, [`users`] who logs in, [`settings`] how servers are configured,
//! [`version`] how versions compare.

pub mod census;
pub mod clocks;
pub mod clusters;
pub mod decode;
pub mod epoch;
pub mod events;
pub mod expected;
pub mod intake;
pub mod roster;
pub mod services;
pub mod settings;
pub mod streams;
pub mod sweeps;
pub mod systems;
pub mod users;
pub mod version;
mod view;

pub use view::{Joined, View};
