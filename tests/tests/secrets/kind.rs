//! Every kind of credential there is in a NATS system.

/// Who has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    /// The collector logs in with it.
    Collector,
    /// It stands in a configuration of servers, or other clients log in with it.
    Servers,
}

/// A kind of credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// User and password: in the URL, as flags, in the environment, in a context.
    Password,
    /// A token: in the URL, as a flag, in the environment, in a context.
    Token,
    /// The seed of an nkey, in a file or in a context's file.
    NkeySeed,
    /// A credentials file, JWT and seed: as a flag, in a context, or as texts of a context.
    Creds,
    /// The key of a client certificate.
    TlsKey,
    /// User and password in the URL of a monitoring port.
    HttpUserInfo,
    /// Password of other users of the system account and of an application.
    ClientPassword,
    /// Token of other clients.
    ClientToken,
    /// Password of routes, in `authorization` and in the URLs of routes.
    Route,
    /// Password of gateways, the same.
    Gateway,
    /// Password of leaf connections, the same.
    Leaf,
    /// Token of websocket clients.
    Websocket,
    /// Token of MQTT clients.
    Mqtt,
    /// JWTs and seeds of clients in operator mode.
    ClientCreds,
}

impl Kind {
    pub(crate) const ALL: [Self; 14] = [
        Self::Password,
        Self::Token,
        Self::NkeySeed,
        Self::Creds,
        Self::TlsKey,
        Self::HttpUserInfo,
        Self::ClientPassword,
        Self::ClientToken,
        Self::Route,
        Self::Gateway,
        Self::Leaf,
        Self::Websocket,
        Self::Mqtt,
        Self::ClientCreds,
    ];

    pub(crate) fn whose(self) -> Whose {
        match self {
            Self::Password
            | Self::Token
            | Self::NkeySeed
            | Self::Creds
            | Self::TlsKey
            | Self::HttpUserInfo => Whose::Collector,
            Self::ClientPassword
            | Self::ClientToken
            | Self::Route
            | Self::Gateway
            | Self::Leaf
            | Self::Websocket
            | Self::Mqtt
            | Self::ClientCreds => Whose::Servers,
        }
    }

    /// A text that stands nowhere else.
    pub(crate) fn mark(self) -> String {
        format!("marked-{self:?}-Zq7x")
    }
}
