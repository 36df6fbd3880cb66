//! Real NATS servers, services and recorded scenarios for the tests of NATS Hindsight.
//!
//! Nothing is mocked: servers are released binaries of pinned versions, services run in the client
//! libraries people use, everything listens on loopback only, and every process ends with the test.
//!
//! ```no_run
//! use nats_hindsight_testkit::{Service, System, V2_12, V2_15};
//!
//! # fn main() -> nats_hindsight_testkit::Result<()> {
//! let mut system = System::builder().cluster("A", &["a1", "a2"], V2_12).start()?;
//! let orders = Service::python("orders", "1.2.0").on(&["a1", "a2"]).start(&system)?;
//! system.restart_as("a2", V2_15)?;
//! let url = system.url("a1", "SYS")?; // nats://sys:sys@127.0.0.1:…
//! # drop((orders, url));
//! # Ok(())
//! # }
//! ```

mod built;
mod certificates;
mod change;
mod checkout;
mod child;
mod client;
mod config;
mod error;
mod fleet;
mod http;
mod interrupt;
mod jetstream;
mod load;
mod operator;
mod plan;
mod ports;
mod process;
mod proxy;
mod python;
mod ready;
mod replies;
pub mod scenario;
mod servers;
mod services;
mod sniffer;
mod strangers;
mod system;
mod template;
mod wait;
mod workspace;

pub use built::{cargo, hindsight};
pub use certificates::{Authority, Certificate};
pub use checkout::Checkout;
pub use client::{Client, Login, Message};
pub use error::{KitError, Result};
pub use fleet::{Fleet, FleetPlan, Tally};
pub use interrupt::catch_interrupts;
pub use load::{LoadPlan, LoadRow, measure as measure_load};
pub use operator::{Creds, Validity};
pub use plan::{Account, SystemBuilder, User};
pub use ports::free_port;
pub use proxy::{Proxy, Speed};
pub use python::{pinned_package, python, python_with};
pub use replies::{RecordedReplies, RecordedReply, record_replies};
pub use servers::{
    V2_10, V2_10_PATCHED, V2_11, V2_12, V2_14, V2_15, VERSIONS, fetch_all, server_binary,
};
pub use services::{Instance, Language, Sent, Service};
pub use sniffer::Sniffer;
pub use strangers::{Present, Stranger};
pub use system::{PATIENCE, State, System};
pub use template::Template;
pub use wait::wait_until;
pub use workspace::root as workspace_root;
