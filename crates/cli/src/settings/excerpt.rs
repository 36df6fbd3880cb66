//! Errors of a configuration file, with the line they are about.

use std::fmt;
use std::ops::Range;

use nats_hindsight_analyzer::render::plain;

/// Something in a configuration file is wrong.
#[derive(Debug)]
pub(crate) struct ConfigError {
    path: String,
    line: usize,
    why: String,
    /// The line itself and a mark below what is meant.
    excerpt: [String; 2],
}

impl std::error::Error for ConfigError {}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.why)
    }
}

impl ConfigError {
    /// An error about a stretch of the text.
    pub(super) fn new(path: &str, text: &str, span: Range<usize>, why: String) -> Self {
        let at = floor(text, span.start.min(text.len()));
        let from = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
        let to = text[at..].find('\n').map_or(text.len(), |newline| at + newline);
        let end = floor(text, span.end.clamp(at, to));
        let marked = plain::width(&text[at..end]).max(1);
        Self {
            path: path.to_owned(),
            line: text[..at].matches('\n').count() + 1,
            why,
            excerpt: [
                plain::shown(text[from..to].trim_end_matches('\r')),
                format!("{}{}", " ".repeat(plain::width(&text[from..at])), "^".repeat(marked)),
            ],
        }
    }

    /// The line with a mark below it, for a terminal; already escaped.
    pub(crate) fn excerpt(&self) -> String {
        let number = self.line.to_string();
        let margin = " ".repeat(number.len());
        let [line, mark] = &self.excerpt;
        format!("{margin} |\n{number} | {line}\n{margin} | {mark}")
    }
}

/// The last boundary between characters at or before an offset.
fn floor(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}
