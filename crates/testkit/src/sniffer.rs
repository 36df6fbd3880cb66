//! A client that listens, as people do while they look for a fault.

use serde_json::json;
use tempfile::TempDir;

use crate::child::{first_line, spawn};
use crate::error::Result;
use crate::process::Process;
use crate::services::Language;
use crate::system::System;

/// Somebody who subscribes to everything about services, as `nats sub '$SRV.>'` does.
#[derive(Debug)]
pub struct Sniffer {
    _process: Process,
    _folder: TempDir,
}

impl Sniffer {
    /// Subscribes to `subject` in the account through the server.
    pub fn start(system: &System, server: &str, account: &str, subject: &str) -> Result<Sniffer> {
        let (user, password) = system.credentials(account)?.unzip();
        let plan = json!({
            "servers": [system.address(server)?], "user": user, "password": password,
            "connection_name": "sniffer", "reconnect": true, "listen": subject,
        });
        let (folder, mut process) = spawn("sniffer", Language::Python, &plan.to_string())?;
        first_line("sniffer", &mut process, &folder)?;
        Ok(Sniffer { _process: process, _folder: folder })
    }
}
