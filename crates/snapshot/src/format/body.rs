//! The body of a reply as it goes into a line.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::value::RawValue;

/// The body of a reply: JSON kept verbatim, or anything else in base64.
#[derive(Clone, Debug)]
pub enum ReplyBody {
    /// Valid JSON without line breaks.
    Json(Box<RawValue>),
    /// Anything else.
    Base64(String),
}

impl ReplyBody {
    /// Takes the bytes a server sent.
    ///
    /// Valid JSON stays as it is, but for white space around it, which goes, and line breaks, which
    /// become spaces: a JSON string cannot hold a raw line break, so every one stands between two
    /// tokens.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        // The bytes as they came are judged, not the ones with spaces: a raw line break inside a
        // string makes the body invalid, and must not be repaired silently.
        match serde_json::from_slice::<&RawValue>(bytes) {
            Ok(json) => Self::one_line(json),
            Err(_) => Self::Base64(STANDARD.encode(bytes)),
        }
    }

    fn one_line(json: &RawValue) -> Self {
        if !json.get().contains(['\n', '\r']) {
            return Self::Json(json.to_owned());
        }
        let line = json.get().replace(['\n', '\r'], " ");
        match RawValue::from_string(line) {
            Ok(json) => Self::Json(json),
            Err(_) => Self::Base64(STANDARD.encode(json.get())),
        }
    }

    /// For `ReplyLine::body`.
    pub fn json(&self) -> Option<&RawValue> {
        match self {
            Self::Json(json) => Some(json),
            Self::Base64(_) => None,
        }
    }

    /// For `ReplyLine::body_base64`.
    pub fn base64(&self) -> Option<&str> {
        match self {
            Self::Json(_) => None,
            Self::Base64(text) => Some(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(bytes: &[u8]) -> Option<String> {
        ReplyBody::from_bytes(bytes).json().map(|raw| raw.get().to_owned())
    }

    #[test]
    fn json_stays_verbatim() {
        let odd = br#"{"a" : 1e999,"a":01234567890.5e+0}"#;
        assert_eq!(json(odd), None, "a leading zero is no JSON");
        let odd = r#"{"a" : 1e999,"a":"\u00e9é"}"#;
        assert_eq!(json(odd.as_bytes()).as_deref(), Some(odd));
    }

    #[test]
    fn line_breaks_between_tokens_become_spaces() {
        assert_eq!(json(b"\n{\r\n  \"a\":\n1}\n").as_deref(), Some("{    \"a\": 1}"));
    }

    #[test]
    fn a_line_break_inside_a_string_is_no_json() {
        let body = ReplyBody::from_bytes(b"{\"a\":\"x\ny\"}");
        assert_eq!(body.base64(), Some("eyJhIjoieAp5In0="));
        assert!(body.json().is_none());
    }

    #[test]
    fn other_bytes_are_base64() {
        assert_eq!(ReplyBody::from_bytes(b"").base64(), Some(""));
        assert_eq!(ReplyBody::from_bytes(b"\"\xff\"").base64(), Some("Iv8i"));
    }
}
