//! Waiting for conditions. This is the only place of the kit that lets time pass.

use std::time::{Duration, Instant};

use crate::error::{KitError, Result};
use crate::interrupt;

/// Between two looks at a condition; doubled up to [`SLOWEST`], so that long waits cost little.
const FASTEST: Duration = Duration::from_millis(10);
const SLOWEST: Duration = Duration::from_millis(200);

/// Looks again and again until `probe` gives a value, at most for `limit`.
///
/// The probe's `Err` says what is still missing; the last one ends up in the timeout error.
pub fn wait_until<T>(
    what: &str,
    limit: Duration,
    mut probe: impl FnMut() -> std::result::Result<T, String>,
) -> Result<T> {
    let begin = Instant::now();
    let mut pause = FASTEST;
    loop {
        interrupt::check()?;
        let last = match probe() {
            Ok(value) => return Ok(value),
            Err(missing) => missing,
        };
        let waited = begin.elapsed();
        if waited >= limit {
            return Err(KitError::Timeout { what: what.to_owned(), waited, last });
        }
        std::thread::sleep(pause.min(limit.saturating_sub(waited)));
        pause = (pause * 2).min(SLOWEST);
    }
}
