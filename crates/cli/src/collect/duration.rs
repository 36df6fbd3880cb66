//! Durations as people write them: `500ms`, `30s`, `5m`, `48h`, `7d`.

use std::time::Duration;

/// Units in milliseconds; longer names first, so that `ms` is not taken for `m` and an `s`.
const UNITS: [(&str, u64); 5] =
    [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

/// Ten years: more is a slip.
const MOST: u64 = 3650 * 86_400_000;

/// Reads a duration.
pub(super) fn parse(text: &str) -> Result<Duration, String> {
    let wrong = || "write a number and a unit: 500ms, 30s, 5m, 48h, 7d".to_owned();
    let unit = UNITS.iter().find_map(|(unit, millis)| Some((text.strip_suffix(unit)?, *millis)));
    let (number, millis) = unit.ok_or_else(wrong)?;
    let number: u64 = number.trim().parse().map_err(|_| wrong())?;
    let millis = number.checked_mul(millis).filter(|millis| *millis <= MOST).ok_or_else(wrong)?;
    if millis == 0 {
        Err("it must not be zero".to_owned())
    } else {
        Ok(Duration::from_millis(millis))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_read_and_slips_are_not() {
        assert_eq!(parse("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(parse("5m"), Ok(Duration::from_mins(5)));
        assert_eq!(parse("7d"), Ok(Duration::from_hours(168)));
        for slip in ["5", "s", "-1s", "0s", "1.5h", "99999999999999999999d", "9999999d"] {
            assert!(parse(slip).is_err(), "{slip}");
        }
    }
}
