//! What is said when nothing can be reached.

use std::fs;

use nats_hindsight_testkit::{System, free_port};

use crate::VERSIONS;
use crate::recorder::{Any, Recorder};

#[test]
fn wrong_credentials_are_named_and_not_repeated() -> Any<()> {
    for version in VERSIONS {
        let system = System::builder().standalone("a1", version).start()?;
        let recorder = Recorder::new()?;
        let url = system.address("a1")?.replace("nats://", "nats://sys:hunter2@");
        let run = recorder.collect(&["--server", &url])?;
        assert_eq!(run.code, Some(1), "{version}: {}", run.stderr);
        assert!(run.stderr.contains("authorization violation"), "{version}: {}", run.stderr);
        assert!(run.stderr.contains(&system.address("a1")?), "{}", run.stderr);
        assert!(!run.stderr.contains("hunter2"), "{}", run.stderr);
        assert!(recorder.files()?.is_empty());
    }
    Ok(())
}

#[test]
fn a_user_outside_the_system_account_is_told_so() -> Any<()> {
    for version in VERSIONS {
        let system = System::builder().standalone("a1", version).start()?;
        let recorder = Recorder::new()?;
        let run = recorder.collect(&["--server", &system.url("a1", "APP")?])?;
        assert_eq!(run.code, Some(1), "{version}: {}", run.stderr);
        assert!(run.stderr.contains("not in the system account"), "{version}: {}", run.stderr);
        assert_eq!(recorder.last()?.statuses("STATSZ"), ["no_responders"]);
    }
    Ok(())
}

#[test]
fn nobody_there_and_no_such_host_are_told_apart() -> Any<()> {
    let recorder = Recorder::new()?;
    let port = free_port()?;
    let run = recorder.collect(&["--server", &format!("nats://127.0.0.1:{port}")])?;
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("Connection refused"), "{}", run.stderr);
    let run = recorder.collect(&["--server", "nats://no-such-host.invalid"])?;
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("no such host"), "{}", run.stderr);
    let run = recorder.collect(&["--http", &format!("http://127.0.0.1:{port}")])?;
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("refused"), "{}", run.stderr);
    Ok(())
}

/// One connection fails, the other works: what there is gets recorded, and the rest is named.
#[test]
fn one_failing_connection_does_not_stop_the_other() -> Any<()> {
    let system = System::builder().standalone("a1", VERSIONS[1]).start()?;
    let recorder = Recorder::new()?;
    let wrong = system.address("a1")?.replace("nats://", "nats://app:hunter2@");
    let run =
        recorder.collect(&["--server", &system.url("a1", "SYS")?, "--account-server", &wrong])?;
    assert_eq!(run.code, Some(4), "{}", run.stderr);
    let epoch = recorder.last()?;
    assert_eq!(epoch.statuses("VARZ"), ["ok"]);
    assert_eq!(epoch.statuses("SRV_PING"), ["skipped"]);
    let state = epoch.header()["connections"][1]["state"].as_str().unwrap_or_default();
    assert!(state.contains("authorization violation"), "{state}");
    Ok(())
}

/// Contexts of the `nats` tool are used as they are.
#[test]
fn a_context_of_the_nats_tool_is_enough() -> Any<()> {
    let system = System::builder().standalone("a1", VERSIONS[2]).start()?;
    let recorder = Recorder::new()?;
    let home = tempfile::tempdir()?;
    let folder = home.path().join("nats/context");
    fs::create_dir_all(&folder)?;
    let context = format!(
        r#"{{"description":"test","url":"{}","user":"sys","password":"sys"}}"#,
        system.address("a1")?
    );
    fs::write(folder.join("prod.json"), context)?;
    let run: crate::recorder::Run = recorder
        .command(&["--context", "prod"])?
        .env("XDG_CONFIG_HOME", home.path())
        .output()?
        .into();
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_eq!(recorder.last()?.header()["connections"][0]["context"], "prod");
    Ok(())
}

#[test]
fn usage_errors_are_usage_errors() -> Any<()> {
    let recorder = Recorder::new()?;
    for (args, says) in [
        (&[][..], "nobody to ask"),
        (&["nats://u:hunter2@h"][..], "without a flag"),
        (&["--server", "ftp://hunter2@h"][..], "--server"),
        (&["--server", "nats://u:hunter2@h o"][..], "percent-encoded"),
        (&["--server", "h", "--every", "hunter"][..], "--every"),
        (&["--server", "h", "--expect-from", "/nonexistent"][..], "/nonexistent"),
        (&["--context", "../x"][..], "context"),
    ] {
        let run = recorder.collect(args)?;
        assert_eq!(run.code, Some(2), "{args:?}: {}", run.stderr);
        assert!(run.stderr.contains(says), "{args:?}: {}", run.stderr);
        assert!(!run.stderr.contains("hunter2"), "{args:?}: {}", run.stderr);
    }
    Ok(())
}
