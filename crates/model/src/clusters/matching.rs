//! Which component of this epoch is which cluster of the epochs before.

use std::collections::BTreeSet;

use smol_str::format_smolstr;

use super::{Component, Remembered};

/// Finds the subject of every component, making new ones where there is none.
///
/// Ids decide first, because two sites may share every name; seats decide for what no id ties to
/// anything, as after a restart of a whole site.
pub(super) fn assign(
    subjects: &mut Vec<Remembered>,
    components: &[Component],
    problems: &mut Vec<(&'static str, String)>,
) -> Vec<usize> {
    let mut to: Vec<Option<usize>> =
        components.iter().map(|component| by_ids(subjects, component)).collect();
    for index in 0..components.len() {
        if to[index].is_none() {
            to[index] = by_seats(subjects, components, &to, index);
        }
    }
    report_splits(subjects, components, &to, problems);
    let mut assigned = Vec::with_capacity(components.len());
    for (component, to) in components.iter().zip(to) {
        assigned.push(to.unwrap_or_else(|| add(subjects, &component.name, problems)));
    }
    assigned
}

fn by_ids(subjects: &[Remembered], component: &Component) -> Option<usize> {
    best(subjects, component, |subject| {
        subject.members.values().filter(|member| component.ids.contains(&member.id)).count()
    })
}

fn by_seats(
    subjects: &[Remembered],
    components: &[Component],
    to: &[Option<usize>],
    index: usize,
) -> Option<usize> {
    let component = &components[index];
    best_free(subjects, component, |at, subject| {
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
fn seats<'a>(subject: &'a Remembered, component: &Component) -> Vec<&'a str> {
    subject
        .members
        .iter()
        .filter(|(seat, member)| {
            component.ids.contains(&member.id) || component.seats.contains(*seat)
        })
        .map(|(seat, _)| seat.as_str())
        .collect()
}

fn best(
    subjects: &[Remembered],
    component: &Component,
    shared: impl Fn(&Remembered) -> usize,
) -> Option<usize> {
    best_free(subjects, component, |_, subject| shared(subject))
}

/// The subject of the component's name with which it shares most, the earliest among equals.
fn best_free(
    subjects: &[Remembered],
    component: &Component,
    shared: impl Fn(usize, &Remembered) -> usize,
) -> Option<usize> {
    subjects
        .iter()
        .enumerate()
        .filter(|(_, subject)| subject.name == component.name)
        .map(|(index, subject)| (shared(index, subject), std::cmp::Reverse(index)))
        .filter(|(count, _)| *count > 0)
        .max()
        .map(|(_, std::cmp::Reverse(index))| index)
}

fn report_splits(
    subjects: &[Remembered],
    components: &[Component],
    to: &[Option<usize>],
    problems: &mut Vec<(&'static str, String)>,
) {
    for (index, subject) in subjects.iter().enumerate() {
        let parts: Vec<String> = components
            .iter()
            .zip(to)
            .filter(|(_, assigned)| **assigned == Some(index))
            .map(|(component, _)| component.seats.iter().cloned().collect::<Vec<_>>().join(", "))
            .collect();
        if parts.len() > 1 {
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
