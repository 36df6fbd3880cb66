//! Where servers listen, apart from who logs in there.

use std::fmt;

use async_nats::ServerAddr;

use crate::connect::Login;
use crate::secret::Secret;

/// Why an address cannot be used. The text given is never repeated: it may hold a password.
#[derive(Debug, thiserror::Error)]
pub enum AddressError {
    /// Not a URL.
    #[error(
        "the URL given with {given} cannot be read; write nats://host:4222 or \
         nats://user:password@host:4222, with special characters of user and password \
         percent-encoded (@ is %40, : is %3A, / is %2F)"
    )]
    Unreadable {
        /// The flag or context it came from.
        given: String,
    },
    /// A URL of something else.
    #[error(
        "the URL given with {given} is `{scheme}://`, which this collector does not speak; use {use_this}"
    )]
    Scheme {
        /// The flag or context it came from.
        given: String,
        /// The part before `://`.
        scheme: String,
        /// What would do.
        use_this: &'static str,
    },
    /// Not the URL of a monitoring port.
    #[error(
        "the URL given with --http is none of a monitoring port; write http://host:8222 or https://host:8222"
    )]
    Monitoring,
    /// Some of them over websockets and some not.
    #[error(
        "the URLs given with {given} mix ws:// or wss:// with nats:// or tls://; give those of one kind"
    )]
    Mixed {
        /// The flag or context it came from.
        given: String,
    },
    /// No URL at all.
    #[error("{given} names no URL; write nats://host:4222")]
    Empty {
        /// The flag or context it came from.
        given: String,
    },
}

/// One or several servers of one cluster, without any credentials.
#[derive(Clone, Debug)]
pub struct Address {
    servers: Vec<ServerAddr>,
}

impl Address {
    /// Reads one URL or several with commas between them. User and password, or a token, are taken
    /// out of the URL at once and handed back apart, so that the address can be shown anywhere.
    pub fn parse(text: &str, given: &str) -> Result<(Self, Option<Login>), AddressError> {
        let mut servers = Vec::new();
        let mut login = None;
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (server, found) = parse_one(part, given)?;
            login = login.or(found);
            servers.push(server);
        }
        if servers.is_empty() {
            return Err(AddressError::Empty { given: given.to_owned() });
        }
        let websockets = servers.iter().filter(|server| server.is_websocket()).count();
        if websockets != 0 && websockets != servers.len() {
            return Err(AddressError::Mixed { given: given.to_owned() });
        }
        Ok((Self { servers }, login))
    }

    /// For the client library.
    pub(crate) fn servers(&self) -> &[ServerAddr] {
        &self.servers
    }

    /// Whether it is reached over websockets.
    pub(crate) fn is_websocket(&self) -> bool {
        self.servers.iter().any(ServerAddr::is_websocket)
    }

    /// Whether some server is reached over websockets without TLS, which nothing can turn on later.
    pub(crate) fn never_encrypted(&self) -> bool {
        self.servers.iter().any(|server| server.scheme() == "ws")
    }

    /// Host of the first server: the label of a system nobody named.
    pub fn host(&self) -> &str {
        self.servers.first().map_or("", ServerAddr::host)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, server) in self.servers.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            let host = server.host();
            let (open, close) = if host.contains(':') { ("[", "]") } else { ("", "") };
            write!(f, "{comma}{}://{open}{host}{close}:{}", server.scheme(), server.port())?;
        }
        Ok(())
    }
}

fn parse_one(text: &str, given: &str) -> Result<(ServerAddr, Option<Login>), AddressError> {
    let unreadable = || AddressError::Unreadable { given: given.to_owned() };
    if let Some((scheme, _)) = text.split_once("://")
        && !matches!(scheme, "nats" | "tls" | "ws" | "wss")
    {
        return Err(wrong_scheme(scheme, given));
    }
    let address: ServerAddr = text.parse().map_err(|_| unreadable())?;
    let login = login_of(address.username(), address.password());
    let mut url = address.into_inner();
    if url.host_str().is_none_or(str::is_empty) {
        return Err(unreadable());
    }
    url.set_username("").and_then(|()| url.set_password(None)).map_err(|()| unreadable())?;
    // Only a proxy in front of websockets has paths.
    if !matches!(url.scheme(), "ws" | "wss") {
        url.set_path("");
    }
    url.set_query(None);
    url.set_fragment(None);
    ServerAddr::from_url(url).map(|address| (address, login)).map_err(|_| unreadable())
}

fn wrong_scheme(scheme: &str, given: &str) -> AddressError {
    // What stands before `://` is only shown if it looks like a scheme: in `user:secret://x` it
    // would be a password.
    let plain = scheme.len() <= 8 && scheme.chars().all(|c| c.is_ascii_alphabetic());
    if !plain {
        return AddressError::Unreadable { given: given.to_owned() };
    }
    let use_this = match scheme {
        "http" | "https" => "--http for monitoring ports, or nats://host:4222 here",
        _ => "nats://, tls://, ws:// or wss://",
    };
    AddressError::Scheme { given: given.to_owned(), scheme: scheme.to_owned(), use_this }
}

/// A URL with a user but without a password carries a token, as in all NATS clients.
fn login_of(user: Option<&str>, password: Option<&str>) -> Option<Login> {
    let user = percent_decode(user?);
    Some(match password {
        Some(password) => Login::Password { user, password: Secret::new(percent_decode(password)) },
        None => Login::Token(Secret::new(user)),
    })
}

pub(crate) fn percent_decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let pair = text.get(at + 1..at + 3).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        let escaped = pair.filter(|_| byte == b'%');
        out.push(escaped.unwrap_or(byte));
        at += if escaped.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<(Address, Option<Login>), AddressError> {
        Address::parse(text, "--server")
    }

    #[test]
    fn user_and_password_leave_the_address() {
        let Ok((address, Some(Login::Password { user, password }))) =
            parse("nats://me:p%40ss@example.org,nats://example.net:5222")
        else {
            panic!("a URL with user and password");
        };
        assert_eq!(address.to_string(), "nats://example.org:4222,nats://example.net:5222");
        assert_eq!((user.as_str(), password.reveal()), ("me", "p@ss"));
        assert!(!format!("{address:?}").contains("p%40ss"));
    }

    #[test]
    fn a_lone_user_is_a_token() {
        let Ok((_, Some(Login::Token(token)))) = parse("tls://t0ken@h") else {
            panic!("a URL with a token");
        };
        assert_eq!(token.reveal(), "t0ken");
    }

    #[test]
    fn errors_never_repeat_what_was_given() {
        for bad in
            ["nats://u:hunter2@ho st", "hunter2://x", "u:hunter2://x", "mqtt://hunter2@h", ","]
        {
            let error = parse(bad).err().map(|error| error.to_string()).unwrap_or_default();
            assert!(!error.is_empty(), "{bad} was taken");
            assert!(!error.contains("u:hunter2") && !error.contains("hunter2@"), "{error}");
        }
    }

    #[test]
    fn websockets_have_ports_of_their_own_and_are_not_mixed() {
        let Ok((address, Some(Login::Token(token)))) = parse("wss://t0ken@h/nats,wss://i:8443")
        else {
            panic!("URLs of websockets");
        };
        assert_eq!(address.to_string(), "wss://h:443,wss://i:8443");
        assert_eq!(token.reveal(), "t0ken");
        assert_eq!(address.servers()[0].as_url_str(), "wss://h/nats");
        assert!(address.is_websocket() && !address.never_encrypted());
        assert!(matches!(parse("ws://h,nats://h"), Err(AddressError::Mixed { .. })));
    }

    #[test]
    fn a_bare_host_and_ipv6_are_addresses() {
        assert!(matches!(parse("h"), Ok((a, None)) if a.to_string() == "nats://h:4222"));
        assert!(
            matches!(parse("nats://[::1]:1"), Ok((a, None)) if a.to_string() == "nats://[::1]:1")
        );
    }
}
