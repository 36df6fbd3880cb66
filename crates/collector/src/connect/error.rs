//! Why a connection could not be made, and what to check.

use std::error::Error;
use std::io;
use std::path::PathBuf;

use async_nats::ConnectErrorKind;

/// Why a connection could not be made.
///
/// Every text is our own, with the address (which holds no credentials) and at most the words of
/// the operating system or of the TLS library, which know no credentials either.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    /// Wrong user, password, token, key, or a revoked or expired one.
    #[error(
        "{address} refused the credentials (authorization violation); check user and password or \
         the credentials file, and whether the user has been revoked or has expired"
    )]
    Credentials {
        /// Where.
        address: String,
    },
    /// The name is not known.
    #[error(
        "no such host: {address} ({detail}); check the spelling, and whether this machine resolves the name"
    )]
    NoSuchHost {
        /// Where.
        address: String,
        /// What the system says.
        detail: String,
    },
    /// Nobody answers there.
    #[error(
        "cannot reach {address}: {detail}; check that a server listens on this port and that no firewall stands between"
    )]
    Unreachable {
        /// Where.
        address: String,
        /// What the system says.
        detail: String,
    },
    /// Somebody accepts but does not speak.
    #[error(
        "{address} did not answer within {seconds} s; the server may be hung, leaving, or behind a \
         firewall that drops packets, or expect TLS first; or this is no client port (often 4222), \
         but the one for monitoring"
    )]
    Timeout {
        /// Where.
        address: String,
        /// How long we waited.
        seconds: u64,
    },
    /// TLS failed.
    #[error(
        "TLS with {address} failed: {detail}; give the authority that signed the server's \
         certificate with --tls-ca, and use the name the certificate was made for"
    )]
    Tls {
        /// Where.
        address: String,
        /// What the TLS library says.
        detail: String,
    },
    /// TLS was wanted, and what came is something else.
    #[error(
        "{address} does not begin with TLS; leave out --tls-ca, --tls-cert and --tls-first, or turn \
         TLS on in the configuration of the server"
    )]
    NotTls {
        /// Where.
        address: String,
    },
    /// A file for TLS cannot be used.
    #[error("cannot use {path} for TLS: {detail}", path = path.display())]
    TlsFile {
        /// The file.
        path: PathBuf,
        /// Why, without its content.
        detail: String,
    },
    /// The server closed the connection for want of a client certificate.
    #[error(
        "{address} wants a client certificate that it trusts ({detail}); give one with --tls-cert \
         and --tls-key, or `cert` and `key` in the context, signed by an authority of the server"
    )]
    ClientCertificate {
        /// Where.
        address: String,
        /// What the TLS library says.
        detail: String,
    },
    /// TLS is asked for where there can be none.
    #[error("{address} is a websocket without TLS, but TLS was asked for; write wss://")]
    NotEncrypted {
        /// Where.
        address: String,
    },
    /// A file with credentials cannot be used.
    #[error("cannot use {path} to log in: {detail}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why, without its content.
        detail: String,
    },
    /// The seed or nonce could not be used.
    #[error(
        "{address} asked for a signature that could not be made; check the seed in the nkey or credentials file"
    )]
    Signature {
        /// Where.
        address: String,
    },
}

impl ConnectError {
    /// In our words what the client library says.
    pub(crate) fn from_library(
        address: &str,
        error: &async_nats::ConnectError,
        seconds: u64,
    ) -> Self {
        let address = address.to_owned();
        match error.kind() {
            ConnectErrorKind::AuthorizationViolation => Self::Credentials { address },
            ConnectErrorKind::Authentication => Self::Signature { address },
            ConnectErrorKind::Dns => {
                Self::NoSuchHost { address, detail: system_words(error, "the name is not known") }
            }
            ConnectErrorKind::TimedOut => Self::Timeout { address, seconds },
            ConnectErrorKind::Tls | ConnectErrorKind::Io if is_not_tls(error) => {
                Self::NotTls { address }
            }
            _ if wants_certificate(error) => {
                Self::ClientCertificate { address, detail: tls_words(error) }
            }
            ConnectErrorKind::Tls => Self::Tls { address, detail: tls_words(error) },
            ConnectErrorKind::Io if is_tls(error) => {
                Self::Tls { address, detail: tls_words(error) }
            }
            _ => Self::Unreachable {
                address,
                detail: system_words(error, "the server closed the connection"),
            },
        }
    }
}

/// The chain of causes, from the outermost.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |cause: &&'a (dyn Error + 'static)| (*cause).source())
}

/// Words of the operating system, and only those: an error with a number, or one of name look-up.
fn system_words(error: &async_nats::ConnectError, otherwise: &str) -> String {
    causes(error)
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .find(|cause| cause.raw_os_error().is_some() || cause.to_string().contains("lookup"))
        .map_or_else(|| otherwise.to_owned(), ToString::to_string)
}

fn is_tls(error: &async_nats::ConnectError) -> bool {
    let text = tls_text(error);
    ["certificate", "tls", "handshake", "corrupt message", "alert"]
        .iter()
        .any(|word| text.contains(word))
}

/// Whether the other side said something else where a TLS record should have begun.
fn is_not_tls(error: &async_nats::ConnectError) -> bool {
    tls_text(error).contains("corrupt message of type invalidcontenttype")
}

/// Alerts of the server about the certificate of the client. Of its own trouble with the server's
/// certificate the client library does not speak in alerts.
fn wants_certificate(error: &async_nats::ConnectError) -> bool {
    let text = tls_text(error);
    text.contains("received fatal alert")
        && [
            "certificaterequired",
            "badcertificate",
            "unknownca",
            "certificateunknown",
            "decrypterror",
        ]
        .iter()
        .any(|alert| text.contains(alert))
}

fn tls_text(error: &async_nats::ConnectError) -> String {
    causes(error).map(|cause| cause.to_string().to_lowercase()).collect::<Vec<_>>().join(": ")
}

/// The innermost cause: certificates, alerts and file names, never credentials.
fn tls_words(error: &async_nats::ConnectError) -> String {
    let innermost = causes(error).last().map(ToString::to_string);
    innermost.unwrap_or_else(|| "handshake failed".to_owned())
}
