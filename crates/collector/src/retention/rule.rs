//! Which epochs have had their time: a pure function of their starts and sizes.

use std::time::Duration;

use jiff::Timestamp;

/// How much is kept. What is not set bounds nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keep {
    /// Epochs younger than this.
    pub age: Option<Duration>,
    /// This many bytes, the newest epochs first.
    pub bytes: Option<u64>,
}

impl Keep {
    /// Whether everything is kept.
    pub fn everything(&self) -> bool {
        self.age.is_none() && self.bytes.is_none()
    }
}

/// One epoch on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kept<F> {
    pub(super) start: Timestamp,
    pub(super) bytes: u64,
    pub(super) file: F,
}

/// The epochs that go, the oldest first. `epochs` are in order of their starts; the last one stays
/// in any case, and so does the one that `latest` says was written just now: after a clock was set
/// back those are two.
pub(super) fn surplus<F: Copy>(
    epochs: &[Kept<F>],
    now: Timestamp,
    keep: Keep,
    latest: &dyn Fn(&F) -> bool,
) -> Vec<Kept<F>> {
    let old = keep.age.map_or(0, |age| epochs.len() - within(epochs, now, age));
    let mut excess = match keep.bytes {
        Some(most) => epochs.iter().map(|epoch| epoch.bytes).sum::<u64>().saturating_sub(most),
        None => 0,
    };
    let mut gone = Vec::new();
    for (index, epoch) in epochs.iter().enumerate().take(epochs.len().saturating_sub(1)) {
        if index >= old && excess == 0 {
            break;
        }
        if !latest(&epoch.file) {
            excess = excess.saturating_sub(epoch.bytes);
            gone.push(*epoch);
        }
    }
    gone
}

/// Epochs that the clock alone would call too old, and that stay because of a hole before or after
/// them.
pub(super) fn spared<F>(epochs: &[Kept<F>], now: Timestamp, keep: Keep) -> usize {
    let Some(age) = keep.age else { return 0 };
    let oldest = now.checked_sub(age).unwrap_or(Timestamp::MIN);
    let young = epochs.len() - epochs.partition_point(|epoch| epoch.start < oldest);
    // The newest stays by another rule.
    within(epochs, now, age).saturating_sub(young.max(1))
}

/// How many of the last epochs are within an age.
///
/// The distance of two neighbours counts as half of that age at most. So a clock that jumps far
/// ahead makes what was recorded before older by half of what is kept, not by a century; what was
/// recorded after such a jump and before the clock was mended lies in the future, and has no age.
fn within<F>(epochs: &[Kept<F>], now: Timestamp, age: Duration) -> usize {
    let mut passed = Duration::ZERO;
    let mut later = now;
    epochs
        .iter()
        .rev()
        .take_while(|epoch| {
            let gap = later.duration_since(epoch.start).try_into().unwrap_or(Duration::ZERO);
            passed = passed.saturating_add(gap.min(age / 2));
            later = later.min(epoch.start);
            passed <= age
        })
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3600;
    const DAY: i64 = 24 * HOUR;
    const NOW: i64 = 1_800_000_000;
    const CENTURY: i64 = 100 * 365 * DAY;

    fn epochs(starts: impl IntoIterator<Item = i64>) -> Vec<Kept<usize>> {
        let at = |second| Timestamp::from_second(second).unwrap();
        let kept = |(file, start)| Kept { start: at(start), bytes: 10, file };
        starts.into_iter().enumerate().map(kept).collect()
    }

    /// How many go, which are always the first ones here.
    fn gone(epochs: &[Kept<usize>], now: i64, keep: Keep) -> usize {
        let now = Timestamp::from_second(now).unwrap();
        let gone = surplus(epochs, now, keep, &|file| *file + 1 == epochs.len());
        assert!(gone.iter().enumerate().all(|(index, epoch)| epoch.file == index));
        gone.len()
    }

    fn days(days: u64) -> Keep {
        Keep { age: Some(Duration::from_hours(24 * days)), bytes: None }
    }

    fn bytes(bytes: u64) -> Keep {
        Keep { age: None, bytes: Some(bytes) }
    }

    /// One epoch an hour, the last one now.
    fn hourly(count: i64) -> Vec<i64> {
        (0..count).rev().map(|hours| NOW - hours * HOUR).collect()
    }

    #[test]
    fn what_is_older_goes() {
        let all = epochs(hourly(240));
        assert_eq!(gone(&all, NOW, days(7)), 240 - 7 * 24 - 1, "exactly seven days old is kept");
        assert_eq!(gone(&all, NOW, days(10)), 0);
        assert_eq!(gone(&all, NOW, Keep::default()), 0);
        let now = Timestamp::from_second(NOW).unwrap();
        assert_eq!(spared(&all, now, days(7)), 0);
    }

    #[test]
    fn the_newest_stays_whatever_its_age_and_size() {
        assert_eq!(gone(&epochs([0]), NOW, days(1)), 0);
        assert_eq!(gone(&epochs(hourly(3)), NOW, bytes(0)), 2);
        assert_eq!(gone(&[], NOW, days(1)), 0);
    }

    #[test]
    fn size_takes_the_oldest_until_the_rest_fits() {
        let all = epochs(hourly(5));
        for (most, wanted) in [(50, 0), (49, 1), (40, 1), (39, 2), (10, 4)] {
            assert_eq!(gone(&all, NOW, bytes(most)), wanted, "{most}");
        }
        let both = Keep { bytes: Some(45), ..days(1) };
        assert_eq!(gone(&all, NOW, both), 1);
        let both = Keep { bytes: Some(45), age: Some(Duration::from_hours(2)) };
        assert_eq!(gone(&all, NOW, both), 2, "whichever asks for more");
    }

    #[test]
    fn a_clock_that_jumps_ahead_costs_half_at_most() {
        let hundred_years_on = hourly(240).into_iter().chain([NOW + CENTURY]).collect::<Vec<_>>();
        let before = 240 - gone(&epochs(hundred_years_on.clone()), NOW + CENTURY, days(7));
        assert_eq!(before, 7 * 12 + 1, "half of what was kept is left");
        let now = Timestamp::from_second(NOW + CENTURY).unwrap();
        assert_eq!(spared(&epochs(hundred_years_on), now, days(7)), before);
    }

    #[test]
    fn it_goes_on_after_the_jump() {
        let after = (0..240).map(|hours| NOW + CENTURY + hours * HOUR);
        let all = epochs(hourly(240).into_iter().chain(after));
        assert_eq!(gone(&all, NOW + CENTURY + 239 * HOUR, days(7)), 480 - 7 * 24 - 1);
    }

    #[test]
    fn a_future_that_a_wrong_clock_left_ages_nobody() {
        let all = epochs(hourly(240).into_iter().chain([NOW + CENTURY]));
        let now = Timestamp::from_second(NOW).unwrap();
        let gone = surplus(&all, now, days(7), &|file| *file == 239);
        assert_eq!(gone.len(), 240 - 7 * 24 - 1);
        let gone = surplus(&all, now, bytes(0), &|file| *file == 239);
        assert!(gone.iter().all(|epoch| epoch.file < 239), "the one written now stays");
        assert_eq!(gone.len(), 239);
    }

    #[test]
    fn a_clock_that_was_set_back_deletes_nothing_by_age() {
        let all = epochs([5].into_iter().chain(hourly(240)));
        let now = Timestamp::from_second(5).unwrap();
        assert!(surplus(&all, now, days(1), &|file| *file == 0).is_empty());
    }

    #[test]
    fn epochs_far_apart_do_not_pile_up() {
        let weekly = epochs((0..50).map(|weeks| NOW - (49 - weeks) * 7 * DAY));
        assert_eq!(gone(&weekly, NOW, days(1)), 47, "each step counts as half a day");
    }
}
