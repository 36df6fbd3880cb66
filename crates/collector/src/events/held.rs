//! Events of one kind on their way into an epoch, within bounds.

use std::time::Instant;

use bytes::Bytes;
use jiff::Timestamp;

use super::kinds::Kind;

/// Bytes that one event may have. Those of servers have one to two thousand.
const LARGEST: usize = 64 << 10;

/// One event that is kept.
#[derive(Debug)]
pub(crate) struct Heard {
    /// When it came.
    pub(crate) arrival: Timestamp,
    /// Subject it was published on.
    pub(crate) subject: String,
    /// What was published.
    pub(crate) body: Bytes,
}

/// How many events of one kind came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    /// Kept.
    pub(crate) kept: u64,
    /// Left out, for their number or their size.
    pub(crate) dropped: u64,
}

/// Events of one kind: a bucket of tokens bounds their number, the kind their bytes.
pub(super) struct Held {
    kind: &'static Kind,
    tokens: f64,
    filled: Instant,
    bytes: usize,
    events: Vec<Heard>,
    count: Count,
}

impl Held {
    pub(super) fn new(kind: &'static Kind, now: Instant) -> Self {
        let tokens = f64::from(kind.burst);
        Self { kind, tokens, filled: now, bytes: 0, events: Vec::new(), count: Count::default() }
    }

    /// Keeps an event, or counts it.
    pub(super) fn take(&mut self, subject: &str, body: &[u8], at: Timestamp, now: Instant) {
        let size = subject.len() + body.len();
        let room = size <= LARGEST && self.bytes + size <= self.kind.bytes;
        if !room || !self.token(now) {
            self.count.dropped += 1;
            return;
        }
        self.bytes += size;
        self.count.kept += 1;
        // Copied: a slice would keep the whole buffer it was read into.
        let body = Bytes::copy_from_slice(body);
        self.events.push(Heard { arrival: at, subject: subject.to_owned(), body });
    }

    fn token(&mut self, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.filled).as_secs_f64();
        self.filled = now;
        let filled = self.tokens + passed * f64::from(self.kind.per_second);
        self.tokens = filled.min(f64::from(self.kind.burst));
        let enough = self.tokens >= 1.0;
        if enough {
            self.tokens -= 1.0;
        }
        enough
    }

    /// Hands over what is held.
    pub(super) fn events(&mut self) -> Vec<Heard> {
        self.bytes = 0;
        std::mem::take(&mut self.events)
    }

    /// Hands over how many came since this was last asked.
    pub(super) fn count(&mut self) -> Count {
        std::mem::take(&mut self.count)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    static KIND: Kind = Kind { subject: "a.*", burst: 3, per_second: 2, bytes: 100 };

    fn take(held: &mut Held, bytes: usize, now: Instant) {
        held.take("a.b", &vec![b'x'; bytes], Timestamp::UNIX_EPOCH, now);
    }

    #[test]
    fn a_flood_is_cut_to_the_burst_and_what_is_left_out_is_counted() {
        let zero = Instant::now();
        let mut held = Held::new(&KIND, zero);
        (0..10).for_each(|_| take(&mut held, 1, zero));
        assert_eq!(held.events().len(), 3);
        assert_eq!(held.count(), Count { kept: 3, dropped: 7 });
        assert_eq!(held.count(), Count::default(), "counted once");
        take(&mut held, 1, zero + Duration::from_millis(400));
        assert_eq!(held.count(), Count { kept: 0, dropped: 1 });
        take(&mut held, 1, zero + Duration::from_millis(600));
        assert_eq!(held.count(), Count { kept: 1, dropped: 0 });
    }

    #[test]
    fn memory_is_bounded_until_an_epoch_takes_the_events() {
        let zero = Instant::now();
        let mut held = Held::new(&KIND, zero);
        take(&mut held, 60, zero);
        take(&mut held, 60, zero);
        assert_eq!(held.count(), Count { kept: 1, dropped: 1 });
        assert_eq!(held.events().len(), 1);
        take(&mut held, 60, zero);
        assert_eq!(held.count(), Count { kept: 1, dropped: 0 });
    }
}
