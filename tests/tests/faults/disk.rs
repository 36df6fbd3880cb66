//! Disks that are full or cannot be written, and places that are not safe to write to.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, lchown, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use nats_hindsight_testkit::System;
use serde_json::Value;

use crate::process::Collector;
use crate::recorder::{Any, Epoch, Recorder, Run};
use crate::{VERSIONS, with_each};

const LIMIT: Duration = Duration::from_mins(1);

/// Runs `hindsight` with a limit for the size of a file, beyond which the system refuses to write.
/// The limit counts in blocks of 512 bytes, or of 1,024 in some shells.
const LIMITED: &str = r#"trap "" XFSZ; ulimit -f "$1"; shift; exec "$@""#;

/// Runs `hindsight` in a mount namespace of its own, with a small file system at $1 that holds what
/// is in $2, and copies back there what it holds in the end. $3 are its bytes, $4 says what is done
/// to it before.
const SMALL: &str = r#"
    at="$1"; files="$2"; size="$3"; before="$4"; shift 4
    mount -t tmpfs -o "size=$size,mode=0700" tmpfs "$at" || exit 99
    cp -pr "$files"/. "$at"/
    if [ "$before" = read-only ]; then mount -o remount,ro "$at" || exit 99; fi
    "$@"
    code=$?
    cp -pr "$at"/. "$files"/
    exit $code
"#;

/// Whether this user may mount a file system in a namespace of its own. Where not, the tests that
/// need one say so and are of no use; those with a limit and with `/sys` run everywhere.
fn may_mount() -> bool {
    let folder = tempfile::tempdir().map(tempfile::TempDir::keep).unwrap_or_default();
    let status = in_namespace(&folder, &folder, "64k", "nothing")
        .arg("true")
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    let _ = fs::remove_dir_all(&folder);
    if !status {
        let text = b"SKIPPED: no file system can be mounted here (unshare -rm), so no full one\n";
        let _ = std::io::Write::write_all(&mut std::io::stderr(), text);
    }
    status
}

fn in_namespace(at: &Path, files: &Path, size: &str, before: &str) -> Command {
    let mut command = Command::new("unshare");
    command.args(["-rm", "sh", "-c", SMALL, "sh"]).arg(at).arg(files).args([size, before]);
    command.stdin(Stdio::null());
    command
}

/// Names and bytes of all files in a folder.
fn contents(folder: &Path) -> Any<Vec<(PathBuf, Vec<u8>)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        files.push((path.clone(), fs::read(path)?));
    }
    files.sort();
    Ok(files)
}

fn analyze(folder: &Path) -> Any<Value> {
    let mut command = Command::new(nats_hindsight_testkit::hindsight()?);
    let output = command.arg("analyze").arg(folder).args(["--format", "json"]).output()?;
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// What the collector itself is run with, the program first.
fn words(folder: &Path, url: &str, more: &[&str]) -> Any<Vec<String>> {
    let hindsight = nats_hindsight_testkit::hindsight()?.display().to_string();
    let folder = folder.display().to_string();
    let fixed = ["collect", "--out", &folder, "--server", url, "--system", "s"];
    let words = std::iter::once(hindsight.as_str()).chain(fixed).chain(more.iter().copied());
    Ok(words.map(str::to_owned).collect())
}

fn run_alone(mut command: Command) -> Any<Run> {
    command.stdin(Stdio::null()).stdout(Stdio::null());
    Collector::start(command)?.wait(LIMIT)
}

/// Everything that was there is there, byte for byte, and nothing new has a final name.
fn assert_intact(before: &[(PathBuf, Vec<u8>)], folder: &Path) -> Any<()> {
    let after = contents(folder)?;
    for file in before {
        assert!(after.contains(file), "{} was changed", file.0.display());
    }
    let new = after.iter().filter(|file| !before.iter().any(|known| known.0 == file.0));
    let names: Vec<String> = new.map(|file| file.0.display().to_string()).collect();
    assert!(names.iter().all(|name| name.ends_with(".partial")), "{names:?}");
    Ok(())
}

/// A file that may grow no further: clear words, and everything before the limit is used.
#[test]
fn a_write_that_fails_ends_the_run_and_leaves_what_was_there() -> Any<()> {
    with_each(|version| {
        let system = System::builder().cluster("A", &["a1", "a2", "a3"], version).start()?;
        let url = system.url("a1", "SYS")?;
        let recorder = Recorder::new()?;
        let whole = recorder.collect(&["--server", &url, "--system", "s"])?;
        assert_eq!(whole.code, Some(0), "{version}: {}", whole.stderr);
        let before = contents(recorder.folder.path())?;
        let mut command = Command::new("sh");
        // Room for the header and the beginning, and not for half of an epoch.
        command.args(["-c", LIMITED, "sh", "8"]).args(words(recorder.folder.path(), &url, &[])?);
        let run = run_alone(command)?;
        assert_eq!(run.code, Some(1), "{version}: {}", run.stderr);
        let says = ["cannot write the snapshot", "File too large", "room"];
        assert!(says.iter().all(|word| run.stderr.contains(word)), "{version}: {}", run.stderr);
        assert_intact(&before, recorder.folder.path())?;
        let report = analyze(recorder.folder.path())?;
        let epochs = report["systems"][0]["epochs"].as_array().cloned().unwrap_or_default();
        let complete: Vec<&Value> = epochs.iter().map(|epoch| &epoch["complete"]).collect();
        assert_eq!(complete, [true, false], "{version}: {report:#}");
        assert_eq!(report["systems"][0]["findings"], serde_json::json!([]), "{version}");
        Ok(())
    })
}

/// The same on standard output, with a device that is always full.
#[test]
fn a_full_device_behind_standard_output_is_named() -> Any<()> {
    let system = System::builder().standalone("a1", VERSIONS[1]).start()?;
    let mut command = Recorder::bare(&["--server", &system.url("a1", "SYS")?, "--out", "-"])?;
    command.stdout(fs::File::options().write(true).open("/dev/full")?);
    let run = Collector::start(command)?.wait(LIMIT)?;
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(run.stderr.contains("No space left on device"), "{}", run.stderr);
    Ok(())
}

/// A file system that fills up epoch by epoch.
#[test]
fn a_full_disk_ends_a_run_and_every_epoch_before_is_whole() -> Any<()> {
    if !may_mount() {
        return Ok(());
    }
    let system = System::builder().cluster("A", &["a1", "a2"], VERSIONS[1]).start()?;
    let url = system.url("a1", "SYS")?;
    let (at, files) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let mut command = in_namespace(at.path(), files.path(), "100k", "nothing");
    command.args(words(at.path(), &url, &["--every", "1s", "--count", "40"])?);
    let run = run_alone(command)?;
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(run.stderr.contains("No space left on device"), "{}", run.stderr);
    let written = contents(files.path())?;
    let whole: Vec<&PathBuf> = written
        .iter()
        .map(|file| &file.0)
        .filter(|path| path.to_string_lossy().ends_with(".ndjson.zst"))
        .collect();
    assert!((1..40).contains(&whole.len()), "{whole:?}");
    for path in whole {
        assert_eq!(Epoch::read(path)?.end()["complete"], true, "{}", path.display());
    }
    assert!(analyze(files.path())?["systems"][0]["epochs"].as_array().is_some());
    Ok(())
}

/// A file system that old epochs fill: those that have had their time go, and the run goes on.
#[test]
fn a_full_disk_costs_an_epoch_where_retention_can_make_room() -> Any<()> {
    if !may_mount() {
        return Ok(());
    }
    let system = System::builder().cluster("A", &["a1", "a2"], VERSIONS[1]).start()?;
    let url = system.url("a1", "SYS")?;
    let recorder = Recorder::new()?;
    let early = ["--server", &url, "--system", "s", "--every", "1s", "--count", "8"];
    assert_eq!(recorder.collect(&early)?.code, Some(0));
    let (at, files) = (tempfile::tempdir()?, recorder.folder.path());
    // Whole pages for what is there, and one more, in which an epoch can only begin.
    let pages = contents(files)?.iter().map(|file| file.1.len().div_ceil(4096)).sum::<usize>() + 1;
    let size = (pages * 4096).to_string();
    let before: Vec<PathBuf> = contents(files)?.into_iter().map(|file| file.0).collect();
    let mut command = in_namespace(at.path(), files, &size, "nothing");
    let timer = ["--every", "1s", "--count", "3", "--keep", "2s"];
    command.args(words(at.path(), &url, &timer)?);
    let run = run_alone(command)?;
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(run.stderr.contains("No space left on device"), "{}", run.stderr);
    assert!(run.stderr.contains("are deleted now"), "{}", run.stderr);
    let new: Vec<PathBuf> = contents(files)?
        .into_iter()
        .map(|file| file.0)
        .filter(|path| !before.contains(path) && path.to_string_lossy().ends_with(".zst"))
        .collect();
    assert_eq!(new.len(), 2, "the first epoch was lost, the others were not: {}", run.stderr);
    for path in new {
        assert_eq!(Epoch::read(&path)?.end()["complete"], true);
    }
    Ok(())
}

/// Where nobody may write, not even root: `/sys`, and a file system that became read-only.
#[test]
fn a_target_that_cannot_be_written_is_named_with_what_the_system_says() -> Any<()> {
    let system = System::builder().standalone("a1", VERSIONS[1]).start()?;
    let url = system.url("a1", "SYS")?;
    let mut nowhere = Command::new(nats_hindsight_testkit::hindsight()?);
    nowhere.args(&words(Path::new("/sys/kernel"), &url, &[])?[1..]);
    let run = run_alone(nowhere)?;
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(run.stderr.contains("/sys/kernel"), "{}", run.stderr);
    let refused = ["Permission denied", "Read-only file system", "not permitted"];
    assert!(refused.iter().any(|word| run.stderr.contains(word)), "{}", run.stderr);
    if !may_mount() {
        return Ok(());
    }
    let recorder = Recorder::new()?;
    assert_eq!(recorder.collect(&["--server", &url, "--system", "s"])?.code, Some(0));
    let before = contents(recorder.folder.path())?;
    let at = tempfile::tempdir()?;
    let mut command = in_namespace(at.path(), recorder.folder.path(), "4m", "read-only");
    command.args(words(at.path(), &url, &[])?);
    let run = run_alone(command)?;
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(run.stderr.contains("Read-only file system"), "{}", run.stderr);
    assert!(run.stderr.contains("nothing was overwritten"), "{}", run.stderr);
    assert_eq!(contents(recorder.folder.path())?, before);
    Ok(())
}

/// Others could plant files there, or lead the collector elsewhere.
#[test]
fn a_folder_of_others_and_a_link_are_refused() -> Any<()> {
    let system = System::builder().standalone("a1", VERSIONS[0]).start()?;
    let url = system.url("a1", "SYS")?;
    let args = ["--server", &url];
    for mode in [0o777, 0o770, 0o1777, 0o702] {
        let recorder = Recorder::new()?;
        fs::set_permissions(recorder.folder.path(), fs::Permissions::from_mode(mode))?;
        let run = recorder.collect(&args)?;
        assert_eq!(run.code, Some(1), "{mode:o}: {}", run.stderr);
        assert!(run.stderr.contains("can be written by other users"), "{}", run.stderr);
        assert!(run.stderr.contains("chmod go-w"), "{mode:o}: {}", run.stderr);
        assert_eq!(contents(recorder.folder.path())?, [], "{mode:o}: nothing was written");
    }
    // A link instead of the file with the id: where it leads, nothing is read and nothing written.
    let (recorder, elsewhere) = (Recorder::new()?, tempfile::tempdir()?);
    let precious = elsewhere.path().join("precious");
    fs::write(&precious, "mine")?;
    symlink(&precious, recorder.folder.path().join(".hindsight-collector-id"))?;
    let run = recorder.collect(&["--server", &url])?;
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(run.stderr.contains("it is a link or no plain file"), "{}", run.stderr);
    assert_eq!(fs::read_to_string(&precious)?, "mine");
    assert_eq!(fs::read_dir(recorder.folder.path())?.count(), 1, "nothing was written");
    // A link that leads nowhere instead of the folder.
    let (recorder, link) = (Recorder::new()?, elsewhere.path().join("link"));
    symlink(elsewhere.path().join("nowhere"), &link)?;
    let run: Run = run_alone({
        let mut command = Command::new(nats_hindsight_testkit::hindsight()?);
        command.args(&words(&link, &url, &[])?[1..]);
        command
    })?;
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(!elsewhere.path().join("nowhere").exists(), "{}", run.stderr);
    drop(recorder);
    a_link_of_somebody_else_is_refused(&url)
}

/// Only root can put a link there that belongs to somebody else. A link of its own is followed.
fn a_link_of_somebody_else_is_refused(url: &str) -> Any<()> {
    let (target, elsewhere) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let link = elsewhere.path().join("epochs");
    symlink(target.path(), &link)?;
    let run = |link: &Path| {
        let mut command = Command::new(nats_hindsight_testkit::hindsight()?);
        command.args(&words(link, url, &[])?[1..]);
        run_alone(command)
    };
    if lchown(&link, Some(65_534), None).is_ok() {
        let refused = run(&link)?;
        assert_eq!(refused.code, Some(1), "{}", refused.stderr);
        assert!(refused.stderr.contains("is a link that belongs neither to root"));
        assert_eq!(contents(target.path())?, [], "nothing was written where it leads");
        lchown(&link, Some(fs::metadata(target.path())?.uid()), None)?;
    }
    let followed = run(&link)?;
    assert_eq!(followed.code, Some(0), "{}", followed.stderr);
    assert_eq!(contents(target.path())?.len(), 2, "an epoch and the id of the collector");
    Ok(())
}
