//! The commands for those who may not run the binary.

use std::fs;
use std::process::{Command, Stdio};

use nats_hindsight_testkit::{System, V2_10, V2_15, free_port};
use serde_json::Value;

use crate::Any;

fn script() -> Any<String> {
    let page = nats_hindsight_testkit::workspace_root().join("docs/without-our-binary.md");
    let page = fs::read_to_string(page)?;
    let (_, block) = page.split_once("```sh\n").ok_or("no script")?;
    Ok(block.split_once("```").ok_or("the script has no end")?.0.to_owned())
}

/// Files of the script that hold no JSON of a server.
fn fetched(version: &str) -> Any<Vec<String>> {
    let system = System::builder().standalone("a1", version).jetstream().start()?;
    let home = tempfile::tempdir()?;
    let script = script()?;
    let (first, rest) = script.split_once('\n').ok_or("one line only")?;
    assert!(first.starts_with("SERVERS="));
    let nobody = format!("127.0.0.1:{}", free_port()?);
    let monitor = system.monitor_url("a1")?;
    let servers = format!("SERVERS=\"{monitor} http://{nobody}\"");
    let path = home.path().join("fetch.sh");
    fs::write(&path, format!("{servers}\n{rest}"))?;
    let mut command = Command::new("sh");
    command.arg(&path).current_dir(home.path()).stdin(Stdio::null()).output()?;
    let run = fs::read_dir(home.path().join("captures"))?.next().ok_or("no run")??.path();
    let folder = |address: &str| run.join(address.replace(':', "_"));
    let errors = fs::read_to_string(folder(&nobody).join("errors.txt"))?;
    assert_eq!(errors.lines().count(), 10, "{errors}");
    let mut bad = Vec::new();
    let bare = monitor.trim_start_matches("http://");
    for entry in fs::read_dir(folder(bare))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path)?;
        let fine = match name.as_str() {
            "errors.txt" => text.is_empty(),
            _ => serde_json::from_str::<Value>(&text).is_ok_and(|value| value.is_object()),
        };
        if !fine {
            bad.push(format!("{name}: {text}"));
        }
    }
    let varz: Value = serde_json::from_slice(&fs::read(folder(bare).join("VARZ.json"))?)?;
    assert_eq!(varz["server_name"], "a1");
    assert_eq!(fs::read_dir(folder(bare))?.count(), 11, "ten answers and the errors");
    Ok(bad)
}

#[test]
fn the_script_fetches_every_endpoint() -> Any<()> {
    if Command::new("curl").arg("--version").stdout(Stdio::null()).status().is_err() {
        // Nothing is promised where the tool the page is about is missing.
        return Ok(());
    }
    for version in [V2_10, V2_15] {
        assert_eq!(fetched(version)?, Vec::<String>::new(), "{version}");
    }
    Ok(())
}
