//! Epochs that are observed while earlier ones are judged.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Mutex, PoisonError};

use super::observe::Observed;

/// What observing an epoch gave, or what went wrong in it.
type Slot = Mutex<Option<Result<Observed, Box<dyn Any + Send>>>>;

/// A place for each epoch that is ahead of the one under judgement. A place is free again once its
/// epoch was taken, so that memory does not grow with the sequence.
pub(super) struct Ahead {
    slots: Vec<Slot>,
}

impl Ahead {
    pub(super) fn of(window: usize) -> Self {
        Self { slots: (0..window.max(1)).map(|_| Slot::default()).collect() }
    }

    /// How many epochs may be ahead.
    pub(super) fn window(&self) -> usize {
        self.slots.len()
    }

    /// Observes an epoch, and keeps what it gave. A failure is kept as well: whoever waits for the
    /// epoch would wait for ever.
    pub(super) fn observed(&self, epoch: usize, observe: impl FnOnce() -> Observed) {
        let observed = catch_unwind(AssertUnwindSafe(observe));
        *self.slot(epoch).lock().unwrap_or_else(PoisonError::into_inner) = Some(observed);
    }

    /// What an epoch gave. Until it is there, the thread does what else there is to do.
    pub(super) fn take(&self, epoch: usize) -> Observed {
        loop {
            let observed = self.slot(epoch).lock().unwrap_or_else(PoisonError::into_inner).take();
            match observed {
                Some(Ok(observed)) => return observed,
                Some(Err(failed)) => resume_unwind(failed),
                None => {
                    if rayon::yield_now() != Some(rayon::Yield::Executed) {
                        std::thread::yield_now();
                    }
                }
            }
        }
    }

    fn slot(&self, epoch: usize) -> &Slot {
        &self.slots[epoch % self.slots.len()]
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::Ahead;

    #[test]
    fn an_epoch_that_fails_is_not_waited_for() {
        let ahead = Ahead::of(2);
        ahead.observed(5, || panic!("a failure that is meant"));
        let taken = catch_unwind(AssertUnwindSafe(|| ahead.take(5)));
        assert!(taken.is_err());
        // Its place is free for the epoch one window later.
        assert!(ahead.slot(5 + ahead.window()).lock().is_ok_and(|slot| slot.is_none()));
    }
}
