//! Whom the collector is to ask, as whom, and where to put it.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use nats_hindsight_testkit::{Account, System, User, V2_12, V2_15, free_port};

use crate::book::{Any, Book, Mistake, SECRET};

pub(crate) fn make(book: &mut Book) -> Any<()> {
    book.chapter("Arguments of the collector");
    arguments(book)?;
    contexts(book)?;
    book.chapter("Connections of the collector");
    let system = System::builder().standalone("a1", V2_15).start()?;
    let (client, monitor) = (system.address("a1")?, system.monitor_url("a1")?);
    for (url, name) in [(&client, "127.0.0.1:4222"), (&monitor, "127.0.0.1:8222")] {
        let bare = url.split_once("://").map_or("", |(_, bare)| bare);
        book.call(bare, name);
    }
    addresses(book, &client, &monitor)?;
    credentials(book, &client)?;
    output(book, &system.url("a1", "SYS")?)?;
    drop(system);
    accounts(book)
}

fn arguments(book: &mut Book) -> Any<()> {
    let with_secret = format!("nats://sys:{SECRET}@h");
    let h = ["collect", "--server", "h"];
    let and = |more: &[&'static str]| [&h, more].concat();
    for (title, args) in [
        ("nobody to ask", vec!["collect"]),
        ("a URL without a flag", vec!["collect", "nats://h"]),
        ("a distance without a unit", and(&["--every", "60"])),
        ("a count without a distance", and(&["--count", "3"])),
        ("a size without a unit", and(&["--keep-size", "10"])),
        ("a time to keep that is none", and(&["--keep", "a week"])),
        ("something to keep on standard output", and(&["--out", "-", "--keep", "7d"])),
        ("a user without a password, as if it were asked for", and(&["--user", "sys"])),
        ("credentials without a server", vec!["collect", "--creds", "DIR/sys.creds"]),
        ("an empty label", and(&["--system", ""])),
        ("a memory that is not there", and(&["--expect-from", "DIR/before.ndjson.zst"])),
        ("a memory that is no snapshot", and(&["--expect-from", "DIR/nats.log"])),
    ] {
        book.add(title, &args, 2)?;
    }
    book.call(&with_secret, "nats://sys:PASSWORD@h");
    let args = ["collect", "--server", "h", &with_secret];
    book.add("a URL with a password in the wrong place", &args, 2)
}

fn contexts(book: &mut Book) -> Any<()> {
    book.add("a context that does not exist", &["collect", "--context", "prod"], 2)?;
    let folder = book.path("config/nats/context");
    fs::create_dir_all(&folder)?;
    fs::write(
        folder.join("torn.json"),
        format!("{{\"url\":\"nats://h\",\"password\":\"{SECRET}\""),
    )?;
    book.add("a context whose file is torn", &["collect", "--context", "torn"], 2)?;
    fs::write(folder.join("nsc.json"), "{\"url\":\"nats://h\",\"nsc\":\"nsc://O/A/U\"}")?;
    book.add("a context that needs nsc", &["collect", "--context", "nsc"], 2)?;
    book.add("a path instead of a context", &["collect", "--context", "DIR/torn.json"], 2)
}

fn addresses(book: &mut Book, client: &str, monitor: &str) -> Any<()> {
    let nobody = format!("127.0.0.1:{}", free_port()?);
    book.call(&nobody, "127.0.0.1:1");
    let nats = |url: &str| url.replace("http://", "nats://");
    let http = |url: &str| url.replace("nats://", "http://");
    let server = |url: &str| vec!["collect".to_owned(), "--server".to_owned(), url.to_owned()];
    let port = |url: &str| vec!["collect".to_owned(), "--http".to_owned(), url.to_owned()];
    for (title, args, code) in [
        ("nobody listens there", server(&format!("nats://{nobody}")), 1),
        ("nobody listens on the monitoring port", port(&format!("http://{nobody}")), 1),
        ("a host that nobody knows", server("nats://no-such-host.invalid"), 1),
        ("the URL of a monitoring port as server", server(monitor), 2),
        ("the URL of a server as monitoring port", port(client), 2),
        ("the monitoring port as client port", server(&nats(monitor)), 1),
        ("the client port as monitoring port", port(&http(client)), 1),
        ("a scheme of something else", server("amqp://h"), 2),
        ("a space in the URL", server("nats://h ost"), 2),
    ] {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        book.add(title, &args, code)?;
    }
    Ok(())
}

fn credentials(book: &mut Book, client: &str) -> Any<()> {
    let wrong = client.replace("nats://", &format!("nats://sys:{SECRET}@"));
    book.call(&format!("sys:{SECRET}@"), "sys:WRONG@");
    book.add("a wrong password", &["collect", "--server", &wrong], 1)?;
    book.add("no password at all", &["collect", "--server", client], 1)?;
    let app = client.replace("nats://", "nats://app:app@");
    book.add("a user outside the system account", &["collect", "--server", &app], 1)?;
    let creds = ["collect", "--server", client, "--creds"];
    book.add(
        "a credentials file that is not there",
        &[&creds[..], &["DIR/sys.creds"]].concat(),
        1,
    )?;
    let seed = format!("SU{}", "A".repeat(56));
    book.write("seed.creds", &seed)?;
    book.add(
        "a credentials file with a seed only",
        &[&creds[..], &["DIR/seed.creds"]].concat(),
        1,
    )?;
    book.write("jwt.nk", "eyJ0eXAiOiJKV1QifQ.e30.c2ln\n")?;
    let nkey = ["collect", "--server", client, "--nkey", "DIR/jwt.nk"];
    book.add("an nkey file without a seed", &nkey, 1)
}

fn accounts(book: &mut Book) -> Any<()> {
    let system = System::builder().standalone("b1", V2_12).without_system_account().start()?;
    let url = system.url("b1", "APP")?;
    book.call(url.rsplit('@').next().unwrap_or_default(), "127.0.0.1:4222");
    let args = ["collect", "--server", &url];
    book.add("a server without a system account of anybody", &args, 1)?;
    let limited = User::new("ops", "ops").deny_publish(&["$SYS.REQ.>"]);
    let mut account = Account::new("SYS").user(limited);
    account = account.user(User::new("ears", "ears").deny_subscribe(&["_INBOX.>"]));
    let system = System::builder().standalone("c1", V2_15).account(account).start()?;
    for (title, user) in
        [("a user who may not ask servers", "ops"), ("a user who may not hear answers", "ears")]
    {
        let url = system.address("c1")?.replace("nats://", &format!("nats://{user}:{user}@"));
        book.call(url.rsplit('@').next().unwrap_or_default(), "127.0.0.1:4222");
        book.add(title, &["collect", "--server", &url], 1)?;
    }
    Ok(())
}

fn output(book: &mut Book, url: &str) -> Any<()> {
    book.write("file", "mine")?;
    let to = |out: &'static str| ["collect", "--server", url, "--out", out];
    book.add("a file as folder of the output", &to("DIR/file"), 1)?;
    book.add("a folder below a file", &to("DIR/file/epochs"), 1)?;
    let shared = book.path("shared");
    fs::create_dir(&shared)?;
    fs::set_permissions(&shared, fs::Permissions::from_mode(0o777))?;
    book.add("a folder that everybody can write", &to("DIR/shared"), 1)?;
    let linked = book.path("linked");
    fs::create_dir(&linked)?;
    std::os::unix::fs::symlink(book.path("file"), linked.join(".hindsight-collector-id"))?;
    book.add("a link in place of the collector's id", &to("DIR/linked"), 1)?;
    let full = Mistake { title: "a disk that is full", args: &to("-"), code: 1 };
    let disk = File::options().write(true).open("/dev/full")?;
    book.add_with(&full, |command| {
        command.stdout(Stdio::from(disk));
    })?;
    let terminal = Mistake { title: "a snapshot onto the terminal", args: &to("-"), code: 2 };
    let (_held, slave) = terminal_pair()?;
    book.add_with(&terminal, |command| {
        command.stdout(Stdio::from(slave));
    })
}

/// A terminal, and who holds it.
fn terminal_pair() -> Any<(std::os::fd::OwnedFd, File)> {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    let held = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
    grantpt(&held)?;
    unlockpt(&held)?;
    let name = ptsname(&held, Vec::new())?;
    let slave = File::options().read(true).write(true).open(name.to_str()?)?;
    Ok((held, slave))
}
