//! Checks about servers and the clusters they form.

mod hint_001_server_lost;
mod hint_003_clock_skew;
mod server_002_version_mismatch;
mod skew_001_settings_skew;

use crate::check::Check;
use crate::report::Subject;

/// The family.
pub const CHECKS: &[&Check] = &[
    &hint_001_server_lost::CHECK,
    &hint_003_clock_skew::CHECK,
    &server_002_version_mismatch::CHECK,
    &skew_001_settings_skew::CHECK,
];

/// The seat of a server as a subject.
pub(crate) fn server(cluster: &str, server: &str) -> Subject {
    Subject::Server { cluster: cluster.to_owned(), server: server.to_owned() }
}
