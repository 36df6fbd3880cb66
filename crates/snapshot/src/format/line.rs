//! Reads one line of a frame.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, Visitor};

use super::MAJOR;
use super::reply::{Reply, START};
use crate::lines::{
    CaptureLine, CollectorLine, EndLine, EpochLine, EventLine, FrameLine, ReplyLine, Unread,
};

/// Longest text taken over from a line that was not understood.
const EXCERPT: usize = 200;

/// A line behind the first of a frame.
#[derive(Debug)]
pub enum Line<'a> {
    /// Header of an epoch.
    Epoch(Box<EpochLine<Unread<'a>>>),
    /// A reply, its body borrowed from the frame.
    Reply(Reply<'a>),
    /// Something a server published, its body borrowed from the frame.
    Event(EventLine<'a>),
    /// How a request went.
    Capture(Box<CaptureLine>),
    /// Totals of an epoch.
    End(Box<EndLine<Unread<'a>>>),
    /// Header of an epoch whose format this build cannot read.
    OtherMajor {
        /// Version of its format.
        version: String,
        /// Release of the collector that wrote it.
        collector: String,
    },
    /// A kind of a later minor version.
    Unknown {
        /// The kind, cut if it is long.
        kind: String,
    },
    /// A line that is not what the format says.
    Malformed {
        /// Offset of the line in the unpacked frame.
        offset: u64,
        /// What is wrong.
        why: String,
    },
}

/// What stands under the one key of a line.
pub(super) enum Parsed<'a> {
    Frame(FrameLine),
    Epoch(Box<EpochLine<Unread<'a>>>),
    Reply(ReplyLine<'a>),
    Event(EventLine<'a>),
    Capture(Box<CaptureLine>),
    End(Box<EndLine<Unread<'a>>>),
    Unknown(String),
}

impl<'de> Deserialize<'de> for Parsed<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ParsedVisitor)
    }
}

struct ParsedVisitor;

impl<'de> Visitor<'de> for ParsedVisitor {
    type Value = Parsed<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object whose first key is the kind of the line")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Parsed<'de>, A::Error> {
        let Some(Key(kind)) = map.next_key::<Key<'de>>()? else {
            return Err(A::Error::custom("a line without a kind"));
        };
        let parsed = match kind.as_ref() {
            "frame" => Parsed::Frame(map.next_value()?),
            "epoch" => Parsed::Epoch(map.next_value()?),
            "reply" => Parsed::Reply(map.next_value()?),
            "event" => Parsed::Event(map.next_value()?),
            "capture" => Parsed::Capture(map.next_value()?),
            "end" => Parsed::End(map.next_value()?),
            other => {
                map.next_value::<IgnoredAny>()?;
                Parsed::Unknown(excerpt(other, 64))
            }
        };
        // Keys beside the kind are of a later version.
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(parsed)
    }
}

/// A key that is borrowed where it holds no escapes.
struct Key<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;
        impl<'de> Visitor<'de> for KeyVisitor {
            type Value = Key<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the kind of a line")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(text)))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(KeyVisitor)
    }
}

/// The first line of a frame, if it is one.
pub(super) fn first_line(line: &[u8]) -> Option<FrameLine> {
    match serde_json::from_slice(line) {
        Ok(Parsed::Frame(frame)) => Some(frame),
        _ => None,
    }
}

/// The lines behind the first.
pub(super) struct Lines<'a> {
    rest: &'a [u8],
    offset: usize,
    max_header: u64,
    head: Vec<u8>,
}

impl<'a> Lines<'a> {
    pub(super) fn new(rest: &'a [u8], offset: usize, max_header: u64) -> Self {
        Self { rest, offset, max_header, head: Vec::new() }
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    fn next(&mut self) -> Option<Line<'a>> {
        if self.rest.is_empty() {
            return None;
        }
        let end = memchr::memchr(b'\n', self.rest);
        let (line, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        let offset = self.offset;
        self.offset += line.len() + 1;
        self.rest = rest.get(1..).unwrap_or(&[]);
        if let Some(reply) = Reply::cut(line, &mut self.head) {
            return Some(Line::Reply(reply));
        }
        let parsed = read_line(line, self.max_header);
        Some(parsed.unwrap_or_else(|why| Line::Malformed { offset: offset as u64, why }))
    }
}

fn read_line(line: &[u8], max_header: u64) -> Result<Line<'_>, String> {
    // Replies may be large, because their body is not parsed here; every other line is parsed
    // whole, and a short text can stand for a large structure.
    if line.len() as u64 > max_header && !line.starts_with(START) {
        return Err(format!(
            "a line of {} bytes that is no reply, limit `max_header` is {max_header}",
            line.len()
        ));
    }
    let parsed = match serde_json::from_slice(line) {
        Ok(parsed) => parsed,
        Err(error) => return newer_header(line).ok_or_else(|| why(&error)),
    };
    Ok(match parsed {
        Parsed::Epoch(header) if major(&header.format.version) != Some(MAJOR) => {
            other_major(&header.format.version, &header.collector)
        }
        Parsed::Epoch(header) => Line::Epoch(header),
        Parsed::Reply(line) => Line::Reply(Reply::parsed(line)),
        Parsed::Event(event) => Line::Event(event),
        Parsed::Capture(capture) => Line::Capture(capture),
        Parsed::End(end) => Line::End(end),
        Parsed::Unknown(kind) => Line::Unknown { kind },
        Parsed::Frame(_) => return Err("a second `frame` line in one frame".to_owned()),
    })
}

#[derive(serde::Deserialize)]
struct Headed<'a> {
    #[serde(borrow)]
    epoch: Probe<'a>,
}

/// The part of a header that every major version has.
#[derive(serde::Deserialize)]
struct Probe<'a> {
    #[serde(borrow)]
    format: ProbeFormat<'a>,
    #[serde(default)]
    collector: CollectorLine,
}

#[derive(serde::Deserialize)]
struct ProbeFormat<'a> {
    #[serde(borrow)]
    version: Cow<'a, str>,
}

/// The header of another major version, which need not be what this one knows as a header.
fn newer_header(line: &[u8]) -> Option<Line<'_>> {
    let Headed { epoch } = serde_json::from_slice(line).ok()?;
    let Probe { format, collector } = epoch;
    (major(&format.version) != Some(MAJOR)).then(|| other_major(&format.version, &collector))
}

fn other_major<'a>(version: &str, collector: &CollectorLine) -> Line<'a> {
    let (version, collector) = (excerpt(version, 64), excerpt(&collector.version, 64));
    Line::OtherMajor { version, collector }
}

/// Major part of a version of the format.
pub fn major(version: &str) -> Option<u32> {
    version.split('.').next()?.parse().ok()
}

/// Minor part of a version of the format; 0 where there is none.
pub fn minor(version: &str) -> u32 {
    version.split('.').nth(1).and_then(|minor| minor.parse().ok()).unwrap_or(0)
}

/// What the parser says, cut: it may quote the line.
fn why(error: &serde_json::Error) -> String {
    excerpt(&error.to_string(), EXCERPT)
}

fn excerpt(text: &str, length: usize) -> String {
    match text.char_indices().nth(length) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
