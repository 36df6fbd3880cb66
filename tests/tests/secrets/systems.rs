//! A real system in which a kind of credential is at work, and the ways to ask it.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use nats_hindsight_testkit::{
    Account, Authority, Client, Creds, Login, Stranger, System, SystemBuilder, User, Validity,
    free_port, wait_until,
};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::kind::Kind;
use crate::run::Arguments;

/// How long servers may take to find each other.
const LIMIT: Duration = Duration::from_secs(20);

/// Systems of one kind, and how the collector is told to ask them.
pub(crate) struct Place {
    /// Texts that must not come out.
    pub(crate) marks: Vec<String>,
    /// With the right credentials, in every way they can be given.
    pub(crate) right: Vec<Arguments>,
    /// The same credentials at a server that takes others.
    pub(crate) wrong: Vec<Arguments>,
    /// The same where nobody listens.
    pub(crate) nobody: Vec<Arguments>,
    _kept: (Vec<System>, Vec<Box<dyn Send>>, TempDir),
}

/// A place under construction.
struct Site {
    version: String,
    mark: String,
    folder: TempDir,
    systems: Vec<System>,
    kept: Vec<Box<dyn Send>>,
}

fn words(words: &[&str]) -> Arguments {
    let words = words.iter().map(|word| (*word).to_owned()).collect();
    Arguments { words, environment: Vec::new() }
}

impl Arguments {
    fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }
}

impl Place {
    pub(crate) fn new(kind: Kind, version: &str) -> Self {
        let site = Site {
            version: version.to_owned(),
            mark: kind.mark(),
            folder: tempfile::tempdir().unwrap(),
            systems: Vec::new(),
            kept: Vec::new(),
        };
        match kind {
            Kind::Password => site.password(),
            Kind::Token => site.token(),
            Kind::NkeySeed => site.nkey(),
            Kind::Creds => site.creds(),
            Kind::TlsKey => site.tls_key(),
            Kind::HttpUserInfo => site.http(),
            Kind::ClientPassword => site.client_password(),
            Kind::ClientToken => site.client_token(),
            Kind::Route => site.route(),
            Kind::Gateway => site.gateway(),
            Kind::Leaf => site.leaf(),
            Kind::Websocket => site.listener("websocket", "no_tls: true,"),
            Kind::Mqtt => site.listener("mqtt", ""),
            Kind::ClientCreds => site.client_creds(),
        }
    }
}

/// Host and port of a server.
fn at(system: &System) -> String {
    let address = system.address("a1").unwrap();
    address.trim_start_matches("nats://").to_owned()
}

impl Site {
    fn start(&mut self, builder: SystemBuilder) -> String {
        let system = builder.start().unwrap();
        let at = at(&system);
        self.systems.push(system);
        at
    }

    fn alone(&self) -> SystemBuilder {
        System::builder().standalone("a1", &self.version)
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    /// A context of the `nats` tool.
    fn context(&self, flag: &str, at: &str, more: &Value) -> Arguments {
        let folder = self.folder.path().join("nats/context");
        fs::create_dir_all(&folder).unwrap();
        let mut context = json!({ "url": format!("nats://{at}") });
        for (key, value) in more.as_object().unwrap() {
            context[key] = value.clone();
        }
        let number = fs::read_dir(&folder).unwrap().count();
        let name = format!("context{number}");
        fs::write(folder.join(format!("{name}.json")), context.to_string()).unwrap();
        words(&[flag, &name]).with("XDG_CONFIG_HOME", &self.folder.path().display().to_string())
    }

    /// The same ways to three places: right, wrong, nobody.
    fn place(
        self,
        marks: Vec<String>,
        right: &str,
        wrong: &str,
        ways: impl Fn(&Site, &str) -> Vec<Arguments>,
    ) -> Place {
        let nobody = format!("127.0.0.1:{}", free_port().unwrap());
        Place {
            marks,
            right: ways(&self, right),
            wrong: ways(&self, wrong),
            nobody: ways(&self, &nobody),
            _kept: (self.systems, self.kept, self.folder),
        }
    }

    /// What servers know is asked for in every way at once.
    fn asked(self, marks: Vec<String>, arguments: &[&str]) -> Place {
        Place {
            marks,
            right: vec![words(arguments)],
            wrong: Vec::new(),
            nobody: Vec::new(),
            _kept: (self.systems, self.kept, self.folder),
        }
    }

    /// The same of a system with its usual users.
    fn asked_as_usual(self, marks: Vec<String>) -> Place {
        let system = &self.systems[0];
        let (server, account) =
            (system.url("a1", "SYS").unwrap(), system.url("a1", "APP").unwrap());
        let monitor = system.monitor_url("a1").unwrap();
        let ways = ["--server", &server, "--account-server", &account, "--http", &monitor];
        self.asked(marks, &ways)
    }

    fn password(mut self) -> Place {
        let mark = self.mark.clone();
        let marked = Account::with("SYS", User::new("sys", &mark));
        let right = self.start(self.alone().account(marked));
        let wrong = self.start(self.alone());
        self.place(vec![mark.clone()], &right, &wrong, |site, at| {
            let (url, bare) = (format!("nats://sys:{mark}@{at}"), format!("nats://{at}"));
            vec![
                words(&["--server", &url]),
                words(&["--account-server", &url]),
                words(&["--server", &bare, "--user", "sys", "--password", &mark]),
                words(&["--server", &bare]).with("NATS_USER", "sys").with("NATS_PASSWORD", &mark),
                site.context("--context", at, &json!({ "user": "sys", "password": mark })),
                site.context("--account-context", at, &json!({ "url": url })),
            ]
        })
    }

    fn token(mut self) -> Place {
        let mark = self.mark.clone();
        let with = |token: &str| format!("authorization {{ token: \"{token}\" }}");
        let right = self.start(self.alone().open().extra(&with(&mark)));
        let wrong = self.start(self.alone().open().extra(&with("another")));
        let monitor = self.systems[0].monitor_url("a1").unwrap();
        let marked = vec![mark.clone()];
        self.place(marked, &right, &wrong, |site, at| {
            let (url, bare) = (format!("nats://{mark}@{at}"), format!("nats://{at}"));
            let mut ways = vec![
                words(&["--account-server", &url]),
                site.context("--account-context", at, &json!({ "token": mark })),
            ];
            // The monitoring port shows what 2.10 tells of clients, this one among them.
            if at == right {
                ways.push(words(&["--account-server", &url, "--http", &monitor]));
                let flags = ["--server", &bare, "--token", &mark, "--http", &monitor];
                ways.push(words(&flags));
                let flags = words(&["--server", &bare, "--http", &monitor]);
                ways.push(flags.with("NATS_TOKEN", &mark));
            }
            ways
        })
    }

    fn nkey(mut self) -> Place {
        // Keys of users are the same with and without JWTs.
        let keys = self.alone().operator_mode().start().unwrap();
        let Creds { jwt, seed } = keys.creds("SYS", "collector", Validity::Forever).unwrap();
        let claims = jwt.split('.').nth(1).unwrap();
        let claims: Value =
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
        let accounts = format!(
            "accounts {{ SYS {{ users: [ {{ nkey: {} }}, {{ user: sys, password: sys }} ] }} }}",
            claims["sub"].as_str().unwrap()
        );
        let right = self.start(self.alone().extra(&accounts));
        let wrong = self.start(self.alone());
        let file = self.file("user.nk", &seed);
        self.place(vec![seed], &right, &wrong, |site, at| {
            vec![
                words(&["--server", &format!("nats://{at}"), "--nkey", &file]),
                site.context("--context", at, &json!({ "nkey": file })),
            ]
        })
    }

    fn creds(mut self) -> Place {
        let right = self.start(self.alone().operator_mode());
        let wrong = self.start(self.alone().operator_mode());
        let creds = self.systems[0].creds("SYS", "collector", Validity::Forever).unwrap();
        let app = self.systems[0].creds("APP", "orders", Validity::Forever).unwrap();
        let (file, app_file) =
            (self.file("sys.creds", &creds.file()), self.file("app.creds", &app.file()));
        let marks = [&creds, &app].map(marks_of).concat();
        self.place(marks, &right, &wrong, |site, at| {
            let server = format!("nats://{at}");
            let texts = json!({ "user_jwt": creds.jwt, "user_seed": creds.seed });
            vec![
                words(&["--server", &server, "--creds", &file, "--account-creds", &app_file]),
                site.context("--context", at, &json!({ "creds": file })),
                site.context("--context", at, &texts),
            ]
        })
    }

    fn tls_key(mut self) -> Place {
        let (ours, theirs) = (Authority::new().unwrap(), Authority::new().unwrap());
        let tls = |authority: &Authority| {
            let own = ours.server().unwrap();
            format!(
                "tls {{ cert_file: \"{}\", key_file: \"{}\", ca_file: \"{}\", verify: true }}",
                own.cert.display(),
                own.key.display(),
                authority.ca().display()
            )
        };
        let right = self.start(self.alone().extra(&tls(&ours)));
        let wrong = self.start(self.alone().extra(&tls(&theirs)));
        let client = ours.client("ops@example.org").unwrap();
        let [ca, cert, key] =
            [ours.ca(), client.cert, client.key].map(|path| path.display().to_string());
        let pem = fs::read_to_string(&key).unwrap();
        let marks: Vec<String> = pem
            .lines()
            .filter(|line| line.len() > 30 && !line.contains("----"))
            .map(str::to_owned)
            .collect();
        assert!(!marks.is_empty());
        self.kept.push(Box::new((ours, theirs)));
        self.place(marks, &right, &wrong, |site, at| {
            let url = format!("nats://sys:sys@{at}");
            let files =
                json!({ "ca": ca, "cert": cert, "key": key, "user": "sys", "password": "sys" });
            vec![
                words(&["--server", &url, "--tls-ca", &ca, "--tls-cert", &cert, "--tls-key", &key]),
                site.context("--context", at, &files),
            ]
        })
    }

    fn http(mut self) -> Place {
        let mark = self.mark.clone();
        let wrong = self.start(self.alone());
        let monitor = self.systems[0].monitor_url("a1").unwrap();
        let right = monitor.trim_start_matches("http://").to_owned();
        self.place(vec![mark.clone()], &right, &wrong, |_, at| {
            vec![words(&["--http", &format!("http://ops:{mark}@{at}")])]
        })
    }

    fn client_password(mut self) -> Place {
        let mark = self.mark.clone();
        let sys = Account::new("SYS").user(User::new("ops", &mark));
        let app = Account::new("APP").user(User::new("marked-app-Zq7x", &mark));
        let builder = self.alone().account(sys).account(app);
        self.start(builder.account(Account::with("X", User::new("marked-user-Zq7x", &mark))));
        let client = Stranger::new("X", "a1", "client").connect(&self.systems[0]).unwrap();
        self.kept.push(Box::new(client));
        self.asked_as_usual(vec![mark, "marked-user-Zq7x".to_owned()])
    }

    fn client_token(mut self) -> Place {
        let mark = self.mark.clone();
        let token = format!("authorization {{ token: \"{mark}\" }}");
        let at = self.start(self.alone().open().extra(&token));
        let mut stream = TcpStream::connect(at).unwrap();
        let said = json!({ "auth_token": mark, "verbose": false, "name": "client" });
        stream.write_all(format!("CONNECT {said}\r\nPING\r\n").as_bytes()).unwrap();
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap() == "PONG"));
        self.kept.push(Box::new(stream));
        let monitor = self.systems[0].monitor_url("a1").unwrap();
        self.asked(vec![mark], &["--http", &monitor])
    }

    /// A second server that knows the first by a URL with a password; until both know each other.
    fn joined(&mut self, first: &str, second: &str, path: &str, count: &str) {
        let alone = |settings: &str| self.alone().settings(settings);
        let (first, second) = (alone(first), alone(second));
        self.start(first);
        self.start(second);
        wait_until("the servers know each other", LIMIT, || {
            let seen = self.systems[0].monitor("a1", path).map_err(|error| error.to_string())?;
            let known = &seen[count];
            let some = known.as_object().is_some_and(|all| !all.is_empty());
            if some || known.as_u64() > Some(0) { Ok(()) } else { Err(seen.to_string()) }
        })
        .unwrap();
    }

    fn route(mut self) -> Place {
        let mark = self.mark.clone();
        let ports = [free_port().unwrap(), free_port().unwrap()];
        let cluster = |own: u16, other: u16, name: &str| {
            format!(
                "server_name: {name}\ncluster {{ name: A, listen: \"127.0.0.1:{own}\", \
                 authorization {{ user: route, password: \"{mark}\" }}, \
                 routes: [\"nats-route://route:{mark}@127.0.0.1:{other}\"] }}"
            )
        };
        self.joined(
            &cluster(ports[0], ports[1], "a1"),
            &cluster(ports[1], ports[0], "a2"),
            "/routez",
            "num_routes",
        );
        self.asked_as_usual(vec![mark])
    }

    fn gateway(mut self) -> Place {
        let mark = self.mark.clone();
        let ports = [free_port().unwrap(), free_port().unwrap()];
        let gateway = |own: u16, other: u16, names: [&str; 2], server: &str| {
            let [own_name, other_name] = names;
            format!(
                "server_name: {server}\ngateway {{ name: {own_name}, listen: \"127.0.0.1:{own}\", \
                 authorization {{ user: gw, password: \"{mark}\" }}, gateways: [ {{ name: \
                 {other_name}, urls: [\"nats://gw:{mark}@127.0.0.1:{other}\"] }} ] }}"
            )
        };
        self.joined(
            &gateway(ports[0], ports[1], ["A", "B"], "a1"),
            &gateway(ports[1], ports[0], ["B", "A"], "b1"),
            "/gatewayz",
            "outbound_gateways",
        );
        self.asked_as_usual(vec![mark])
    }

    fn leaf(mut self) -> Place {
        let mark = self.mark.clone();
        let port = free_port().unwrap();
        let hub = format!(
            "leafnodes {{ listen: \"127.0.0.1:{port}\", \
             authorization {{ user: leaf, password: \"{mark}\", account: APP }} }}"
        );
        let leaf = format!(
            "server_name: leaf\nleafnodes {{ remotes: [ {{ account: APP, \
             urls: [\"nats-leaf://leaf:{mark}@127.0.0.1:{port}\"] }} ] }}"
        );
        self.joined(&hub, &leaf, "/leafz", "leafnodes");
        self.asked_as_usual(vec![mark])
    }

    /// A listener of its own with a token of its own.
    fn listener(mut self, block: &str, more: &str) -> Place {
        let mark = self.mark.clone();
        let port = free_port().unwrap();
        let block = format!(
            "{block} {{ listen: \"127.0.0.1:{port}\", {more} authorization {{ token: \"{mark}\" }} }}"
        );
        let builder = self.alone().open().extra(&block);
        self.start(builder.jetstream());
        let monitor = self.systems[0].monitor_url("a1").unwrap();
        self.asked(vec![mark], &["--http", &monitor])
    }

    fn client_creds(mut self) -> Place {
        let at = self.start(self.alone().operator_mode());
        let system = &self.systems[0];
        let creds = system.creds("APP", "orders", Validity::Forever).unwrap();
        let port = at.rsplit(':').next().unwrap().parse().unwrap();
        let login = Login { port, user: None, creds: Some(creds.clone()) };
        let client = Client::connect(&login).unwrap();
        let sys = system.creds("SYS", "collector", Validity::Forever).unwrap();
        let monitor = system.monitor_url("a1").unwrap();
        let file = self.file("sys.creds", &sys.file());
        self.kept.push(Box::new(client));
        let server = format!("nats://{at}");
        let marks = [&creds, &sys].map(marks_of).concat();
        self.asked(marks, &["--server", &server, "--creds", &file, "--http", &monitor])
    }
}

/// What nobody may see of credentials: the seed, and the signature that makes the JWT valid.
fn marks_of(creds: &Creds) -> Vec<String> {
    let signature = creds.jwt.rsplit('.').next().unwrap_or_default().to_owned();
    assert!(signature.len() > 40);
    vec![creds.seed.clone(), signature]
}
