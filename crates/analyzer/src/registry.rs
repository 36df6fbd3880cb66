//! The list of checks, and finding one in it.

use sha2::{Digest, Sha256};

use crate::check::{Check, Scan};
use crate::checks;

/// All checks, sorted by code.
pub fn all() -> Vec<&'static Check> {
    let mut all: Vec<&'static Check> =
        checks::FAMILIES.iter().flat_map(|family| family.iter().copied()).collect();
    all.sort_by_key(|check| check.code);
    all
}

/// A check by code or slug, in any case.
///
/// # Errors
/// The code of the check whose code or slug is nearest to what was asked for, if any is near.
pub fn find(wanted: &str) -> Result<&'static Check, Option<&'static str>> {
    let wanted = wanted.trim();
    if let Some(found) = all()
        .into_iter()
        .find(|c| c.code.eq_ignore_ascii_case(wanted) || c.slug.eq_ignore_ascii_case(wanted))
    {
        return Ok(found);
    }
    let upper = wanted.to_ascii_uppercase();
    let lower = wanted.to_ascii_lowercase();
    let nearest = all()
        .into_iter()
        .map(|c| {
            let near =
                strsim::jaro_winkler(c.code, &upper).max(strsim::jaro_winkler(c.slug, &lower));
            (c.code, near)
        })
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .filter(|(_, near)| *near > 0.75);
    Err(nearest.map(|(code, _)| code))
}

/// Digest of everything the registry declares, so that two reports can be told to rest on the
/// same rules.
pub fn digest() -> String {
    let mut hash = Sha256::new();
    for check in all() {
        let kind = match check.scan {
            Scan::Epoch(_) => "epoch",
            Scan::Follow(_) => "follow",
        };
        hash.update(format!(
            "{}|{}|{:?}|{}|{:?}|{:?}|{:?}|{kind}\n{}\n",
            check.code,
            check.slug,
            check.severity,
            check.category,
            check.required,
            check.enriching,
            check.thresholds,
            check.page
        ));
        // Of a check of one kind this says nothing new.
        for kind in check.kinds().iter().filter(|kind| kind.subject != check.subject) {
            hash.update(format!("{}|{:?}\n", kind.subject, kind.required));
        }
    }
    format!("sha256:{}", hex(&hash.finalize()))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing into a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
