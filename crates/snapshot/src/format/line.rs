//! Reads one line of a frame.

use std::borrow::Cow;
use std::fmt;

use memchr::memmem;
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, Visitor};

use super::MAJOR;
use super::reply::{Before, END, Reply, START};
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

impl<'a> Line<'a> {
    /// The reply, if it is one.
    pub fn reply(&self) -> Option<&Reply<'a>> {
        match self {
            Self::Reply(reply) => Some(reply),
            _ => None,
        }
    }
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
    before: Before<'a>,
    head: Vec<u8>,
}

impl<'a> Lines<'a> {
    pub(super) fn new(rest: &'a [u8], offset: usize, max_header: u64) -> Self {
        Self { rest, offset, max_header, before: Before::default(), head: Vec::new() }
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
        if let Some(reply) = Reply::cut(line, &mut self.before, &mut self.head) {
            return Some(Line::Reply(reply));
        }
        if line.len() as u64 <= self.max_header
            && let Some(line) = cut(line, &mut self.head)
        {
            return Some(line);
        }
        let parsed = read_line(line, self.max_header);
        Some(parsed.unwrap_or_else(|why| Line::Malformed { offset: offset as u64, why }))
    }
}

/// A header or an end, cut in front of its last and largest part, which is much the same in every
/// epoch and which few readers want; nothing where that cannot be done without a look at the part.
fn cut<'a>(line: &'a [u8], head: &mut Vec<u8>) -> Option<Line<'a>> {
    let key: &[u8] = match line {
        _ if line.starts_with(b"{\"epoch\":{") => b",\"expects\":",
        _ if line.starts_with(b"{\"end\":{") => b",\"remember\":",
        _ => return None,
    };
    // Inside a text the quotes of the key would be escaped.
    let at = memmem::find(line, key)?;
    let part = Unread::cut(line.get(at + key.len()..)?.strip_suffix(END)?, line);
    head.clear();
    head.extend_from_slice(line.get(..at)?);
    head.extend_from_slice(END);
    match serde_json::from_slice(head).ok()? {
        Parsed::Epoch(header) => Some(of_major(Box::new(header.expecting(part)))),
        Parsed::End(end) => Some(Line::End(Box::new(end.remembering(part)))),
        _ => None,
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
        Parsed::Epoch(header) => of_major(header),
        Parsed::Reply(line) => Line::Reply(Reply::parsed(line)),
        Parsed::Event(event) => Line::Event(event),
        Parsed::Capture(capture) => Line::Capture(capture),
        Parsed::End(end) => Line::End(end),
        Parsed::Unknown(kind) => Line::Unknown { kind },
        Parsed::Frame(_) => return Err("a second `frame` line in one frame".to_owned()),
    })
}

/// A header, if this build reads its format.
fn of_major(header: Box<EpochLine<Unread<'_>>>) -> Line<'_> {
    if major(&header.format.version) == Some(MAJOR) {
        Line::Epoch(header)
    } else {
        other_major(&header.format.version, &header.collector)
    }
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

#[cfg(test)]
mod tests {
    use super::{Line, Lines};
    use crate::lines::{EndLine, EpochLine, ExpectsLine};

    fn read(line: &str) -> Line<'_> {
        Lines::new(line.as_bytes(), 0, 1 << 20).next().unwrap()
    }

    fn header(line: &str) -> Option<EpochLine> {
        let Line::Epoch(header) = read(line) else { panic!("{line}") };
        header.whole().ok()
    }

    fn end(line: &str) -> Option<EndLine> {
        let Line::End(end) = read(line) else { panic!("{line}") };
        end.whole().ok()
    }

    const HEADER: &str = r#"{"epoch":{"format":{"name":"n","version":"1.0"},"uuid":"u","system":"a,\"expects\":1","collector":{"id":"c"},"start":"2026-11-21T09:00:00Z""#;
    const END: &str = r#"{"end":{"end":"2026-11-21T09:00:01Z","frames":2"#;
    const SERVERS: &str = r#"{"servers":[{"id":"N1","name":"n1"}]}"#;

    #[test]
    fn a_header_is_the_same_wherever_its_largest_part_stands() {
        let wanted = header(&format!(r#"{HEADER},"expects":{SERVERS}}}}}"#)).unwrap();
        assert_eq!((wanted.system.as_str(), wanted.expects.servers.len()), (r#"a,"expects":1"#, 1));
        let later = format!(r#"{HEADER},"expects":{SERVERS},"later":{{"expects":5}}}}}}"#);
        assert_eq!(header(&later).unwrap(), wanted);
        let beside = format!(r#"{HEADER},"expects":{SERVERS}}},"later":{{"a":{{}}}}}}"#);
        assert_eq!(header(&beside).unwrap(), wanted);
        let before = HEADER.replacen(r#""uuid""#, &format!(r#""expects":{SERVERS},"uuid""#), 1);
        assert_eq!(header(&format!("{before}}}}}")).unwrap(), wanted);
        for nothing in ["", r#","expects":null"#, r#","expects":{}"#] {
            let line = format!("{HEADER}{nothing}}}}}");
            assert_eq!(header(&line).unwrap().expects, ExpectsLine::default(), "{line}");
        }
    }

    #[test]
    fn an_end_is_the_same_wherever_its_largest_part_stands() {
        let wanted = end(&format!(r#"{END},"remember":{SERVERS}}}}}"#)).unwrap();
        assert_eq!((wanted.frames, wanted.remember.servers.len()), (2, 1));
        let later = format!(r#"{END},"remember":{SERVERS},"later":1}}}}"#);
        assert_eq!(end(&later).unwrap(), wanted);
        assert_eq!(end(&format!("{END}}}}}")).unwrap().remember, ExpectsLine::default());
    }

    #[test]
    fn a_part_that_is_no_json_costs_only_itself() {
        assert_eq!(header(&format!(r#"{HEADER},"expects":{{"servers":[}}}}}}"#)), None);
        assert_eq!(end(&format!(r#"{END},"remember":[}}}}"#)), None);
        let cut_off = format!(r#"{HEADER},"expects":{{"servers":["#);
        assert!(matches!(read(&cut_off), Line::Malformed { .. }));
    }

    #[test]
    fn a_header_of_another_major_version_is_told_as_such() {
        let line = format!(r#"{HEADER},"expects":{SERVERS}}}}}"#).replacen("1.0", "2.0", 1);
        assert!(matches!(read(&line), Line::OtherMajor { .. }));
    }
}
