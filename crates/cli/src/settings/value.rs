//! Values as they are written in options and in configuration: durations, counts, times.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use nats_hindsight_analyzer::check::Setting;

/// Parses the value of a threshold; its default tells the unit.
pub(crate) fn threshold(text: &str, default: Setting) -> Result<Setting, String> {
    match default {
        Setting::Duration(_) => duration_ms(text).map(Setting::Duration),
        Setting::Count(_) => text
            .trim()
            .parse()
            .map(Setting::Count)
            .map_err(|_| format!("`{text}` is not a count; write a whole number such as `100`")),
    }
}

/// Parses a duration such as `3s`, `5min`, `1h30m`, `24h` or `7d` into milliseconds.
pub(crate) fn duration_ms(text: &str) -> Result<i64, String> {
    let refused =
        || format!("`{text}` is not a duration; write it as `3s`, `5min`, `1h30m` or `24h`");
    let mut rest = text.trim();
    let mut millis: i64 = 0;
    if rest.is_empty() {
        return Err(refused());
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(refused)?;
        let (number, after) = rest.split_at(digits);
        let letters = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        let number: i64 = number.parse().map_err(|_| refused())?;
        let part = number.checked_mul(unit_ms(unit).ok_or_else(refused)?).ok_or_else(refused)?;
        millis = millis.checked_add(part).ok_or_else(refused)?;
        rest = after.trim_start();
    }
    Ok(millis)
}

fn unit_ms(unit: &str) -> Option<i64> {
    Some(match unit {
        "ms" => 1,
        "s" | "sec" => 1_000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        "d" | "day" | "days" => 86_400_000,
        _ => return None,
    })
}

/// Parses a time: RFC 3339, or a date with or without a time of day, which are taken as UTC.
pub(crate) fn time(text: &str) -> Result<Timestamp, String> {
    let text = text.trim();
    let civil = || -> Option<Timestamp> {
        let at = match text.parse::<Date>() {
            Ok(date) if !text.contains([':', 'T', ' ']) => date.at(0, 0, 0, 0),
            _ => text.parse::<DateTime>().ok()?,
        };
        Some(at.to_zoned(TimeZone::UTC).ok()?.timestamp())
    };
    text.parse().ok().or_else(civil).ok_or_else(|| {
        format!("`{text}` is not a time; write it as `2026-11-21T09:00:00Z`, or `2026-11-21` for its first moment in UTC")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_numbers_with_units() {
        for (text, millis) in [
            ("3s", 3_000),
            ("5min", 300_000),
            ("5m", 300_000),
            ("1h30m", 5_400_000),
            ("1h 30min", 5_400_000),
            ("24h", 86_400_000),
            ("7d", 604_800_000),
            ("250ms", 250),
            ("0s", 0),
        ] {
            assert_eq!(duration_ms(text), Ok(millis), "{text}");
        }
        for text in [
            "",
            "3",
            "s",
            "-3s",
            "1.5h",
            "3 weeks",
            "99999999999999999d",
            "9223372036854775807s",
            "3s,",
        ] {
            assert!(duration_ms(text).is_err(), "{text}");
        }
    }

    #[test]
    fn times_without_a_zone_are_utc() {
        let wanted: Timestamp = "2026-11-21T09:00:00Z".parse().unwrap();
        for text in [
            "2026-11-21T09:00:00Z",
            "2026-11-21T10:00:00+01:00",
            "2026-11-21T09:00",
            "2026-11-21 09:00:00",
        ] {
            assert_eq!(time(text), Ok(wanted), "{text}");
        }
        assert_eq!(time("2026-11-21"), Ok("2026-11-21T00:00:00Z".parse().unwrap()));
        for text in ["", "yesterday", "09:00", "2026-13-01"] {
            assert!(time(text).is_err(), "{text}");
        }
    }
}
