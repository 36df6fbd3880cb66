//! What the collector remembered: members that were seen in epochs which are not here.

use jiff::Timestamp;

use super::{Component, Member, Remembered};
use crate::census::Census;
use crate::expected::ExpectedServer;

/// Lets the members that the header expects join the cluster of their name: all of them in the
/// first epoch, later those that were seen since the epoch before, or in it although what is left
/// of it does not show them.
pub(super) fn recall(
    subjects: &mut Vec<Remembered>,
    census: &Census,
    assigned: &[usize],
    components: &[Component<'_>],
    last: Option<Timestamp>,
) {
    for expected in &census.expected.servers {
        if census.servers.contains_key(expected.id.as_str()) {
            continue;
        }
        let news = last.is_none()
            || expected.last_seen > last
            || (expected.last_seen == last && !is_known(subjects, expected));
        if news && !was_replaced(expected, census) {
            let at = subject_of(subjects, expected, assigned, components);
            subjects[at].recall(expected);
        }
    }
}

/// Whether a cluster has a member of this id, or one of its name.
fn is_known(subjects: &[Remembered], expected: &ExpectedServer) -> bool {
    subjects.iter().any(|subject| {
        let here = expected.cluster.as_ref().is_none_or(|name| *name == subject.name);
        subject.members.values().any(|member| {
            member.id == expected.id
                || (here && !expected.name.is_empty() && member.name == expected.name)
        })
    })
}

/// An unnamed server has no seat that outlives it in the header: where another unnamed one answers
/// that nobody expected, that may be its next process, and nothing can be said.
fn was_replaced(expected: &ExpectedServer, census: &Census) -> bool {
    is_unnamed(expected)
        && census.servers.values().any(|server| {
            server.name == server.id
                && server.cluster.as_deref() == expected.cluster.as_deref()
                && census.expected.server(&server.id).is_none()
        })
}

fn is_unnamed(expected: &ExpectedServer) -> bool {
    expected.name.is_empty() || expected.name == expected.id
}

/// The cluster that names it, else the first of its cluster's name, else a new one.
fn subject_of(
    subjects: &mut Vec<Remembered>,
    expected: &ExpectedServer,
    assigned: &[usize],
    components: &[Component<'_>],
) -> usize {
    let naming = assigned
        .iter()
        .zip(components)
        .find(|(_, component)| component.ids.contains(&expected.id))
        .map(|(index, _)| *index);
    let own = if is_unnamed(expected) { &expected.id } else { &expected.name };
    let cluster = expected.cluster.as_ref().unwrap_or(own);
    naming.or_else(|| subjects.iter().position(|subject| subject.name == *cluster)).unwrap_or_else(
        || {
            subjects.push(Remembered::named(cluster));
            subjects.len() - 1
        },
    )
}

impl Remembered {
    fn recall(&mut self, expected: &ExpectedServer) {
        let name = if is_unnamed(expected) { &expected.id } else { &expected.name };
        let seat = self.seat_of(&expected.id, name);
        let member = self.members.entry(seat.clone()).or_insert_with(|| Member {
            seat,
            name: name.clone(),
            ..Member::default()
        });
        member.id = expected.id.clone();
        if let Some(version) = &expected.version {
            member.version = Some(version.clone());
        }
        member.last_seen = member.last_seen.max(expected.last_seen);
    }
}
