//! The unit for systemd.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use crate::{Any, text};

const UNIT: &str = "hindsight-collect.service";

/// Values by section and key, in order; a continued line is one.
fn parsed() -> Any<BTreeMap<(String, String), Vec<String>>> {
    let mut found: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    let mut section = String::new();
    let joined = text(UNIT)?.replace("\\\n", " ");
    for line in joined.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            name.clone_into(&mut section);
            continue;
        }
        let (key, value) = line.split_once('=').ok_or_else(|| format!("no key: {line}"))?;
        found.entry((section.clone(), key.to_owned())).or_default().push(value.to_owned());
    }
    Ok(found)
}

/// The arguments of `hindsight`.
pub(crate) fn arguments() -> Any<Vec<String>> {
    let unit = parsed()?;
    let starts = unit.get(&("Service".into(), "ExecStart".into())).ok_or("no ExecStart")?;
    let [start] = &starts[..] else { return Err("one command is started".into()) };
    let words: Vec<String> = start.split_whitespace().map(str::to_owned).collect();
    assert_eq!(words[0], "/usr/local/bin/hindsight");
    Ok(words[1..].to_vec())
}

#[test]
fn it_is_hardened_and_keeps_its_state() -> Any<()> {
    let unit = parsed()?;
    for (section, key, value) in [
        ("Service", "DynamicUser", "yes"),
        ("Service", "StateDirectory", "hindsight"),
        ("Service", "StateDirectoryMode", "0700"),
        ("Service", "ProtectSystem", "strict"),
        ("Service", "ProtectHome", "yes"),
        ("Service", "NoNewPrivileges", "yes"),
        ("Service", "CapabilityBoundingSet", ""),
        ("Service", "LoadCredential", "system.creds:/etc/hindsight/system.creds"),
        ("Service", "Restart", "on-failure"),
        ("Install", "WantedBy", "multi-user.target"),
    ] {
        let found = unit.get(&(section.to_owned(), key.to_owned()));
        assert_eq!(found, Some(&vec![value.to_owned()]), "{key}");
    }
    let arguments = arguments()?;
    for needed in ["${CREDENTIALS_DIRECTORY}/system.creds", "${STATE_DIRECTORY}", "--every"] {
        assert!(arguments.iter().any(|argument| argument == needed), "{needed}");
    }
    Ok(())
}

/// Where systemd is there, it reads the unit, too. The command has to exist for that.
#[test]
fn systemd_has_no_complaints() -> Any<()> {
    let folder = tempfile::tempdir()?;
    let binary = nats_hindsight_testkit::hindsight()?.display().to_string();
    let unit = folder.path().join(UNIT);
    fs::write(&unit, text(UNIT)?.replace("/usr/local/bin/hindsight", &binary))?;
    let verified = match Command::new("systemd-analyze").arg("verify").arg(&unit).output() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        output => output?,
    };
    let said = String::from_utf8_lossy(&verified.stderr);
    let about_it: Vec<&str> = said.lines().filter(|line| line.contains(UNIT)).collect();
    assert!(about_it.is_empty(), "{said}");
    Ok(())
}
