//! What the tests of this check ask of a finding.

use jiff::SignedDuration;
use nats_hindsight_analyzer::report::Finding;
use nats_hindsight_tests::recording::Recording;
use nats_hindsight_tests::recording::servers::cluster;
use nats_hindsight_tests::verdicts::Judged;

pub(crate) const CODE: &str = "SKEW_001";

/// Recordings take seconds, not hours.
pub(crate) const SECONDS: &[(&str, i64)] = &[("SKEW_001.recent", 3000)];

pub(crate) const SILENT: &str = "unknown(server_silent)";
pub(crate) const UNSEEN: &str = "unknown(settings_unseen)";

pub(crate) fn hours(count: i64) -> SignedDuration {
    SignedDuration::from_hours(count)
}

pub(crate) fn days(count: i64) -> SignedDuration {
    hours(24 * count)
}

/// Servers of these versions, configured alike nine days ago.
pub(crate) fn servers(versions: &[(&str, &str)]) -> Recording {
    let all: Vec<_> = versions.iter().map(|(name, version)| (*name, *version, days(9))).collect();
    cluster(&all).each(|epoch| {
        for (name, _) in versions {
            epoch.set_config_age(name, days(9));
        }
    })
}

/// Three servers of one version, configured alike nine days ago.
pub(crate) fn three() -> Recording {
    servers(&[("a1", "2.14.6"), ("a2", "2.14.6"), ("a3", "2.14.6")])
}

/// Epoch of opening, last good epoch, and how and when it closed.
pub(crate) type Span = (usize, Option<usize>, Option<(usize, &'static str)>);

pub(crate) fn span(finding: &Finding) -> Span {
    let last_ok = finding.opened.last_ok.as_ref().map(|moment| moment.epoch);
    let closed = finding.closed.as_ref().map(|closed| (closed.moment.epoch, closed.how));
    (finding.opened.moment.epoch, last_ok, closed)
}

pub(crate) fn stage(finding: &Finding) -> &str {
    finding.details["stage"].as_str().unwrap()
}

/// Settings that differ, each with its values and their servers.
pub(crate) fn differing(finding: &Finding) -> Vec<(String, Vec<String>)> {
    let all = finding.details["settings"].as_array().unwrap();
    let one = |setting: &serde_json::Value| {
        let groups = setting["values"].as_array().unwrap().iter().map(|group| {
            let names = group["servers"].as_array().unwrap();
            let names: Vec<&str> = names.iter().map(|name| name.as_str().unwrap()).collect();
            format!("{}: {}", group["text"].as_str().unwrap(), names.join(" "))
        });
        (setting["name"].as_str().unwrap().to_owned(), groups.collect())
    };
    all.iter().map(one).collect()
}

/// The only setting that differs, with its values and their servers.
pub(crate) fn only(finding: &Finding) -> (String, Vec<String>) {
    let mut all = differing(finding);
    assert_eq!(all.len(), 1, "{all:?}");
    all.swap_remove(0)
}

/// Who is not of the majority, with the setting.
pub(crate) fn outliers(finding: &Finding) -> Vec<String> {
    let all = finding.details["outliers"].as_array().unwrap();
    all.iter()
        .map(|odd| {
            format!("{} {}", odd["server"].as_str().unwrap(), odd["setting"].as_str().unwrap())
        })
        .collect()
}

pub(crate) fn because(finding: &Finding) -> &str {
    &finding.closed.as_ref().unwrap().because
}

/// What hides the answer of an unknown verdict of this check, by name.
pub(crate) fn hidden(judged: &Judged, epoch: usize) -> Vec<String> {
    let groups = judged.report.systems.iter().flat_map(|system| &system.unknowns);
    groups
        .filter(|group| group.code == CODE)
        .filter(|group| group.epochs.iter().any(|[from, to]| (*from..=*to).contains(&epoch)))
        .flat_map(|group| group.hides.iter().map(nats_hindsight_tests::verdicts::name))
        .collect()
}
