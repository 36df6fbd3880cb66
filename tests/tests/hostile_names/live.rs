//! What the collector says while it works on such a system.

use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};

use nats_hindsight_testkit::scenario::HOSTILE;
use nats_hindsight_testkit::{Account, Stranger, System, User, V2_15};

use crate::terminal::{assert_harmless, deceives, hindsight};

/// A system in which everything has such a name.
fn system() -> (System, Vec<nats_hindsight_testkit::Present>) {
    let [_, _, server, _, account, service, ..] = HOSTILE;
    let system = System::builder()
        .standalone(server, V2_15)
        .account(Account::with(account, User::new("hostile", "hostile")))
        .start()
        .unwrap();
    let stranger = Stranger::new(account, server, server).serves(service, "one", "1", service);
    let present = stranger.connect(&system).unwrap();
    (system, vec![present])
}

#[test]
fn the_collector_says_nothing_that_is_obeyed() {
    let (system, _present) = system();
    let folder = tempfile::tempdir().unwrap();
    let [_, _, server, _, account, ..] = HOSTILE;
    let out = folder.path().join("\u{1b}[31m\u{202e}out").display().to_string();
    let url = system.url(server, "SYS").unwrap();
    let hostile = url.replace("sys:sys@", "hostile:hostile@");
    let args = ["collect", "--out", &out, "--system", "\u{1b}[2J\n::x", "--server", &url];
    // The first run, one that remembers what is gone by now, and looks at it.
    for more in [&["--account-server", &hostile][..], &[], &["--dry-run"]] {
        let args = [&args[..], more].concat();
        let printed = hindsight(&args, false);
        assert!([0, 4].contains(&printed.code), "{}", printed.err);
        assert_harmless(&printed.out, &format!("{args:?}"));
        assert_harmless(&printed.err, &format!("{args:?}"));
        // Names are told where there is something to tell of them.
        let told = printed.out + &printed.err;
        let name = if more == ["--dry-run"] { server } else { account };
        if more.first() != Some(&"--account-server") {
            let begin: String = name.chars().skip(1).take(2).filter(|c| !deceives(*c)).collect();
            assert!(told.contains(&begin), "{begin} is not told of: {told}");
        }
    }
}

/// On a terminal there is progress with control characters, all of which are ours: those that the
/// same run has on a system with ordinary names.
#[test]
fn progress_on_a_terminal_is_ours_alone() {
    let (system, _present) = system();
    let folder = tempfile::tempdir().unwrap();
    let url = system.url(HOSTILE[2], "SYS").unwrap();
    let hostile = url.replace("sys:sys@", "hostile:hostile@");
    let (held, terminal) = terminal_pair();
    let mut child = Command::new(nats_hindsight_testkit::hindsight().unwrap())
        .args(["collect", "--server", &url, "--account-server", &hostile, "--system", HOSTILE[0]])
        .args(["--out", &folder.path().display().to_string(), "--every", "1s", "--count", "2"])
        .env("TERM", "xterm-256color")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(terminal.try_clone().unwrap())
        .spawn()
        .unwrap();
    drop(terminal);
    let mut said = Vec::new();
    // When the last writer is gone, reading a terminal is an error, not an end.
    let _ = File::from(held).read_to_end(&mut said);
    assert!([0, 4].contains(&child.wait().unwrap().code().unwrap()));
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(said.contains("recording"), "there was no progress: {said:?}");
    for line in said.split(['\r', '\n']) {
        let text = without_ours(line);
        assert!(!text.chars().any(deceives), "{line:?}");
    }
}

/// Without what the progress bar does: moving to a column or line and clearing.
fn without_ours(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(at) = rest.find("\u{1b}[") {
        out.push_str(&rest[..at]);
        let tail = &rest[at + 2..];
        let end = tail.find(|c: char| !c.is_ascii_digit() && c != ';' && c != '?').unwrap();
        // Clearing a line or moving the cursor, as the bar does; no name has these.
        assert!("KAGhlm".contains(&tail[end..=end]), "{line:?}");
        rest = &tail[end + 1..];
    }
    out + rest
}

fn terminal_pair() -> (OwnedFd, File) {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    let held = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&held).unwrap();
    unlockpt(&held).unwrap();
    let name = ptsname(&held, Vec::new()).unwrap();
    let terminal = File::options().read(true).write(true).open(name.to_str().unwrap()).unwrap();
    (held, terminal)
}
