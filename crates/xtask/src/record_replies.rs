//! `cargo xtask record-replies`: replies of every endpoint and server version, as they came.

use std::io::{self, Write};

use clap::Args;
use nats_hindsight_testkit::{VERSIONS, record_replies, workspace_root};

use crate::Outcome;

/// Record the replies of real servers into `fixtures/replies/<version>/`
#[derive(Args)]
#[command(after_help = "Examples:
  cargo xtask record-replies
  cargo xtask record-replies 2.15.1")]
pub(crate) struct RecordReplies {
    /// Versions of servers; all pinned ones where none is named
    #[arg(value_name = "VERSION")]
    versions: Vec<String>,
}

impl RecordReplies {
    pub(crate) fn run(self) -> Outcome {
        let folder = workspace_root().join("fixtures/replies");
        let pinned = VERSIONS.map(str::to_owned).to_vec();
        let versions = if self.versions.is_empty() { pinned } else { self.versions };
        for version in versions {
            let recorded = record_replies(&version, &folder)?;
            let bytes: usize = recorded.replies.iter().map(|reply| reply.bytes).sum();
            let kib = bytes.div_ceil(1024);
            let count = recorded.replies.iter().filter(|reply| reply.file.is_some()).count();
            writeln!(io::stdout(), "{version}: {count} replies, {kib} KiB before packing")?;
        }
        Ok(true)
    }
}
