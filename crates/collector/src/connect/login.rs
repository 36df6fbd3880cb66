//! From a [`ConnectionSpec`] to the options of the client library.

use std::fs;
use std::path::Path;
use std::time::Duration;

use async_nats::{Auth, AuthError, ConnectOptions};
use nkeys::KeyPair;

use crate::connect::{ConnectError, ConnectionSpec, Login, Tls};

/// How often the client looks whether the server still lives. A hung server is noticed after three.
const PING: Duration = Duration::from_secs(5);

/// Messages the inbox may hold before the library drops some: three verbs of a few thousand
/// instances, with room.
const INBOX: usize = 16 << 10;

/// Everything the library needs but the address.
pub(super) fn options(
    spec: &ConnectionSpec,
    timeout: Duration,
) -> Result<ConnectOptions, ConnectError> {
    let mut options = match &spec.login {
        Some(Login::Creds(path)) => with_creds(path)?,
        _ => ConnectOptions::new(),
    };
    options = options
        .name("hindsight collect")
        .connection_timeout(timeout)
        .ping_interval(PING)
        .subscription_capacity(INBOX)
        .request_timeout(None);
    let tls = &spec.tls;
    check_tls(tls)?;
    if spec.address.never_encrypted() && (tls.ca.is_some() || tls.cert.is_some() || tls.first) {
        return Err(ConnectError::NotEncrypted { address: spec.address.to_string() });
    }
    if spec.address.is_websocket() {
        // Servers name each other by host and port, which the library takes for plain connections.
        options = options.ignore_discovered_servers();
    }
    options = with_tls(options, tls);
    match &spec.login {
        Some(login) => with_login(options, login),
        None => Ok(options),
    }
}

/// Looks at the files first: the library tells one that is missing from a failed handshake no more
/// than one without a certificate.
fn check_tls(tls: &Tls) -> Result<(), ConnectError> {
    let files = [(&tls.ca, "CERTIFICATE"), (&tls.cert, "CERTIFICATE"), (&tls.key, "PRIVATE KEY")];
    for (path, what) in files {
        let Some(path) = path else { continue };
        let failed = |detail: String| ConnectError::TlsFile { path: path.clone(), detail };
        let bytes = fs::read(path).map_err(|error| failed(format!("{error}; check the path")))?;
        let text = String::from_utf8_lossy(&bytes);
        if !text.lines().any(|line| line.starts_with("-----BEGIN ") && line.contains(what)) {
            return Err(failed(format!("it holds no {what} in PEM form (`-----BEGIN …`)")));
        }
    }
    Ok(())
}

fn with_tls(mut options: ConnectOptions, tls: &Tls) -> ConnectOptions {
    if let Some(ca) = &tls.ca {
        // A CA says that the connection has to be encrypted, whatever the server would allow.
        options = options.add_root_certificates(ca.clone()).require_tls(true);
    }
    if let (Some(cert), Some(key)) = (&tls.cert, &tls.key) {
        options = options.add_client_certificate(cert.clone(), key.clone()).require_tls(true);
    }
    if tls.first { options.tls_first() } else { options }
}

fn with_login(options: ConnectOptions, login: &Login) -> Result<ConnectOptions, ConnectError> {
    match login {
        Login::Password { user, password } => {
            Ok(options.user_and_password(user.clone(), password.reveal().to_owned()))
        }
        Login::Token(token) => Ok(options.token(token.reveal().to_owned())),
        // Its file is read whenever a connection is made.
        Login::Creds(_) => Ok(options),
        Login::Nkey(path) => {
            let seed = seed_in(&read(path)?)
                .ok_or_else(|| unusable(path, "it holds no seed (a line that starts with SU); a credentials file goes with --creds"))?;
            Ok(options.nkey(seed))
        }
        Login::Jwt { jwt, seed } => {
            let text = creds_of(jwt.reveal(), seed.reveal());
            options.credentials(&text).map_err(|_| ConnectError::File {
                path: "the context".into(),
                detail: "its user_jwt and user_seed do not fit".to_owned(),
            })
        }
    }
}

/// Logs in with what the file holds whenever a connection is made or made anew: credentials are
/// renewed in the course of a long run, which must not end the recording.
fn with_creds(path: &Path) -> Result<ConnectOptions, ConnectError> {
    // The library says no more than that it failed, so the file is looked at first.
    ConnectOptions::with_credentials(&read(path)?).map_err(|_| {
        unusable(
            path,
            "it holds no user JWT and seed between the usual BEGIN and END lines; make one with \
             `nsc generate creds`, or give a file with a seed alone with --nkey",
        )
    })?;
    let path = path.to_owned();
    Ok(ConnectOptions::with_auth_callback(move |nonce| {
        let auth = signed(&path, &nonce);
        async move { auth.map_err(AuthError::new) }
    }))
}

/// What the file says at this moment, with a server's nonce signed.
fn signed(path: &Path, nonce: &[u8]) -> Result<Auth, &'static str> {
    let text = fs::read_to_string(path).map_err(|_| "the credentials cannot be read")?;
    let begun =
        text.lines().map(str::trim).skip_while(|line| !line.contains("BEGIN NATS USER JWT"));
    let jwt = begun.skip(1).find(|line| !line.is_empty()).ok_or("there is no JWT")?;
    let seed = seed_in(&text).ok_or("there is no seed")?;
    let key = KeyPair::from_seed(&seed).map_err(|_| "the seed is none")?;
    let mut auth = Auth::new();
    auth.jwt = Some(jwt.to_owned());
    auth.signature = Some(key.sign(nonce).map_err(|_| "the nonce cannot be signed")?);
    Ok(auth)
}

/// JWT and seed in the form of a credentials file, which is what the library reads.
fn creds_of(jwt: &str, seed: &str) -> String {
    format!(
        "-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n\n\
         -----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
    )
}

fn read(path: &Path) -> Result<String, ConnectError> {
    fs::read_to_string(path)
        .map_err(|error| unusable(path, &format!("{error}; check the path, and who may read it")))
}

fn unusable(path: &Path, detail: &str) -> ConnectError {
    ConnectError::File { path: path.to_owned(), detail: detail.to_owned() }
}

/// The seed may stand alone in its file or between decorations.
fn seed_in(text: &str) -> Option<String> {
    text.lines().map(str::trim).find(|line| line.starts_with("SU")).map(str::to_owned)
}
