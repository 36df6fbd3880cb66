//! Which connections to make: from flags, contexts and files.

use std::path::PathBuf;

use clap::Args;
use nats_hindsight_collector::{
    Address, ConnectionSpec, HttpTarget, Login, Role, Secret, Tls, load_context,
};

/// Whom to ask, and as whom.
#[derive(Args)]
pub(super) struct ConnectionArgs {
    /// Server of the system, asked as a user of the system account; several with commas between
    /// them
    #[arg(long, value_name = "URL", help_heading = "System account")]
    server: Option<String>,

    /// The same from a context of the `nats` tool
    #[arg(long, value_name = "NAME", conflicts_with = "server", help_heading = "System account")]
    context: Option<String>,

    /// User for --server
    #[arg(
        long,
        value_name = "USER",
        env = "NATS_USER",
        hide_env_values = true,
        help_heading = "System account"
    )]
    user: Option<String>,

    /// Password for --server
    #[arg(
        long,
        value_name = "PASSWORD",
        env = "NATS_PASSWORD",
        hide_env_values = true,
        help_heading = "System account"
    )]
    password: Option<String>,

    /// Token for --server
    #[arg(
        long,
        value_name = "TOKEN",
        env = "NATS_TOKEN",
        hide_env_values = true,
        help_heading = "System account"
    )]
    token: Option<String>,

    /// Credentials file for --server
    #[arg(long, value_name = "FILE", help_heading = "System account")]
    creds: Option<PathBuf>,

    /// File with the seed of an nkey for --server
    #[arg(long, value_name = "FILE", help_heading = "System account")]
    nkey: Option<PathBuf>,

    /// Server and user of an account whose services are asked (repeatable)
    #[arg(long, value_name = "URL", help_heading = "Accounts of services")]
    account_server: Vec<String>,

    /// The same from a context of the `nats` tool (repeatable)
    #[arg(long, value_name = "NAME", help_heading = "Accounts of services")]
    account_context: Vec<String>,

    /// Credentials file of such an account, at the first server given (repeatable)
    #[arg(long, value_name = "FILE", help_heading = "Accounts of services")]
    account_creds: Vec<PathBuf>,

    /// Monitoring port, where there is no system account (repeatable)
    #[arg(long, value_name = "URL", num_args = 1.., help_heading = "Monitoring ports")]
    http: Vec<String>,

    /// Trust the authorities in this file, and connect with TLS only
    #[arg(long, value_name = "FILE", help_heading = "TLS")]
    tls_ca: Option<PathBuf>,

    /// Client certificate
    #[arg(long, value_name = "FILE", requires = "tls_key", help_heading = "TLS")]
    tls_cert: Option<PathBuf>,

    /// Key of the client certificate
    #[arg(long, value_name = "FILE", requires = "tls_cert", help_heading = "TLS")]
    tls_key: Option<PathBuf>,

    /// Start TLS before the server has said anything
    #[arg(long, help_heading = "TLS")]
    tls_first: bool,

    /// Prefix of inboxes, where permissions demand another one than `_INBOX`
    #[arg(long, value_name = "PREFIX", help_heading = "Accounts of services")]
    inbox_prefix: Option<String>,
}

impl std::fmt::Debug for ConnectionArgs {
    /// Arguments may hold passwords.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ConnectionArgs { .. }")
    }
}

impl ConnectionArgs {
    /// All connections, the system connection first.
    pub(super) fn resolve(self) -> Result<(Vec<ConnectionSpec>, Vec<HttpTarget>), String> {
        let mut connections = Vec::new();
        connections.extend(self.system()?);
        for url in &self.account_server {
            connections.push(self.at_url(url, "--account-server", Role::Account, None)?);
        }
        for name in &self.account_context {
            connections.push(self.in_context(name, Role::Account)?);
        }
        for file in &self.account_creds {
            let first = connections
                .first()
                .ok_or("--account-creds says who, not where: add --server or --account-server")?;
            connections.push(ConnectionSpec {
                role: Role::Account,
                context: None,
                login: Some(Login::Creds(file.clone())),
                ..first.clone()
            });
        }
        let http: Vec<HttpTarget> = self
            .http
            .iter()
            .map(|url| {
                HttpTarget::parse(url, self.tls_ca.clone()).map_err(|error| error.to_string())
            })
            .collect::<Result<_, _>>()?;
        if connections.is_empty() && http.is_empty() {
            return Err("nobody to ask: give --server or --context (system account), \
                        --account-server or --account-context (services), or --http"
                .to_owned());
        }
        Ok((connections, http))
    }

    fn system(&self) -> Result<Option<ConnectionSpec>, String> {
        if let Some(name) = &self.context {
            let mut spec = self.in_context(name, Role::System)?;
            spec.login = self.login()?.or(spec.login);
            return Ok(Some(spec));
        }
        match &self.server {
            Some(url) => self.at_url(url, "--server", Role::System, self.login()?).map(Some),
            None if self.creds.is_some() || self.nkey.is_some() => Err(
                "--creds and --nkey say who, not where: add --server (for an account of services \
                 it is --account-creds)"
                    .to_owned(),
            ),
            None => Ok(None),
        }
    }

    fn at_url(
        &self,
        url: &str,
        given: &str,
        role: Role,
        login: Option<Login>,
    ) -> Result<ConnectionSpec, String> {
        let (address, in_url) = Address::parse(url, given).map_err(|error| error.to_string())?;
        Ok(ConnectionSpec {
            role,
            address,
            context: None,
            login: in_url.or(login),
            tls: self.tls(Tls::default()),
            inbox_prefix: self.inbox_prefix.clone(),
        })
    }

    fn in_context(&self, name: &str, role: Role) -> Result<ConnectionSpec, String> {
        let mut spec = load_context(name, role).map_err(|error| error.to_string())?;
        spec.tls = self.tls(spec.tls);
        spec.inbox_prefix = self.inbox_prefix.clone().or(spec.inbox_prefix);
        Ok(spec)
    }

    /// Flags win over what a context says.
    fn tls(&self, context: Tls) -> Tls {
        Tls {
            ca: self.tls_ca.clone().or(context.ca),
            cert: self.tls_cert.clone().or(context.cert),
            key: self.tls_key.clone().or(context.key),
            first: self.tls_first || context.first,
        }
    }

    fn login(&self) -> Result<Option<Login>, String> {
        let secret = |text: &String| Secret::new(text.clone());
        Ok(match (&self.creds, &self.nkey, &self.user, &self.password, &self.token) {
            (Some(creds), None, ..) => Some(Login::Creds(creds.clone())),
            (None, Some(nkey), ..) => Some(Login::Nkey(nkey.clone())),
            (Some(_), Some(_), ..) => {
                return Err("--creds and --nkey are two ways to log in: give one".to_owned());
            }
            (_, _, Some(user), Some(password), _) => {
                Some(Login::Password { user: user.clone(), password: secret(password) })
            }
            (.., Some(token)) => Some(Login::Token(secret(token))),
            (_, _, Some(_), None, None) => {
                return Err("--user needs a password: --password or NATS_PASSWORD".to_owned());
            }
            (_, _, None, Some(_), None) => {
                return Err("--password needs a user: --user or NATS_USER".to_owned());
            }
            _ => None,
        })
    }
}
