//! What the operator set: thresholds, severities, selected checks, exceptions.
//!
//! Settings come from the command line and from a configuration file named there, never from a
//! bundle.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::check::{Setting, Threshold};
use crate::report::{ConfigUsed, Severity};

/// Everything that was set.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Thresholds by code and key.
    pub thresholds: BTreeMap<(String, String), Setting>,
    /// Severities by code, which replace whatever the check says.
    pub severities: BTreeMap<String, Severity>,
    /// Codes of checks that are switched off.
    pub disabled: BTreeSet<String>,
    /// What is so on purpose.
    pub exceptions: Exceptions,
    /// Files these settings came from.
    pub config: Vec<ConfigUsed>,
}

impl Settings {
    pub(crate) fn threshold(&self, code: &str, threshold: &Threshold) -> Setting {
        self.thresholds
            .get(&(code.to_owned(), threshold.key.to_owned()))
            .copied()
            .unwrap_or(threshold.default)
    }
}

/// What is so on purpose, each with a reason.
#[derive(Clone, Debug, Default)]
pub struct Exceptions {
    /// Services that are gone for good.
    pub retired: Vec<Retired>,
    /// Services that may have no instance.
    pub may_be_zero: Vec<Pattern>,
    /// Services that run several versions on purpose.
    pub allowed_mixes: Vec<Mix>,
}

/// A service that is gone for good.
#[derive(Clone, Debug)]
pub struct Retired {
    /// Which.
    pub service: Pattern,
    /// From when on.
    pub from: Timestamp,
}

/// A service, or several, by account and name.
#[derive(Clone, Debug)]
pub struct Pattern {
    /// Account name or id; `None` means any.
    pub account: Option<String>,
    /// Service name, where `*` stands for any run of characters.
    pub service: String,
    /// Why it is so.
    pub reason: String,
}

/// Versions of one service that may run side by side.
#[derive(Clone, Debug)]
pub struct Mix {
    /// Which service.
    pub service: Pattern,
    /// The versions; empty means any.
    pub versions: Vec<String>,
}

impl Pattern {
    /// Whether the pattern means this service.
    pub fn matches(&self, account: &str, account_id: &str, service: &str) -> bool {
        self.account.as_deref().is_none_or(|wanted| wanted == account || wanted == account_id)
            && glob(&self.service, service)
    }
}

/// Matches text against a pattern in which `*` stands for any run of characters.
fn glob(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or("");
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::glob;

    #[test]
    fn a_star_stands_for_any_run() {
        assert!(glob("orders", "orders"));
        assert!(!glob("orders", "orders-v2"));
        assert!(glob("orders*", "orders-v2"));
        assert!(glob("*-night", "batch-night"));
        assert!(glob("a*b*c", "a-b-b-c"));
        assert!(!glob("a*b*c", "a-c-b"));
        assert!(!glob("ab*ab", "ab"));
    }
}
