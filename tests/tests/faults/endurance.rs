//! Many epochs of one run: memory and files stay flat, and every epoch is accounted for.
//!
//! 30 epochs unless `HINDSIGHT_EPOCHS` says how many; `docs/load.md` has the numbers of 200.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::time::Duration;

use nats_hindsight_testkit::{Service, System, wait_until};

use crate::VERSIONS;
use crate::process::Collector;
use crate::recorder::{Any, Epoch, Recorder};

/// Epochs until the allocator and the connections have what they need.
const WARM: usize = 8;

/// What a process uses: resident memory in KiB, and open files.
#[derive(Clone, Copy, Debug)]
struct Usage {
    memory_kib: u64,
    files: usize,
}

fn usage(process: u32) -> Any<Usage> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    let memory_kib = line.trim().trim_end_matches(" kB").parse()?;
    let files = fs::read_dir(format!("/proc/{process}/fd"))?.count();
    Ok(Usage { memory_kib, files })
}

/// Lines about epochs that were written; that of the last one is said again in the end.
fn told(run: &mut Collector) -> Any<BTreeSet<String>> {
    let said = run.said()?;
    Ok(said.lines().filter(|line| line.contains(" answered, ")).map(str::to_owned).collect())
}

#[test]
fn memory_and_files_stay_flat_and_no_epoch_is_lost() -> Any<()> {
    let count = std::env::var("HINDSIGHT_EPOCHS").ok().and_then(|text| text.parse().ok());
    let count: usize = count.unwrap_or(30);
    let system = System::builder().cluster("A", &["a1", "a2", "a3"], VERSIONS[1]).start()?;
    let orders = Service::python("orders", "1.2.0").on(&["a1", "a2", "a3"]).instances(3);
    let _orders = orders.start(&system)?;
    let recorder = Recorder::new()?;
    let servers = system.url("a1", "SYS")?;
    let args = ["--server", &servers, "--system", "s"];
    let number = count.to_string();
    let timer = ["--every", "1s", "--count", &number, "--keep", "5s"];
    let mut run = Collector::start(recorder.command(&[&args, &timer[..]].concat())?)?;
    let mut samples = Vec::new();
    let limit = Duration::from_secs(2) * u32::try_from(count)? + Duration::from_secs(20);
    wait_until("all epochs are written", limit, || {
        let epochs = told(&mut run).map_err(|error| error.to_string())?.len();
        if let Ok(usage) = usage(run.id())
            && samples.last().is_none_or(|(at, _)| *at < epochs)
        {
            samples.push((epochs, usage));
        }
        if run.ended().is_some() { Ok(()) } else { Err(format!("{epochs} epochs")) }
    })?;
    let lines = told(&mut run)?;
    let run = run.wait(limit)?;
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_eq!(lines.len(), count, "{}", run.stderr);
    let complete = lines.iter().filter(|line| line.contains(": complete, ")).count();
    assert_eq!(complete, count, "{}", run.stderr);
    assert_flat(&samples);
    let deleted: usize = lines
        .iter()
        .filter_map(|line| {
            line.split_once("; deleted ")?.1.split(' ').next()?.parse::<usize>().ok()
        })
        .sum();
    let left = recorder.files()?;
    assert_eq!(left.len() + deleted, count, "every file is there or was said to be deleted");
    assert!(left.len() < 9, "{} files stay of those of five seconds", left.len());
    let headers =
        left.iter().map(|file| Ok(Epoch::read(file)?.header().clone())).collect::<Any<Vec<_>>>()?;
    let newest: Vec<usize> = (count - left.len()..count).collect();
    let sequences = headers.iter().map(|header| header["run"]["sequence"].as_u64());
    assert!(sequences.eq(newest.iter().map(|n| Some(*n as u64))), "the newest stay");
    for pair in headers.windows(2) {
        let skipped = pair[1]["run"]["ticks_skipped"].as_u64().unwrap_or(0);
        let apart = start(&pair[1]).duration_since(start(&pair[0])).as_secs_f64();
        // Half a second for the connection to say whose it is, before the epoch begins.
        assert!((apart - 1.0 - skipped as f64).abs() < 0.5, "{apart} s, {skipped} ticks skipped");
    }
    Ok(())
}

fn start(header: &serde_json::Value) -> jiff::Timestamp {
    header["start"].as_str().and_then(|text| text.parse().ok()).unwrap_or_default()
}

fn assert_flat(samples: &[(usize, Usage)]) {
    let warm: Vec<Usage> =
        samples.iter().filter(|(at, _)| *at >= WARM).map(|(_, usage)| *usage).collect();
    assert!(warm.len() >= 8, "too few samples: {samples:?}");
    let (early, late) = warm.split_at(warm.len() / 2);
    let most = |half: &[Usage], of: fn(&Usage) -> u64| half.iter().map(of).max().unwrap_or(0);
    let memory = [most(early, |u| u.memory_kib), most(late, |u| u.memory_kib)];
    let files = [most(early, |u| u.files as u64), most(late, |u| u.files as u64)];
    let _ = writeln!(
        std::io::stderr(),
        "{} epochs: most memory in the first half {} KiB, in the second {} KiB; files {} and {}",
        samples.last().map_or(0, |(at, _)| *at),
        memory[0],
        memory[1],
        files[0],
        files[1]
    );
    assert!(memory[1] <= memory[0] + memory[0] / 20 + 1024, "memory grows: {memory:?}");
    assert!(files[1] <= files[0] + 1, "files stay open: {files:?}");
}
