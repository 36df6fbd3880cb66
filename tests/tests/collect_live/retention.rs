//! Old epochs make room for new ones, and nothing else does.

use std::fs;

use nats_hindsight_testkit::System;

use crate::VERSIONS;
use crate::recorder::{Any, Epoch, Recorder};

#[test]
fn old_epochs_go_while_it_records() -> Any<()> {
    let system = System::builder().standalone("a1", VERSIONS[1]).start()?;
    let recorder = Recorder::new()?;
    let url = system.url("a1", "SYS")?;
    let timer = ["--every", "1s", "--count", "7", "--keep", "2500ms"];
    let run = recorder.collect(&[&["--server", &url], &timer[..]].concat())?;
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let sequences: Vec<u64> = recorder
        .files()?
        .iter()
        .map(|file| Ok(Epoch::read(file)?.header()["run"]["sequence"].as_u64().unwrap_or(99)))
        .collect::<Any<_>>()?;
    assert!((1..7).contains(&sequences.len()), "{sequences:?}");
    let newest = (7 - sequences.len() as u64..7).collect::<Vec<_>>();
    assert_eq!(sequences, newest, "the newest are those that stay: {}", run.stderr);
    assert!(run.stderr.contains("; deleted 1 old file, "), "{}", run.stderr);
    Ok(())
}

/// Other collectors, other systems, links and files made read-only share the folder.
#[test]
fn what_belongs_to_others_stays() -> Any<()> {
    let system = System::builder().standalone("a1", VERSIONS[2]).start()?;
    let recorder = Recorder::new()?;
    let url = system.url("a1", "SYS")?;
    let long = "s".repeat(70);
    let collect = |name: &str, id: &str, more: &[&str]| -> Any<()> {
        let label = format!("{long}{name}");
        let args = ["--server", &url, "--system", &label, "--collector-id", id];
        let run = recorder.collect(&[&args, more].concat())?;
        if run.code == Some(0) { Ok(()) } else { Err(run.stderr.into()) }
    };
    collect("one", "c2", &[])?;
    collect("two", "c1", &[])?;
    collect("one", "c1", &[])?;
    let pinned = recorder.files()?.pop().ok_or("no snapshot was written")?;
    let mut permissions = fs::metadata(&pinned)?.permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&pinned, permissions)?;
    let link =
        pinned.with_file_name(format!("{}.20200101T000000Z.0123abcd.ndjson.zst", &long[..64]));
    std::os::unix::fs::symlink(&pinned, &link)?;
    let before = recorder.files()?;
    collect("one", "c1", &["--every", "1s", "--count", "3", "--keep-size", "1kB"])?;
    let after = recorder.files()?;
    assert_eq!(before.len(), 4);
    assert!(before.iter().all(|file| after.contains(file)), "{before:?} {after:?}");
    let own: Vec<_> = after.iter().filter(|file| !before.contains(file)).collect();
    assert_eq!(own.len(), 1, "{own:?}");
    assert_eq!(Epoch::read(own[0])?.header()["run"]["sequence"], 2);
    Ok(())
}

#[test]
fn nothing_is_kept_on_standard_output() -> Any<()> {
    for flag in [["--keep", "7d"], ["--keep-size", "10GB"]] {
        let args = [&["--server", "h", "--out", "-"], &flag[..]].concat();
        let output = Recorder::bare(&args)?.output()?;
        let stderr = String::from_utf8(output.stderr)?;
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains("give --out DIR"), "{stderr}");
    }
    Ok(())
}
