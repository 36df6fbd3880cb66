//! Names of files and folders are text of strangers, too.

use std::fs;
use std::path::Path;

use nats_hindsight_tests::recording::fixtures;

use crate::terminal::{assert_harmless, hindsight};

/// Names that a file system takes.
const NAMES: [&str; 4] = [
    "a\u{1b}[31m\u{1b}]0;owned\u{7}b",
    "c\n::error::d\r\te",
    "\u{202e}gnp\u{200b}\u{9b}2J\u{2066}",
    "=1+1|`x`<b>注文注文注文注文注文注文注文注文注文注文注文注文注文注文注文注文e\u{301}",
];

fn paths(folder: &Path) -> Vec<std::path::PathBuf> {
    let recording = fs::read_dir(fixtures().join("healthy")).unwrap();
    let epoch = recording
        .map(|entry| entry.unwrap().path())
        .find(|path| path.to_string_lossy().ends_with(".ndjson.zst"))
        .unwrap();
    let mut paths = Vec::new();
    for name in NAMES {
        let inner = folder.join(name);
        fs::create_dir(&inner).unwrap();
        let file = inner.join(format!("{name}.ndjson.zst"));
        fs::copy(&epoch, &file).unwrap();
        let bytes = fs::read(&epoch).unwrap();
        // Cut, so that there is something to say about it; and something that is no snapshot.
        fs::write(inner.join(format!("{name}.cut.ndjson.zst")), &bytes[..bytes.len() / 2]).unwrap();
        fs::write(inner.join(format!("{name}.ndjson.zst.partial")), "no snapshot").unwrap();
        paths.extend([inner.clone(), file, inner.join(format!("missing {name}"))]);
    }
    paths
}

#[test]
fn paths_are_shown_and_not_obeyed() {
    let folder = tempfile::tempdir().unwrap();
    for path in paths(folder.path()) {
        let path = path.into_os_string();
        for args in [
            [&"analyze".into(), &path, &"--format".into(), &"text".into()],
            [&"analyze".into(), &path, &"--format".into(), &"json".into()],
            [&"inspect".into(), &path, &"--format".into(), &"text".into()],
            [&"inspect".into(), &path, &"--format".into(), &"json".into()],
        ] {
            let printed = hindsight(&args, false);
            assert!((0..=3).contains(&printed.code), "{args:?}: {}", printed.err);
            assert_harmless(&printed.out, &format!("{args:?}"));
            assert_harmless(&printed.err, &format!("{args:?}"));
        }
    }
}

/// Everything an argument can be wrong with is said in words that are no commands.
#[test]
fn arguments_are_repeated_as_text() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().display().to_string();
    let mut wrong = 0;
    for name in NAMES {
        let server = ["collect", "--out", &out, "--server", "nats://127.0.0.1:1"];
        let with = |more: &[&str]| {
            server.iter().chain(more).map(|word| (*word).to_owned()).collect::<Vec<String>>()
        };
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let cases: Vec<Vec<String>> = vec![
            words(&["collect", "--context", name]),
            words(&["collect", "--server", &format!("nats://{name}")]),
            words(&["collect", "--http", &format!("http://{name}")]),
            with(&["--creds", name]),
            with(&["--nkey", name]),
            with(&["--tls-ca", name]),
            with(&["--expect-from", name]),
            with(&["--with", name]),
            with(&["--system", name]),
            words(&["analyze", "x", "--check", name]),
            words(&["analyze", "x", "--set", name]),
            words(&["analyze", "x", "--config", name]),
            words(&["explain", name]),
            words(&[name]),
        ];
        for args in cases {
            let printed = hindsight(&args, false);
            wrong += usize::from(printed.code != 0);
            assert_harmless(&printed.out, &format!("{args:?}"));
            assert_harmless(&printed.err, &format!("{args:?}"));
        }
    }
    assert_eq!(wrong, 14 * NAMES.len());
}
