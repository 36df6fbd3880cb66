//! Comparing versions that may or may not be semantic.

use std::cmp::Ordering;

use serde::Serialize;

/// How far two versions are apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Gap {
    /// They differ in the third number only.
    Patch,
    /// They differ in the second number.
    Minor,
    /// They differ in the first number.
    Major,
    /// One carries a suffix (a release candidate, a vendor's build): compared as text.
    PreRelease,
    /// One is no semantic version: compared as text.
    Unparsed,
}

fn parse(text: &str) -> Option<semver::Version> {
    semver::Version::parse(text.trim_start_matches('v')).ok()
}

fn numbers(version: &semver::Version) -> (u64, u64, u64) {
    (version.major, version.minor, version.patch)
}

fn plain(version: &semver::Version) -> bool {
    version.pre.is_empty() && version.build.is_empty()
}

/// Which of two versions is newer; `None` where that cannot be known: one is no semantic version,
/// or they differ only in a suffix, which may be a candidate before the release or a vendor's
/// build after it.
pub fn direction(from: &str, to: &str) -> Option<Ordering> {
    if from == to {
        return Some(Ordering::Equal);
    }
    let (from, to) = (parse(from)?, parse(to)?);
    match numbers(&from).cmp(&numbers(&to)) {
        Ordering::Equal => None,
        decided => Some(decided),
    }
}

/// The last of some releases, in order, that a version has reached. `None` before the first of them,
/// for what is no semantic version, and for a candidate of one of them, which may lack what the
/// release brought.
pub fn generation(releases: &[(u64, u64, u64)], version: &str) -> Option<(u64, u64, u64)> {
    let version = parse(version)?;
    let reached = *releases.iter().rfind(|release| **release <= numbers(&version))?;
    let candidate = reached == numbers(&version) && !version.pre.is_empty();
    (!candidate).then_some(reached)
}

/// A total order for display and for naming extremes: semantic versions by their numbers, then by
/// text; everything else after them, by text.
pub fn order(a: &str, b: &str) -> Ordering {
    match (parse(a), parse(b)) {
        (Some(x), Some(y)) => numbers(&x).cmp(&numbers(&y)).then_with(|| a.cmp(b)),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => a.cmp(b),
    }
}

/// How far the extremes of some versions are apart; `None` for fewer than two different ones.
pub fn gap<'a>(versions: impl IntoIterator<Item = &'a str>) -> Option<Gap> {
    let mut all: Vec<&str> = versions.into_iter().collect();
    all.sort_by(|a, b| order(a, b));
    all.dedup();
    let [first, .., last] = all.as_slice() else { return None };
    let Some(parsed) = all.iter().map(|text| parse(text)).collect::<Option<Vec<_>>>() else {
        return Some(Gap::Unparsed);
    };
    if !parsed.iter().all(plain) {
        return Some(Gap::PreRelease);
    }
    let (low, high) = (parse(first)?, parse(last)?);
    Some(if low.major != high.major {
        Gap::Major
    } else if low.minor != high.minor {
        Gap::Minor
    } else if low.patch != high.patch {
        Gap::Patch
    } else {
        // `v1.0.0` and `1.0.0` are the same release.
        return None;
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gap_is_that_of_the_extremes() {
        assert_eq!(gap(["2.14.6", "2.14.6"]), None);
        assert_eq!(gap(["v2.14.6", "2.14.6"]), None);
        assert_eq!(gap(["2.14.6", "2.14.5"]), Some(Gap::Patch));
        assert_eq!(gap(["2.14.6", "2.10.25", "2.14.5"]), Some(Gap::Minor));
        assert_eq!(gap(["2.14.6", "3.0.0"]), Some(Gap::Major));
        assert_eq!(gap(["2.14.0-RC.1", "2.12.8"]), Some(Gap::PreRelease));
        assert_eq!(gap(["dev", "2.12.8"]), Some(Gap::Unparsed));
    }

    #[test]
    fn a_suffix_alone_says_nothing_about_newer() {
        assert_eq!(direction("2.14.0-RC.1", "2.14.0"), None);
        assert_eq!(direction("2.12.8", "2.14.0-RC.1"), Some(Ordering::Less));
        assert_eq!(direction("2.14.0", "2.12.8"), Some(Ordering::Greater));
        assert_eq!(direction("dev", "2.12.8"), None);
    }

    #[test]
    fn a_generation_begins_with_a_release() {
        let releases = [(2, 11, 0), (2, 12, 0)];
        let of = |version| generation(&releases, version);
        assert_eq!([of("2.10.25"), of("2.11.0-RC.2"), of("dev"), of("2.12.0-RC.1")], [None; 4]);
        assert_eq!([of("2.11.0"), of("v2.11.17")], [Some((2, 11, 0)); 2]);
        assert_eq!([of("2.12.0"), of("2.15.1"), of("3.0.0-beta.1")], [Some((2, 12, 0)); 3]);
    }

    #[test]
    fn numbers_are_compared_as_numbers() {
        assert_eq!(order("2.9.10", "2.10.2"), Ordering::Less);
        assert_eq!(order("2.10.2", "dev"), Ordering::Less);
    }
}
