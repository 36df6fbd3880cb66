//! Every way to log in: tokens, client certificates, websockets, contexts, credentials of an
//! operator. The secrets of each are looked for in every byte that leaves the collector.

use std::fs;
use std::path::{Path, PathBuf};

use nats_hindsight_testkit::{
    Account, Authority, Certificate, Service, System, V2_10, V2_15, Validity, free_port,
};
use serde_json::{Value, json};

use crate::recorder::{Any, Recorder, Run};
use crate::secrets::contains;

/// The oldest and the newest version.
const ENDS: [&str; 2] = [V2_10, V2_15];

fn text(path: &Path) -> String {
    path.display().to_string()
}

/// The lines of a TLS block; `more` are further ones.
fn tls(authority: &Authority, more: &str) -> Any<String> {
    let Certificate { cert, key } = authority.server()?;
    let (cert, key, ca) = (text(&cert), text(&key), text(&authority.ca()));
    Ok(format!("tls {{ cert_file: \"{cert}\", key_file: \"{key}\", ca_file: \"{ca}\"\n {more} }}"))
}

/// The second line of a file in PEM form: what nobody may see of a key.
fn inside(path: &PathBuf) -> Any<String> {
    Ok(fs::read_to_string(path)?.lines().nth(1).unwrap_or_default().to_owned())
}

fn assert_recorded(recorder: &Recorder, run: &Run, version: &str, secrets: &[&str]) -> Any<()> {
    assert_eq!(run.code, Some(0), "{version}: {}", run.stderr);
    assert_eq!(recorder.last()?.header()["connections"][0]["state"], "connected", "{version}");
    let bytes = recorder.all_bytes()?;
    for secret in secrets {
        assert!(secret.len() > 4, "`{secret}` would be found anywhere");
        assert!(!contains(&bytes, secret), "{version}: {secret} was recorded");
        assert!(!run.stderr.contains(secret), "{version}: {secret} was printed");
    }
    Ok(())
}

#[test]
fn a_token_given_by_flag_or_in_the_environment_logs_in() -> Any<()> {
    for version in ENDS {
        let system = System::builder()
            .standalone("a1", version)
            .open()
            .extra("authorization { token: \"t0ken-of-flags-Zq\" }")
            .start()?;
        let http = system.monitor_url("a1")?;
        let address = system.address("a1")?;
        // Without accounts nobody is in the system account: the monitor port tells of the server.
        let recorder = Recorder::new()?;
        let args = ["--server", &address, "--token", "t0ken-of-flags-Zq", "--http", &http];
        let run = recorder.collect(&args)?;
        let connection = recorder.last()?.header()["connections"][0].clone();
        assert_eq!(connection["state"], "connected", "{version}: {}", run.stderr);
        assert!(!contains(&recorder.all_bytes()?, "t0ken-of-flags-Zq"), "{version}");
        let recorder = Recorder::new()?;
        let mut command = recorder.command(&["--server", &address, "--http", &http])?;
        let run: Run = command.env("NATS_TOKEN", "t0ken-of-flags-Zq").output()?.into();
        let connection = recorder.last()?.header()["connections"][0].clone();
        assert_eq!(connection["state"], "connected", "{version}: {}", run.stderr);
        assert!(!contains(&recorder.all_bytes()?, "t0ken-of-flags-Zq"), "{version}");
        let run = recorder.collect(&["--server", &address, "--token", "wrong-Zq"])?;
        assert_eq!(run.code, Some(1), "{version}: {}", run.stderr);
        assert!(run.stderr.contains("authorization violation"), "{version}: {}", run.stderr);
        assert!(!run.stderr.contains("wrong-Zq"), "{version}: {}", run.stderr);
    }
    Ok(())
}

#[test]
fn a_client_certificate_is_asked_for_in_words_that_help() -> Any<()> {
    let (authority, stranger) = (Authority::new()?, Authority::new()?);
    let own = authority.client("collector@example.org")?;
    let other = stranger.client("stranger@example.org")?;
    let (ca, cert, key) = (text(&authority.ca()), text(&own.cert), text(&own.key));
    let secret = inside(&own.key)?;
    for version in ENDS {
        let system = System::builder()
            .standalone("a1", version)
            .extra(&tls(&authority, "verify: true")?)
            .start()?;
        let url = system.url("a1", "SYS")?;
        let recorder = Recorder::new()?;
        let with_ca = ["--server", url.as_str(), "--tls-ca", &ca];
        let args = [&with_ca[..], &["--tls-cert", &cert, "--tls-key", &key]].concat();
        let run = recorder.collect(&args)?;
        assert_recorded(&recorder, &run, version, &[&secret])?;
        let run = recorder.collect(&with_ca)?;
        assert_eq!(run.code, Some(1), "{version}: {}", run.stderr);
        assert!(run.stderr.contains("wants a client certificate"), "{version}: {}", run.stderr);
        assert!(run.stderr.contains("--tls-cert"), "{version}: {}", run.stderr);
        let (cert, key) = (text(&other.cert), text(&other.key));
        let args = [&with_ca[..], &["--tls-cert", &cert, "--tls-key", &key]].concat();
        let run = recorder.collect(&args)?;
        assert_eq!(run.code, Some(1), "{version}: {}", run.stderr);
        assert!(run.stderr.contains("wants a client certificate"), "{version}: {}", run.stderr);
        // Whom the collector does not trust is another matter.
        let run = recorder.collect(&["--server", &url, "--tls-ca", &text(&stranger.ca())])?;
        assert_eq!(run.code, Some(1), "{version}: {}", run.stderr);
        assert!(run.stderr.contains("--tls-ca"), "{version}: {}", run.stderr);
        assert!(!run.stderr.contains("wants a client"), "{version}: {}", run.stderr);
    }
    Ok(())
}

#[test]
fn a_certificate_can_be_the_login() -> Any<()> {
    let authority = Authority::new()?;
    let own = authority.client("collector@example.org")?;
    let (ca, cert, key) = (text(&authority.ca()), text(&own.cert), text(&own.key));
    for version in ENDS {
        let accounts = "system_account: SYS\n\
                        accounts { SYS { users: [{ user: \"collector@example.org\" }] } }";
        let tls = tls(&authority, "verify_and_map: true")?;
        let system = System::builder()
            .standalone("a1", version)
            .open()
            .extra(&format!("{tls}\n{accounts}"))
            .start()?;
        let recorder = Recorder::new()?;
        let url = system.address("a1")?;
        let args = ["--server", &url, "--tls-ca", &ca, "--tls-cert", &cert, "--tls-key", &key];
        let run = recorder.collect(&args)?;
        let secrets = [&*inside(&own.key)?, "collector@example.org"];
        assert_recorded(&recorder, &run, version, &secrets)?;
        assert_eq!(recorder.last()?.statuses("VARZ"), ["ok"], "{version}");
    }
    Ok(())
}

#[test]
fn websockets_carry_everything_with_tls_and_without() -> Any<()> {
    let authority = Authority::new()?;
    let ca = text(&authority.ca());
    for version in ENDS {
        for (scheme, block) in [("ws", "no_tls: true".to_owned()), ("wss", tls(&authority, "")?)] {
            let port = free_port()?;
            let websocket = format!("websocket {{ listen: \"127.0.0.1:{port}\"\n {block} }}");
            let system = System::builder().standalone("a1", version).extra(&websocket).start()?;
            let service = Service::python("orders", "1.0.0").start(&system)?;
            let url = |user: &str| format!("{scheme}://{user}:{user}@127.0.0.1:{port}");
            let (server, account) = (url("sys"), url("app"));
            let mut args = vec!["--server", &server, "--account-server", &account];
            if scheme == "wss" {
                args.extend(["--tls-ca", ca.as_str()]);
            }
            let recorder = Recorder::new()?;
            let run = recorder.collect(&args)?;
            assert_recorded(&recorder, &run, version, &["sys:sys", "app:app"])?;
            let epoch = recorder.last()?;
            assert_eq!(epoch.statuses("VARZ"), ["ok"], "{version} {scheme}");
            assert_eq!(epoch.replies("SRV_INFO").count(), service.running().len());
        }
    }
    Ok(())
}

#[test]
fn a_websocket_without_tls_is_never_taken_for_one_with() -> Any<()> {
    let authority = Authority::new()?;
    let recorder = Recorder::new()?;
    let address = format!("ws://127.0.0.1:{}", free_port()?);
    let run = recorder.collect(&["--server", &address, "--tls-ca", &text(&authority.ca())])?;
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(run.stderr.contains("write wss://"), "{}", run.stderr);
    let mixed = format!("{address},nats://127.0.0.1:4222");
    let run = recorder.collect(&["--server", &mixed])?;
    assert_eq!(run.code, Some(2), "{}", run.stderr);
    assert!(run.stderr.contains("mix"), "{}", run.stderr);
    Ok(())
}

/// Writes a context as the `nats` tool does.
fn context(home: &Path, name: &str, fields: &Value) -> Any<()> {
    let folder = home.join("nats/context");
    fs::create_dir_all(&folder)?;
    fs::write(folder.join(format!("{name}.json")), fields.to_string())?;
    Ok(())
}

/// One context for the system account and one for each of two accounts, each with its own way in.
#[test]
fn several_contexts_in_one_run_keep_to_themselves() -> Any<()> {
    let authority = Authority::new()?;
    let own = authority.client("collector@example.org")?;
    for version in ENDS {
        // Services and the kit connect without TLS, the collector with it.
        let block = tls(&authority, "verify: true")?;
        let system = System::builder()
            .standalone("a1", version)
            .account(Account::new("OTHER"))
            .extra(&format!("{block}\nallow_non_tls: true"))
            .start()?;
        let _app = Service::python("orders", "1.0.0").start(&system)?;
        let _other = Service::rust("orders", "2.0.0").account("OTHER").start(&system)?;
        let home = tempfile::tempdir()?;
        let address = system.address("a1")?;
        let with_tls = |user: &str| {
            json!({
                "description": "", "url": address, "user": user, "password": user,
                "ca": text(&authority.ca()), "cert": text(&own.cert), "key": text(&own.key),
                "creds": "", "nkey": "", "token": "", "inbox_prefix": "",
            })
        };
        context(home.path(), "system", &with_tls("sys"))?;
        context(home.path(), "app", &with_tls("app"))?;
        let plain = json!({ "url": address, "user": "other", "password": "other" });
        context(home.path(), "other", &plain)?;
        let recorder = Recorder::new()?;
        let contexts =
            ["--context", "system", "--account-context", "app", "--account-context", "other"];
        let mut command = recorder.command(&contexts)?;
        let run: Run = command.env("XDG_CONFIG_HOME", home.path()).output()?.into();
        assert_recorded(&recorder, &run, version, &[&inside(&own.key)?])?;
        let epoch = recorder.last()?;
        let mut versions: Vec<(String, String)> = Vec::new();
        for reply in epoch.replies("SRV_INFO") {
            let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            versions.push((word(&reply["account"]), word(&reply["body"]["version"])));
        }
        versions.sort();
        let wanted = [("APP", "1.0.0"), ("OTHER", "2.0.0")];
        assert_eq!(versions, wanted.map(|(a, v)| (a.to_owned(), v.to_owned())), "{version}");
        let names: Vec<Value> =
            (0..3).map(|index| epoch.header()["connections"][index]["context"].clone()).collect();
        assert_eq!(names, ["system", "app", "other"], "{version}");
    }
    Ok(())
}

/// Credentials of an operator's users, by flag and in a context; neither seed nor signature leaks.
#[test]
fn credentials_of_an_operator_log_in() -> Any<()> {
    for version in ENDS {
        let system = System::builder().operator_mode().standalone("a1", version).start()?;
        let _service =
            Service::rust("orders", "1.0.0").creds("orders", Validity::Forever).start(&system)?;
        let known = system.creds("APP", "orders", Validity::Forever)?;
        let sys = system.creds_file("SYS", "collector", Validity::Forever)?;
        let app = system.creds_file("APP", "collector", Validity::Forever)?;
        let address = system.address("a1")?;
        let recorder = Recorder::new()?;
        let args = ["--server", &address, "--creds", &text(&sys), "--account-creds", &text(&app)];
        let run = recorder.collect(&args)?;
        let collector = system.creds("SYS", "collector", Validity::Forever)?;
        let secrets = [known.seed.as_str(), &collector.seed];
        assert_recorded(&recorder, &run, version, &secrets)?;
        let epoch = recorder.last()?;
        let row = epoch.replies("CONNZ").find_map(|reply| {
            let rows = reply["body"]["data"]["connections"].as_array()?;
            rows.iter().find(|row| row["name"] == "orders").cloned()
        });
        let row = row.ok_or("no connection of orders")?;
        let jwt = row["jwt"].as_str().unwrap_or_default();
        assert!(jwt.ends_with(".[REDACTED]"), "{version}: {jwt}");
        let key = row["authorized_user"].as_str().unwrap_or_default();
        assert!(key.starts_with('U') && key.len() == 56, "{version}: a public key stays");
        assert_eq!(row["account"], system.account_id("APP")?.as_str(), "{version}");
        let home = tempfile::tempdir()?;
        context(home.path(), "operator", &json!({ "url": address, "creds": text(&sys) }))?;
        let recorder = Recorder::new()?;
        let mut command = recorder.command(&["--context", "operator"])?;
        let run: Run = command.env("XDG_CONFIG_HOME", home.path()).output()?.into();
        assert_recorded(&recorder, &run, version, &secrets)?;
        let fields =
            json!({ "url": address, "user_jwt": collector.jwt, "user_seed": collector.seed });
        context(home.path(), "inline", &fields)?;
        let recorder = Recorder::new()?;
        let mut command = recorder.command(&["--context", "inline"])?;
        let run: Run = command.env("XDG_CONFIG_HOME", home.path()).output()?.into();
        let signature = collector.jwt.rsplit('.').next().unwrap_or_default();
        assert_recorded(&recorder, &run, version, &[&collector.seed, signature])?;
    }
    Ok(())
}
