//! Contexts of the `nats` command line tool.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::connect::{Address, AddressError, ConnectionSpec, Login, Role, Tls};
use crate::secret::Secret;

/// Why a context cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ContextError {
    /// A name that would lead out of the folder.
    #[error("`{0}` is no name of a context; `nats context ls` lists them")]
    Name(String),
    /// There is no such file.
    #[error("cannot read the context `{name}` from {path}: {source}; `nats context ls` lists contexts", path = path.display())]
    Read {
        /// Its name.
        name: String,
        /// Where it should be.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file is no context. The parser's words are left out: they may quote the file.
    #[error("{path} is no context of the nats tool: line {line}, column {column} cannot be understood; mend it with `nats context edit`", path = path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// Where.
        line: usize,
        /// Where in the line.
        column: usize,
    },
    /// It needs something this collector does not do.
    #[error("the context `{name}` uses {what}, which this collector does not do; {instead}")]
    Unsupported {
        /// Its name.
        name: String,
        /// What it needs.
        what: &'static str,
        /// What to do instead.
        instead: &'static str,
    },
    /// Its URL cannot be used.
    #[error(transparent)]
    Address(#[from] AddressError),
}

/// What of a context is used; the tool stores empty text for what is not set.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Stored {
    url: String,
    token: String,
    user: String,
    password: String,
    creds: String,
    nkey: String,
    cert: String,
    key: String,
    ca: String,
    nsc: String,
    inbox_prefix: String,
    user_jwt: String,
    user_seed: String,
    socks_proxy: String,
    tls_first: bool,
}

/// Reads a context from `$XDG_CONFIG_HOME/nats/context`, else `~/.config/nats/context`.
pub fn load(name: &str, role: Role) -> Result<ConnectionSpec, ContextError> {
    let harmless = !name.is_empty() && !name.contains(['/', '\\', '\0']) && !name.starts_with('.');
    if !harmless {
        return Err(ContextError::Name(name.to_owned()));
    }
    let path = folder().join(format!("{name}.json"));
    let text = fs::read_to_string(&path).map_err(|source| ContextError::Read {
        name: name.to_owned(),
        path: path.clone(),
        source,
    })?;
    read(name, role, &path, &text)
}

fn folder() -> PathBuf {
    let configured = env::var_os("XDG_CONFIG_HOME").filter(|folder| !folder.is_empty());
    let base = configured.map_or_else(|| home().join(".config"), PathBuf::from);
    base.join("nats").join("context")
}

fn home() -> PathBuf {
    env::home_dir().unwrap_or_default()
}

fn read(name: &str, role: Role, path: &Path, text: &str) -> Result<ConnectionSpec, ContextError> {
    let stored: Stored = serde_json::from_str(text).map_err(|error| ContextError::Parse {
        path: path.to_owned(),
        line: error.line(),
        column: error.column(),
    })?;
    check(name, &stored)?;
    let url = if stored.url.is_empty() { "nats://127.0.0.1:4222" } else { &stored.url };
    let (address, url_login) = Address::parse(url, &format!("the context `{name}`"))?;
    Ok(ConnectionSpec {
        role,
        address,
        context: Some(name.to_owned()),
        login: login(&stored).or(url_login),
        tls: Tls {
            ca: file(&stored.ca),
            cert: file(&stored.cert),
            key: file(&stored.key),
            first: stored.tls_first,
        },
        inbox_prefix: Some(stored.inbox_prefix).filter(|prefix| !prefix.is_empty()),
    })
}

fn check(name: &str, stored: &Stored) -> Result<(), ContextError> {
    let unsupported =
        |what, instead| Err(ContextError::Unsupported { name: name.to_owned(), what, instead });
    if !stored.nsc.is_empty() && stored.creds.is_empty() {
        return unsupported("nsc", "export a credentials file with `nsc generate creds`");
    }
    if !stored.socks_proxy.is_empty() {
        return unsupported("a SOCKS proxy", "forward the port and use --server");
    }
    Ok(())
}

fn login(stored: &Stored) -> Option<Login> {
    let secret = |text: &str| Secret::new(text);
    if let Some(path) = file(&stored.creds) {
        Some(Login::Creds(path))
    } else if !stored.user_jwt.is_empty() {
        Some(Login::Jwt { jwt: secret(&stored.user_jwt), seed: secret(&stored.user_seed) })
    } else if let Some(path) = file(&stored.nkey) {
        Some(Login::Nkey(path))
    } else if !stored.user.is_empty() && stored.password.is_empty() {
        // The tool itself takes a lone user for a token.
        Some(Login::Token(secret(&stored.user)))
    } else if !stored.user.is_empty() {
        Some(Login::Password { user: stored.user.clone(), password: secret(&stored.password) })
    } else if !stored.token.is_empty() {
        Some(Login::Token(secret(&stored.token)))
    } else {
        None
    }
}

/// A file named in a context; `~` is the home folder.
fn file(text: &str) -> Option<PathBuf> {
    match text.strip_prefix("~/") {
        _ if text.is_empty() => None,
        Some(rest) => Some(home().join(rest)),
        None => Some(PathBuf::from(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<ConnectionSpec, ContextError> {
        read("prod", Role::System, Path::new("prod.json"), text)
    }

    #[test]
    fn fields_of_the_tool_are_understood() {
        let spec = parse(
            r#"{"description":"x","url":"nats://h:1","user":"u","password":"p","ca":"/ca.pem",
                "inbox_prefix":"_IN","jetstream_domain":"","color_scheme":""}"#,
        );
        let Ok(spec) = spec else { panic!("a plain context") };
        assert!(matches!(spec.login, Some(Login::Password { ref user, .. }) if user == "u"));
        assert_eq!(spec.address.to_string(), "nats://h:1");
        assert_eq!(spec.tls.ca.as_deref(), Some(Path::new("/ca.pem")));
        assert_eq!(spec.inbox_prefix.as_deref(), Some("_IN"));
        assert_eq!(spec.context.as_deref(), Some("prod"));
    }

    #[test]
    fn a_broken_file_is_named_but_not_quoted() {
        let error = parse(r#"{"password":"hunter2","url":7}"#).err().map(|e| e.to_string());
        let error = error.unwrap_or_default();
        assert!(error.contains("prod.json") && !error.contains("hunter2"), "{error}");
    }

    #[test]
    fn a_name_cannot_lead_elsewhere() {
        assert!(matches!(load("../x", Role::System), Err(ContextError::Name(_))));
    }
}
