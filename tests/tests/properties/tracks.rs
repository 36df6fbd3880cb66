//! Which epochs are of one system, in which order and on which track.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use nats_hindsight_model::systems::{Identity, Process, System, sort};
use proptest::prelude::*;
use proptest::sample::subsequence;

const LABELS: [&str; 4] = ["prod", "localhost", "10.0.0.1", "edge"];

fn process() -> impl Strategy<Value = Process> {
    (0..6_usize, 0..4_usize, prop::option::of(-5_i64..40)).prop_map(|(id, seat, start)| Process {
        id: format!("N{id}").into(),
        seat: ("A".into(), format!("a{seat}").into()),
        start: start.and_then(|minute| Timestamp::from_second(minute * 60).ok()),
    })
}

fn identities() -> impl Strategy<Value = Vec<Identity>> {
    let one = (
        0..LABELS.len(),
        any::<[bool; 4]>(),
        0..3_usize,
        0_u64..3,
        0_i64..30,
        prop::collection::vec(process(), 0..4),
    );
    prop::collection::vec(one, 1..12).prop_map(|all| {
        let sets = all[0].1;
        let all = all.into_iter().enumerate();
        all.map(|(n, (label, _, collector, sequence, minute, mut servers))| {
            servers.sort();
            servers.dedup_by(|a, b| a.id == b.id);
            Identity {
                label: LABELS[label].to_owned(),
                label_set: sets[label],
                collector: format!("c{collector}"),
                sequence,
                start: Timestamp::from_second(minute * 60).unwrap(),
                uuid: format!("{n:02}"),
                servers: servers.into(),
            }
        })
        .collect()
    })
}

/// Systems with their epochs by uuid and their tracks by collector.
fn shape(systems: &[System], all: &[Identity]) -> Vec<(String, Vec<(String, String)>)> {
    let epochs = |system: &System| {
        let of =
            |(at, track): &(usize, usize)| (all[*at].uuid.clone(), system.tracks[*track].clone());
        system.epochs.iter().map(of).collect()
    };
    systems.iter().map(|system| (system.label.clone(), epochs(system))).collect()
}

/// Every epoch's system, by uuid.
fn homes(systems: &[System], all: &[Identity]) -> BTreeMap<String, usize> {
    let homes = systems.iter().enumerate();
    homes
        .flat_map(|(at, s)| s.epochs.iter().map(move |(of, _)| (all[*of].uuid.clone(), at)))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, ..ProptestConfig::default() })]

    #[test]
    fn every_epoch_is_in_one_system_in_order_on_the_track_of_its_collector(all in identities()) {
        let (systems, problems) = sort(&all);
        let mut held: Vec<usize> =
            systems.iter().flat_map(|system| system.epochs.iter().map(|(at, _)| *at)).collect();
        held.sort_unstable();
        prop_assert_eq!(held, (0..all.len()).collect::<Vec<_>>());
        for system in &systems {
            let order = |(at, _): &(usize, usize)| (all[*at].start, all[*at].sequence);
            prop_assert!(system.epochs.iter().map(order).is_sorted());
            for (at, track) in &system.epochs {
                prop_assert_eq!(&system.tracks[*track], &all[*at].collector);
            }
            prop_assert!(system.tracks.is_sorted() && !system.tracks.is_empty());
        }
        let labels: BTreeSet<&str> = systems.iter().map(|system| system.label.as_str()).collect();
        prop_assert_eq!(labels.len(), systems.len());
        let more = systems.iter().filter(|system| system.label.contains(" (")).count();
        prop_assert_eq!(problems.len(), more);
    }

    #[test]
    fn the_order_in_which_epochs_come_says_nothing(
        (all, order) in identities().prop_flat_map(|all| {
            let count = all.len();
            (Just(all), Just((0..count).collect::<Vec<_>>()).prop_shuffle())
        }),
    ) {
        let shuffled: Vec<Identity> = order.iter().map(|at| all[*at].clone()).collect();
        prop_assert_eq!(shape(&sort(&all).0, &all), shape(&sort(&shuffled).0, &shuffled));
    }

    #[test]
    fn a_label_that_was_set_is_kept_and_a_shared_server_unites(all in identities()) {
        let (systems, _) = sort(&all);
        let homes = homes(&systems, &all);
        for one in &all {
            let label = systems[homes[&one.uuid]].label.split(" (").next().unwrap_or_default();
            if one.label_set {
                prop_assert_eq!(label, &one.label);
            }
            for other in &all {
                let ids = |of: &Identity| -> BTreeSet<String> {
                    of.servers.iter().map(|process| process.id.to_string()).collect()
                };
                let shared = !ids(one).is_disjoint(&ids(other));
                if shared && one.label == other.label {
                    prop_assert_eq!(homes[&one.uuid], homes[&other.uuid], "{:?}", (one, other));
                }
            }
        }
    }

    #[test]
    fn an_epoch_that_is_missing_mixes_nothing_that_was_apart_by_its_label(
        (all, some) in identities().prop_flat_map(|all| {
            let count = all.len();
            (Just(all.clone()), subsequence(all, 0..=count))
        }),
    ) {
        let set = |of: &[Identity]| -> BTreeMap<String, String> {
            let (systems, _) = sort(of);
            let homes = homes(&systems, of);
            of.iter()
                .filter(|one| one.label_set)
                .map(|one| {
                    let label = &systems[homes[&one.uuid]].label;
                    (one.uuid.clone(), label.split(" (").next().unwrap_or_default().to_owned())
                })
                .collect()
        };
        let (whole, part) = (set(&all), set(&some));
        prop_assert!(part.iter().all(|(uuid, label)| whole[uuid] == *label));
    }
}
