//! What an archive says of its own making.

use jiff::Timestamp;
use serde_json::{Map, Value};

/// What the gatherer noted when it was done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    /// When the run ended.
    pub capture_timestamp: Option<Timestamp>,
    /// Version of natscli as `major.minor.patch`; some releases left it empty, which is `None`.
    pub version: Option<String>,
    /// The server it was connected to.
    pub connected_server_name: Option<String>,
    /// Version of that server.
    pub connected_server_version: Option<String>,
    /// The URL it connected to, without user and password: early releases noted both.
    pub connect_url: Option<String>,
    /// Who ran it.
    pub user_name: Option<String>,
}

/// Reads metadata. A field of an unexpected type costs that field.
pub(super) fn parse(bytes: &[u8]) -> Result<Metadata, serde_json::Error> {
    let fields: Map<String, Value> = serde_json::from_slice(bytes)?;
    let text = |name: &str| {
        let text = fields.get(name).and_then(Value::as_str);
        text.filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let version = text("version").or_else(|| text("cli_version"));
    Ok(Metadata {
        capture_timestamp: text("capture_timestamp").and_then(|time| time.parse().ok()),
        version: version.map(|version| version.trim_start_matches("nats ").to_owned()),
        connected_server_name: text("connected_server_name"),
        connected_server_version: text("connected_server_version"),
        connect_url: text("connect_url").map(|url| without_user(&url)),
        user_name: text("user_name"),
    })
}

/// URLs without user and password. A password may hold anything, a comma and an `@` too, so
/// everything from a scheme to the last `@` before the next one goes.
fn without_user(urls: &str) -> String {
    let bare = |part: &str| part.rsplit_once('@').map_or(part, |(_, rest)| rest).to_owned();
    urls.split("://").map(bare).collect::<Vec<_>>().join("://")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_every_age() {
        let version = |json: &str| parse(json.as_bytes()).unwrap().version;
        assert_eq!(version(r#"{"version":"nats 0.4.0"}"#).as_deref(), Some("0.4.0"));
        assert_eq!(version(r#"{"cli_version":"0.1.6"}"#).as_deref(), Some("0.1.6"));
        assert_eq!(version(r#"{"cli_version":""}"#), None);
        assert_eq!(version(r#"{"version":7,"cli_version":"0.2.4"}"#).as_deref(), Some("0.2.4"));
    }

    #[test]
    fn passwords_in_urls_are_left_out() {
        for (url, kept) in [
            ("nats://127.0.0.1:4222", "nats://127.0.0.1:4222"),
            ("nats://me:s3cret@n1:4222", "nats://n1:4222"),
            ("nats://me:p@ss@n1:4222,nats://token@n2:4222", "nats://n1:4222,nats://n2:4222"),
            ("nats://me:a,b@n1:4222", "nats://n1:4222"),
            ("me:s3cret@n1", "n1"),
        ] {
            let json = serde_json::json!({ "connect_url": url }).to_string();
            assert_eq!(parse(json.as_bytes()).unwrap().connect_url.as_deref(), Some(kept));
        }
    }
}
