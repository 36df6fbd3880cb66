//! A recording goes to strangers, so it must not tell about the machine that made it.

use std::fs;
use std::path::Path;

use crate::error::{KitError, Result, io_at};
use crate::workspace;

/// Refuses a recorded file that holds a name or a folder of this machine.
pub(super) fn check(path: &Path) -> Result<()> {
    let bytes = fs::read(path).map_err(io_at("cannot read", path))?;
    let text = if path.extension().is_some_and(|extension| extension == "zst") {
        zstd::decode_all(bytes.as_slice()).map_err(io_at("cannot unpack", path))?
    } else {
        bytes
    };
    let text = String::from_utf8_lossy(&text);
    match secrets().into_iter().find(|(_, secret)| text.contains(secret.as_str())) {
        None => Ok(()),
        Some((kind, secret)) => {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            Err(KitError::Protocol(format!("{name} tells the {kind} of this machine: {secret}")))
        }
    }
}

/// What must not be told. A user name as short as `root` stands everywhere, so it is looked for
/// where it would come from: as a folder of the user.
fn secrets() -> Vec<(&'static str, String)> {
    let mut secrets = vec![
        ("workspace folder", workspace::root().to_string_lossy().into_owned()),
        ("temporary folder", format!("{}/.tmp", std::env::temp_dir().to_string_lossy())),
    ];
    if let Some(home) = std::env::var_os("HOME") {
        secrets.push(("home folder", format!("{}/", home.to_string_lossy())));
    }
    if let Ok(name) = fs::read_to_string("/proc/sys/kernel/hostname") {
        secrets.push(("host name", name.trim().to_owned()));
    }
    secrets.retain(|(_, secret)| secret.len() > 3 && secret != "localhost");
    secrets
}
