//! Making connections: addresses, credentials, contexts, and the link that requests go over.

mod address;
mod context;
mod error;
mod inbox;
mod link;
mod login;
mod room;
mod spec;

pub(crate) use address::percent_decode;
pub use address::{Address, AddressError};
pub use context::{ContextError, load as load_context};
pub use error::ConnectError;
pub(crate) use inbox::{Arrival, Waiting};
pub(crate) use link::{Link, SendError};
pub use spec::{ConnectionSpec, Login, Role, Tls};
