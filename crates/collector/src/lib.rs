//! Records a running NATS system, epoch by epoch.
//!
//! The way of the data is one line: [`Settings`] say what to do, `connect` makes connections,
//! `epoch` asks servers and services over them (which endpoints there are is the `table`), `ask`
//! sends one request and takes the answers to it, `record` writes what came. What is written is
//! what was sent; the little that is read on the way (`glance`) only decides whom to ask next and
//! what the next epoch is to expect (`memory`). Between epochs `events` listens.

mod ask;
mod connect;
mod connections;
mod coverage;
mod dry_run;
mod epoch;
mod events;
mod glance;
mod http;
mod memory;
mod recall;
mod record;
mod retention;
mod run;
mod schedule;
mod secret;
mod selection;
mod settings;
mod stop;
mod summary;
mod table;
mod unpack;
mod watch;

pub use connect::{
    Address, AddressError, ConnectError, ConnectionSpec, ContextError, Login, Role, Tls,
    load_context,
};
pub use coverage::Coverage;
pub use dry_run::{DryRun, Planned, Whom, dry_run};
pub use http::HttpTarget;
pub use recall::RecallError;
pub use record::{Output, OutputError};
pub use retention::{Keep, Removed};
pub use run::{CollectError, run};
pub use secret::Secret;
pub use selection::{Profile, Selection, SelectionError};
pub use settings::{Settings, Waits};
pub use summary::EpochSummary;
pub use watch::{Unwatched, Watch};
