//! What a terminal would make of an output.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};

use nats_hindsight_tests::recording::SCALE;
use unicode_width::UnicodeWidthStr;

/// The most columns of a line.
pub(crate) const WIDEST: usize = 80;

/// What was printed.
pub(crate) struct Printed {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Runs the binary, with colour or without.
pub(crate) fn hindsight<S: AsRef<OsStr>>(args: &[S], colour: bool) -> Printed {
    let mut command = Command::new(nats_hindsight_testkit::hindsight().unwrap());
    command.args(args).stdin(Stdio::null()).env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE");
    if colour {
        command.env("CLICOLOR_FORCE", "1");
    }
    let output = command.output().unwrap();
    Printed {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// What is printed of an input, by all checks.
pub(crate) fn printed(input: &Path, command: &str, format: &str, colour: bool) -> String {
    let path = input.display().to_string();
    let mut args = vec![command, &path, "--format", format];
    if command == "analyze" {
        args.extend(SCALE);
        args.extend(["--fail-on", "never"]);
    }
    let printed = hindsight(&args, colour);
    assert_eq!(printed.code, 0, "{}", printed.err);
    assert_harmless(&printed.err, command);
    printed.out
}

/// Whether a character does something else than standing there. Written down here once more, and
/// not taken from the product, which might have forgotten the same one.
pub(crate) fn deceives(c: char) -> bool {
    let hidden = "\u{ad}\u{34f}\u{61c}\u{feff}\u{2028}\u{2029}";
    c.is_control()
        || hidden.contains(c)
        || matches!(u32::from(c), 0x200b..=0x200f | 0x202a..=0x202e | 0x2060..=0x206f
            | 0xe0000..=0xe0fff)
}

/// Fails if a text obeys anybody: no control but line breaks, and no line that is a command of a
/// build system.
pub(crate) fn assert_harmless(text: &str, what: &str) {
    let found = text.chars().find(|c| *c != '\n' && deceives(*c));
    let line = text.lines().find(|line| line.chars().any(deceives));
    assert_eq!(found, None, "{what}: {line:?}");
    assert!(!text.lines().any(|line| line.trim_start().starts_with("::")), "{what}: {text}");
}

/// Takes away the colours that are ours: `ESC [ numbers m`.
pub(crate) fn without_colour(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("\u{1b}[") {
        let (before, sequence) = rest.split_at(at);
        out.push_str(before);
        let end = sequence[2..].find(|c: char| !c.is_ascii_digit() && c != ';').map(|end| end + 2);
        let end = end.filter(|end| sequence[*end..].starts_with('m')).unwrap();
        rest = &sequence[end + 1..];
    }
    out + rest
}

/// Columns of a text on a terminal.
pub(crate) fn columns(text: &str) -> usize {
    text.width()
}

/// The part of a line from one column to another.
pub(crate) fn slice(line: &str, from: usize, to: usize) -> String {
    let mut at = 0;
    let mut out = String::new();
    for c in line.chars() {
        if at >= from && at < to {
            out.push(c);
        }
        at += columns(&c.to_string());
    }
    out
}
