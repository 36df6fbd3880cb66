//! Comparison of versions, against numbers that are compared one by one.

use std::cmp::Ordering;

use nats_hindsight_model::version::{Gap, direction, gap, generation, order};
use proptest::prelude::*;

/// A version as it is and as it is written.
#[derive(Clone, Debug)]
struct Version {
    numbers: Option<[u64; 3]>,
    /// Whether it has a candidate's or a vendor's suffix.
    suffix: bool,
    text: String,
}

fn number() -> impl Strategy<Value = u64> {
    prop_oneof![4 => 0_u64..4, 2 => 9_u64..12, 1 => Just(u64::MAX)]
}

fn version() -> impl Strategy<Value = Version> {
    let suffix = prop_oneof![
        4 => Just(""), 1 => Just("-RC.1"), 1 => Just("-preview.2"), 1 => Just("+vendor.3"),
    ];
    let prefix = prop_oneof![4 => Just(""), 1 => Just("v")];
    let semantic = (prefix, [number(), number(), number()], suffix).prop_map(|(v, n, suffix)| {
        let text = format!("{v}{}.{}.{}{suffix}", n[0], n[1], n[2]);
        Version { numbers: Some(n), suffix: !suffix.is_empty(), text }
    });
    let other = prop_oneof![
        Just(String::new()),
        Just("dev".to_owned()),
        Just("2.10".to_owned()),
        "[0-9a-z.v-]{1,6}",
        Just("02.1.1".to_owned()),
        Just("18446744073709551616.0.0".to_owned()),
    ];
    let other = other.prop_filter("a version after all", |text| direction("0.0.0", text).is_none());
    let other = other.prop_map(|text| Version { numbers: None, suffix: false, text });
    prop_oneof![6 => semantic, 1 => other]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, ..ProptestConfig::default() })]

    #[test]
    fn the_newer_one_has_the_greater_numbers(a in version(), b in version()) {
        let naive = match (a.numbers, b.numbers) {
            _ if a.text == b.text => Some(Ordering::Equal),
            (Some(one), Some(other)) if one != other => Some(one.cmp(&other)),
            // They differ in a suffix or a prefix, which says nothing.
            _ => None,
        };
        prop_assert_eq!(direction(&a.text, &b.text), naive);
        prop_assert_eq!(direction(&b.text, &a.text), naive.map(Ordering::reverse));
    }

    #[test]
    fn the_order_is_total_and_puts_numbers_first(a in version(), b in version(), c in version()) {
        let [x, y, z] = [&a, &b, &c].map(|version| version.text.as_str());
        prop_assert_eq!(order(x, y), order(y, x).reverse());
        prop_assert_eq!(order(x, y) == Ordering::Equal, x == y);
        if order(x, y).is_le() && order(y, z).is_le() {
            prop_assert!(order(x, z).is_le());
        }
        match direction(x, y) {
            Some(decided) => prop_assert_eq!(order(x, y), decided),
            None if a.numbers.is_some() != b.numbers.is_some() => {
                prop_assert_eq!(order(x, y).is_lt(), a.numbers.is_some());
            }
            None => {}
        }
    }

    #[test]
    fn a_gap_is_that_of_the_first_number_in_which_any_two_differ(
        all in prop::collection::vec(version(), 0..5),
    ) {
        let texts: std::collections::BTreeSet<&str> = all.iter().map(|v| v.text.as_str()).collect();
        let numbers: Vec<[u64; 3]> = all.iter().filter_map(|version| version.numbers).collect();
        let differ = |place: usize| numbers.iter().any(|n| n[place] != numbers[0][place]);
        let naive = match () {
            () if texts.len() < 2 => None,
            () if numbers.len() < all.len() => Some(Gap::Unparsed),
            () if all.iter().any(|version| version.suffix) => Some(Gap::PreRelease),
            () if differ(0) => Some(Gap::Major),
            () if differ(1) => Some(Gap::Minor),
            () if differ(2) => Some(Gap::Patch),
            // `v1.0.0` and `1.0.0` are the same release.
            () => None,
        };
        prop_assert_eq!(gap(all.iter().map(|version| version.text.as_str())), naive);
        prop_assert_eq!(gap(all.iter().rev().map(|version| version.text.as_str())), naive);
    }

    #[test]
    fn a_generation_is_the_last_release_reached(
        mut releases in prop::collection::vec((number(), number(), number()), 0..4),
        version in version(),
    ) {
        releases.sort_unstable();
        let reached = version.numbers.and_then(|[a, b, c]| {
            releases.iter().copied().filter(|release| *release <= (a, b, c)).max()
        });
        let candidate = version.text.contains('-')
            && version.numbers.is_some_and(|[a, b, c]| reached == Some((a, b, c)));
        let naive = reached.filter(|_| !candidate);
        prop_assert_eq!(generation(&releases, &version.text), naive);
    }
}
