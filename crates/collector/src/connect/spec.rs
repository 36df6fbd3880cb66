//! What is needed to make a connection.

use std::path::PathBuf;

use crate::connect::Address;
use crate::secret::Secret;

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Asks servers: its user is in the system account.
    System,
    /// Asks the services of its own account.
    Account,
}

impl Role {
    /// As it stands in a snapshot.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Account => "account",
        }
    }
}

/// How a connection logs in.
#[derive(Clone, Debug)]
pub enum Login {
    /// User and password.
    Password {
        /// User.
        user: String,
        /// Password.
        password: Secret,
    },
    /// A token.
    Token(Secret),
    /// A credentials file: JWT and seed.
    Creds(PathBuf),
    /// A file that holds the seed of an nkey.
    Nkey(PathBuf),
    /// JWT and seed given apart, as contexts can.
    Jwt {
        /// The user's JWT.
        jwt: Secret,
        /// The seed that signs.
        seed: Secret,
    },
}

/// TLS beyond what the URL and the server ask for.
#[derive(Clone, Debug, Default)]
pub struct Tls {
    /// File of trusted roots; those of the machine if absent.
    pub ca: Option<PathBuf>,
    /// Client certificate.
    pub cert: Option<PathBuf>,
    /// Its key.
    pub key: Option<PathBuf>,
    /// TLS before the server has said anything.
    pub first: bool,
}

/// One connection to make.
#[derive(Clone, Debug)]
pub struct ConnectionSpec {
    /// What it is for.
    pub role: Role,
    /// Where to.
    pub address: Address,
    /// Name of the `nats` context it comes from.
    pub context: Option<String>,
    /// How to log in.
    pub login: Option<Login>,
    /// TLS.
    pub tls: Tls,
    /// Prefix of inboxes, where permissions demand another one than `_INBOX`.
    pub inbox_prefix: Option<String>,
}
