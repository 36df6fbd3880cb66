//! Checks about two builds that coexist.

mod skew_002_contract_drift;
mod skew_003_version_exposure;

use crate::check::Check;

/// The family.
pub const CHECKS: &[&Check] = &[&skew_002_contract_drift::CHECK, &skew_003_version_exposure::CHECK];
