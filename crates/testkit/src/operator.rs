//! Operator mode: an operator, its accounts and their users, each a key pair and a signed JWT.
//!
//! A JWT of NATS is `header.claims.signature`, each part in URL-safe base64 without padding, signed
//! with the ed25519 key of its issuer. Keys are made anew for each system and never leave its
//! temporary folder.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use nkeys::KeyPair;
use serde_json::{Value, json};
use sha2::{Digest, Sha512_256};

use crate::error::{KitError, Result};

const HEADER: &str = r#"{"typ":"JWT","alg":"ed25519-nkey"}"#;

/// For how long credentials are good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Validity {
    /// They never expire.
    Forever,
    /// They expire so long after they were made.
    For(Duration),
}

/// What a client of operator mode logs in with.
#[derive(Clone)]
pub struct Creds {
    /// The signed claims.
    pub jwt: String,
    /// The seed that signs the server's nonce.
    pub seed: String,
}

impl fmt::Debug for Creds {
    /// A seed is not for logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Creds { .. }")
    }
}

impl Creds {
    /// A credentials file, as every NATS client reads it.
    pub fn file(&self) -> String {
        format!(
            "-----BEGIN NATS USER JWT-----\n{}\n------END NATS USER JWT------\n\n\
             -----BEGIN USER NKEY SEED-----\n{}\n------END USER NKEY SEED------\n",
            self.jwt, self.seed
        )
    }

    /// The answer to a server's nonce.
    pub(crate) fn sign(&self, nonce: &str) -> Result<String> {
        let key = KeyPair::from_seed(&self.seed).map_err(unusable)?;
        signature(&key, nonce)
    }
}

/// An operator and everybody below it.
pub(crate) struct Operator {
    key: KeyPair,
    jwt: String,
    accounts: BTreeMap<String, Member>,
    /// Users by account and name: renewed credentials are of the same user.
    users: Mutex<BTreeMap<(String, String), KeyPair>>,
}

struct Member {
    key: KeyPair,
    jwt: String,
}

impl fmt::Debug for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Operator").finish_non_exhaustive()
    }
}

impl Operator {
    /// An operator with accounts of these names; the system account is `SYS`.
    pub(crate) fn new<'a>(accounts: impl Iterator<Item = &'a str>) -> Result<Operator> {
        let key = KeyPair::new_operator();
        let mut members = BTreeMap::new();
        for name in accounts {
            let account = KeyPair::new_account();
            let jwt = signed(&key, &account.public_key(), name, None, &account_claims())?;
            members.insert(name.to_owned(), Member { key: account, jwt });
        }
        let claims = json!({ "type": "operator", "version": 2 });
        let jwt = signed(&key, &key.public_key(), "testkit", None, &claims)?;
        Ok(Operator { key, jwt, accounts: members, users: Mutex::default() })
    }

    /// The lines of a configuration file.
    pub(crate) fn lines(&self) -> Result<String> {
        let mut lines = vec![format!("operator: \"{}\"", self.jwt)];
        if self.accounts.contains_key("SYS") {
            lines.push(format!("system_account: {}", self.account_id("SYS")?));
        }
        lines.push("resolver: MEMORY\nresolver_preload: {".to_owned());
        let preload = self.accounts.values();
        lines.extend(preload.map(|one| format!("  {}: \"{}\"", one.key.public_key(), one.jwt)));
        lines.push("}".to_owned());
        Ok(lines.join("\n"))
    }

    /// The public key of an account, which is its id.
    pub(crate) fn account_id(&self, account: &str) -> Result<String> {
        Ok(self.member(account)?.key.public_key())
    }

    /// Credentials of a user, who is made when first asked for.
    pub(crate) fn creds(&self, account: &str, user: &str, validity: Validity) -> Result<Creds> {
        let issuer = &self.member(account)?.key;
        let mut users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        let name = (account.to_owned(), user.to_owned());
        let key = users.entry(name).or_insert_with(KeyPair::new_user);
        let expires = match validity {
            Validity::Forever => None,
            Validity::For(time) => Some(now() + time.as_secs()),
        };
        let jwt = signed(issuer, &key.public_key(), user, expires, &user_claims())?;
        Ok(Creds { jwt, seed: key.seed().map_err(unusable)? })
    }

    /// Revokes all credentials that a user was given so far. The account's new JWT.
    pub(crate) fn revoke(&mut self, account: &str, user: &str) -> Result<String> {
        let name = (account.to_owned(), user.to_owned());
        let users = self.users.get_mut().unwrap_or_else(PoisonError::into_inner);
        let key = users.get(&name).ok_or_else(|| {
            KitError::Plan(format!("the user {user} of {account} has no credentials"))
        })?;
        let mut claims = account_claims();
        claims["revocations"] = json!({ key.public_key(): now() });
        let missing = || KitError::Plan(format!("the operator has no account {account}"));
        let member = self.accounts.get_mut(account).ok_or_else(missing)?;
        let subject = member.key.public_key();
        member.jwt = signed(&self.key, &subject, account, None, &claims)?;
        Ok(member.jwt.clone())
    }

    fn member(&self, account: &str) -> Result<&Member> {
        let missing = || KitError::Plan(format!("the operator has no account {account}"));
        self.accounts.get(account).ok_or_else(missing)
    }
}

/// Without limits of its own an account may do nothing at all: −1 is none.
fn account_claims() -> Value {
    json!({
        "type": "account", "version": 2,
        "limits": {
            "subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1,
            "wildcards": true, "conn": -1, "leaf": -1,
        },
    })
}

fn user_claims() -> Value {
    json!({
        "type": "user", "version": 2, "subs": -1, "data": -1, "payload": -1, "pub": {}, "sub": {},
    })
}

fn signed(
    issuer: &KeyPair,
    subject: &str,
    name: &str,
    expires: Option<u64>,
    nats: &Value,
) -> Result<String> {
    let mut claims = json!({
        "jti": "", "iat": now(), "iss": issuer.public_key(), "sub": subject, "name": name,
        "nats": nats,
    });
    if let Some(expires) = expires {
        claims["exp"] = expires.into();
    }
    let digest = Sha512_256::digest(claims.to_string());
    claims["jti"] = data_encoding::BASE32_NOPAD.encode(&digest).into();
    let encoded = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let body = format!("{}.{}", encoded(HEADER), encoded(&claims.to_string()));
    let signature = signature(issuer, &body)?;
    Ok(format!("{body}.{signature}"))
}

fn signature(key: &KeyPair, text: &str) -> Result<String> {
    Ok(URL_SAFE_NO_PAD.encode(key.sign(text.as_bytes()).map_err(unusable)?))
}

#[expect(clippy::needless_pass_by_value, reason = "it is given to `map_err`")]
fn unusable(error: nkeys::error::Error) -> KitError {
    KitError::Protocol(format!("a key cannot be used: {error}"))
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
