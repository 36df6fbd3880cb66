//! Moments, durations and runs of epochs in words.

use jiff::Timestamp;

use crate::check::Setting;
use crate::render::page;
use crate::report::{Closed, Moment, Opened};

/// A duration in the two largest units that are not zero.
pub(super) fn duration_ms(millis: i64) -> String {
    let sign = if millis < 0 { "-" } else { "" };
    let millis = millis.unsigned_abs();
    if millis < 1_000 {
        return format!("{sign}{millis} ms");
    }
    let seconds = (millis + 500) / 1_000;
    let units = [
        (seconds / 86_400, if seconds / 86_400 == 1 { "day" } else { "days" }),
        (seconds % 86_400 / 3_600, "h"),
        (seconds % 3_600 / 60, "min"),
        (seconds % 60, "s"),
    ];
    let first = units.iter().position(|(count, _)| *count > 0).unwrap_or(3);
    let words: Vec<String> = units[first..units.len().min(first + 2)]
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, unit)| format!("{count} {unit}"))
        .collect();
    format!("{sign}{}", words.join(" "))
}

/// The smallest unit in which a duration is shown, in milliseconds.
fn grain(millis: i64) -> i64 {
    match millis {
        ..1_000 => 1,
        1_000..3_600_000 => 1_000,
        3_600_000..86_400_000 => 60_000,
        _ => 3_600_000,
    }
}

/// A lower bound: what does not fit into the units shown is left off.
pub(super) fn no_less_than(millis: i64) -> String {
    duration_ms(millis - millis.rem_euclid(grain(millis)))
}

/// An upper bound: what does not fit into the units shown makes one more.
pub(super) fn no_more_than(millis: i64) -> String {
    let grain = grain(millis);
    duration_ms(millis.saturating_add((grain - millis.rem_euclid(grain)) % grain))
}

/// A lower bound in words.
pub(super) fn at_least(millis: i64) -> String {
    format!("at least {}", no_less_than(millis))
}

/// An upper bound in words.
pub(super) fn at_most(millis: i64) -> String {
    format!("at most {}", no_more_than(millis))
}

/// A setting of the report in larger units: `86400s` is one of `24h`.
pub(super) fn setting(text: &str) -> String {
    let (number, unit) = match text.strip_suffix("ms") {
        Some(number) => (number, 1),
        None => (text.strip_suffix('s').unwrap_or("-"), 1_000),
    };
    let millis = number.parse::<i64>().ok().and_then(|number| number.checked_mul(unit));
    millis.map_or_else(|| text.to_owned(), |millis| page::setting(Setting::Duration(millis)))
}

/// Milliseconds between two times of a report; none if either is not a time.
pub(super) fn between(from: &str, to: &str) -> Option<i64> {
    let from: Timestamp = from.parse().ok()?;
    let to: Timestamp = to.parse().ok()?;
    Some(to.as_millisecond() - from.as_millisecond())
}

/// Date and time of a report's time, without what every time has in common.
pub(super) fn clock(time: &str) -> String {
    match time.split_once('T') {
        Some((date, rest)) => format!("{date} {}", seconds(rest)),
        None => time.to_owned(),
    }
}

fn seconds(rest: &str) -> &str {
    let rest = rest.trim_end_matches('Z');
    rest.strip_suffix(".000").unwrap_or(rest)
}

/// Time of day, with the date if it is another day than that of `beside`.
pub(super) fn clock_beside(time: &str, beside: &str) -> String {
    match (time.split_once('T'), beside.split_once('T')) {
        (Some((date, rest)), Some((other, _))) if date == other => seconds(rest).to_owned(),
        _ => clock(time),
    }
}

/// When an interval began.
pub(super) fn began(opened: &Opened) -> String {
    match &opened.last_ok {
        Some(ok) => format!(
            "between {} and {} (epochs {} and {})",
            clock(&ok.time),
            clock_beside(&opened.moment.time, &ok.time),
            ok.epoch,
            opened.moment.epoch
        ),
        None => {
            format!("at or before {} (epoch {})", clock(&opened.moment.time), opened.moment.epoch)
        }
    }
}

/// When and how an interval ended. That it ended is said by the label before it.
pub(super) fn ended(closed: &Closed, last_seen: &Moment) -> String {
    let how = if closed.how == "ended" { String::new() } else { format!("{} ", closed.how) };
    let mut text = match &closed.last_bad {
        Some(bad) => format!(
            "{how}between {} and {} (epochs {} and {})",
            clock(&bad.time),
            clock_beside(&closed.moment.time, &bad.time),
            bad.epoch,
            closed.moment.epoch
        ),
        None => format!(
            "{how}at or before {} (epoch {}), last seen {} (epoch {})",
            clock(&closed.moment.time),
            closed.moment.epoch,
            clock(&last_seen.time),
            last_seen.epoch
        ),
    };
    if !closed.because.is_empty() {
        text.push_str(": ");
        text.push_str(&closed.because);
    }
    text
}

/// Runs of epochs, such as `epochs 2-4, 7`.
pub(super) fn epochs(runs: &[[usize; 2]]) -> String {
    let one = matches!(runs, [[from, to]] if from == to);
    let runs: Vec<String> = runs
        .iter()
        .map(|[from, to]| if from == to { from.to_string() } else { format!("{from}-{to}") })
        .collect();
    format!("{} {}", if one { "epoch" } else { "epochs" }, some(&runs, 12))
}

/// The first few of a list, and how many more there are.
pub(super) fn some(list: &[String], most: usize) -> String {
    let text = list.iter().take(most).cloned().collect::<Vec<_>>().join(", ");
    if list.len() > most { format!("{text} and {} more", list.len() - most) } else { text }
}

/// A count and its noun.
pub(super) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_name_two_units() {
        for (seconds, words) in [
            (0, "0 ms"),
            (59, "59 s"),
            (60, "1 min"),
            (12_000, "3 h 20 min"),
            (86_400, "1 day"),
            (41 * 86_400 + 3_600, "41 days 1 h"),
            (90_000, "1 day 1 h"),
        ] {
            assert_eq!(duration_ms(seconds * 1_000), words);
        }
        assert_eq!(duration_ms(1_499), "1 s");
        assert_eq!(duration_ms(999), "999 ms");
        assert_eq!(duration_ms(-60_000), "-1 min");
    }

    #[test]
    fn a_bound_is_never_on_the_wrong_side_of_what_it_bounds() {
        for (millis, least, most) in [
            (999, "999 ms", "999 ms"),
            (1_501, "1 s", "2 s"),
            (2_000, "2 s", "2 s"),
            (59_900, "59 s", "1 min"),
            (3_599_001, "59 min 59 s", "1 h"),
            (3_600_001, "1 h", "1 h 1 min"),
            (86_399_999, "23 h 59 min", "1 day"),
            (90_000_001, "1 day 1 h", "1 day 2 h"),
        ] {
            assert_eq!((no_less_than(millis), no_more_than(millis)), (least.into(), most.into()));
        }
        assert_eq!(no_more_than(i64::MAX).split(' ').count(), 4, "no number is too large");
    }

    #[test]
    fn brackets_name_the_day_once() {
        let at = |epoch, time: &str| Moment { epoch, time: time.to_owned() };
        let mut opened = Opened {
            moment: at(2, "2026-11-21T02:21:07.000Z"),
            last_ok: Some(at(1, "2026-11-21T02:13:04.250Z")),
            at_or_before: false,
        };
        assert_eq!(began(&opened), "between 2026-11-21 02:13:04.250 and 02:21:07 (epochs 1 and 2)");
        opened.last_ok = None;
        assert_eq!(began(&opened), "at or before 2026-11-21 02:21:07 (epoch 2)");
    }

    #[test]
    fn settings_are_shown_as_they_are_written() {
        for (report, shown) in [
            ("86400s", "24h"),
            ("3600s", "1h"),
            ("5400s", "1h30min"),
            ("250ms", "250ms"),
            ("7", "7"),
        ] {
            assert_eq!(setting(report), shown);
        }
    }

    #[test]
    fn runs_of_epochs_are_short() {
        assert_eq!(epochs(&[[2, 2]]), "epoch 2");
        assert_eq!(epochs(&[[2, 4], [7, 7]]), "epochs 2-4, 7");
    }
}
