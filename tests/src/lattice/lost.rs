//! What was taken away from a recording.

use std::collections::BTreeSet;

use nats_hindsight_snapshot::Endpoint;

use crate::recording::{Epoch, Event, Recording, Reply};

/// How data was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Loss {
    /// No reply came, and the captures say that it was waited for: what a hung server and a mute
    /// service look like, so that their silence may be concluded.
    TimedOut,
    /// The replies are gone, and so may be the word on how they were asked for: nothing may be
    /// concluded.
    Gone,
}

/// Something that was told to the collector.
#[derive(Clone, Copy, Debug)]
pub enum Told<'a> {
    /// A reply.
    Reply(&'a Reply),
    /// Something a server published.
    Event(&'a Event),
}

impl Told<'_> {
    /// The endpoint it was told on.
    pub fn endpoint(&self) -> &Endpoint {
        match self {
            Self::Reply(reply) => &reply.line.endpoint,
            Self::Event(_) => &Endpoint::EVENTS,
        }
    }
}

/// Everything told in an epoch: its replies, then its events. The position in here is what
/// [`Lost::told`] counts.
pub fn told(epoch: &Epoch) -> impl Iterator<Item = Told<'_>> {
    epoch.replies.iter().map(Told::Reply).chain(epoch.events.iter().map(Told::Event))
}

/// What was taken away, against the whole recording.
#[derive(Clone, Debug)]
pub struct Lost {
    /// How.
    pub loss: Loss,
    /// What was told and is gone, as (epoch, position in [`told`]).
    pub told: BTreeSet<(usize, usize)>,
    /// Epochs of which anything is gone: a reply, an event, a capture, the header, the end.
    pub epochs: BTreeSet<usize>,
    /// Epochs whose header is gone, with all that it expects.
    pub headers: BTreeSet<usize>,
    /// Epochs of which nothing is left.
    pub whole_epochs: BTreeSet<usize>,
    /// Names of what was lost: an endpoint, the name and id of a server, an account. Each move
    /// must be explained by one of them.
    pub names: Vec<String>,
}

impl Lost {
    /// Everything that `gone` says of the epochs that are named.
    pub fn of(
        whole: &Recording,
        loss: Loss,
        epochs: impl IntoIterator<Item = usize>,
        names: Vec<String>,
        gone: impl Fn(&Told<'_>) -> bool,
    ) -> Self {
        let epochs: BTreeSet<usize> = epochs.into_iter().collect();
        let mut lost = BTreeSet::new();
        for epoch in &epochs {
            let all = told(&whole.epochs[*epoch]).enumerate();
            lost.extend(all.filter(|(_, told)| gone(told)).map(|(at, _)| (*epoch, at)));
        }
        let (headers, whole_epochs) = (BTreeSet::new(), BTreeSet::new());
        Self { loss, told: lost, epochs, headers, whole_epochs, names }
    }

    /// The same, and the headers of these epochs are gone too.
    #[must_use]
    pub fn and_headers(mut self, epochs: impl IntoIterator<Item = usize>) -> Self {
        self.headers.extend(epochs);
        self.epochs.extend(&self.headers);
        self
    }
}
