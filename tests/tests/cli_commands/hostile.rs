//! Names chosen by strangers reach a terminal only as text.

use crate::support::{epoch, folder, hindsight};

const EVIL: &str = "\u{1b}]0;owned\u{7}\u{1b}[2J\n::error::\u{202e}gnp\u{200b}\u{9b}31m";

#[test]
fn neither_report_nor_survey_nor_errors_obey_names() {
    let servers = &[(EVIL, "2.14.6"), ("a2", "\u{1b}[31m2.10.25\u{202e}")];
    let evil = folder(&[epoch(0, servers)]);
    let named = evil.path().join("a\u{1b}[31m\nb.ndjson.zst");
    std::fs::write(&named, "not a recording").unwrap();
    let missing = evil.path().join("\u{1b}[2J\u{202e}");
    for args in [
        &[&"analyze" as &dyn AsRef<std::ffi::OsStr>, &evil.path()][..],
        &[&"analyze", &evil.path(), &"--format", &"json"],
        &[&"inspect", &evil.path()],
        &[&"inspect", &evil.path(), &"--format", &"json"],
        &[&"analyze", &missing],
    ] {
        let ran = hindsight(args);
        if args.iter().any(|argument| argument.as_ref() == "json") {
            let survey = args[0].as_ref() == "inspect";
            drop(if survey { ran.survey() } else { ran.report() });
        }
        for text in [&ran.stdout, &ran.stderr] {
            let deceives =
                |c: char| c != '\n' && (c.is_control() || "\u{202e}\u{200b}".contains(c));
            assert!(!text.contains(deceives), "{text:?}");
            assert!(!text.lines().any(|line| line.starts_with("::error")), "{text}");
        }
    }
}
