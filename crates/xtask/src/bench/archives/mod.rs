//! Archives of `nats audit gather`, scaled up from a recorded one, the same way every time, and how
//! fast they are judged beside `unzip`.
//!
//! There are more servers, accounts, streams and connections than were recorded, each with what was
//! recorded of one of its kind; what differs from one to the next (names, ids, times, counts) does.

mod chance;
mod client;
mod list;
mod out;
mod recorded;
mod scale;

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use super::contest::{Contender, Taken};
use super::table::Table;
use super::{CHECKS, Stage, THREADS};
use crate::Outcome;
use out::Composition;
use recorded::{Any, Recorded};
use scale::{Scaled, Size};

/// Nine servers.
const MEDIUM: Size =
    Size { name: "M", clusters: 3, accounts: 200, streams: 1000, connections: 1380 };

/// 27 servers.
const LARGE: Size =
    Size { name: "L", clusters: 9, accounts: 500, streams: 2000, connections: 1610 };

/// Archives that are judged as one sequence.
const MANY: usize = 10;

/// Kinds of artifacts that the founding checks read, beside manifest, log and metadata. Their other
/// endpoints are in no archive.
const READ: [&str; 9] = [
    "accounts",
    "account_connections",
    "audit_gather_log",
    "audit_gather_metadata",
    "connections",
    "leafs",
    "manifest",
    "routes",
    "variables",
];

impl Stage {
    /// Measures archives and nothing else.
    pub(super) fn only_archives(&self, long: bool) -> Outcome {
        let mut table = Table::default();
        self.archives(long, &mut table)?;
        write!(io::stdout(), "{table}")?;
        Ok(true)
    }

    /// Archives against `unzip`, two threads against one, and ten archives against one.
    pub(super) fn archives(&self, long: bool, table: &mut Table) -> Any<()> {
        let recorded = Recorded::load()?;
        for size in [MEDIUM, LARGE] {
            let folder = self.folder.join(format!("archives-{}", size.name));
            fs::create_dir_all(&folder)?;
            let first = folder.join("0.zip");
            let composition = Scaled { recorded: &recorded, size, minutes: 0 }.write(&first)?;
            tell(size, &composition, fs::metadata(&first)?.len())?;
            let one = self.one_archive(size, &first, table)?;
            if size.name == LARGE.name && long {
                for minutes in 1..MANY {
                    let path = folder.join(format!("{minutes}.zip"));
                    Scaled { recorded: &recorded, size, minutes }.write(&path)?;
                }
                self.many_archives(&one, &folder, table)?;
            }
        }
        Ok(())
    }

    fn one_archive(&self, size: Size, archive: &Path, table: &mut Table) -> Any<Taken> {
        let unzip = format!("unzip -p '{}' > /dev/null", archive.display());
        let unzip = ["sh", "-c", &unzip].map(OsString::from).to_vec();
        let taken = self.track().run(&[
            self.ours("archive", archive, CHECKS, THREADS),
            Contender { name: "unzip", command: unzip, accepted: &[0] },
            self.ours("archive-1", archive, CHECKS, 1),
        ])?;
        let [ours, unzip, alone] = &taken[..] else { return Err("a result is missing".into()) };
        let what = format!("archive {}", size.name);
        table.times(&what, "hindsight", ours);
        table.times(&what, "hindsight, one thread", alone);
        table.times(&what, "unzip -p", unzip);
        let bound = |bound| (size.name == LARGE.name).then_some(("<=", bound));
        table.ratio(&what, "times unzip -p", ours.wall / unzip.wall, bound(1.0));
        table.ratio(&what, "two threads faster than one", alone.wall / ours.wall, None);
        table.ratio(&what, "MiB of memory", ours.memory as f64 / MIB, bound(150.0));
        Ok(ours.clone())
    }

    fn many_archives(&self, one: &Taken, folder: &Path, table: &mut Table) -> Any<()> {
        let taken = self.track().run(&[self.ours("ten", folder, CHECKS, THREADS)])?;
        let ten = taken.first().ok_or("a result is missing")?;
        let what = format!("{MANY} archives L");
        table.times(&what, "hindsight", ten);
        let memory = ten.memory as f64 / one.memory as f64;
        table.ratio(&what, "times the memory of one", memory, Some(("<=", 1.3)));
        table.ratio(&what, "times the time of one", ten.wall / one.wall, None);
        Ok(())
    }
}

/// Bytes of a MiB.
const MIB: f64 = 1_048_576.0;

/// Prints what an archive is made of.
fn tell(size: Size, composition: &Composition, stored: u64) -> io::Result<()> {
    let mut output = io::stdout();
    let sum = |read: bool| {
        let of = composition.iter().filter(|(kind, _)| !read || READ.contains(&kind.as_str()));
        of.fold((0, 0), |sum, (_, (entries, bytes))| (sum.0 + entries, sum.1 + bytes))
    };
    let ((entries, bytes), (read, read_bytes)) = (sum(false), sum(true));
    let megabytes = |bytes: u64| bytes as f64 / 1e6;
    let Size { name, clusters, accounts, streams, connections } = size;
    let servers = clusters * recorded::SERVERS.len();
    writeln!(
        output,
        "{name}: {servers} servers, {accounts} accounts, {streams} streams, {connections} \
         connections of each server; {entries} entries, {:.1} MB, {:.1} MB stored; of these the \
         founding checks read {read} entries, {:.1} MB",
        megabytes(bytes),
        megabytes(stored),
        megabytes(read_bytes)
    )?;
    for (kind, (entries, bytes)) in composition {
        let read = if READ.contains(&kind.as_str()) { "read" } else { "" };
        let bytes = megabytes(*bytes);
        writeln!(output, "  {kind:22} {entries:6} entries {bytes:7.1} MB  {read}")?;
    }
    Ok(())
}
