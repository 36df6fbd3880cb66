//! Names of checks and thresholds, and what was probably meant by one that does not exist.

use nats_hindsight_analyzer::check::{Check, Threshold};
use nats_hindsight_analyzer::registry;

/// A check by code or slug.
pub(crate) fn check(name: &str) -> Result<&'static Check, String> {
    registry::find(name).map_err(|near| match near {
        Some(code) => format!("there is no check `{name}`; did you mean `{code}`?"),
        None => format!("there is no check `{name}`; `hindsight checks` lists them"),
    })
}

/// A threshold of a check by its key.
pub(super) fn threshold(check: &'static Check, key: &str) -> Result<&'static Threshold, String> {
    let found = check.thresholds.iter().find(|threshold| threshold.key == key);
    found.copied().ok_or_else(|| {
        let keys: Vec<&str> = check.thresholds.iter().map(|threshold| threshold.key).collect();
        unknown(&format!("threshold of {}", check.code), key, &keys)
    })
}

/// Says that a name is not known, and which one is near or which there are.
pub(super) fn unknown(what: &str, name: &str, known: &[&str]) -> String {
    let near = known
        .iter()
        .map(|known| (strsim::jaro_winkler(known, name), known))
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .filter(|(near, _)| *near > 0.75);
    match near {
        Some((_, known)) => format!("`{name}` is no {what}; did you mean `{known}`?"),
        None if known.is_empty() => format!("`{name}` is no {what}; there is none"),
        None => format!("`{name}` is no {what}; known are {}", known.join(", ")),
    }
}
