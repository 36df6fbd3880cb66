//! Takes credentials out of replies, and nothing else.
//!
//! Works on the bytes: only the value concerned is replaced, so that everything else stays as the
//! server sent it, escapes and order included. It does not need valid JSON either, because what is
//! cut or damaged must not leak more than what is whole.

use std::ops::Range;

/// What stands where a credential was.
const REDACTED: &[u8] = b"[REDACTED]";

/// Deeper than this nothing is named in a path; it is scrubbed all the same.
const DEPTH: usize = 64;

/// A field that can carry a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Secretive {
    /// The whole value, unless it is a public user nkey: 2.10 puts auth tokens here.
    UserName(&'static str),
    /// The signature of a JWT, which with the rest would be the JWT itself.
    JwtSignature(&'static str),
    /// Every text in a list: arguments of a command line can be passwords.
    Texts(&'static str),
}

impl Secretive {
    fn key(self) -> &'static str {
        match self {
            Self::UserName(key) | Self::JwtSignature(key) | Self::Texts(key) => key,
        }
    }

    /// The part of the value (without its quotes) that has to go.
    fn secret(self, value: &[u8]) -> Option<Range<usize>> {
        match self {
            Self::UserName(_) if value.is_empty() || is_public_nkey(value) => None,
            Self::UserName(_) | Self::Texts(_) => Some(0..value.len()),
            Self::JwtSignature(_) => {
                let dots: Vec<usize> =
                    (0..value.len()).filter(|&at| value.get(at) == Some(&b'.')).collect();
                match dots.as_slice() {
                    [_, second] => Some(second + 1..value.len()),
                    // What is no JWT is nobody's business under this name.
                    _ if value.is_empty() => None,
                    _ => Some(0..value.len()),
                }
            }
        }
        .filter(|range| value.get(range.clone()) != Some(REDACTED))
    }
}

/// A public user key: `U` and 55 characters of base32.
fn is_public_nkey(value: &[u8]) -> bool {
    value.len() == 56
        && value.first() == Some(&b'U')
        && value.iter().all(|byte| matches!(byte, b'A'..=b'Z' | b'2'..=b'7'))
}

/// Replaces credentials. The paths of the fields concerned, each once, in order of their first
/// appearance; nothing is copied where nothing is replaced.
pub(crate) fn scrub(body: &[u8], fields: &[Secretive]) -> Option<(Vec<u8>, Vec<String>)> {
    let mut scan = Scan { body, at: 0, stack: Vec::new(), depth: 0 };
    let mut out = Vec::new();
    let mut copied = 0;
    let mut paths: Vec<String> = Vec::new();
    while let Some(value) = scan.next_value() {
        let Some(field) = fields.iter().find(|field| field.key().as_bytes() == value.key) else {
            continue;
        };
        let Some(inside) = field.secret(body.get(value.span.clone()).unwrap_or_default()) else {
            continue;
        };
        out.extend_from_slice(body.get(copied..value.span.start + inside.start)?);
        out.extend_from_slice(REDACTED);
        copied = value.span.start + inside.end;
        let path = scan.path((!value.listed).then_some(&value.key));
        if !paths.contains(&path) {
            paths.push(path);
        }
    }
    if paths.is_empty() {
        return None;
    }
    out.extend_from_slice(body.get(copied..)?);
    Some((out, paths))
}

/// A string that is the value of a key, or in a list that is.
struct Value {
    key: Vec<u8>,
    /// Whether it is in a list.
    listed: bool,
    /// Without the quotes.
    span: Range<usize>,
}

enum Container {
    /// The key it is the value of, if any.
    Object(Option<Vec<u8>>),
    Array(Option<Vec<u8>>),
}

/// Walks over the tokens that matter: strings, colons, brackets.
struct Scan<'a> {
    body: &'a [u8],
    at: usize,
    stack: Vec<Container>,
    depth: usize,
}

impl Scan<'_> {
    fn next_value(&mut self) -> Option<Value> {
        let mut key: Option<Vec<u8>> = None;
        loop {
            match *self.body.get(self.at)? {
                b'"' => {
                    let span = self.string();
                    if let Some(key) = key.take() {
                        return Some(Value { key, span, listed: false });
                    }
                    if self.is_key() {
                        key = Some(unescaped(self.body.get(span).unwrap_or_default()));
                    } else if let Some(Container::Array(Some(list))) = self.stack.last() {
                        return Some(Value { key: list.clone(), span, listed: true });
                    }
                    continue;
                }
                b'{' => self.open(Container::Object(key.take())),
                b'[' => self.open(Container::Array(key.take())),
                b'}' | b']' => self.close(),
                b',' => key = None,
                _ => {}
            }
            self.at += 1;
        }
    }

    fn open(&mut self, container: Container) {
        self.depth += 1;
        if self.stack.len() < DEPTH {
            self.stack.push(container);
        }
    }

    fn close(&mut self) {
        if self.depth <= DEPTH {
            self.stack.pop();
        }
        self.depth = self.depth.saturating_sub(1);
    }

    /// The string that starts here, without quotes; moves behind it.
    fn string(&mut self) -> Range<usize> {
        let start = self.at + 1;
        let mut end = start;
        loop {
            match self.body.get(end) {
                Some(b'\\') => end += 2,
                Some(b'"') | None => break,
                Some(_) => end += 1,
            }
        }
        let end = end.min(self.body.len());
        self.at = (end + 1).min(self.body.len());
        start..end
    }

    /// Whether a colon follows, after white space, and the scan stands in no array.
    fn is_key(&self) -> bool {
        let rest = self.body.get(self.at..).unwrap_or_default();
        rest.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b':')
    }

    /// Names of all that is open, and of the key in it. A list is its own last name.
    fn path(&self, key: Option<&Vec<u8>>) -> String {
        let mut path = String::new();
        let mut name = |key: &[u8]| {
            if !path.is_empty() {
                path.push('.');
            }
            path.push_str(&String::from_utf8_lossy(key));
        };
        let mut parts: Vec<(Vec<u8>, bool)> = Vec::new();
        for container in &self.stack {
            match container {
                Container::Object(Some(key)) => parts.push((key.clone(), false)),
                Container::Array(Some(key)) => parts.push((key.clone(), true)),
                Container::Object(None) | Container::Array(None) => {}
            }
        }
        for (part, list) in &parts {
            let mut text = part.clone();
            if *list {
                text.extend_from_slice(b"[]");
            }
            name(&text);
        }
        if let Some(key) = key {
            name(key);
        }
        path
    }
}

/// A key with its escapes resolved, so that `"jw\u0074"` is `jwt` here as it is for a reader.
fn unescaped(key: &[u8]) -> Vec<u8> {
    if !key.contains(&b'\\') {
        return key.to_vec();
    }
    let quoted = [b"\"", key, b"\""].concat();
    serde_json::from_slice::<String>(&quoted).map_or_else(|_| key.to_vec(), String::into_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELDS: &[Secretive] =
        &[Secretive::UserName("authorized_user"), Secretive::JwtSignature("jwt")];

    fn scrubbed(body: &str) -> (String, Vec<String>) {
        scrub(body.as_bytes(), FIELDS).map_or_else(
            || (body.to_owned(), Vec::new()),
            |(bytes, paths)| (String::from_utf8_lossy(&bytes).into_owned(), paths),
        )
    }

    #[test]
    fn only_the_value_is_replaced() {
        let body = r#"{"data":{"connections":[{"cid":1,"authorized_user" : "s\"ecret","x":"\u003e"},{"authorized_user":"b"}]}}"#;
        let (out, paths) = scrubbed(body);
        assert_eq!(
            out,
            r#"{"data":{"connections":[{"cid":1,"authorized_user" : "[REDACTED]","x":"\u003e"},{"authorized_user":"[REDACTED]"}]}}"#
        );
        assert_eq!(paths, ["data.connections[].authorized_user"]);
    }

    #[test]
    fn a_public_nkey_stays_and_a_seed_does_not() {
        let public = format!(r#"{{"authorized_user":"U{}"}}"#, "A".repeat(55));
        assert_eq!(scrubbed(&public).0, public);
        let seed = format!(r#"{{"authorized_user":"SU{}"}}"#, "A".repeat(56));
        assert_eq!(scrubbed(&seed).0, r#"{"authorized_user":"[REDACTED]"}"#);
    }

    #[test]
    fn a_jwt_loses_its_signature() {
        let (out, paths) = scrubbed(r#"{"jwt":"head.body.sign-_x","a":"jwt"}"#);
        assert_eq!(out, r#"{"jwt":"head.body.[REDACTED]","a":"jwt"}"#);
        assert_eq!(paths, ["jwt"]);
    }

    #[test]
    fn arguments_of_a_command_line_go_one_by_one() {
        let body =
            r#"{"data":{"cmdline":["nats-server","--pass","x"],"memstats":{"Alloc":1},"a":["b"]}}"#;
        let out = scrub(body.as_bytes(), &[Secretive::Texts("cmdline")]);
        let redacted = r#"{"data":{"cmdline":["[REDACTED]","[REDACTED]","[REDACTED]"],"memstats":{"Alloc":1},"a":["b"]}}"#;
        let (bytes, paths) = out.unwrap_or_default();
        assert_eq!(String::from_utf8_lossy(&bytes), redacted);
        assert_eq!(paths, ["data.cmdline[]"]);
    }

    #[test]
    fn escaped_keys_and_damaged_json_leak_nothing() {
        assert_eq!(scrubbed(r#"{"jw\u0074":"a.b.c"}"#).0, r#"{"jw\u0074":"a.b.[REDACTED]"}"#);
        assert_eq!(
            scrubbed(r#"]]{"authorized_user":"tok"#).0,
            r#"]]{"authorized_user":"[REDACTED]"#
        );
    }

    #[test]
    fn values_that_look_like_keys_are_left_alone() {
        for body in [
            r#"{"a":"authorized_user","b":"x"}"#,
            r#"["authorized_user","x"]"#,
            r#"{"authorized_user":null,"b":"x"}"#,
            r#"{"authorized_user":"","b":["x"]}"#,
        ] {
            assert_eq!(scrubbed(body), (body.to_owned(), Vec::new()));
        }
    }

    #[test]
    fn the_depth_of_a_body_is_no_danger() {
        let deep = format!("{}{}", "[".repeat(100_000), r#"{"authorized_user":"tok"}"#);
        assert!(scrubbed(&deep).0.ends_with(r#"{"authorized_user":"[REDACTED]"}"#));
    }
}
