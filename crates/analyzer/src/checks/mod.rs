//! The checks, by family. A check is a file pair here, source and page, and one line in its
//! family.

pub mod server;
pub mod service;
pub mod skew;
pub mod user;

use crate::check::Check;

/// Every family and its checks.
pub const FAMILIES: &[&[&Check]] = &[server::CHECKS, service::CHECKS, skew::CHECKS, user::CHECKS];
