//! The report, version 1: what every output renders and none computes.
//!
//! It changes only by addition. All times are RFC 3339 in UTC with three decimals, all lists are
//! in a fixed order, and nothing but `inputs` and the `where` of problems depends on how the
//! records were named, cut into files, concatenated or piped.
//!
//! Its JSON Schema, `docs/report.schema.json`, is made from these types by `cargo xtask docs`; the
//! comments here are the descriptions there.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use smol_str::SmolStr;

/// A time as it stands in a report.
pub fn rfc3339(time: Timestamp) -> String {
    format!("{time:.3}")
}

/// Runs of consecutive numbers, first and last of each.
pub fn runs(epochs: &BTreeSet<usize>) -> Vec<[usize; 2]> {
    let mut runs: Vec<[usize; 2]> = Vec::new();
    for epoch in epochs {
        match runs.last_mut() {
            Some(run) if run[1] + 1 == *epoch => run[1] = *epoch,
            _ => runs.push([*epoch, *epoch]),
        }
    }
    runs
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Somebody should look at it.
    Warning,
    /// Somebody should act now.
    Critical,
}

impl Severity {
    /// All severities, mildest first.
    pub const ALL: [Self; 3] = [Self::Info, Self::Warning, Self::Critical];

    /// The word used in reports, options and configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// The whole report.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Report {
    /// Always `nats-hindsight`.
    #[schemars(extend("const" = "nats-hindsight"))]
    pub report: &'static str,
    /// Version of this shape; the first number is 1 as long as fields are only added.
    #[schemars(regex(pattern = r"^1\.[0-9]+$"))]
    pub version: &'static str,
    /// Release of the tool.
    pub tool: &'static str,
    /// Digest of the registry of checks.
    pub rules: String,
    /// What was read, sorted by digest, then path.
    pub inputs: Vec<Input>,
    /// One entry per system, sorted by label.
    pub systems: Vec<SystemReport>,
    /// What was wrong with the input.
    pub problems: Vec<Problem>,
    /// Thresholds in force, by `CODE.key`.
    pub parameters: BTreeMap<String, String>,
    /// Configuration files used.
    pub config: Vec<ConfigUsed>,
}

/// One file or stream that was read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Input {
    /// `sha256:…` of its bytes.
    pub digest: String,
    /// As it was given or found.
    pub path: String,
    /// `snapshot`, or what else it is.
    pub kind: String,
}

/// A configuration file that was used.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ConfigUsed {
    /// As it was given.
    pub path: String,
    /// `sha256:…` of its bytes.
    pub digest: String,
}

/// Something wrong with the input, which cost only what it names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Problem {
    /// Stable name of the kind of problem.
    pub kind: String,
    /// One sentence.
    pub text: String,
    /// File and offset.
    #[serde(rename = "where", skip_serializing_if = "Option::is_none")]
    pub where_: Option<String>,
    /// UUID of the epoch concerned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epoch: Option<String>,
    /// Label of the system concerned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
}

/// Everything about one system.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct SystemReport {
    /// Label.
    pub system: String,
    /// Epochs in the order of the timeline.
    pub epochs: Vec<EpochRow>,
    /// Intervals, worst and newest first.
    pub findings: Vec<Finding>,
    /// What could not be judged, grouped.
    pub unknowns: Vec<Unknown>,
    /// What was let pass because the configuration says so.
    pub exceptions: Vec<Exception>,
    /// Facets that were not seen where a verdict was reached without them.
    pub unseen: Vec<Unseen>,
    /// Denominators of each selected check.
    pub checks: Vec<CheckTotals>,
    /// What was asked and what came.
    pub coverage: Vec<CoverageRow>,
}

/// One epoch of a system.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct EpochRow {
    /// Position in the timeline, from 0.
    pub index: usize,
    /// UUID.
    pub uuid: String,
    /// Start.
    pub time: String,
    /// Id of the collector.
    pub collector: String,
    /// Whether the recording is whole and every request got what was counted on.
    pub complete: bool,
    /// Digest of the stored frames in order.
    pub digest: String,
}

/// A point of the timeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Moment {
    /// Index of the epoch.
    pub epoch: usize,
    /// Start of that epoch.
    pub time: String,
}

/// When an interval opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Opened {
    /// First epoch with the finding.
    #[serde(flatten)]
    pub moment: Moment,
    /// The epoch before, if its verdict was `ok`.
    pub last_ok: Option<Moment>,
    /// Whether it can have begun any time before.
    pub at_or_before: bool,
}

/// When and how an interval closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Closed {
    /// First epoch in which it was over.
    #[serde(flatten)]
    pub moment: Moment,
    /// `cured` or `ended`.
    pub how: &'static str,
    /// The last epoch in which it was seen; null if the verdict between was unknown.
    pub last_bad: Option<Moment>,
    /// What ended it, in words; empty if it was simply cured.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub because: String,
}

/// A stretch of an open interval in which nothing could be said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Gap {
    /// First epoch of the gap.
    pub from: usize,
    /// Last epoch of the gap.
    pub to: usize,
    /// Why.
    pub reason: String,
}

/// What an open interval looked like from an epoch on.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Change {
    /// Epoch of the change.
    #[serde(flatten)]
    pub moment: Moment,
    /// Severity from here on.
    pub severity: Severity,
    /// What changed: the fields of the finding that make its face.
    pub face: BTreeMap<&'static str, Value>,
}

/// One observed fact behind a finding.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Evidence {
    /// What it is.
    pub name: String,
    /// Its value.
    pub value: Value,
    /// Epoch it was observed in.
    pub epoch: usize,
    /// Endpoint that told it.
    pub endpoint: String,
    /// Who told it.
    pub source: String,
    /// Path in the reply.
    pub path: String,
}

/// What a verdict is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[schemars(transform = crate::schema::with_kinds_to_come)]
pub enum Subject {
    /// One connected cluster of servers.
    Cluster {
        /// Its name, with `#2` and so on for further clusters of that name.
        cluster: SmolStr,
    },
    /// The seat of a server.
    Server {
        /// Cluster of the seat.
        cluster: SmolStr,
        /// Name of the server, or what stands for it.
        server: SmolStr,
    },
    /// A server at the far side of a leaf connection.
    LeafNode {
        /// Its name.
        leaf: SmolStr,
    },
    /// A service of one account.
    Service {
        /// Name of the account where one is known, else its id.
        account: SmolStr,
        /// Account id.
        account_id: SmolStr,
        /// Name of the service.
        service: SmolStr,
    },
    /// A user that logs in with a JWT.
    User {
        /// Name of the account where one is known, else its id.
        account: SmolStr,
        /// Account id.
        account_id: SmolStr,
        /// Name of the user where one is known, else its public key.
        user: SmolStr,
        /// Public key of the user.
        user_id: SmolStr,
    },
}

/// An interval of epochs in which a check fired on a subject.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Finding {
    /// Code of the check.
    pub code: &'static str,
    /// Slug of the check.
    pub slug: &'static str,
    /// Severity at the end of the interval.
    pub severity: Severity,
    /// Category of the check.
    pub category: &'static str,
    /// What it is about.
    pub subject: Subject,
    /// Title of the check.
    pub title: &'static str,
    /// One sentence.
    pub summary: String,
    /// When it opened.
    pub opened: Opened,
    /// Last epoch in which it was seen.
    pub last_seen: Moment,
    /// When it closed; null while open.
    pub closed: Option<Closed>,
    /// Where nothing could be said.
    pub gaps: Vec<Gap>,
    /// Earlier closed intervals of the same subject.
    pub flaps: usize,
    /// Its story, first face included.
    pub changes: Vec<Change>,
    /// Typed per check, see its page.
    #[schemars(with = "BTreeMap<String, Value>")]
    pub details: Value,
    /// What it rests on.
    pub evidence: Vec<Evidence>,
    /// Pieces of evidence beyond the first fifty.
    #[serde(skip_serializing_if = "is_zero")]
    pub omitted: usize,
    /// Worst severity it ever had.
    pub worst_severity: Severity,
    /// Digest of code and subject.
    pub fingerprint: String,
    /// Digest of fingerprint and opening epoch.
    pub id: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// Verdicts that could not be reached, grouped by code, reason, what hides it and epochs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Unknown {
    /// Code of the check.
    pub code: &'static str,
    /// Stable name of the reason.
    pub reason: &'static str,
    /// What hides the answer.
    pub hides: Vec<Subject>,
    /// One sentence.
    pub text: String,
    /// What would cure it: a flag, a permission, a place to look.
    pub cure: String,
    /// Runs of epochs, first and last.
    pub epochs: Vec<[usize; 2]>,
    /// How many subjects.
    pub count: usize,
    /// The first twenty of them.
    pub subjects: Vec<Subject>,
}

/// Something the configuration lets pass.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Exception {
    /// `retired`, `may_be_zero` or `allowed_mix`.
    pub kind: &'static str,
    /// Code of the check.
    pub code: &'static str,
    /// Where it applied.
    pub subject: Subject,
    /// The reason given in the configuration.
    pub reason: String,
    /// Runs of epochs, first and last.
    pub epochs: Vec<[usize; 2]>,
}

/// A facet of a check that was not seen: what it would show is not in a verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Unseen {
    /// Code of the check.
    pub code: &'static str,
    /// Name of the facet.
    pub facet: &'static str,
    /// Runs of epochs, first and last.
    pub epochs: Vec<[usize; 2]>,
    /// How many subjects.
    pub count: usize,
    /// The first twenty of them.
    pub subjects: Vec<Subject>,
}

/// Denominators of one check, counted in (subject, epoch) pairs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CheckTotals {
    /// Code.
    pub code: &'static str,
    /// Distinct subjects.
    pub subjects: usize,
    /// Pairs judged good.
    pub ok: usize,
    /// Pairs judged bad.
    pub finding: usize,
    /// Pairs that could not be judged.
    pub unknown: usize,
    /// Pairs to which the check does not apply.
    pub not_applicable: usize,
}

/// What was asked of one endpoint over all epochs, and what came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CoverageRow {
    /// Endpoint.
    pub endpoint: String,
    /// Requests.
    pub asked: u64,
    /// Requests that got all that was counted on.
    pub ok: u64,
    /// Everything else.
    pub gaps: Vec<CoverageGap>,
}

/// Requests to one endpoint that ended one way other than `ok`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CoverageGap {
    /// How they ended.
    pub status: String,
    /// How many.
    pub count: u64,
    /// Runs of epochs, first and last.
    pub epochs: Vec<[usize; 2]>,
    /// The first twenty servers, services or URLs concerned.
    pub targets: Vec<String>,
}
