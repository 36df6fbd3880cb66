//! Codes and slugs: well formed, and not yet taken.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::CHECKS;
use crate::sources::{between, rust_files};

/// Prefixes of our own. All others belong to the public catalogue, which numbers them.
const OWN: [&str; 2] = ["HINT", "SKEW"];

/// Codes of checks that are there, with their slugs.
pub(super) struct Known(BTreeMap<String, String>);

/// What a new check is called.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) code: String,
    pub(super) slug: String,
    /// Name of its files and its module.
    pub(super) stem: String,
}

impl Known {
    /// Reads the sources rather than the registry, which knows only what was compiled.
    pub(super) fn read(root: &Path) -> std::io::Result<Self> {
        let mut known = BTreeMap::new();
        for file in rust_files(&root.join(CHECKS))? {
            let text = fs::read_to_string(file)?;
            if let (Some(code), Some(slug)) =
                (between(&text, "code: \"", "\""), between(&text, "slug: \"", "\""))
            {
                known.insert(code.to_owned(), slug.to_owned());
            }
        }
        Ok(Self(known))
    }

    /// One more than the highest of a prefix, because a code is never used again.
    fn next(&self, prefix: &str) -> String {
        let numbers = self.0.keys().filter_map(|code| code.strip_prefix(prefix)?.strip_prefix('_'));
        // Numbers from 900 on are for examples in the documentation.
        let taken = numbers.filter_map(|number| number.parse::<u16>().ok());
        let highest = taken.filter(|number| *number < 900).max().unwrap_or(0);
        format!("{prefix}_{:03}", highest + 1)
    }
}

impl Name {
    /// The name of a check from what was asked for, or what is wrong with that.
    pub(super) fn of(code: &str, slug: &str, known: &Known) -> Result<Self, String> {
        if !is_slug(slug) {
            return Err(format!(
                "`{slug}` is no slug: lower case words joined by hyphens, such as clock-skew"
            ));
        }
        let code = if OWN.contains(&code) { known.next(code) } else { code.to_owned() };
        if !is_code(&code) {
            return Err(format!(
                "`{code}` is no code: write a whole one such as JETSTREAM_008 as the public \
                 catalogue numbers it, or {} for the next free one of our own",
                OWN.join(" or ")
            ));
        }
        if let Some(other) = known.0.get(&code) {
            return Err(format!("{code} is taken by {other}; a code is never used again"));
        }
        if let Some((other, _)) = known.0.iter().find(|(_, taken)| *taken == slug) {
            return Err(format!("the slug {slug} is taken by {other}"));
        }
        let stem = stem(&code, slug);
        Ok(Self { code, slug: slug.to_owned(), stem })
    }
}

fn is_slug(text: &str) -> bool {
    let is_word = |word: &str| {
        !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    };
    text.starts_with(|c: char| c.is_ascii_lowercase()) && text.split('-').all(is_word)
}

fn is_code(text: &str) -> bool {
    let Some((family, number)) = text.rsplit_once('_') else { return false };
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_uppercase());
    let is_number = number.len() == 3 && number.bytes().all(|b| b.is_ascii_digit());
    family.split('_').all(is_word) && is_number && number != "000"
}

/// `server_002_version_mismatch` for `SERVER_002` and `server-version-mismatch`.
fn stem(code: &str, slug: &str) -> String {
    let code = code.to_lowercase();
    let words = slug.replace('-', "_");
    let family = code.split('_').next().unwrap_or_default();
    let rest = words.strip_prefix(family).and_then(|rest| rest.strip_prefix('_'));
    format!("{code}_{}", rest.unwrap_or(&words))
}

#[cfg(test)]
mod tests {
    use super::{Known, Name};

    fn of(code: &str, slug: &str) -> Result<Name, String> {
        let known = [("HINT_001", "server-lost"), ("HINT_900", "x"), ("SERVER_002", "mismatch")];
        let known = known.map(|(code, slug)| (code.to_owned(), slug.to_owned()));
        Name::of(code, slug, &Known(known.into()))
    }

    #[test]
    fn the_next_free_code_is_found_for_our_own_prefixes() {
        assert_eq!(of("HINT", "clock-skew").unwrap().code, "HINT_002");
        assert_eq!(of("SKEW", "clock-skew").unwrap().code, "SKEW_001");
        assert_eq!(of("SKEW_004", "clock-skew").unwrap().code, "SKEW_004");
    }

    #[test]
    fn files_are_named_after_code_and_slug_without_saying_the_family_twice() {
        assert_eq!(of("HINT", "clock-skew").unwrap().stem, "hint_002_clock_skew");
        assert_eq!(of("SERVER_008", "server-restarted").unwrap().stem, "server_008_restarted");
        assert_eq!(of("OPT_SYS_013", "raft-behind").unwrap().stem, "opt_sys_013_raft_behind");
    }

    #[test]
    fn what_is_malformed_or_taken_is_refused_with_a_reason() {
        let slug = "clock-skew";
        for (code, slug, wanted) in [
            ("HINT", "Clock-Skew", "is no slug"),
            ("HINT", "clock--skew", "is no slug"),
            ("HINT", "clock_skew", "is no slug"),
            ("HINT", "../evil", "is no slug"),
            ("HINT", "-skew", "is no slug"),
            ("SERVER", slug, "as the public catalogue numbers it"),
            ("SERVER_2", slug, "is no code"),
            ("SERVER_000", slug, "is no code"),
            ("server_002", slug, "is no code"),
            ("SERVER_002", slug, "is taken by mismatch"),
            ("HINT", "server-lost", "is taken by HINT_001"),
        ] {
            let said = of(code, slug).unwrap_err();
            assert!(said.contains(wanted), "{code} {slug}: {said}");
        }
    }
}
