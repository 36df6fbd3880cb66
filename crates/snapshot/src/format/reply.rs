//! A reply as it is read: what the collector says of it is parsed, what was sent is not.
//!
//! Most of a snapshot is bodies, and most bodies are the same as in the epoch before, or of no
//! interest to whoever reads. So a line is cut in front of its body where that can be done without
//! looking at the body, as in every line that the writer here makes.

use std::borrow::Cow;
use std::fmt;

use memchr::memmem;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::line::Parsed;
use crate::Endpoint;
use crate::json;
use crate::lines::{FilterLine, PageLine, ReplyLine};

/// How a reply line begins.
pub(super) const START: &[u8] = b"{\"reply\":{";

/// What stands before the body of a line that is cut. Inside a JSON string its quotes would be
/// escaped, so it is a key.
const KEY: &[u8] = b",\"body\":";

/// How a line ends whose last field is cut off.
pub(super) const END: &[u8] = b"}}";

/// The round trip of a reply whose arrival nobody saw, as in the archive of a stranger: its time is
/// by the server's own clock, and says nothing of that clock.
pub const UNTIMED: u64 = u64::MAX;

/// A reply: what the collector says of it, as in [`ReplyLine`], and the body.
#[derive(Clone, Debug)]
pub struct Reply<'a> {
    /// What was asked.
    pub endpoint: Endpoint,
    /// Subject of the request, or the URL path over HTTP.
    pub subject: Cow<'a, str>,
    /// Who answered.
    pub source: Option<Cow<'a, str>>,
    /// Account of the connection the request went over.
    pub account: Option<Cow<'a, str>>,
    /// Microseconds from the start of the epoch to the arrival.
    pub arrival_us: u64,
    /// Microseconds between request and reply; [`UNTIMED`] where nobody measured it.
    pub rtt_us: u64,
    /// What was sent, if it is JSON.
    pub body: Option<Body<'a>>,
    /// What few replies have.
    pub further: Option<Box<Further>>,
}

/// What the collector says of few replies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Further {
    /// Page of a paged endpoint.
    pub page: Option<PageLine>,
    /// What the request was restricted to.
    pub filter: Option<FilterLine>,
    /// Whether connections were asked for without their subscriptions: then rows tell of which
    /// account a connection is, and not what it listens to. Never so in a snapshot.
    pub without_subscriptions: bool,
    /// Paths of the fields whose value was replaced.
    pub scrubbed: Vec<String>,
    /// What was sent in base64, if it is not JSON.
    pub body_base64: Option<String>,
}

impl Further {
    /// The same; nothing if it says nothing.
    pub fn boxed(self) -> Option<Box<Self>> {
        (self != Self::default()).then(|| Box::new(self))
    }
}

/// A body that may not have been looked at yet.
#[derive(Clone, Copy)]
pub struct Body<'a> {
    bytes: &'a [u8],
    /// The whole line, as long as nobody parsed it.
    line: Option<&'a [u8]>,
}

impl fmt::Debug for Body<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Body").field(&self.text()).finish()
    }
}

impl<'a> Body<'a> {
    /// A body by its bytes, which should be one JSON value.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, line: None }
    }

    /// The bytes of the body, as far as they are known without parsing them. Equal bytes are equal
    /// bodies.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Parses the body. Fails where it is not what `T` expects, or no JSON at all.
    pub fn parse<T: Deserialize<'a>>(&self) -> Result<T, serde_json::Error> {
        json::parse(self.bytes).or_else(|error| match self.strict() {
            Some(raw) if raw.get().len() != self.bytes.len() => serde_json::from_str(raw.get()),
            _ => Err(error),
        })
    }

    /// The text of the body; nothing if it is no JSON.
    pub fn text(&self) -> Option<&'a str> {
        match self.strict() {
            Some(raw) => Some(raw.get()),
            None => serde_json::from_slice::<&RawValue>(self.bytes).ok().map(RawValue::get),
        }
    }

    /// The body by the whole line, which may have more fields behind it.
    fn strict(&self) -> Option<&'a RawValue> {
        match serde_json::from_slice(self.line?) {
            Ok(Parsed::Reply(line)) => line.body,
            _ => None,
        }
    }
}

impl<'a> Reply<'a> {
    /// A reply whose line was parsed to its end.
    pub(super) fn parsed(line: ReplyLine<'a>) -> Self {
        let body = line.body.map(|raw| Body { bytes: raw.get().as_bytes(), line: None });
        Self { body, ..Self::bodiless(line) }
    }

    fn bodiless(line: ReplyLine<'_>) -> Self {
        Self {
            endpoint: line.endpoint,
            subject: Cow::Owned(line.subject),
            source: line.source.map(Cow::Owned),
            account: line.account.map(Cow::Owned),
            arrival_us: line.arrival_us,
            rtt_us: line.rtt_us,
            body: None,
            further: Further {
                page: line.page,
                filter: line.filter,
                without_subscriptions: false,
                scrubbed: line.scrubbed,
                body_base64: line.body_base64,
            }
            .boxed(),
        }
    }

    /// The line without its body, borrowed from nobody.
    pub fn line(&self) -> ReplyLine<'static> {
        let owned = |text: &Option<Cow<'_, str>>| text.clone().map(Cow::into_owned);
        let Further { page, filter, scrubbed, body_base64, .. } =
            self.further.as_deref().cloned().unwrap_or_default();
        ReplyLine {
            endpoint: self.endpoint.clone(),
            subject: self.subject.clone().into_owned(),
            source: owned(&self.source),
            account: owned(&self.account),
            arrival_us: self.arrival_us,
            rtt_us: self.rtt_us,
            page,
            filter,
            scrubbed,
            body: None,
            body_base64,
        }
    }

    /// Page of a paged endpoint.
    pub fn page(&self) -> Option<PageLine> {
        self.further.as_ref()?.page
    }

    /// What the request was restricted to.
    pub fn filter(&self) -> Option<&FilterLine> {
        self.further.as_ref()?.filter.as_ref()
    }

    /// Whether connections were asked for without their subscriptions.
    pub fn without_subscriptions(&self) -> bool {
        self.further.as_ref().is_some_and(|further| further.without_subscriptions)
    }

    /// Cuts a line in front of its body; nothing where that cannot be done. `before` is what the line
    /// before told, `head` memory that is used again for the next line.
    pub(super) fn cut(line: &'a [u8], before: &mut Before<'a>, head: &mut Vec<u8>) -> Option<Self> {
        let fields = line.strip_prefix(START)?;
        let of = |bytes: &'a [u8]| {
            let bytes = bytes.strip_suffix(END)?;
            // A field that is `null` is not there, as everywhere in a line.
            Some((bytes != b"null").then_some(Body { bytes, line: Some(line) }))
        };
        if let Some((reply, rest)) = Self::plain(fields, before)
            && let Some(bytes) = rest.strip_prefix(KEY)
        {
            return Some(Self { body: of(bytes)?, ..reply });
        }
        let at = memmem::find(line, KEY)?;
        let body = of(line.get(at + KEY.len()..)?)?;
        head.clear();
        head.extend_from_slice(line.get(..at)?);
        head.extend_from_slice(END);
        // What is no line by itself was not cut at a field of the reply, but somewhere within one.
        let Ok(Parsed::Reply(read)) = serde_json::from_slice(head) else { return None };
        Some(Self { body, ..Self::bodiless(read) })
    }

    /// The fields in front of the body where they are the usual ones in the order of the writer,
    /// and their texts have no escapes. Anything else is left to the JSON parser.
    fn plain(fields: &'a [u8], before: &mut Before<'a>) -> Option<(Self, &'a [u8])> {
        let mut rest = Rest(fields);
        if !rest.skip(before.asked) {
            let endpoint = Endpoint::named(rest.text(b"\"endpoint\":\"")?);
            let subject = rest.text(b",\"subject\":\"")?;
            let asked = rest.passed(fields);
            *before = Before { asked, endpoint: Some(endpoint), subject, ..Before::default() };
        }
        let (endpoint, subject) = (before.endpoint.clone()?, before.subject);
        let source = rest.text(b",\"source\":\"");
        let behind = rest.0;
        if !rest.skip(before.of_account) {
            before.account = rest.text(b",\"account\":\"");
            before.of_account = rest.passed(behind);
        }
        let account = before.account;
        let arrival_us = rest.number(b",\"arrival_us\":")?;
        let rtt_us = rest.number(b",\"rtt_us\":")?;
        let reply = Self {
            endpoint,
            subject: Cow::Borrowed(subject),
            source: source.map(Cow::Borrowed),
            account: account.map(Cow::Borrowed),
            arrival_us,
            rtt_us,
            body: None,
            further: None,
        };
        Some((reply, rest.0))
    }
}

/// Texts that a line often shares with the one before, which then need not be looked at.
#[derive(Default)]
pub(super) struct Before<'a> {
    /// The fields that say what was asked, as they stand in the line.
    asked: &'a [u8],
    endpoint: Option<Endpoint>,
    subject: &'a str,
    /// The field of the account.
    of_account: &'a [u8],
    account: Option<&'a str>,
}

/// Whether a text holds a raw control character.
fn holds_controls(text: &[u8]) -> bool {
    text.iter().any(|byte| *byte < b' ')
}

/// What is left of the fields.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    /// Passes over fields that were read before and end with a quote; false if they do not stand
    /// here.
    fn skip(&mut self, fields: &[u8]) -> bool {
        match self.0.strip_prefix(fields) {
            Some(rest) if !fields.is_empty() => {
                self.0 = rest;
                true
            }
            _ => false,
        }
    }

    /// What stood in front of the rest.
    fn passed(&self, all: &'a [u8]) -> &'a [u8] {
        &all[..all.len() - self.0.len()]
    }

    /// A text behind a key, up to its quote.
    fn text(&mut self, key: &[u8]) -> Option<&'a str> {
        let behind = self.0.strip_prefix(key)?;
        let end = memchr::memchr2(b'"', b'\\', behind)?;
        let (text, rest) = behind.split_at_checked(end)?;
        let rest = rest.strip_prefix(b"\"")?;
        // Raw control characters are no JSON.
        let text = std::str::from_utf8(text).ok().filter(|_| !holds_controls(text))?;
        self.0 = rest;
        Some(text)
    }

    /// A whole number behind a key.
    fn number(&mut self, key: &[u8]) -> Option<u64> {
        let behind = self.0.strip_prefix(key)?;
        let digits = behind.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = behind.split_at_checked(digits)?;
        let leading_zero = digits.len() > 1 && digits.starts_with(b"0");
        let number = digits.iter().filter(|_| !leading_zero).try_fold(0_u64, |sum, digit| {
            sum.checked_mul(10)?.checked_add(u64::from(digit - b'0'))
        })?;
        if digits.is_empty() || leading_zero {
            return None;
        }
        self.0 = rest;
        Some(number)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::{Before, Reply};
    use crate::format::Line;
    use crate::format::line::Lines;

    fn read(line: &str) -> Line<'_> {
        Lines::new(line.as_bytes(), 0, 1 << 20).next().unwrap()
    }

    fn body(line: &str) -> Option<Value> {
        let Line::Reply(reply) = read(line) else { panic!("{line}") };
        let body = reply.body?;
        let value: Value = body.parse().unwrap();
        assert_eq!(value, serde_json::from_str::<Value>(body.text().unwrap()).unwrap());
        Some(value)
    }

    #[test]
    fn a_line_is_cut_without_a_look_at_its_body() {
        let line = r#"{"reply":{"endpoint":"VARZ","rtt_us":3,"body":{"a":[1,"}}"],"body":2}}}"#;
        let cut = Reply::cut(line.as_bytes(), &mut Before::default(), &mut Vec::new()).unwrap();
        assert_eq!(cut.rtt_us, 3);
        assert_eq!(cut.body.unwrap().bytes(), br#"{"a":[1,"}}"],"body":2}"#);
    }

    #[test]
    fn fields_in_any_order_give_the_same_body() {
        let wanted: Value = serde_json::json!({"x": 1, "body": 2});
        for line in [
            r#"{"reply":{"endpoint":"VARZ","body":{"x":1,"body":2}}}"#,
            r#"{"reply":{"endpoint":"VARZ","body":{"x":1,"body":2},"later":{"a":1}}}"#,
            r#"{"reply":{"body":{"x":1,"body":2},"endpoint":"VARZ"}}"#,
            r#"{"reply":{"endpoint":"VARZ","page":{"offset":0,"limit":1,"body":5},"body":{"x":1,"body":2}}}"#,
            r#"{"reply":{"endpoint":"VARZ","body":{"x":1,"body":2}},"later":{"a":{}}}"#,
            r#"{ "reply" : {"endpoint":"VARZ","body": {"x":1,"body":2} } }"#,
        ] {
            assert_eq!(body(line).as_ref(), Some(&wanted), "{line}");
        }
    }

    #[test]
    fn what_looks_like_the_key_inside_a_text_is_not_it() {
        let line = r#"{"reply":{"endpoint":"VARZ","subject":"a,\"body\":1","body":{"x":1}}}"#;
        assert_eq!(body(line), Some(serde_json::json!({"x": 1})));
    }

    #[test]
    fn the_quick_way_and_the_parser_read_the_same() {
        for fields in [
            r#""endpoint":"VARZ","subject":"a.b","source":"N1","account":"APP","arrival_us":7,"rtt_us":0"#,
            r#""endpoint":"AURAZ","subject":"é","arrival_us":18446744073709551615,"rtt_us":10"#,
        ] {
            let (plain, rest) = Reply::plain(fields.as_bytes(), &mut Before::default()).unwrap();
            assert_eq!(rest, b"");
            let plain = plain.line();
            let line = format!("{{{fields}}}");
            let parsed: crate::lines::ReplyLine<'_> = serde_json::from_str(&line).unwrap();
            assert_eq!(
                serde_json::to_string(&plain).unwrap(),
                serde_json::to_string(&parsed).unwrap()
            );
        }
        for odd in [
            r#""endpoint":"VARZ","subject":"a\u0041","arrival_us":7,"rtt_us":0"#,
            r#""endpoint":"VARZ","subject":"a","arrival_us":07,"rtt_us":0"#,
            r#""endpoint":"VARZ","subject":"a","arrival_us":7,"rtt_us":0.5"#,
            r#""endpoint":"VARZ","subject":"a","arrival_us":7,"rtt_us":0,"later":1"#,
            r#""subject":"a","endpoint":"VARZ","arrival_us":7,"rtt_us":0"#,
            "\"endpoint\":\"VARZ\",\"subject\":\"a\tb\",\"arrival_us\":7,\"rtt_us\":0",
        ] {
            let plain = Reply::plain(odd.as_bytes(), &mut Before::default());
            assert!(plain.is_none_or(|(_, rest)| !rest.is_empty()), "{odd}");
        }
    }

    #[test]
    fn a_line_is_read_as_if_it_were_alone() {
        let line = |endpoint: &str, subject: &str, account: &str| {
            format!(
                r#"{{"reply":{{"endpoint":"{endpoint}","subject":"{subject}"{account},"arrival_us":1,"rtt_us":2,"body":{{}}}}}}"#
            )
        };
        let texts = ["VARZ", "VARZ2", "", "VAR", r"VARZ", "é"];
        let accounts = ["", r#","account":"APP""#, r#","account":"APP2""#, r#","account":"""#];
        let mut lines: Vec<String> = Vec::new();
        for (endpoint, subject) in texts.iter().flat_map(|a| texts.map(|b| (*a, b))) {
            lines.extend(accounts.map(|account| line(endpoint, subject, account)));
        }
        for (first, second) in lines.iter().flat_map(|a| lines.iter().map(move |b| (a, b))) {
            let both = format!("{first}\n{second}");
            let behind = Lines::new(both.as_bytes(), 0, 1 << 20).nth(1);
            let (Some(Line::Reply(behind)), Line::Reply(alone)) = (behind, read(second)) else {
                panic!("{both}")
            };
            assert_eq!(
                serde_json::to_string(&behind.line()).unwrap(),
                serde_json::to_string(&alone.line()).unwrap()
            );
        }
    }

    #[test]
    fn every_control_is_found_wherever_it_stands() {
        for length in 0..20 {
            for at in 0..length {
                for byte in 0..=u8::MAX {
                    for filling in [b' ', b'a', 0xFF] {
                        let mut text = vec![filling; length];
                        text[at] = byte;
                        assert_eq!(super::holds_controls(&text), byte < b' ', "{text:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_reply_without_a_json_body_has_none() {
        assert_eq!(body(r#"{"reply":{"endpoint":"VARZ","body_base64":"AA=="}}"#), None);
        assert_eq!(body(r#"{"reply":{"endpoint":"VARZ"}}"#), None);
        assert_eq!(body(r#"{"reply":{"endpoint":"VARZ","body":null}}"#), None);
    }

    #[test]
    fn a_body_that_is_no_json_cannot_be_parsed() {
        let line = r#"{"reply":{"endpoint":"VARZ","body":{"x":}}}"#;
        let Line::Reply(reply) = read(line) else { panic!("{line}") };
        let body = reply.body.unwrap();
        assert!(body.parse::<Value>().is_err());
        assert_eq!(body.text(), None);
    }

    #[test]
    fn a_line_that_is_cut_off_is_malformed() {
        for line in [r#"{"reply":{"endpoint":"VARZ","body":{"x":1"#, r#"{"reply":{"endpoint""#] {
            assert!(matches!(read(line), Line::Malformed { .. }), "{line}");
        }
    }
}
