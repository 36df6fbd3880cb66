//! No secret is in any byte that leaves the collector.

use std::fs;

use nats_hindsight_testkit::{Account, Service, System, User};

use crate::VERSIONS;
use crate::recorder::{Any, Recorder};

pub(crate) fn contains(bytes: &[u8], needle: &str) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle.as_bytes())
}

/// Passwords given in every way, to users whose names the server shows.
#[test]
fn passwords_and_user_names_reach_no_snapshot() -> Any<()> {
    for version in VERSIONS {
        let system = System::builder()
            .standalone("a1", version)
            .account(Account::new("APP").user(User::new("shown-user", "pw-of-app-Zq")))
            .start()?;
        let _service =
            Service::python("orders", "1.0.0").user("shown-user", "pw-of-app-Zq").start(&system)?;
        let recorder = Recorder::new()?;
        let app = system.address("a1")?.replace("nats://", "nats://shown-user:pw-of-app-Zq@");
        let run =
            recorder.collect(&["--server", &system.url("a1", "SYS")?, "--account-server", &app])?;
        assert_eq!(run.code, Some(0), "{version}: {}", run.stderr);
        let bytes = recorder.all_bytes()?;
        for secret in ["pw-of-app-Zq", "shown-user", "sys:sys@"] {
            assert!(!contains(&bytes, secret), "{version}: {secret} was recorded");
            assert!(!run.stderr.contains(secret), "{version}: {secret} was printed");
        }
        assert!(contains(&bytes, "[REDACTED]"), "{version}");
        let epoch = recorder.last()?;
        let connz = epoch.replies("CONNZ").find(|reply| reply["scrubbed"].is_array());
        let path = connz.map(|reply| &reply["scrubbed"][0]);
        assert_eq!(path, Some(&"data.connections[].authorized_user".into()), "{version}");
    }
    Ok(())
}

/// 2.10 puts the token itself where the user's name stands.
#[test]
fn tokens_reach_no_snapshot() -> Any<()> {
    for version in VERSIONS {
        let system = System::builder()
            .standalone("a1", version)
            .open()
            .extra("authorization { token: \"t0ken-of-all-Zq\" }")
            .start()?;
        let recorder = Recorder::new()?;
        let url = system.address("a1")?.replace("nats://", "nats://t0ken-of-all-Zq@");
        let run =
            recorder.collect(&["--account-server", &url, "--http", &system.monitor_url("a1")?])?;
        assert_eq!(run.code, Some(0), "{version}: {}", run.stderr);
        let bytes = recorder.all_bytes()?;
        assert!(!contains(&bytes, "t0ken-of-all-Zq"), "{version}: the token was recorded");
        assert!(contains(&bytes, "[REDACTED]"), "{version}");
    }
    Ok(())
}

/// A credentials file that is none is named, not quoted.
#[test]
fn a_broken_credentials_file_is_not_quoted() -> Any<()> {
    let system = System::builder().standalone("a1", VERSIONS[1]).start()?;
    let recorder = Recorder::new()?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("my.creds");
    fs::write(&file, "SUAIO3FHUX5PNV2LQIIP7TZ3N4L7TX3W53MQGEIVYFIGA635OZCKEYHFLM\n")?;
    for flag in ["--creds", "--nkey"] {
        let path = file.to_string_lossy().into_owned();
        let run = recorder.collect(&["--server", &system.address("a1")?, flag, &path])?;
        assert_eq!(run.code, Some(1), "{flag}: {}", run.stderr);
        assert!(!run.stderr.contains("SUAIO3"), "{flag}: {}", run.stderr);
    }
    Ok(())
}
