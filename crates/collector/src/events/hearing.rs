//! When a connection could hear, as far as that is known.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_nats::{Event, ServerError};
use jiff::Timestamp;
use nats_hindsight_snapshot::lines::{GapLine, ListenedLine};

/// Time for the interest of a new subscription to reach all servers.
const SETTLING: Duration = Duration::from_secs(1);

/// More gaps than this in one epoch are one.
const GAPS: usize = 32;

/// What is known of one connection.
///
/// The collector notices a broken connection late, or not at all if the server hangs: all that is
/// known for certain is that it worked when something came over it.
#[derive(Debug, Default)]
pub(crate) struct Hearing {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// From where on the next epoch tells.
    since: Timestamp,
    /// When something came last.
    heard: Timestamp,
    /// When something had come last before the connection broke, while it is broken.
    broken: Option<Timestamp>,
    gaps: Vec<GapLine>,
    /// Subjects, in lower case, that the user may not subscribe to.
    denied: BTreeSet<String>,
    /// How often it was noticed that the connection was made.
    connects: u64,
}

impl Hearing {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Subscriptions were made just now.
    pub(crate) fn begin(&self, now: Timestamp) {
        let mut state = self.lock();
        state.since = after(now);
        state.heard = now;
    }

    /// Something came.
    pub(crate) fn heard(&self, now: Timestamp) {
        self.lock().heard = now;
    }

    /// Takes notice of what happens to the connection.
    pub(crate) fn event(&self, event: &Event, now: Timestamp) {
        let mut state = self.lock();
        match event {
            Event::Connected => state.connected(now),
            Event::Disconnected | Event::Closed => {
                state.broken = state.broken.or(Some(state.heard));
            }
            // Messages came faster than they were taken: which ones are missing nobody can know.
            Event::SlowConsumer(_) => state.deaf_since_last(now),
            Event::ServerError(ServerError::Other(text)) => state.refused(&text.to_lowercase()),
            _ => {}
        }
    }

    /// Whether the server refused a subscription.
    pub(crate) fn is_denied(&self, subject: &str) -> bool {
        self.lock().denied.contains(&subject.to_lowercase())
    }

    /// From where the last one ended to where the connection is known to have worked.
    /// `connects` is how often the connection was really made: one that went unnoticed is a gap.
    pub(crate) fn period(&self, connects: u64, now: Timestamp) -> ListenedLine {
        let mut state = self.lock();
        if state.connects != connects {
            state.connects = connects;
            state.deaf_since_last(now);
        }
        state.period()
    }
}

impl State {
    fn connected(&mut self, now: Timestamp) {
        self.connects += 1;
        self.denied.clear();
        if let Some(from) = self.broken.take() {
            self.gap(GapLine { from, to: after(now) });
        }
        self.heard = now;
    }

    fn deaf_since_last(&mut self, now: Timestamp) {
        let gap = GapLine { from: self.since.min(now), to: now };
        self.gap(gap);
        self.heard = self.heard.max(now);
    }

    fn gap(&mut self, gap: GapLine) {
        let full = self.gaps.len() >= GAPS;
        match self.gaps.last_mut() {
            Some(last) if full || gap.from <= last.to => {
                last.to = last.to.max(gap.to);
                last.from = last.from.min(gap.from);
            }
            _ => self.gaps.push(gap),
        }
    }

    /// `permissions violation for subscription to "$sys.server.*.shutdown"`.
    fn refused(&mut self, text: &str) {
        let Some((_, subject)) = text.split_once("permissions violation for subscription to \"")
        else {
            return;
        };
        // A handful of subscriptions is made; a server that names more is not believed.
        if self.denied.len() < GAPS
            && let Some((subject, _)) = subject.split_once('"')
        {
            self.denied.insert(subject.to_owned());
        }
    }

    fn period(&mut self) -> ListenedLine {
        let mut until = self.broken.unwrap_or(self.heard);
        // A gap that is not over belongs to the next period as a whole.
        let open = self.gaps.pop_if(|gap| gap.to > until);
        if let Some(gap) = open {
            until = until.min(gap.from);
            self.gaps.push(gap);
        }
        let kept = usize::from(open.is_some());
        let over = self.gaps.len() - kept;
        let gaps: Vec<GapLine> = self.gaps.drain(..over).collect();
        let since = self.since.min(until);
        self.since = self.since.max(until);
        ListenedLine { since, until, gaps, dropped: 0 }
    }
}

fn after(now: Timestamp) -> Timestamp {
    now.checked_add(SETTLING).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    fn listening() -> Hearing {
        let hearing = Hearing::default();
        hearing.event(&Event::Connected, at(0));
        hearing.begin(at(0));
        hearing
    }

    fn seconds(line: &ListenedLine) -> (i64, i64, Vec<(i64, i64)>) {
        let gap = |gap: &GapLine| (gap.from.as_second(), gap.to.as_second());
        (line.since.as_second(), line.until.as_second(), line.gaps.iter().map(gap).collect())
    }

    #[test]
    fn periods_follow_each_other_without_a_gap() {
        let hearing = listening();
        hearing.heard(at(10));
        assert_eq!(seconds(&hearing.period(1, at(12))), (1, 10, vec![]));
        hearing.heard(at(20));
        assert_eq!(seconds(&hearing.period(1, at(21))), (10, 20, vec![]));
    }

    #[test]
    fn a_broken_connection_was_deaf_since_something_came_last() {
        let hearing = listening();
        hearing.heard(at(10));
        hearing.event(&Event::Disconnected, at(14));
        assert_eq!(seconds(&hearing.period(1, at(15))), (1, 10, vec![]));
        hearing.event(&Event::Connected, at(16));
        // The interest has not reached all servers yet.
        assert_eq!(seconds(&hearing.period(2, at(16))), (10, 10, vec![]));
        hearing.heard(at(20));
        assert_eq!(seconds(&hearing.period(2, at(21))), (10, 20, vec![(10, 17)]));
        hearing.heard(at(30));
        assert_eq!(seconds(&hearing.period(2, at(31))), (20, 30, vec![]));
    }

    #[test]
    fn a_reconnect_that_nobody_noticed_is_a_gap() {
        let hearing = listening();
        hearing.heard(at(10));
        hearing.period(1, at(10));
        hearing.heard(at(20));
        assert_eq!(seconds(&hearing.period(2, at(21))), (10, 21, vec![(10, 21)]));
    }

    #[test]
    fn overtaken_messages_are_a_gap() {
        let hearing = listening();
        hearing.event(&Event::SlowConsumer(3), at(9));
        hearing.heard(at(10));
        assert_eq!(seconds(&hearing.period(1, at(12))), (1, 10, vec![(1, 9)]));
    }

    #[test]
    fn more_gaps_than_anybody_reads_become_one() {
        let hearing = listening();
        for n in 0..200 {
            hearing.heard(at(10 * n + 5));
            hearing.event(&Event::Disconnected, at(10 * n + 6));
            hearing.event(&Event::Connected, at(10 * n + 7));
        }
        hearing.heard(at(3000));
        let line = hearing.period(201, at(3001));
        assert_eq!(line.gaps.len(), GAPS);
        assert_eq!(line.gaps.last().map(|gap| gap.to), Some(at(1998)));
    }

    #[test]
    fn a_refusal_is_told_by_subject_until_the_connection_is_made_anew() {
        let hearing = listening();
        let text = r#"Permissions Violation for Subscription to "$sys.server.*.shutdown""#;
        hearing.event(&Event::ServerError(ServerError::Other(text.to_owned())), at(1));
        assert!(hearing.is_denied("$SYS.SERVER.*.SHUTDOWN"));
        assert!(!hearing.is_denied("$SYS.SERVER.*.LAMEDUCK"));
        hearing.event(&Event::Connected, at(2));
        assert!(!hearing.is_denied("$SYS.SERVER.*.SHUTDOWN"));
    }
}
