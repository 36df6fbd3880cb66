//! Where text of strangers becomes text that is safe to show.
//!
//! Names of connections, services, streams and servers come from whoever could reach the cluster.
//! A terminal obeys control characters, a reader is fooled by characters that have no width or
//! turn the direction of text, and a line break starts a line of its own in somebody's log. All of
//! them are shown as escapes, so that what stands on the screen is what stands in the data.

use std::fmt::{self, Write as _};

use unicode_width::UnicodeWidthStr;

/// Text from outside, shown with everything that could deceive replaced by visible escapes.
///
/// Showing shown text again changes nothing, so it may pass here more than once.
#[derive(Clone, Copy, Debug)]
pub struct Untrusted<'a>(pub &'a str);

impl fmt::Display for Untrusted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            '\n' => f.write_str("\\n"),
            '\r' => f.write_str("\\r"),
            '\t' => f.write_str("\\t"),
            c if deceives(c) => write!(f, "\\u{{{:x}}}", u32::from(c)),
            c => f.write_char(c),
        })
    }
}

/// Whether a character does something other than standing there.
pub(super) fn deceives(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{2800}' | '\u{3164}' | '\u{ffa0}' | '\u{feff}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// Safe text of a string from outside.
pub fn shown(text: &str) -> String {
    Untrusted(text).to_string()
}

/// Columns that text takes once it is shown.
pub fn width(text: &str) -> usize {
    shown(text).width()
}

/// Shows text in at most `columns`; what is too long loses its middle, because names differ at
/// their ends.
pub fn cut(text: &str, columns: usize) -> String {
    let text = shown(text);
    if text.width() <= columns {
        return text;
    }
    let room = columns.saturating_sub(1);
    let mut head = String::new();
    for c in text.chars() {
        head.push(c);
        if head.width() > room.div_ceil(2) {
            head.pop();
            break;
        }
    }
    let room = room.saturating_sub(head.width());
    let mut from = text.len();
    for (at, _) in text.char_indices().rev() {
        if text[at..].width() > room {
            break;
        }
        from = at;
    }
    if columns > 0 {
        head.push('…');
    }
    head + &text[from..]
}

/// Shows text in exactly `columns`, cut or filled up with spaces on the right.
pub fn pad(text: &str, columns: usize) -> String {
    let mut text = cut(text, columns);
    let missing = columns.saturating_sub(text.width());
    text.extend(std::iter::repeat_n(' ', missing));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &[&str] = &[
        "\u{1b}]0;owned\u{7}\u{1b}[2J",
        "a\nb\r\n::error::c",
        "\u{9b}31m\u{7f}",
        "\u{202e}gnp.exe\u{2066}x\u{2069}",
        "pay\u{200b}ments\u{feff}\u{2060}",
        "a\u{e0041}b\u{fe0f}\u{ad}\u{3164}",
        "\0\u{8}\u{b}\u{c}\t",
        "a\u{2028}b\u{2029}c",
    ];

    #[test]
    fn nothing_that_deceives_is_left() {
        for text in HOSTILE {
            let safe = shown(text);
            assert!(!safe.chars().any(deceives), "{safe}");
            assert_eq!(shown(&safe), safe);
        }
        assert_eq!(shown("\u{1b}[31m"), "\\u{1b}[31m");
        assert_eq!(shown("a\nb"), "a\\nb");
        assert_eq!(shown("\u{202e}gnp"), "\\u{202e}gnp");
    }

    #[test]
    fn ordinary_text_of_any_script_is_left_alone() {
        for text in ["orders-v2", "Zürich", "注文", "заказы", "a|b=1+1 @x", "\\n"] {
            assert_eq!(shown(text), text);
        }
    }

    #[test]
    fn width_counts_columns() {
        assert_eq!(width("注文"), 4);
        assert_eq!(width("a\nb"), 4);
        assert_eq!(pad("注文", 6), "注文  ");
    }

    #[test]
    fn long_names_lose_their_middle() {
        assert_eq!(cut("abcdefghij", 10), "abcdefghij");
        assert_eq!(cut("abcdefghijk", 7), "abc…ijk");
        assert_eq!(cut("abcdefghijk", 1), "…");
        assert_eq!(cut("abcdefghijk", 0), "");
        for columns in 0..20 {
            for text in HOSTILE.iter().chain(&["注文注文注文注文注文"]) {
                assert!(width(&cut(text, columns)) <= columns);
                assert_eq!(width(&pad(text, columns)), columns);
            }
        }
    }
}
