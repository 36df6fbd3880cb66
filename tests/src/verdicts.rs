//! What the checks say of a recording, in a form that a test can hold against a table.

use nats_hindsight_analyzer::check::Setting;
use nats_hindsight_analyzer::engine::{self, Options, VerdictRow};
use nats_hindsight_analyzer::report::{Finding, Problem, Report, Subject};
use nats_hindsight_analyzer::settings::Settings;
use nats_hindsight_model::intake::Intake;

use crate::recording::Recording;

/// The judgement of a recording.
#[derive(Debug)]
pub struct Judged {
    /// The report.
    pub report: Report,
    /// Every verdict.
    pub log: Vec<VerdictRow>,
}

/// Thresholds in milliseconds, as `CODE.key`.
pub type Thresholds<'a> = &'a [(&'a str, i64)];

/// Judges a recording with the default settings but for some thresholds.
pub fn judge(recording: &Recording, thresholds: Thresholds<'_>) -> Judged {
    judge_with(recording, settings(thresholds))
}

/// Settings that differ from the default in some thresholds.
///
/// # Panics
/// If a threshold is not named `CODE.key`.
pub fn settings(thresholds: Thresholds<'_>) -> Settings {
    let mut settings = Settings::default();
    for (name, millis) in thresholds {
        let Some((code, key)) = name.split_once('.') else { panic!("{name} is no threshold") };
        settings.thresholds.insert((code.to_owned(), key.to_owned()), Setting::Duration(*millis));
    }
    settings
}

/// Judges a recording.
///
/// # Panics
/// If the engine cannot start its threads.
pub fn judge_with(recording: &Recording, settings: Settings) -> Judged {
    judge_opened(&recording.open(), Options { settings, ..Options::default() })
}

/// Judges what was opened.
///
/// # Panics
/// If the engine cannot start its threads.
pub fn judge_opened(intake: &Intake, options: Options) -> Judged {
    // Recordings here are small, and tests run side by side already.
    let options = Options { threads: Some(1), ..options };
    match engine::verdicts(intake, options) {
        Ok((report, log)) => Judged { report, log },
        Err(error) => panic!("{error}"),
    }
}

/// Name of a subject as the tests write it: `A`, `A/a1`, `APP/orders`.
pub fn name(subject: &Subject) -> String {
    match subject {
        Subject::Cluster { cluster } => cluster.to_string(),
        Subject::Server { cluster, server } => format!("{cluster}/{server}"),
        Subject::LeafNode { leaf } => leaf.to_string(),
        Subject::Service { account_id, service, .. } => format!("{account_id}/{service}"),
        Subject::User { account_id, user_id, .. } => format!("{account_id}/{user_id}"),
    }
}

impl Judged {
    /// Verdicts of one check on one subject, one word per epoch: `ok`, `finding`,
    /// `unknown(reason)`, `not_applicable`, or `-` where nothing was said.
    pub fn verdicts(&self, code: &str, subject: &str) -> Vec<String> {
        let epochs: usize = self.report.systems.iter().map(|system| system.epochs.len()).sum();
        let mut words = vec!["-".to_owned(); epochs];
        for row in self.log.iter().filter(|r| r.code == code && name(&r.subject) == subject) {
            words[row.epoch] = match row.reason {
                Some(reason) => format!("{}({reason})", row.verdict),
                None => row.verdict.to_owned(),
            };
        }
        words
    }

    /// Names of all subjects a check spoke of.
    pub fn subjects(&self, code: &str) -> Vec<String> {
        let mut names: Vec<String> =
            self.log.iter().filter(|r| r.code == code).map(|r| name(&r.subject)).collect();
        names.sort();
        names.dedup();
        names
    }

    /// Findings of one check on one subject, in the order in which they opened.
    pub fn findings(&self, code: &str, subject: &str) -> Vec<&Finding> {
        let mut findings: Vec<&Finding> = self
            .report
            .systems
            .iter()
            .flat_map(|system| &system.findings)
            .filter(|finding| finding.code == code && name(&finding.subject) == subject)
            .collect();
        findings.sort_by_key(|finding| finding.opened.moment.epoch);
        findings
    }

    /// The only finding of one check on one subject.
    ///
    /// # Panics
    /// If there is none, or more than one.
    pub fn finding(&self, code: &str, subject: &str) -> &Finding {
        let findings = self.findings(code, subject);
        assert_eq!(findings.len(), 1, "{code} on {subject}: {findings:#?}");
        findings[0]
    }

    /// Everything every check found, as (code, subject).
    pub fn all_findings(&self) -> Vec<(String, String)> {
        let all = self.report.systems.iter().flat_map(|system| &system.findings);
        let mut all: Vec<(String, String)> =
            all.map(|f| (f.code.to_owned(), name(&f.subject))).collect();
        all.sort();
        all
    }

    /// Problems of one kind.
    pub fn problems(&self, kind: &str) -> Vec<&Problem> {
        self.report.problems.iter().filter(|problem| problem.kind == kind).collect()
    }
}
