//! What becomes of an answer: the same in every run, whatever the order of questions.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::{Counters, FleetPlan};

/// Decides about answers.
#[derive(Debug)]
pub(super) struct Chance {
    seed: u64,
    jitter: Duration,
    lost: u64,
    twice: u64,
    /// How often each question was asked.
    asked: Mutex<BTreeMap<String, u64>>,
    pub(super) counters: Arc<Counters>,
}

impl Chance {
    pub(super) fn new(plan: &FleetPlan, counters: Arc<Counters>) -> Self {
        let FleetPlan { seed, jitter, lost, twice, .. } = *plan;
        Self { seed, jitter, lost, twice, asked: Mutex::default(), counters }
    }

    /// How late each copy of the answer to a question comes: none, one or two.
    pub(super) fn delays(&self, question: &str) -> Vec<Duration> {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let times = asked.entry(question.to_owned()).or_default();
        *times += 1;
        let mut dice = Dice(self.seed ^ hash(question) ^ times.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        drop(asked);
        self.counters.due.fetch_add(1, Ordering::Relaxed);
        let fate = dice.roll() % 100;
        if fate < self.lost {
            self.counters.lost.fetch_add(1, Ordering::Relaxed);
            return Vec::new();
        }
        let mut delays = vec![self.delay(&mut dice)];
        if fate < self.lost + self.twice {
            self.counters.twice.fetch_add(1, Ordering::Relaxed);
            delays.push(self.delay(&mut dice));
        }
        delays
    }

    fn delay(&self, dice: &mut Dice) -> Duration {
        let most = u64::try_from(self.jitter.as_micros()).unwrap_or(u64::MAX);
        Duration::from_micros(dice.roll() % most.max(1))
    }
}

/// `SplitMix64`: small, and good enough to spread what is late.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// FNV-1a.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn chance_is_the_same_every_time_and_as_frequent_as_planned() {
        let plan = FleetPlan::new(Path::new(""));
        let chances = [(); 2].map(|()| Chance::new(&plan, Arc::default()));
        let questions: Vec<String> = (0..10_000).map(|number| format!("q{number}")).collect();
        let fates = chances.each_ref().map(|chance| {
            questions.iter().map(|question| chance.delays(question)).collect::<Vec<_>>()
        });
        assert_eq!(fates[0], fates[1]);
        let of = |copies: usize| fates[0].iter().filter(|fate| fate.len() == copies).count();
        assert!((60..150).contains(&of(0)) && (140..270).contains(&of(2)), "{} {}", of(0), of(2));
        let again = questions.iter().filter(|question| chances[0].delays(question).is_empty());
        assert!(again.count() < 150, "a question asked again has another fate");
    }
}
