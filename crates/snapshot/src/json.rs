//! Parses JSON whose bytes come from a recording.

use serde::Deserialize;

/// Parses a text. One that is known to be UTF-8 as a whole need not be looked at piece by piece.
pub(crate) fn parse<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Result<T, serde_json::Error> {
    match std::str::from_utf8(json) {
        Ok(text) => serde_json::from_str(text),
        Err(_) => serde_json::from_slice(json),
    }
}
