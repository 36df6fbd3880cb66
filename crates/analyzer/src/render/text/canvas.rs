//! Lines of text in 80 columns: the only way in which anything gets into the text report.

use anstyle::{AnsiColor, Style};

use crate::render::plain;
use crate::report::Severity;

/// Columns of a line.
pub(super) const COLUMNS: usize = 80;

/// How a stretch of text stands out where styles are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    Plain,
    Strong,
    Faint,
    Of(Severity),
}

impl Tone {
    fn style(self) -> Style {
        match self {
            Self::Plain => Style::new(),
            Self::Strong => Style::new().bold(),
            Self::Faint => Style::new().dimmed(),
            Self::Of(Severity::Critical) => AnsiColor::Red.on_default().bold(),
            Self::Of(Severity::Warning) => AnsiColor::Yellow.on_default().bold(),
            Self::Of(Severity::Info) => AnsiColor::Cyan.on_default(),
        }
    }
}

/// A page under construction. Whatever text it is given, it shows only safe text: escaping
/// happens here, and styles are added after it.
pub(super) struct Canvas {
    out: String,
    styled: bool,
}

impl Canvas {
    pub(super) fn new(styled: bool) -> Self {
        Self { out: String::new(), styled }
    }

    pub(super) fn into_text(self) -> String {
        self.out
    }

    /// An empty line.
    pub(super) fn blank(&mut self) {
        self.out.push('\n');
    }

    /// One line of several stretches, cut where the line ends.
    pub(super) fn line(&mut self, indent: usize, stretches: &[(Tone, &str)]) {
        self.out.extend(std::iter::repeat_n(' ', indent));
        let mut room = COLUMNS.saturating_sub(indent);
        let last = stretches.len().saturating_sub(1);
        for (i, (tone, text)) in stretches.iter().enumerate() {
            let mut text = plain::cut(text, room);
            if i == last {
                text.truncate(text.trim_end().len());
            }
            room = room.saturating_sub(plain::width(&text));
            self.push(*tone, &text);
        }
        self.out.push('\n');
    }

    /// A heading.
    pub(super) fn heading(&mut self, text: &str) {
        self.blank();
        self.line(0, &[(Tone::Strong, text)]);
    }

    /// A paragraph, wrapped.
    pub(super) fn paragraph(&mut self, indent: usize, text: &str) {
        for line in wrap(text, COLUMNS - indent) {
            self.line(indent, &[(Tone::Plain, &line)]);
        }
    }

    /// A paragraph behind a label, wrapped beside it.
    pub(super) fn labelled(&mut self, indent: usize, label: &str, text: &str) {
        let beside = indent + LABEL;
        for (i, line) in wrap(text, COLUMNS - beside).iter().enumerate() {
            let label = plain::pad(if i == 0 { label } else { "" }, LABEL);
            self.line(indent, &[(Tone::Faint, &label), (Tone::Plain, line)]);
        }
    }

    fn push(&mut self, tone: Tone, safe: &str) {
        let style = if self.styled { tone.style() } else { Style::new() };
        self.out.push_str(&style.render().to_string());
        self.out.push_str(safe);
        self.out.push_str(&style.render_reset().to_string());
    }
}

/// Columns of a label and the space behind it.
pub(super) const LABEL: usize = 10;

/// Breaks text at spaces into lines of at most `columns`; a longer word loses its middle.
pub(super) fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let word = plain::cut(word, columns);
        let width = plain::width(&word);
        if used > 0 && used + 1 + width > columns {
            lines.push(std::mem::take(&mut line));
            used = 0;
        }
        if used > 0 {
            line.push(' ');
            used += 1;
        }
        line.push_str(&word);
        used += width;
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_is_longer_than_a_terminal() {
        let mut canvas = Canvas::new(false);
        let hostile = format!("a\u{1b}[2J\nb {} 注文 {}", "x".repeat(200), "y ".repeat(90));
        canvas.paragraph(4, &hostile);
        canvas.labelled(2, "label", &hostile);
        canvas.line(7, &[(Tone::Strong, &hostile), (Tone::Plain, "end")]);
        for line in canvas.into_text().lines() {
            assert!(plain::width(line) <= COLUMNS, "{line}");
            assert_eq!(plain::shown(line), line);
        }
    }

    #[test]
    fn styles_come_after_escaping() {
        let mut canvas = Canvas::new(true);
        canvas.line(0, &[(Tone::Of(Severity::Warning), "\u{1b}[31mred")]);
        let text = canvas.into_text();
        assert!(text.contains("\\u{1b}[31mred"), "{text}");
        assert!(text.starts_with('\u{1b}') && text.ends_with("\u{1b}[0m\n"), "{text}");
    }
}
