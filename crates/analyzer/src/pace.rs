//! How far apart the epochs of a track usually are, and which steps are out of the ordinary.

/// A step longer than this many usual ones is a gap in the recording.
const GAP_STEPS: i64 = 3;

/// The usual step of one track.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pace {
    /// In milliseconds, if there are enough steps to have one: of two neither is the usual one.
    usual_ms: Option<i64>,
}

impl Pace {
    /// From the steps of a track, in milliseconds: of the two in the middle the shorter one.
    pub(crate) fn of(mut steps: Vec<i64>) -> Self {
        steps.sort_unstable();
        let middle = steps.len().saturating_sub(1) / 2;
        Self { usual_ms: steps.get(middle).copied().filter(|_| steps.len() > 2) }
    }

    /// Whether a step is so long that something was not recorded.
    pub(crate) fn is_gap(self, step_ms: i64) -> bool {
        self.usual_ms.is_some_and(|usual| step_ms > usual.saturating_mul(GAP_STEPS))
    }
}

#[cfg(test)]
mod tests {
    use super::Pace;

    #[test]
    fn a_gap_is_longer_than_three_usual_steps() {
        let pace = Pace::of(vec![60, 200, 10, 50]);
        assert!(!pace.is_gap(150) && pace.is_gap(151), "the usual step is 50");
        let pace = Pace::of(vec![10, 500, 20]);
        assert!(!pace.is_gap(60) && pace.is_gap(500));
        assert!(!Pace::of(vec![1, 900]).is_gap(900), "of two neither is the usual one");
        assert!(!Pace::of(Vec::new()).is_gap(i64::MAX));
    }
}
