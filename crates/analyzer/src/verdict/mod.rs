//! What a check says: the words it has, and nothing of how they are gathered.

mod judgement;
mod reason;

pub use judgement::{
    Closing, Face, Fact, Judgement, Step, Verdict, lasting_ms, millis_between, mixed_since,
    with_rows,
};
pub use reason::Reason;
