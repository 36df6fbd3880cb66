//! Epochs one after the other, and being told to stop.

use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use nats_hindsight_testkit::{Service, System, wait_until};

use crate::VERSIONS;
use crate::recorder::{Any, Epoch, Recorder};

fn tell(pid: u32, signal: &str) -> Any<()> {
    let status = Command::new("kill").arg(signal).arg(pid.to_string()).status()?;
    if status.success() { Ok(()) } else { Err("no such process".into()) }
}

/// Waits until the last whole epoch holds a server, or holds none.
fn until_last(recorder: &Recorder, what: &str, there: bool) -> Any<()> {
    wait_until(what, Duration::from_secs(30), || {
        let last = recorder.last().map_err(|error| error.to_string())?;
        let found = last.replies("VARZ").count() > 0;
        if found == there { Ok(()) } else { Err(format!("the last epoch: {found}")) }
    })?;
    Ok(())
}

/// Epochs of one run form a track: one run, rising numbers, what one saw the next expects.
#[test]
fn epochs_follow_each_other() -> Any<()> {
    let system = System::builder().cluster("A", &["a1", "a2"], VERSIONS[1]).start()?;
    let _service = Service::python("orders", "1.0.0").start(&system)?;
    let recorder = Recorder::new()?;
    let run = recorder.collect(&[
        "--server",
        &system.url("a1", "SYS")?,
        "--account-server",
        &system.url("a1", "APP")?,
        "--every",
        "1s",
        "--count",
        "3",
    ])?;
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let files = recorder.files()?;
    assert_eq!(files.len(), 3);
    let epochs = files.iter().map(|file| Epoch::read(file)).collect::<Any<Vec<_>>>()?;
    for (sequence, epoch) in epochs.iter().enumerate() {
        let header = epoch.header();
        assert_eq!(header["run"]["sequence"], sequence);
        assert_eq!(header["run"]["id"], epochs[0].header()["run"]["id"]);
        assert_eq!(header["collector"]["id"], epochs[0].header()["collector"]["id"]);
        let expected = usize::from(sequence != 0);
        let services = header["expects"]["services"].as_array().map_or(0, Vec::len);
        assert_eq!(services, expected, "epoch {sequence}");
    }
    Ok(())
}

/// SIGTERM in the midst of an epoch ends its file validly.
#[test]
fn a_signal_ends_the_file_validly() -> Any<()> {
    for signal in ["-TERM", "-INT"] {
        let mut system = System::builder().cluster("A", &["a1", "a2"], VERSIONS[2]).start()?;
        system.hang("a2")?;
        let recorder = Recorder::new()?;
        let url = system.url("a1", "SYS")?;
        let mut child = recorder
            .command(&["--server", &url])?
            .args(["--collector-id", "c1"])
            .stderr(Stdio::null())
            .spawn()?;
        // The hung server keeps this epoch open for longer than this.
        sleep(Duration::from_millis(1100));
        tell(child.id(), signal)?;
        assert_eq!(child.wait()?.code(), Some(4), "{signal}");
        let epoch = recorder.last()?;
        assert_eq!(epoch.end()["interrupted"], true, "{signal}");
        assert_eq!(epoch.end()["complete"], false);
        assert_eq!(epoch.header()["collector"]["id"], "c1");
        assert!(epoch.replies("VARZ").count() > 0);
    }
    Ok(())
}

/// The system goes away and comes back: every epoch is written, and the run goes on by itself.
#[test]
fn an_epoch_that_could_not_be_collected_is_still_written() -> Any<()> {
    let mut system = System::builder().standalone("a1", VERSIONS[1]).start()?;
    let recorder = Recorder::new()?;
    let url = system.url("a1", "SYS")?;
    let mut child =
        recorder.command(&["--server", &url, "--every", "1s"])?.stderr(Stdio::null()).spawn()?;
    until_last(&recorder, "the server is recorded", true)?;
    system.kill("a1")?;
    until_last(&recorder, "its absence is recorded", false)?;
    system.start("a1")?;
    until_last(&recorder, "its return is recorded", true)?;
    tell(child.id(), "-TERM")?;
    child.wait()?;
    let epochs = recorder.files()?.iter().map(|file| Epoch::read(file)).collect::<Any<Vec<_>>>()?;
    let states: Vec<bool> = epochs.iter().map(|epoch| epoch.replies("VARZ").count() > 0).collect();
    let first_gone = states.iter().position(|there| !there).ok_or("no epoch without the server")?;
    assert!(first_gone > 0, "{states:?}");
    assert!(states[first_gone..].contains(&true), "it did not come back: {states:?}");
    let gone = &epochs[first_gone];
    assert_eq!(gone.end()["complete"], false);
    assert_ne!(gone.header()["connections"][0]["state"], "connected");
    assert!(gone.statuses("STATSZ").contains(&"skipped"), "{:?}", gone.statuses("STATSZ"));
    assert_eq!(gone.end()["remember"]["servers"].as_array().map(Vec::len), Some(1));
    Ok(())
}

/// Standard output takes epochs one after the other, which is a valid bundle.
#[test]
fn standard_output_takes_a_bundle() -> Any<()> {
    let system = System::builder().standalone("a1", VERSIONS[0]).start()?;
    let url = system.url("a1", "SYS")?;
    let mut command =
        Recorder::bare(&["--server", &url, "--every", "1s", "--count", "2", "--out", "-"])?;
    let output = command.output()?;
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let both = Epoch::from_bytes(&output.stdout)?;
    assert_eq!(both.replies("VARZ").count(), 2);
    Ok(())
}
