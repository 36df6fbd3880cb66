//! Monitoring ports over HTTP.

use std::fmt;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use nats_hindsight_snapshot::lines::Status;
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};

use crate::connect::{AddressError, percent_decode};
use crate::secret::Secret;
use crate::unpack::MOST;

/// A monitoring port, with what a proxy before it may want to know.
#[derive(Clone, Debug)]
pub struct HttpTarget {
    base: String,
    host: String,
    login: Option<Secret>,
    ca: Option<PathBuf>,
}

impl HttpTarget {
    /// Reads a URL. User and password are taken out of it at once.
    pub fn parse(text: &str, ca: Option<PathBuf>) -> Result<Self, AddressError> {
        let unreadable = || AddressError::Monitoring;
        let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
        if !matches!(scheme, "http" | "https") {
            return Err(AddressError::Monitoring);
        }
        let (login, place) = match rest.rsplit_once('@') {
            Some((login, place)) => (Some(login), place),
            None => (None, rest),
        };
        let place = place.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
        let usable = |c: char| c.is_ascii_alphanumeric() || "-._~:[]/%".contains(c);
        if place.is_empty() || !place.chars().all(usable) {
            return Err(unreadable());
        }
        let authority = place.split('/').next().unwrap_or_default();
        let host = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, _)) => host,
            None => authority.split(':').next().unwrap_or_default(),
        };
        Ok(Self {
            base: format!("{scheme}://{place}"),
            host: host.to_owned(),
            login: login.map(basic),
            ca,
        })
    }

    /// Host of the port: the label of a system nobody named.
    pub fn host(&self) -> &str {
        &self.host
    }
}

impl fmt::Display for HttpTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.base)
    }
}

fn basic(login: &str) -> Secret {
    let (user, password) = login.split_once(':').unwrap_or((login, ""));
    let both = format!("{}:{}", percent_decode(user), percent_decode(password));
    Secret::new(format!("Basic {}", STANDARD.encode(both)))
}

/// How a request over HTTP failed, without words of others that might repeat a URL.
#[derive(Debug)]
pub(crate) struct HttpFailure {
    pub(crate) status: Status,
    pub(crate) note: String,
}

/// A client for one monitoring port.
#[derive(Clone)]
pub(crate) struct HttpClient {
    target: HttpTarget,
    agent: ureq::Agent,
}

impl HttpClient {
    pub(crate) fn new(target: &HttpTarget) -> Result<Self, HttpFailure> {
        let mut tls = TlsConfig::builder();
        if let Some(ca) = &target.ca {
            tls = tls.root_certs(roots(ca)?);
        }
        let config = ureq::Agent::config_builder()
            .max_redirects(0)
            .http_status_as_error(false)
            .proxy(None)
            .tls_config(tls.build())
            .build();
        Ok(Self { target: target.clone(), agent: config.into() })
    }

    /// Asks for one path. Blocks a thread of its own, not the others.
    pub(crate) async fn get(&self, path: &str, timeout: Duration) -> Result<Bytes, HttpFailure> {
        let client = self.clone();
        let url = format!("{}{path}", self.target.base);
        tokio::task::spawn_blocking(move || client.get_blocking(&url, timeout))
            .await
            .unwrap_or_else(|_| {
                Err(HttpFailure {
                    status: Status::Malformed,
                    note: "the request broke off".to_owned(),
                })
            })
    }

    fn get_blocking(&self, url: &str, timeout: Duration) -> Result<Bytes, HttpFailure> {
        let mut request = self.agent.get(url).config().timeout_global(Some(timeout)).build();
        if let Some(login) = &self.target.login {
            request = request.header("Authorization", login.reveal());
        }
        let mut response = request.call().map_err(|error| failure(&error))?;
        match response.status().as_u16() {
            // HEALTHZ carries its JSON with 500 and 503; the body says which.
            200 | 500 | 503 => {}
            401 | 403 => {
                return Err(refused(Status::Denied, "HTTP 401 or 403: credentials refused"));
            }
            404 => {
                return Err(refused(Status::NotSupported, "HTTP 404: the server has no such path"));
            }
            code => return Err(refused(Status::Malformed, &format!("HTTP status {code}"))),
        }
        let read = response.body_mut().with_config().limit(MOST).read_to_vec();
        read.map(Bytes::from).map_err(|error| failure(&error))
    }
}

fn refused(status: Status, note: &str) -> HttpFailure {
    HttpFailure { status, note: note.to_owned() }
}

fn failure(error: &ureq::Error) -> HttpFailure {
    match error {
        ureq::Error::Timeout(_) => refused(Status::Timeout, "no answer in time"),
        ureq::Error::HostNotFound => {
            refused(Status::NoResponders, "no such host: check the spelling of the URL")
        }
        ureq::Error::BodyExceedsLimit(_) => refused(Status::TooLarge, "more than 64 MiB"),
        ureq::Error::Io(error) => io_failure(error),
        ureq::Error::Tls(_) | ureq::Error::Rustls(_) => refused(
            Status::Denied,
            "TLS failed: check that this port speaks HTTPS, its certificate, and --tls-ca",
        ),
        _ => refused(
            Status::Malformed,
            "no HTTP answer that can be understood; --http wants the monitoring port, often 8222",
        ),
    }
}

fn io_failure(error: &io::Error) -> HttpFailure {
    match error.kind() {
        ErrorKind::TimedOut | ErrorKind::WouldBlock => {
            refused(Status::Timeout, "no answer in time")
        }
        ErrorKind::ConnectionRefused => refused(
            Status::NoResponders,
            "connection refused: nobody listens on this port; check the URL, and `http_port` \
                 in the configuration of the server",
        ),
        ErrorKind::InvalidData => refused(
            Status::Denied,
            "TLS failed: check that this port speaks HTTPS, its certificate, and --tls-ca",
        ),
        kind => refused(Status::Timeout, &kind.to_string()),
    }
}

fn roots(path: &Path) -> Result<RootCerts, HttpFailure> {
    let failed = |why: &str| refused(Status::Denied, &format!("cannot use the CA file: {why}"));
    let pem = std::fs::read(path).map_err(|error| failed(&error.kind().to_string()))?;
    let certificates: Vec<_> = parse_pem(&pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    if certificates.is_empty() {
        return Err(failed("it holds no certificate"));
    }
    Ok(RootCerts::new_with_certs(&certificates))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_leave_the_url() {
        let Ok(target) = HttpTarget::parse("https://me:hun%40ter2@h:8222/sub/?x=1", None) else {
            panic!("a URL with user and password");
        };
        assert_eq!(target.to_string(), "https://h:8222/sub");
        assert_eq!(target.host(), "h");
        assert!(!format!("{target:?}").contains("hun"));
    }

    #[test]
    fn what_is_no_url_is_not_repeated() {
        for bad in ["ftp://hunter2@h", "http://", "http://a hunter2"] {
            let error = HttpTarget::parse(bad, None).err().map(|error| error.to_string());
            assert!(error.is_some_and(|error| !error.contains("hunter2")), "{bad}");
        }
    }
}
