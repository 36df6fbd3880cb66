//! Pages about checks, in Markdown: what a check declares, then what its page says.

use std::fmt::Write as _;

use nats_hindsight_snapshot::Endpoint;

use crate::check::{Check, Scan, Setting};

/// The page of one check.
pub fn check(check: &Check) -> String {
    let mut page = format!("# {} {}\n\n{}.\n\n", check.code, check.slug, capital(check.title));
    for (name, value) in facts(check) {
        let _ = writeln!(page, "- {name}: {value}");
    }
    page.push_str(&thresholds(check));
    page.push('\n');
    page.push_str(check.page.trim());
    page.push('\n');
    page
}

/// The table of all checks, each with a link to its page beside it.
pub fn index(checks: &[&Check]) -> String {
    let mut page = String::from(
        "# Checks\n\n`hindsight explain CODE` shows each page. A check is named by its code or its slug, \
         everywhere.\n\n| code | slug | severity | category | reports |\n|---|---|---|---|---|\n",
    );
    for check in checks {
        let _ = writeln!(
            page,
            "| [{code}]({code}.md) | {} | {} | {} | {} |",
            check.slug,
            check.severity.as_str(),
            check.category,
            check.title,
            code = check.code,
        );
    }
    page
}

/// The value of a threshold in words that an option takes.
pub fn setting(setting: Setting) -> String {
    match setting {
        Setting::Count(count) => count.to_string(),
        Setting::Duration(millis) => {
            let units =
                [(86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1_000, "s"), (1, "ms")];
            let mut rest = millis.unsigned_abs();
            let mut text = String::new();
            for (size, unit) in units {
                // Two days and less read better in hours.
                if unit == "d" && rest <= 2 * size {
                    continue;
                }
                if rest >= size {
                    let _ = write!(text, "{}{unit}", rest / size);
                    rest %= size;
                }
            }
            if text.is_empty() { "0s".to_owned() } else { text }
        }
    }
}

fn facts(check: &Check) -> Vec<(&'static str, String)> {
    let scan = match check.scan {
        Scan::Epoch(_) => "one epoch by itself",
        Scan::Follow(_) => "the sequence of epochs; a single epoch shows only part of it",
    };
    vec![
        ("Severity", format!("{} by default", check.severity.as_str())),
        ("Category", check.category.to_owned()),
        ("Judges", judges(check)),
        ("Looks at", scan.to_owned()),
        ("Cannot do without", needs(check)),
        ("Says more with", names(check.enriching, ", ")),
    ]
}

fn judges(check: &Check) -> String {
    let kinds: Vec<String> =
        check.kinds().iter().map(|kind| format!("each {}", kind.subject)).collect();
    kinds.join(", ")
}

/// What is required, for each kind of subject where there are several.
fn needs(check: &Check) -> String {
    let kinds = check.kinds();
    if kinds.iter().all(|kind| kind.required == check.required) {
        return groups(check.required);
    }
    let kinds: Vec<String> = kinds
        .iter()
        .map(|kind| format!("for a {}: {}", kind.subject, groups(kind.required)))
        .collect();
    kinds.join("; and ")
}

/// Required groups in words: any one of a group is enough.
fn groups(required: &[&[Endpoint]]) -> String {
    let groups: Vec<String> = required
        .iter()
        .map(|group| names(group, " or "))
        .filter(|text| text != "nothing")
        .collect();
    if groups.is_empty() { "nothing".to_owned() } else { groups.join("; ") }
}

fn names(endpoints: &[Endpoint], between: &str) -> String {
    if endpoints.is_empty() {
        return "nothing".to_owned();
    }
    endpoints.iter().map(Endpoint::as_str).collect::<Vec<_>>().join(between)
}

fn thresholds(check: &Check) -> String {
    if check.thresholds.is_empty() {
        return String::new();
    }
    let mut text = String::from("\n| threshold | unit | default | meaning |\n|---|---|---|---|\n");
    for threshold in check.thresholds {
        let unit = match threshold.default {
            Setting::Count(_) => "count",
            Setting::Duration(_) => "time",
        };
        let default = setting(threshold.default);
        let _ =
            writeln!(text, "| `{}` | {unit} | `{default}` | {} |", threshold.key, threshold.doc);
    }
    let example = check.thresholds[0];
    let _ = writeln!(
        text,
        "\nSet one with `--set {}.{}={}` or in `hindsight.toml`.",
        check.code,
        example.key,
        setting(example.default)
    );
    text
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
