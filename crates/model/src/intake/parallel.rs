//! Runs the same work on many things, in any order, and hands the results back in order.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// Calls `work` for `0..count` on all processors; for those that are `heavy`, one after the other and
/// on one of them: each thread holds on to some of the memory that its work took.
pub(super) fn each<T: Send>(
    count: usize,
    heavy: impl Fn(usize) -> bool,
    work: impl Fn(usize) -> T + Sync,
) -> Vec<T> {
    let threads = thread::available_parallelism().map_or(1, usize::from).min(count);
    if threads <= 1 {
        return (0..count).map(work).collect();
    }
    let (heavy, light): (Vec<usize>, Vec<usize>) = (0..count).partition(|index| heavy(*index));
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::with_capacity(count)));
    let run = |index: usize| {
        let result = work(index);
        done.lock().unwrap_or_else(PoisonError::into_inner).push((index, result));
    };
    let share = || {
        while let Some(index) = light.get(next.fetch_add(1, Ordering::Relaxed)) {
            run(*index);
        }
    };
    thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(share);
        }
        scope.spawn(|| {
            heavy.into_iter().for_each(run);
            share();
        });
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Mutex;
    use std::thread;

    #[test]
    fn results_are_in_order_and_what_is_heavy_is_done_by_one() {
        let by = Mutex::new(Vec::new());
        let heavy = |index: usize| index % 3 == 1;
        let done = super::each(100, heavy, |index| {
            if heavy(index) {
                by.lock().unwrap().push((index, thread::current().id()));
            }
            index * 2
        });
        assert_eq!(done, (0..100).map(|index| index * 2).collect::<Vec<_>>());
        let by = by.into_inner().unwrap();
        assert_eq!(by.len(), 33);
        assert!(by.is_sorted_by_key(|(index, _)| *index));
        let threads: Vec<_> = by.iter().map(|(_, thread)| format!("{thread:?}")).collect();
        assert_eq!(threads.iter().collect::<BTreeSet<_>>().len(), 1);
    }
}
