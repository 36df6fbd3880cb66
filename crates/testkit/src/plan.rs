//! What a system consists of: plain data, from which configuration files are written.

/// A user of an account.
#[derive(Debug, Clone)]
pub struct User {
    pub(crate) name: String,
    pub(crate) password: String,
    pub(crate) deny_publish: Vec<String>,
    pub(crate) deny_subscribe: Vec<String>,
}

impl User {
    /// A user who may do everything.
    pub fn new(name: &str, password: &str) -> User {
        User {
            name: name.to_owned(),
            password: password.to_owned(),
            deny_publish: Vec::new(),
            deny_subscribe: Vec::new(),
        }
    }

    /// Forbids publishing to these subjects.
    #[must_use]
    pub fn deny_publish(mut self, subjects: &[&str]) -> User {
        self.deny_publish.extend(subjects.iter().map(|&subject| subject.to_owned()));
        self
    }

    /// Forbids subscribing to these subjects.
    #[must_use]
    pub fn deny_subscribe(mut self, subjects: &[&str]) -> User {
        self.deny_subscribe.extend(subjects.iter().map(|&subject| subject.to_owned()));
        self
    }
}

/// An account with its users.
#[derive(Debug, Clone)]
pub struct Account {
    pub(crate) name: String,
    pub(crate) users: Vec<User>,
    pub(crate) extra: String,
}

impl Account {
    /// An account with one user whose name and password are the account's name in lower case.
    pub fn new(name: &str) -> Account {
        let user = name.to_lowercase();
        Account {
            name: name.to_owned(),
            users: vec![User::new(&user, &user)],
            extra: String::new(),
        }
    }

    /// An account of any name with this user.
    pub fn with(name: &str, user: User) -> Account {
        Account { name: name.to_owned(), users: vec![user], extra: String::new() }
    }

    /// One more user.
    #[must_use]
    pub fn user(mut self, user: User) -> Account {
        self.users.push(user);
        self
    }

    /// Lines added to the account's block as they are, such as imports and exports.
    #[must_use]
    pub fn extra(mut self, lines: &str) -> Account {
        lines.clone_into(&mut self.extra);
        self
    }
}

/// A leaf connection of a server to a cluster.
#[derive(Debug, Clone)]
pub(crate) struct Hub {
    pub(crate) cluster: String,
    pub(crate) accounts: Vec<String>,
}

/// One server of a plan.
#[derive(Debug, Clone)]
pub(crate) struct ServerPlan {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) cluster: Option<String>,
    pub(crate) hub: Option<Hub>,
    /// Has the cluster's name but no routes to it, until it joins.
    pub(crate) apart: bool,
    /// Runs without `server_name`; then its name is its id.
    pub(crate) unnamed: bool,
    /// Its JetStream is one of its own, under this name.
    pub(crate) domain: Option<String>,
    /// Lines of its configuration that the others do not have.
    pub(crate) settings: String,
}

impl ServerPlan {
    pub(crate) fn new(name: &str, version: &str, cluster: Option<&str>) -> ServerPlan {
        ServerPlan {
            name: name.to_owned(),
            version: version.to_owned(),
            cluster: cluster.map(str::to_owned),
            hub: None,
            apart: false,
            unnamed: false,
            domain: None,
            settings: String::new(),
        }
    }
}

/// Everything that is the same for all servers of a system.
#[derive(Debug, Clone)]
pub(crate) struct SystemPlan {
    pub(crate) servers: Vec<ServerPlan>,
    pub(crate) accounts: Vec<Account>,
    pub(crate) system_account: bool,
    pub(crate) jetstream: bool,
    /// Accounts and users are JWTs instead of lines of the file.
    pub(crate) operator_mode: bool,
    pub(crate) extra: String,
}

impl SystemPlan {
    pub(crate) fn clusters(&self) -> Vec<&str> {
        let mut names: Vec<&str> =
            self.servers.iter().filter_map(|server| server.cluster.as_deref()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

/// Describes a system before it is started.
///
/// Without further words there are the accounts `SYS` (user `sys`, password `sys`) as system account
/// and `APP` (`app`, `app`), no JetStream, and gateways between the clusters if there are several.
#[derive(Debug, Clone)]
pub struct SystemBuilder {
    pub(crate) plan: SystemPlan,
}

impl Default for SystemBuilder {
    fn default() -> Self {
        let accounts = vec![Account::new("SYS"), Account::new("APP")];
        let extra = String::new();
        let plan = SystemPlan {
            servers: Vec::new(),
            accounts,
            system_account: true,
            jetstream: false,
            operator_mode: false,
            extra,
        };
        SystemBuilder { plan }
    }
}

impl SystemBuilder {
    /// Adds servers of one version to the cluster of this name.
    #[must_use]
    pub fn cluster(mut self, cluster: &str, names: &[&str], version: &str) -> Self {
        for name in names {
            self.push(name, version, Some(cluster));
        }
        self
    }

    /// Adds a server without any cluster.
    #[must_use]
    pub fn standalone(mut self, name: &str, version: &str) -> Self {
        self.push(name, version, None);
        self
    }

    /// Adds a server that has the cluster's name but stays apart until [`crate::System::join`].
    ///
    /// Only for one cluster: in a supercluster the other clusters would find it by its gateway.
    #[must_use]
    pub fn apart(mut self, cluster: &str, name: &str, version: &str) -> Self {
        self.push(name, version, Some(cluster)).apart = true;
        self
    }

    /// Adds a leaf server that binds these accounts of the hub cluster.
    #[must_use]
    pub fn leaf(mut self, name: &str, version: &str, hub: &str, accounts: &[&str]) -> Self {
        let accounts = accounts.iter().map(|&account| account.to_owned()).collect();
        self.push(name, version, None).hub = Some(Hub { cluster: hub.to_owned(), accounts });
        self
    }

    /// Takes the name from the server added last: it then reports its id as its name.
    #[must_use]
    pub fn unnamed(mut self) -> Self {
        if let Some(server) = self.plan.servers.last_mut() {
            server.unnamed = true;
        }
        self
    }

    /// Lines added to the configuration of the server added last, such as `max_payload: 8MB`.
    #[must_use]
    pub fn settings(mut self, lines: &str) -> Self {
        if let Some(server) = self.plan.servers.last_mut() {
            lines.clone_into(&mut server.settings);
        }
        self
    }

    /// Adds an account, or replaces the one of the same name.
    #[must_use]
    pub fn account(mut self, account: Account) -> Self {
        self.plan.accounts.retain(|known| known.name != account.name);
        self.plan.accounts.push(account);
        self
    }

    /// Nobody can use a system account: only the monitor ports tell about the servers.
    #[must_use]
    pub fn without_system_account(mut self) -> Self {
        self.plan.system_account = false;
        self.plan.accounts.retain(|account| account.name != "SYS");
        self
    }

    /// No accounts and no passwords at all.
    #[must_use]
    pub fn open(mut self) -> Self {
        self.plan.system_account = false;
        self.plan.accounts.clear();
        self
    }

    /// Accounts are JWTs of an operator and users log in with credentials. The accounts keep their
    /// names; their configured users and other lines do not count.
    #[must_use]
    pub fn operator_mode(mut self) -> Self {
        self.plan.operator_mode = true;
        self
    }

    /// Every server has JetStream, stored below its own temporary folder, and every account but the
    /// system account may use it. Servers are tagged with their names, so that a stream can be
    /// placed on one of them. Starting such a system waits until its meta group has a leader. A
    /// cluster needs a second server, because a server without routes refuses to start then.
    #[must_use]
    pub fn jetstream(mut self) -> Self {
        self.plan.jetstream = true;
        self
    }

    /// The JetStream of the server added last is in a domain: for leaf servers, which would share
    /// the streams of their hub otherwise.
    #[must_use]
    pub fn domain(mut self, domain: &str) -> Self {
        if let Some(server) = self.plan.servers.last_mut() {
            server.domain = Some(domain.to_owned());
        }
        self
    }

    /// Lines added to every configuration file as they are.
    #[must_use]
    pub fn extra(mut self, lines: &str) -> Self {
        lines.clone_into(&mut self.plan.extra);
        self
    }

    fn push(&mut self, name: &str, version: &str, cluster: Option<&str>) -> &mut ServerPlan {
        self.plan.servers.push(ServerPlan::new(name, version, cluster));
        let last = self.plan.servers.len() - 1;
        &mut self.plan.servers[last]
    }
}
