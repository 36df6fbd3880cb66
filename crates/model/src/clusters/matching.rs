//! Which component of this epoch is which cluster of the epochs before.

use std::collections::{BTreeSet, HashMap};

use foldhash::fast::RandomState;
use smol_str::{SmolStr, format_smolstr};

use super::{Component, Remembered};

/// Where the clusters of each name are, in the order in which they were first seen.
type Named = HashMap<SmolStr, Vec<usize>, RandomState>;

/// Finds the subject of every component, making new ones where there is none.
///
/// Ids decide first, because two sites may share every name; seats decide for what no id ties to
/// anything, as after a restart of a whole site.
pub(super) fn assign(
    subjects: &mut Vec<Remembered>,
    components: &[Component<'_>],
    problems: &mut Vec<(&'static str, String)>,
) -> Vec<usize> {
    let mut named = Named::default();
    for (at, subject) in subjects.iter().enumerate() {
        named.entry(subject.name.clone()).or_default().push(at);
    }
    let mut to: Vec<Option<usize>> =
        components.iter().map(|component| by_ids(subjects, &named, component)).collect();
    for index in 0..components.len() {
        if to[index].is_none() {
            to[index] = by_seats(subjects, &named, components, &to, index);
        }
    }
    report_splits(subjects, components, &to, problems);
    let mut assigned = Vec::with_capacity(components.len());
    for (component, to) in components.iter().zip(to) {
        assigned.push(to.unwrap_or_else(|| add(subjects, component.name, problems)));
    }
    assigned
}

fn by_ids(subjects: &[Remembered], named: &Named, component: &Component<'_>) -> Option<usize> {
    best(subjects, named, component, |_, subject| {
        subject.members.values().filter(|member| component.ids.contains(&member.id)).count()
    })
}

fn by_seats(
    subjects: &[Remembered],
    named: &Named,
    components: &[Component<'_>],
    to: &[Option<usize>],
    index: usize,
) -> Option<usize> {
    let component = &components[index];
    best(subjects, named, component, |at, subject| {
        let taken: BTreeSet<&str> = components
            .iter()
            .zip(to)
            .filter(|(_, assigned)| **assigned == Some(at))
            .flat_map(|(other, _)| seats(subject, other))
            .collect();
        let mine = seats(subject, component);
        if mine.iter().any(|seat| taken.contains(seat)) { 0 } else { mine.len() }
    })
}

/// Seats of a remembered cluster that a component holds, by name of its servers.
fn seats<'a>(subject: &'a Remembered, component: &Component<'_>) -> Vec<&'a str> {
    subject
        .members
        .iter()
        .filter(|(seat, member)| {
            component.ids.contains(&member.id) || component.seats.contains(seat)
        })
        .map(|(seat, _)| seat.as_str())
        .collect()
}

/// The subject of the component's name with which it shares most, the earliest among equals.
fn best(
    subjects: &[Remembered],
    named: &Named,
    component: &Component<'_>,
    shared: impl Fn(usize, &Remembered) -> usize,
) -> Option<usize> {
    let namesakes = named.get(component.name).into_iter().flatten();
    namesakes
        .map(|index| (shared(*index, &subjects[*index]), std::cmp::Reverse(*index)))
        .filter(|(count, _)| *count > 0)
        .max()
        .map(|(_, std::cmp::Reverse(index))| index)
}

/// The components of each subject, of so many.
pub(super) fn of_each<'c, 'a>(
    subjects: usize,
    components: &'c [Component<'a>],
    to: impl Iterator<Item = Option<usize>>,
) -> Vec<Vec<&'c Component<'a>>> {
    let mut all = vec![Vec::new(); subjects];
    for (component, to) in components.iter().zip(to) {
        if let Some(of_one) = to.and_then(|to| all.get_mut(to)) {
            of_one.push(component);
        }
    }
    all
}

fn report_splits(
    subjects: &[Remembered],
    components: &[Component<'_>],
    to: &[Option<usize>],
    problems: &mut Vec<(&'static str, String)>,
) {
    let of_each = of_each(subjects.len(), components, to.iter().copied());
    for (subject, components) in subjects.iter().zip(of_each) {
        if components.len() > 1 {
            let seats = |component: &&Component<'_>| {
                component.seats.iter().map(|seat| seat.as_str()).collect::<Vec<_>>().join(", ")
            };
            let parts: Vec<String> = components.iter().map(seats).collect();
            problems.push((
                "cluster_split",
                format!(
                    "cluster {} has fallen apart: no route connects {}",
                    subject.key,
                    parts.join(" with ")
                ),
            ));
        }
    }
}

fn add(
    subjects: &mut Vec<Remembered>,
    name: &str,
    problems: &mut Vec<(&'static str, String)>,
) -> usize {
    let same = subjects.iter().filter(|subject| subject.name == name).count();
    let mut subject = Remembered::named(name);
    if same > 0 {
        subject.key = format_smolstr!("{name}#{}", same + 1);
        problems.push((
            "unconnected_clusters",
            format!(
                "several unconnected clusters are named {name}; this one is called {}",
                subject.key
            ),
        ));
    }
    subjects.push(subject);
    subjects.len() - 1
}
