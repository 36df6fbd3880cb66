//! The collector is told to stop, or is killed, in mid-epoch.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

use nats_hindsight_testkit::{Proxy, System, wait_until};
use rustix::process::Signal;

use crate::process::Collector;
use crate::recorder::{Any, Epoch, Recorder};
use crate::{VERSIONS, with_each};

const LIMIT: Duration = Duration::from_secs(30);

/// A run that stands in the midst of an epoch: everything small has been answered, and the first
/// list of connections is under way for ever.
struct Amid {
    system: System,
    proxy: Proxy,
    recorder: Recorder,
    run: Collector,
    /// Since when.
    since: SystemTime,
}

fn amid(version: &str) -> Any<Amid> {
    let system = System::builder().cluster("A", &["a1", "a2"], version).start()?;
    let proxy = Proxy::start(&system, "a1")?;
    let recorder = Recorder::new()?;
    proxy.hold(&format!("$SYS.REQ.SERVER.{}.CONNZ", system.id("a2")?));
    let url = proxy.url(&system, "SYS")?;
    // Waits for that list longer than the test takes.
    let folder = recorder.folder.path().display().to_string();
    let args = ["--out", &folder, "--server", &url, "--system", "s", "--timeout", "60s"];
    let run = Collector::start(Recorder::bare(&args)?)?;
    proxy.wait_held()?;
    Ok(Amid { system, proxy, recorder, run, since: SystemTime::now() })
}

/// Files whose names end so.
fn named(folder: &Path, end: &str) -> Any<Vec<PathBuf>> {
    let entries = fs::read_dir(folder)?.filter_map(|entry| Some(entry.ok()?.path()));
    Ok(entries.filter(|path| path.to_string_lossy().ends_with(end)).collect())
}

fn analyze(folder: &Path) -> Any<(Option<i32>, serde_json::Value)> {
    let mut command = Command::new(nats_hindsight_testkit::hindsight()?);
    let output = command.arg("analyze").arg(folder).args(["--format", "json"]).output()?;
    Ok((output.status.code(), serde_json::from_slice(&output.stdout)?))
}

/// SIGKILL: what came more than two seconds before is on disk, and is used.
#[test]
fn killed_it_loses_two_seconds_at_most() -> Any<()> {
    with_each(|version| {
        let amid = amid(version)?;
        let folder = amid.recorder.folder.path();
        let partial = named(folder, ".partial")?.pop().ok_or("nothing is being written")?;
        // VARZ of both was answered before the list was asked for. Nothing else makes it go to disk
        // but its age.
        wait_until("VARZ of both servers is on disk", LIMIT, || {
            let epoch = Epoch::read(&partial).map_err(|error| error.to_string())?;
            let there = epoch.replies("VARZ").count();
            if there == 2 { Ok(()) } else { Err(format!("{there} replies")) }
        })?;
        // By the clock of the file, so that it is the same how soon this test notices.
        let took = fs::metadata(&partial)?.modified()?.duration_since(amid.since)?;
        assert!(took < Duration::from_millis(2_050), "{version}: {took:?}");
        amid.run.kill()?;
        assert_eq!(named(folder, ".zst")?, [] as [PathBuf; 0], "{version}: no final name");
        let (code, report) = analyze(folder)?;
        assert_eq!(code, Some(0), "{version}: {report:#}");
        let epochs = &report["systems"][0]["epochs"];
        assert_eq!(epochs.as_array().map(Vec::len), Some(1), "{version}");
        assert_eq!(epochs[0]["complete"], false, "{version}");
        let versions = &report["systems"][0]["checks"];
        let judged = versions.as_array().into_iter().flatten();
        let server_002 = judged.into_iter().find(|check| check["code"] == "SERVER_002");
        assert_eq!(server_002.map(|check| &check["ok"]), Some(&1.into()), "{version}: {report:#}");
        // The next run begins with what the killed one was told to expect, and takes another name.
        amid.proxy.release();
        let run = amid.recorder.collect(&[
            "--server",
            &amid.system.url("a1", "SYS")?,
            "--system",
            "s",
        ])?;
        assert_eq!(run.code, Some(0), "{version}: {}", run.stderr);
        assert!(partial.exists(), "{version}: nobody touched what the killed one left");
        let (_, report) = analyze(folder)?;
        assert_eq!(report["systems"][0]["epochs"].as_array().map(Vec::len), Some(2), "{version}");
        Ok(())
    })
}

/// SIGTERM and SIGINT: the file is whole, has its name, and says that it was interrupted.
#[test]
fn told_to_stop_it_leaves_a_valid_file() -> Any<()> {
    for (version, signal) in VERSIONS.into_iter().zip([Signal::TERM, Signal::INT]) {
        let Amid { system, proxy, recorder, run, .. } = amid(version)?;
        run.tell(signal)?;
        let told = Instant::now();
        let run = run.wait(LIMIT)?;
        assert!(told.elapsed() < Duration::from_secs(5), "{version}: {:?}", told.elapsed());
        assert_eq!(run.code, Some(4), "{version}: {}", run.stderr);
        let folder = recorder.folder.path();
        assert_eq!(named(folder, ".partial")?, [] as [PathBuf; 0], "{version}");
        let epoch = recorder.last()?;
        assert_eq!(epoch.end()["interrupted"], true, "{version}");
        assert_eq!(epoch.end()["complete"], false, "{version}");
        assert_eq!(epoch.replies("VARZ").count(), 2, "{version}");
        let (code, report) = analyze(folder)?;
        assert_eq!(code, Some(0), "{version}");
        assert_eq!(report["problems"], serde_json::json!([]), "{version}");
        drop((system, proxy));
    }
    Ok(())
}

/// The first signal waits for a reader who does not read; the second does not. What was written
/// before can be read.
#[test]
fn a_second_signal_ends_it_at_once() -> Any<()> {
    let system = System::builder().cluster("A", &["a1", "a2"], VERSIONS[1]).start()?;
    let url = system.url("a1", "SYS")?;
    let (mut reader, writer) = std::io::pipe()?;
    // Less than an epoch has, so that it cannot be finished while nobody reads.
    let room = rustix::pipe::fcntl_setpipe_size(&writer, 4096)?;
    assert!(room < 8192, "{room}");
    let mut command = Recorder::bare(&["--server", &url, "--out", "-"])?;
    command.stdout(writer.try_clone()?);
    let mut run = Collector::start(command)?;
    drop(writer);
    wait_until("the pipe is full", LIMIT, || {
        let waiting = rustix::io::ioctl_fionread(&reader).map_err(|error| error.to_string())?;
        if waiting + 1024 > room as u64 { Ok(()) } else { Err(format!("{waiting} bytes")) }
    })?;
    assert_eq!(run.ended(), None);
    run.tell(Signal::TERM)?;
    run.tell(Signal::INT)?;
    let run = run.wait(Duration::from_secs(5))?;
    assert_eq!(run.code, Some(130), "{}", run.stderr);
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes)?;
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("cut.ndjson.zst");
    fs::write(&path, &bytes)?;
    let (_, report) = analyze(&path)?;
    assert_eq!(report["systems"][0]["epochs"][0]["complete"], false, "{report:#}");
    assert!(Epoch::from_bytes(&bytes).map_or(true, |epoch| epoch.end().is_null()), "it was cut");
    Ok(())
}
