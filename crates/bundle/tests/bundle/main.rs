//! What is read of real archives, of archives that were cut, and of archives of strangers.

mod cut;
mod forge;
mod loose;
mod recorded;
mod support;
mod tars;
mod zips;
