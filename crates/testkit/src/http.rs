//! The monitor port of a server: one blocking GET on loopback.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// A hung server accepts connections and answers nothing, so every step is bounded.
const PATIENCE: Duration = Duration::from_millis(1_500);

/// Asks for `path` and gives the JSON, or says in words why not.
pub(crate) fn get(port: u16, path: &str) -> Result<Value, String> {
    let failed = |error: std::io::Error| format!("{path} on port {port}: {error}");
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE).map_err(failed)?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(failed)?;
    // Version 1.0 keeps the body in one piece.
    write!(stream, "GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n").map_err(failed)?;
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply).map_err(failed)?;
    let reply = String::from_utf8_lossy(&reply);
    let (_, body) =
        reply.split_once("\r\n\r\n").ok_or_else(|| format!("{path}: no complete reply"))?;
    serde_json::from_str(body).map_err(|error| format!("{path}: not JSON: {error}"))
}
