//! What is read of real archives, of archives that were cut, and of archives of strangers.

mod loose;
mod recorded;
mod support;
