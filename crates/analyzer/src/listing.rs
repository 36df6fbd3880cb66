//! The list of checks as data: what `hindsight checks --format json` prints.

use nats_hindsight_snapshot::Endpoint;
use schemars::JsonSchema;
use serde::Serialize;

use crate::check::{Check, Scan, Threshold};
use crate::render::page;
use crate::report::Severity;

/// What one check declares.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct CheckRow {
    /// Code.
    pub code: &'static str,
    /// Slug, as good as the code everywhere.
    pub slug: &'static str,
    /// What it reports.
    pub title: &'static str,
    /// Severity unless configured.
    pub severity: Severity,
    /// Consistency, Health, …
    pub category: &'static str,
    /// Kind of its subjects.
    pub subject: &'static str,
    /// `epoch` or `sequence`.
    pub looks_at: &'static str,
    /// Groups of endpoints it cannot do without; any one of each group is enough.
    pub required: Vec<Vec<&'static str>>,
    /// Endpoints that add to what it says.
    pub enriching: Vec<&'static str>,
    /// What can be set.
    pub thresholds: Vec<ThresholdRow>,
}

/// One threshold of a check.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ThresholdRow {
    /// Key, as in `SERVER_002.recent`.
    pub key: &'static str,
    /// Value unless set, as an option takes it.
    pub default: String,
    /// What it means.
    pub doc: &'static str,
}

/// The rows of these checks, in their order.
pub fn rows(checks: &[&'static Check]) -> Vec<CheckRow> {
    checks.iter().map(|check| row(check)).collect()
}

fn row(check: &'static Check) -> CheckRow {
    let names = |list: &'static [Endpoint]| list.iter().map(Endpoint::as_str).collect();
    CheckRow {
        code: check.code,
        slug: check.slug,
        title: check.title,
        severity: check.severity,
        category: check.category,
        subject: check.subject,
        looks_at: match check.scan {
            Scan::Epoch(_) => "epoch",
            Scan::Follow(_) => "sequence",
        },
        required: check.required.iter().map(|group| names(group)).collect(),
        enriching: names(check.enriching),
        thresholds: check.thresholds.iter().map(|threshold| threshold_row(threshold)).collect(),
    }
}

fn threshold_row(threshold: &'static Threshold) -> ThresholdRow {
    ThresholdRow {
        key: threshold.key,
        default: page::setting(threshold.default),
        doc: threshold.doc,
    }
}
