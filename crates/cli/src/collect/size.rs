//! Sizes as people write them: `500MB`, `10GB`, `512MiB`.

/// Units in bytes; longer names first, so that `GiB` is not taken for a number and a `B`.
const UNITS: [(&str, u64); 9] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("kB", 1_000),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
];

/// Reads a size.
pub(super) fn parse(text: &str) -> Result<u64, String> {
    let wrong = || "write a number and a unit: 500MB, 10GB (10^9 bytes), 512MiB (2^20)".to_owned();
    let unit = UNITS.iter().find_map(|(unit, bytes)| Some((text.strip_suffix(unit)?, *bytes)));
    let (number, bytes) = unit.ok_or_else(wrong)?;
    let number: u64 = number.trim().parse().map_err(|_| wrong())?;
    let bytes = number.checked_mul(bytes).ok_or("more bytes than any disk has")?;
    if bytes == 0 { Err("it must not be zero".to_owned()) } else { Ok(bytes) }
}

/// A size for people, with three digits or so.
pub(super) fn shown(bytes: u64) -> String {
    let units = [(1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
    match units.iter().find(|(size, _)| bytes >= *size) {
        Some((size, unit)) => format!("{:.1} {unit}", bytes as f64 / *size as f64),
        None if bytes == 1 => "1 byte".to_owned(),
        None => format!("{bytes} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_read_and_slips_are_not() {
        assert_eq!(parse("10GB"), Ok(10_000_000_000));
        assert_eq!(parse("500MiB"), Ok(500 << 20));
        assert_eq!(parse("1 TB"), Ok(1_000_000_000_000));
        for slip in ["10", "GB", "-1GB", "0GB", "1.5GB", "10gb", "10G", "10B", "99999999999TB"] {
            assert!(parse(slip).is_err(), "{slip}");
        }
    }

    #[test]
    fn sizes_are_shown_in_three_digits() {
        for (bytes, text) in
            [(1, "1 byte"), (999, "999 bytes"), (48_210, "48.2 kB"), (10_000_000_000, "10.0 GB")]
        {
            assert_eq!(shown(bytes), text);
        }
    }
}
