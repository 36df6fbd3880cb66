//! Every command line is run as it stands, but for where the server is, what the credentials are
//! and where the files go.

use std::fs;
use std::process::{Command, Stdio};

use nats_hindsight_testkit::{System, V2_15};

use crate::{Any, container, cron, kubernetes, unit};

/// The arguments of `hindsight` in each of them.
fn command_lines() -> Any<Vec<(&'static str, Vec<String>)>> {
    let cron = cron()?;
    let words: Vec<&str> = cron.split(" 2> ").next().unwrap_or_default().split(' ').collect();
    let at = words.iter().position(|word| *word == "hindsight").ok_or("cron runs no hindsight")?;
    let cron = words[at + 1..].iter().map(|word| (*word).to_owned()).collect();
    Ok(vec![
        ("cron", cron),
        ("the unit", unit::arguments()?),
        ("the container", container::arguments()?),
        ("the deployment", kubernetes::arguments("collector.yaml", "Deployment")?),
        ("the cron job", kubernetes::arguments("cronjob.yaml", "CronJob")?),
    ])
}

/// `--flag=value` as two words, as the others have it.
fn split(args: &[String]) -> Vec<String> {
    args.iter()
        .flat_map(|arg| match arg.split_once('=') {
            Some((flag, value)) if flag.starts_with("--") => {
                vec![flag.to_owned(), value.to_owned()]
            }
            _ => vec![arg.clone()],
        })
        .collect()
}

/// The word behind a flag.
fn value<'a>(args: &'a mut [String], flag: &str) -> Any<&'a mut String> {
    let at =
        args.iter().position(|arg| arg == flag).ok_or_else(|| format!("there is no {flag}"))?;
    args.get_mut(at + 1).ok_or_else(|| format!("nothing stands behind {flag}").into())
}

#[test]
fn every_command_line_records() -> Any<()> {
    let system = System::builder().standalone("a1", V2_15).start()?;
    for (name, args) in command_lines()? {
        let folder = tempfile::tempdir()?;
        let out = folder.path().join("epochs");
        let mut args = split(&args);
        assert_eq!(args.first().map(String::as_str), Some("collect"), "{name}");
        assert!(value(&mut args, "--server")?.starts_with("nats://"), "{name}");
        // A user in the URL is used instead of the file, which no server here would take.
        *value(&mut args, "--server")? = system.url("a1", "SYS")?;
        *value(&mut args, "--creds")? = folder.path().join("system.creds").display().to_string();
        *value(&mut args, "--out")? = out.display().to_string();
        for flag in ["--keep", "--keep-size", "--system"] {
            value(&mut args, flag)?;
        }
        if args.iter().any(|arg| arg == "--every") {
            args.extend(["--count".to_owned(), "1".to_owned()]);
        }
        let mut command = Command::new(nats_hindsight_testkit::hindsight()?);
        let output = command.args(&args).stdin(Stdio::null()).output()?;
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{name}: {stderr}");
        let snapshots = fs::read_dir(&out)?
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|file| file.starts_with("prod.") && file.ends_with(".ndjson.zst"));
        assert_eq!(snapshots.count(), 1, "{name}: {stderr}");
    }
    Ok(())
}
