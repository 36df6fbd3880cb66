//! Encryption that is missing, unknown or not wanted.

use nats_hindsight_testkit::{System, V2_15};
use rcgen::generate_simple_self_signed;

use crate::book::{Any, Book};

pub(crate) fn make(book: &mut Book) -> Any<()> {
    book.chapter("TLS");
    let plain = System::builder().standalone("a1", V2_15).start()?;
    let made = generate_simple_self_signed(["127.0.0.1".to_owned(), "localhost".to_owned()])?;
    let stranger = generate_simple_self_signed(["127.0.0.1".to_owned()])?;
    book.write("server.pem", made.cert.pem())?;
    book.write("server.key", made.signing_key.serialize_pem())?;
    book.write("stranger.pem", stranger.cert.pem())?;
    let (url, monitor) = (plain.url("a1", "SYS")?, plain.monitor_url("a1")?);
    for (address, name) in [(&plain.address("a1")?, "127.0.0.1:4222"), (&monitor, "127.0.0.1:8222")]
    {
        book.call(address.split_once("://").map_or("", |(_, bare)| bare), name);
    }
    let trusting = ["collect", "--server", &url, "--tls-ca", "DIR/server.pem"];
    book.add("TLS wanted where the server has none", &trusting, 1)?;
    let first = ["collect", "--server", &url, "--tls-first"];
    book.add("TLS first where the server has none", &first, 1)?;
    let https = monitor.replace("http://", "https://");
    book.add("HTTPS where the monitoring port has none", &["collect", "--http", &https], 1)?;
    drop(plain);
    encrypted(book)
}

fn encrypted(book: &mut Book) -> Any<()> {
    let tls = format!(
        "tls {{ cert_file: \"{}\", key_file: \"{}\" }}",
        book.path("server.pem").display(),
        book.path("server.key").display()
    );
    let system = System::builder().standalone("t1", V2_15).extra(&tls).start()?;
    let url = system.url("t1", "SYS")?;
    book.call(url.rsplit('@').next().unwrap_or_default(), "127.0.0.1:4222");
    let to = ["collect", "--server", &url];
    book.add("a certificate that nobody trusts", &to, 1)?;
    let with = |ca: &'static str| [&to[..], &["--tls-ca", ca]].concat();
    book.add("the wrong authority", &with("DIR/stranger.pem"), 1)?;
    book.add("an authority that is not there", &with("DIR/ca.pem"), 1)?;
    book.add("an authority that is no certificate", &with("DIR/nats.log"), 1)?;
    book.add(
        "a client certificate without its key",
        &[&to[..], &["--tls-cert", "DIR/server.pem"]].concat(),
        2,
    )
}
