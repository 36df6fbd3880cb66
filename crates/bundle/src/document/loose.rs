//! Replies in what somebody saved by hand: from a monitoring port, or as `nats req` prints them.

use std::borrow::Cow;

use jiff::Timestamp;
use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_snapshot::format::Limits;
use nats_hindsight_snapshot::wire::{ApiError, ServerInfo};
use serde_json::value::RawValue;

use super::{recognise, split_value, without_mark};
use crate::problem::{Problem, Problems};

/// A reply that was found.
#[derive(Clone, Debug)]
pub struct Reply<'a> {
    /// Which endpoint it is of; never unknown but for refusals, which all look the same.
    pub endpoint: Option<Endpoint>,
    /// Who answered, where it has an envelope.
    pub server: Option<ServerInfo<'a>>,
    /// Id of the server, from the envelope or the reply.
    pub server_id: Option<String>,
    /// The server's clock: the reply's own `now`, or the envelope's.
    pub time: Option<Timestamp>,
    /// The reply without its envelope; `None` of a refusal.
    pub body: Option<&'a str>,
    /// Why the server refused.
    pub error: Option<ApiError<'a>>,
    /// Where it begins, in bytes.
    pub offset: u64,
}

/// What was found in a text.
#[derive(Clone, Debug, Default)]
pub struct Found<'a> {
    /// Replies, in the order of the text.
    pub replies: Vec<Reply<'a>>,
    /// JSON values that are no reply of NATS.
    pub others: u64,
    /// Lines that are no JSON, such as what `nats req` prints between replies.
    pub lines: u64,
    /// What could not be read.
    pub problems: Vec<Problem>,
}

/// Turns what Windows tools save into UTF-8.
pub fn text(bytes: &[u8]) -> Cow<'_, [u8]> {
    let wide = |from: fn([u8; 2]) -> u16| {
        let units = bytes[2..].as_chunks::<2>().0.iter().map(|unit| from(*unit));
        let text: String =
            char::decode_utf16(units).map(|unit| unit.unwrap_or('\u{fffd}')).collect();
        Cow::Owned(text.into_bytes())
    };
    match bytes {
        [0xff, 0xfe, ..] => wide(u16::from_le_bytes),
        [0xfe, 0xff, ..] => wide(u16::from_be_bytes),
        _ => Cow::Borrowed(without_mark(bytes)),
    }
}

/// Finds every reply in a text: one value, several behind each other, an array of them, and lines
/// of other things between. Bounded by limits `max_entries` and `max_search`.
pub fn find<'a>(text: &'a [u8], limits: &Limits) -> Found<'a> {
    let mut search = Search { found: Found::default(), problems: Problems::default() };
    let (mut at, mut vain) = (0, 0);
    let max_vain = limits.max_search.max((text.len() as u64).saturating_mul(4));
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let blank = rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        if blank > 0 {
            at += blank;
            continue;
        }
        if !matches!(rest[0], b'{' | b'[') {
            search.found.lines += 1;
            at += line(rest);
            continue;
        }
        if search.found.replies.len() as u64 >= limits.max_entries || vain > max_vain {
            let text = "holds more than limits `max_entries` and `max_search` allow; the rest is \
                        not read";
            search.problems.add(Problem::new("limit", text).at(at as u64));
            break;
        }
        let mut values = serde_json::Deserializer::from_slice(rest).into_iter::<&RawValue>();
        match values.next() {
            Some(Ok(value)) => {
                search.value(value, at as u64);
                at += values.byte_offset();
            }
            Some(Err(error)) => {
                let text = format!("holds something that is no JSON: {error}");
                search.problems.add(Problem::new("document_damaged", text).at(at as u64));
                vain += rest.len() as u64;
                at += line(rest);
            }
            None => break,
        }
    }
    Found { problems: search.problems.finish(), ..search.found }
}

/// Bytes of a line with its end.
fn line(rest: &[u8]) -> usize {
    memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1)
}

struct Search<'a> {
    found: Found<'a>,
    problems: Problems,
}

impl<'a> Search<'a> {
    /// Takes a value, or each value of an array.
    fn value(&mut self, value: &'a RawValue, offset: u64) {
        if !value.get().starts_with('[') {
            self.object(value, offset);
            return;
        }
        let Ok(values) = serde_json::from_str::<Vec<&'a RawValue>>(value.get()) else { return };
        for inner in values {
            let within = inner.get().as_ptr() as usize - value.get().as_ptr() as usize;
            self.object(inner, offset + within as u64);
        }
    }

    fn object(&mut self, value: &'a RawValue, offset: u64) {
        if !value.get().starts_with('{') {
            self.found.others += 1;
            return;
        }
        match reply(value, offset) {
            Ok(Some(reply)) => self.found.replies.push(reply),
            Ok(None) => self.found.others += 1,
            Err(error) => {
                let text = format!("holds a document that cannot be read: {error}");
                self.problems.add(Problem::new("document_damaged", text).at(offset));
            }
        }
    }
}

fn reply(value: &RawValue, offset: u64) -> Result<Option<Reply<'_>>, serde_json::Error> {
    let document = split_value(value)?;
    let object = document.body.filter(|body| body.starts_with('{'));
    let recognised = object.map(recognise).transpose()?;
    let (endpoint, server_id, now) = match recognised {
        _ if document.is_statsz => (Some(Endpoint::STATSZ), None, None),
        Some(told) => (told.endpoint, told.server_id, told.now),
        None => (None, None, None),
    };
    if endpoint.is_none() && document.error.is_none() {
        return Ok(None);
    }
    let server = document.server;
    let own = server.as_ref().and_then(|server| server.id.as_deref());
    let server_id = own.map(str::to_owned).or(server_id.map(Cow::into_owned));
    let sent = server.as_ref().and_then(|server| server.time.as_deref()?.parse().ok());
    let (body, error) = (document.body, document.error);
    Ok(Some(Reply { endpoint, server, server_id, time: now.or(sent), body, error, offset }))
}
