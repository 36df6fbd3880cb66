//! A recording goes to strangers, so it must not tell about the machine that made it, nor hold what
//! anybody could log in with.

use std::fs;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::error::{KitError, Result, io_at};
use crate::workspace;

/// Refuses a recorded file that holds a name or a folder of this machine, or a credential.
pub(crate) fn check(path: &Path) -> Result<()> {
    let bytes = fs::read(path).map_err(io_at("cannot read", path))?;
    let text = if path.extension().is_some_and(|extension| extension == "zst") {
        zstd::decode_all(bytes.as_slice()).map_err(io_at("cannot unpack", path))?
    } else {
        bytes
    };
    let text = String::from_utf8_lossy(&text);
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    if let Some(what) = credential(&text) {
        return Err(KitError::Protocol(format!("{name} holds {what}")));
    }
    match secrets().into_iter().find(|(_, secret)| text.contains(secret.as_str())) {
        None => Ok(()),
        Some((kind, secret)) => {
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

/// What opens a door: the seed of a key, or the JWT of a user with its signature. An operator's
/// and an account's JWT are public, and servers show them.
fn credential(text: &str) -> Option<&'static str> {
    let seed = |word: &str| {
        word.len() == 58
            && word.starts_with('S')
            && word.bytes().all(|byte| matches!(byte, b'A'..=b'Z' | b'2'..=b'7'))
    };
    let mut words = text.split(|letter: char| {
        !(letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_'))
    });
    words.find_map(|word| {
        if word.split('.').any(seed) {
            return Some("the seed of a key");
        }
        let mut parts = word.split('.');
        let [Some(_), Some(claims), Some(signature)] = [(); 3].map(|()| parts.next()) else {
            return None;
        };
        let claims = URL_SAFE_NO_PAD.decode(claims).ok().filter(|_| signature.len() >= 80)?;
        let claims: serde_json::Value = serde_json::from_slice(&claims).ok()?;
        (claims["nats"]["type"] == "user").then_some("the signed JWT of a user")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operator::{Operator, Validity};

    #[test]
    fn seeds_and_signed_users_are_credentials() -> Result<()> {
        let operator = Operator::new(["SYS", "APP"].into_iter())?;
        let creds = operator.creds("APP", "orders", Validity::Forever)?;
        let (public, _) = creds.jwt.rsplit_once('.').unwrap_or_default();
        assert_eq!(credential(&format!("{{\"jwt\":\"{public}.[REDACTED]\"}}")), None);
        assert_eq!(credential(&operator.lines()?), None, "what every server shows");
        let jwt = format!("{{\"jwt\":\"{}\"}}", creds.jwt);
        assert_eq!(credential(&jwt), Some("the signed JWT of a user"));
        assert_eq!(credential(&creds.seed), Some("the seed of a key"));
        assert!(credential(&creds.file()).is_some());
        Ok(())
    }
}
