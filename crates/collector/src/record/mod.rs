//! From answers to lines in a snapshot: the only way anything gets on disk.

mod clock;
mod output;
mod recorder;
mod scrub;

pub(crate) use clock::{Clock, micros};
pub(crate) use output::Sink;
pub use output::{Output, OutputError};
pub(crate) use recorder::{Recorder, Reply, WriterTask};
pub(crate) use scrub::Secretive;
