//! Checks about two builds that coexist.

mod skew_003_version_exposure;

use crate::check::Check;

/// The family.
pub const CHECKS: &[&Check] = &[&skew_003_version_exposure::CHECK];
