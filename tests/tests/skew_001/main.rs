//! `SKEW_001 settings-skew`: every situation of its page, and the rules behind it.

#![expect(clippy::unwrap_used, reason = "a helper that finds nothing fails its test")]

mod live;
mod over_time;
mod recorded;
mod situations;
mod support;
mod values;
