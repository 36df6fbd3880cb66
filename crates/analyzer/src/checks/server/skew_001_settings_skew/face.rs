//! What the finding says.

use std::collections::{BTreeMap, BTreeSet};

use nats_hindsight_model::settings::{Comparable, FEATURE_FLAGS, SETTINGS, Settings, Unit};
use serde::Serialize;
use serde_json::{Value, json};
use smol_str::SmolStr;

use super::skew::{Difference, Skew};
use crate::report::Severity;
use crate::verdict::{Face, Fact};

/// Most settings, and most servers per value, that are listed; the rest is counted.
const MAX_LISTED: usize = 50;
/// Settings in the one sentence; the rest is counted.
const MAX_TOLD: usize = 3;
/// Values of a setting, and names of servers beside a value, in the one sentence.
const MAX_NAMES: usize = 4;

#[derive(Serialize)]
struct Details<'a> {
    stage: &'static str,
    differing: usize,
    settings: Vec<Row<'a>>,
    outliers: Vec<Outlier<'a>>,
    silent: Vec<&'a str>,
    unseen: Vec<&'a str>,
    lasting_s: Option<i64>,
    lasting_at_least_s: i64,
}

/// One setting.
#[derive(Serialize)]
struct Row<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    within: Option<&'a str>,
    unit: &'static str,
    majority: Option<&'a Value>,
    values: Vec<Group<'a>>,
}

#[derive(Serialize)]
struct Group<'a> {
    value: &'a Value,
    text: SmolStr,
    count: usize,
    servers: Vec<&'a str>,
}

#[derive(Serialize)]
struct Outlier<'a> {
    server: &'a str,
    setting: &'a str,
    text: SmolStr,
    config_age_s: Option<i64>,
}

pub(super) fn of(
    skew: &Skew<'_>,
    stage: &'static str,
    (lasting_ms, at_least_ms): (Option<i64>, i64),
) -> Face {
    let listed = &skew.differences[..skew.differences.len().min(MAX_LISTED)];
    let details = Details {
        stage,
        differing: skew.differences.len(),
        settings: listed.iter().map(|difference| row(skew, difference)).collect(),
        outliers: outliers(skew),
        silent: skew.cluster.silent.values().map(|member| member.name.as_str()).collect(),
        unseen: skew.unseen.keys().map(|id| skew.name(id)).collect(),
        lasting_s: lasting_ms.map(|ms| ms / 1000),
        lasting_at_least_s: at_least_ms / 1000,
    };
    let names: BTreeSet<&str> = listed.iter().map(|d| d.of.path.as_str()).collect();
    Face {
        severity: if stage == "rolling" { Severity::Info } else { Severity::Warning },
        summary: summary(skew, stage),
        face: BTreeMap::from([("stage", stage.into()), ("settings", json!(names))]),
        details: serde_json::to_value(details).unwrap_or_default(),
        evidence: evidence(skew),
        members: skew.cluster.seats.values().cloned().collect(),
    }
}

fn row<'a>(skew: &Skew<'a>, difference: &Difference<'a>) -> Row<'a> {
    let group = |(value, ids): &(&'a Value, Vec<&'a str>)| Group {
        value,
        text: shown(difference.of.unit(), value).into(),
        count: ids.len(),
        servers: ids.iter().take(MAX_LISTED).map(|id| skew.name(id)).collect(),
    };
    Row {
        name: &difference.of.path,
        within: difference.of.within.as_deref(),
        unit: unit(difference.of),
        majority: difference.majority(),
        values: difference.groups.iter().take(MAX_LISTED).map(group).collect(),
    }
}

fn outliers<'a>(skew: &Skew<'a>) -> Vec<Outlier<'a>> {
    let odd = skew.outliers().into_iter().take(MAX_LISTED);
    odd.map(|(server, id, of, value)| Outlier {
        server,
        setting: &of.path,
        text: shown(of.unit(), value).into(),
        config_age_s: skew.settings(id).and_then(Settings::age_ms).map(|ms| ms / 1000),
    })
    .collect()
}

fn unit(of: &Comparable) -> &'static str {
    match of.unit() {
        Unit::Bytes => "bytes",
        Unit::Count => "count",
        Unit::Nanoseconds => "nanoseconds",
        Unit::Seconds => "seconds",
        Unit::Flag => "flag",
        Unit::Text => "text",
    }
}

/// A value in words: `8 MiB`, `2m`, `none`.
fn shown(unit: Unit, value: &Value) -> String {
    let whole = |steps: &[(u64, &str)]| {
        let number = value.as_u64().filter(|number| *number > 0)?;
        let (size, name) = steps.iter().find(|(size, _)| number.is_multiple_of(*size))?;
        Some(format!("{}{name}", number / size))
    };
    let words = match unit {
        Unit::Bytes => whole(&[(1 << 30, " GiB"), (1 << 20, " MiB"), (1 << 10, " KiB"), (1, " B")]),
        Unit::Nanoseconds => whole(&[
            (3_600_000_000_000, "h"),
            (60_000_000_000, "m"),
            (1_000_000_000, "s"),
            (1_000_000, "ms"),
            (1, "ns"),
        ]),
        Unit::Seconds => Some(format!("{value}s")),
        Unit::Flag => Some((if *value == true { "on" } else { "off" }).to_owned()),
        Unit::Text => value.as_str().map(|text| if text.is_empty() { "none" } else { text }.into()),
        Unit::Count => None,
    };
    words.unwrap_or_else(|| value.to_string())
}

fn summary(skew: &Skew<'_>, stage: &str) -> String {
    let told = skew.differences.iter().take(MAX_TOLD);
    let mut parts: Vec<String> = told.map(|difference| sentence(skew, difference)).collect();
    match skew.differences.len().saturating_sub(MAX_TOLD) {
        0 => {}
        1 => parts.push("and 1 more setting".to_owned()),
        more => parts.push(format!("and {more} more settings")),
    }
    match stage {
        "rolling" => parts.push("being rolled out".to_owned()),
        "unknown" => parts.push("being rolled out or left so, not known".to_owned()),
        _ => {}
    }
    match skew.cluster.silent.len() {
        0 => {}
        count => parts.push(format!("{count} did not answer")),
    }
    parts.join("; ")
}

/// `max_payload is 1 MiB on 2, 8 MiB on 1 (a3)`.
fn sentence(skew: &Skew<'_>, difference: &Difference<'_>) -> String {
    let majority = difference.majority();
    let groups = difference.groups.iter().take(MAX_NAMES).map(|(value, ids)| {
        let names: Vec<&str> = ids.iter().map(|id| skew.name(id)).collect();
        let value_shown = shown(difference.of.unit(), value);
        if Some(*value) == majority || names.len() > MAX_NAMES {
            format!("{value_shown} on {}", ids.len())
        } else {
            format!("{value_shown} on {} ({})", ids.len(), names.join(", "))
        }
    });
    let mut groups: Vec<String> = groups.collect();
    if difference.groups.len() > MAX_NAMES {
        groups.push(format!("and {} more values", difference.groups.len() - MAX_NAMES));
    }
    let within = difference.of.within.as_deref();
    let among = within.map(|release| format!(" among {release}")).unwrap_or_default();
    format!("{} is {}{among}", difference.of.path, groups.join(", "))
}

/// The odd ones of each setting first, then the others.
fn evidence(skew: &Skew<'_>) -> Vec<Fact> {
    let mut facts: Vec<(bool, Fact)> = Vec::new();
    for difference in &skew.differences {
        for (rank, (value, ids)) in difference.groups.iter().enumerate() {
            let odd = rank > 0 || difference.majority().is_none();
            for id in ids {
                let prefix = skew.told.get(*id).map_or("", |told| told.prefix);
                let path = format!("{prefix}{}", difference.of.path);
                let (name, server) = (fact_name(difference.of), skew.name(id));
                facts.push((odd, Fact::new(name, (*value).clone(), "VARZ", server, path)));
            }
        }
    }
    facts.sort_by_key(|(odd, _)| !odd);
    facts.into_iter().map(|(_, fact)| fact).collect()
}

/// What a fact is called: the path of its setting, or that it is one of the feature flags.
fn fact_name(of: &Comparable) -> &'static str {
    let known = SETTINGS.iter().find(|setting| setting.path == of.path);
    known.map_or(FEATURE_FLAGS, |setting| setting.path)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Unit, shown};

    #[test]
    fn values_are_shown_in_words() {
        for (unit, value, words) in [
            (Unit::Bytes, json!(8_388_608), "8 MiB"),
            (Unit::Bytes, json!(4096), "4 KiB"),
            (Unit::Bytes, json!(1_048_577), "1048577 B"),
            (Unit::Bytes, json!(u64::MAX), "18446744073709551615 B"),
            (Unit::Bytes, json!(0), "0"),
            (Unit::Nanoseconds, json!(120_000_000_000_u64), "2m"),
            (Unit::Nanoseconds, json!(1_500_000_000), "1500ms"),
            (Unit::Seconds, json!(0.5), "0.5s"),
            (Unit::Count, json!(-1), "-1"),
            (Unit::Flag, json!(false), "off"),
            (Unit::Text, json!(""), "none"),
            (Unit::Text, json!("SYS"), "SYS"),
        ] {
            assert_eq!(shown(unit, &value), words);
        }
    }
}
