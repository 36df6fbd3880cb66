//! Reads `hindsight.toml`, and says of every mistake where it stands.

use std::ops::Range;

use nats_hindsight_analyzer::check::{Check, Setting};
use nats_hindsight_analyzer::report::Severity;
use nats_hindsight_analyzer::settings::{Mix, Pattern, Retired, Settings};
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::excerpt::ConfigError;
use super::{names, value};

const SECTIONS: &[&str] = &["checks", "retired", "may_be_zero", "allowed_mix"];

type Key<'a> = Spanned<DeString<'a>>;
type Value<'a> = Spanned<DeValue<'a>>;

/// What is wrong, and where.
struct Wrong {
    span: Range<usize>,
    why: String,
}

impl Wrong {
    fn at<T>(place: &Spanned<T>, why: impl Into<String>) -> Self {
        Self { span: place.span(), why: why.into() }
    }
}

/// Adds what a configuration says to the settings.
pub(super) fn read(path: &str, text: &str, settings: &mut Settings) -> Result<(), ConfigError> {
    let root = DeTable::parse(text).map_err(|error| {
        let span = error.span().unwrap_or(0..0);
        ConfigError::new(path, text, span, error.message().replace('\n', "; "))
    })?;
    root.get_ref()
        .iter()
        .try_for_each(|(key, value)| section(key, value, settings))
        .map_err(|wrong| ConfigError::new(path, text, wrong.span, wrong.why))
}

fn section(key: &Key<'_>, value: &Value<'_>, settings: &mut Settings) -> Result<(), Wrong> {
    match key.get_ref().as_ref() {
        "checks" => checks(value, settings),
        "retired" => entries(value, |entry| {
            let service = pattern(entry, &["from"])?;
            let from = time(entry)?;
            settings.exceptions.retired.push(Retired { service, from });
            Ok(())
        }),
        "may_be_zero" => entries(value, |entry| {
            settings.exceptions.may_be_zero.push(pattern(entry, &[])?);
            Ok(())
        }),
        "allowed_mix" => entries(value, |entry| {
            let service = pattern(entry, &["versions"])?;
            let versions = versions(entry)?;
            settings.exceptions.allowed_mixes.push(Mix { service, versions });
            Ok(())
        }),
        other => Err(Wrong::at(key, names::unknown("section", other, SECTIONS))),
    }
}

/// `[checks.CODE]`, by code or slug.
fn checks(value: &Value<'_>, settings: &mut Settings) -> Result<(), Wrong> {
    let mut seen: Vec<&'static str> = Vec::new();
    for (key, value) in table(value)? {
        let check = names::check(key.get_ref()).map_err(|why| Wrong::at(key, why))?;
        if seen.contains(&check.code) {
            let why = format!("{} is set twice, by code and by slug", check.code);
            return Err(Wrong::at(key, why));
        }
        seen.push(check.code);
        for (key, value) in table(value)? {
            one_setting(check, key, value, settings)?;
        }
    }
    Ok(())
}

fn one_setting(
    check: &'static Check,
    key: &Key<'_>,
    value: &Value<'_>,
    settings: &mut Settings,
) -> Result<(), Wrong> {
    match key.get_ref().as_ref() {
        "enabled" => {
            let enabled =
                value.get_ref().as_bool().ok_or_else(|| expected(value, "true or false"))?;
            if !enabled {
                settings.disabled.insert(check.code.to_owned());
            }
        }
        "severity" => {
            let severity = Severity::ALL
                .into_iter()
                .find(|severity| value.get_ref().as_str() == Some(severity.as_str()))
                .ok_or_else(|| expected(value, "\"info\", \"warning\" or \"critical\""))?;
            settings.severities.insert(check.code.to_owned(), severity);
        }
        other => {
            let mut known: Vec<&str> = check.thresholds.iter().map(|known| known.key).collect();
            known.extend(["enabled", "severity"]);
            let threshold = names::threshold(check, other).map_err(|_| {
                Wrong::at(key, names::unknown(&format!("setting of {}", check.code), other, &known))
            })?;
            let set = threshold_value(value, threshold.default)?;
            settings.thresholds.insert((check.code.to_owned(), threshold.key.to_owned()), set);
        }
    }
    Ok(())
}

fn threshold_value(value: &Value<'_>, default: Setting) -> Result<Setting, Wrong> {
    let text = match (value.get_ref(), default) {
        (DeValue::String(text), Setting::Duration(_)) => text.to_string(),
        (DeValue::Integer(number), Setting::Count(_)) if number.radix() == 10 => number.to_string(),
        (_, Setting::Duration(_)) => return Err(expected(value, "a duration such as \"30min\"")),
        (_, Setting::Count(_)) => return Err(expected(value, "a whole number such as 100")),
    };
    value::threshold(&text, default).map_err(|why| Wrong::at(value, why))
}

/// The entries of `[[section]]`.
fn entries(
    value: &Value<'_>,
    mut each: impl FnMut(&Value<'_>) -> Result<(), Wrong>,
) -> Result<(), Wrong> {
    let list = value
        .get_ref()
        .as_array()
        .ok_or_else(|| expected(value, "a list of tables; write the section in double brackets"))?;
    list.iter().try_for_each(|entry| table(entry).and_then(|_| each(entry)))
}

/// The service an entry is about and its reason; other keys must be among `also`.
fn pattern(entry: &Value<'_>, also: &[&str]) -> Result<Pattern, Wrong> {
    let known: Vec<&str> = ["account", "service", "reason"].iter().chain(also).copied().collect();
    for (key, _) in table(entry)? {
        let name = key.get_ref().as_ref();
        if !known.contains(&name) {
            return Err(Wrong::at(key, names::unknown("key here", name, &known)));
        }
    }
    let account = match get(entry, "account") {
        Some(value) => Some(filled(value)?),
        None => None,
    };
    Ok(Pattern {
        account,
        service: required(entry, "service")?,
        reason: required(entry, "reason")?,
    })
}

fn time(entry: &Value<'_>) -> Result<jiff::Timestamp, Wrong> {
    let value = get(entry, "from").ok_or_else(|| missing(entry, "from"))?;
    let text = match value.get_ref() {
        DeValue::String(text) => text.to_string(),
        DeValue::Datetime(time) => time.to_string(),
        _ => return Err(expected(value, "a time such as 2026-11-21T09:00:00Z")),
    };
    value::time(&text).map_err(|why| Wrong::at(value, why))
}

fn versions(entry: &Value<'_>) -> Result<Vec<String>, Wrong> {
    let value = get(entry, "versions").ok_or_else(|| missing(entry, "versions"))?;
    let list = value.get_ref().as_array().ok_or_else(|| expected(value, "a list of texts"))?;
    list.iter().map(filled).collect()
}

fn required(entry: &Value<'_>, key: &str) -> Result<String, Wrong> {
    filled(get(entry, key).ok_or_else(|| missing(entry, key))?)
}

fn missing(entry: &Value<'_>, key: &str) -> Wrong {
    Wrong::at(entry, format!("`{key}` is missing here and may not be left out: add it"))
}

/// Text that is not empty.
fn filled(value: &Value<'_>) -> Result<String, Wrong> {
    let text = value.get_ref().as_str().ok_or_else(|| expected(value, "a text"))?.trim();
    if text.is_empty() {
        return Err(Wrong::at(value, "this may not be empty"));
    }
    Ok(text.to_owned())
}

fn expected(value: &Value<'_>, what: &str) -> Wrong {
    Wrong::at(
        value,
        format!("expected {what}, found a value of type {}", value.get_ref().type_str()),
    )
}

fn table<'a, 'i>(value: &'a Value<'i>) -> Result<&'a DeTable<'i>, Wrong> {
    value.get_ref().as_table().ok_or_else(|| expected(value, "a table"))
}

fn get<'a, 'i>(entry: &'a Value<'i>, wanted: &str) -> Option<&'a Value<'i>> {
    let table = entry.get_ref().as_table()?;
    table.iter().find(|(key, _)| key.get_ref() == wanted).map(|(_, value)| value)
}
