//! Text that must never be shown.

use std::fmt;

/// A password, token, seed or the text of a JWT.
///
/// It has no `Display`, its `Debug` hides it, and only the code that logs in can read it, so that
/// no error, log or snapshot can come to contain it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes what somebody gave us.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}
