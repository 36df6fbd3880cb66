//! Checks about users.

mod hint_004_credentials_expiring;

use nats_hindsight_model::users::UserKey;

use crate::check::Check;
use crate::report::Subject;

/// The family.
pub const CHECKS: &[&Check] = &[&hint_004_credentials_expiring::CHECK];

/// A user as a subject. The engine shows account and user by name where one is known.
fn user(key: &UserKey) -> Subject {
    Subject::User {
        account: key.0.clone(),
        account_id: key.0.clone(),
        user: key.1.clone(),
        user_id: key.1.clone(),
    }
}
