//! Texts that are too long to be the name of anything.

/// Whether a JSON text holds a string of more than so many bytes. A text that is not longer itself
/// costs nothing to judge.
pub(super) fn holds_longer(json: &[u8], limit: u64) -> bool {
    let mut rest = json;
    while rest.len() as u64 > limit {
        let Some(start) = rest.iter().position(|byte| *byte == b'"') else { return false };
        let string = &rest[start + 1..];
        let length = end(string);
        if length as u64 > limit {
            return true;
        }
        rest = string.get(length + 1..).unwrap_or(&[]);
    }
    false
}

/// Bytes up to the quote that ends a string.
fn end(string: &[u8]) -> usize {
    let mut escaped = false;
    let ends = |byte: &u8| {
        let ends = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        ends
    };
    string.iter().position(ends).unwrap_or(string.len())
}

#[cfg(test)]
mod tests {
    fn longer(json: &str, limit: u64) -> bool {
        super::holds_longer(json.as_bytes(), limit)
    }

    #[test]
    fn strings_are_measured_and_nothing_else() {
        let json = r#"{"name":"abcdef","escaped":"\"\\","numbers":[1,2,3,4,5,6,7,8,9]}"#;
        assert!(longer(json, 6) && !longer(json, 7));
        assert!(!longer("[1111111111111111]", 4));
        assert!(longer("\"without an end", 4));
        // Quotes that are escaped end nothing.
        assert!(longer(r#""\"\"\"\"\"\"""#, 10));
    }
}
