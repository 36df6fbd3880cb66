//! The monitor port of a server: one blocking GET on loopback.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// A hung server accepts connections and answers nothing, so every step is bounded.
const PATIENCE: Duration = Duration::from_millis(1_500);

/// Asks for `path` and gives the JSON, or says in words why not.
pub(crate) fn get(port: u16, path: &str) -> Result<Value, String> {
    let (_, body) = fetch(port, path)?;
    serde_json::from_slice(&body).map_err(|error| format!("{path}: not JSON: {error}"))
}

/// Asks for `path` and gives the status and the bytes of the reply.
pub(crate) fn fetch(port: u16, path: &str) -> Result<(u16, Vec<u8>), String> {
    let failed = |error: std::io::Error| format!("{path} on port {port}: {error}");
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE).map_err(failed)?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(failed)?;
    // Version 1.0 keeps the body in one piece.
    write!(stream, "GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n").map_err(failed)?;
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply).map_err(failed)?;
    let end = reply.windows(4).position(|four| four == b"\r\n\r\n");
    let end = end.ok_or_else(|| format!("{path}: no complete reply"))?;
    let body = reply.split_off(end + 4);
    let head = String::from_utf8_lossy(&reply);
    let status = head.split_whitespace().nth(1).and_then(|status| status.parse().ok());
    Ok((status.ok_or_else(|| format!("{path}: no status"))?, body))
}
