//! What a run would ask, as text.

use std::fmt::Write;

use nats_hindsight_analyzer::render::plain::shown;
use nats_hindsight_collector::{DryRun, Planned, Whom};
use nats_hindsight_snapshot::Endpoint;

use super::table::counted;

/// Servers that are named one by one.
const NAMED: usize = 12;

/// The whole text.
pub(super) fn render(plan: &DryRun) -> String {
    let mut out = "A run would ask what follows; now nothing is written.\n\n".to_owned();
    for connection in &plan.connections {
        let account = connection.account_name.as_ref().or(connection.account.as_ref());
        let account =
            account.map(|account| format!(", account {}", shown(account))).unwrap_or_default();
        let (kind, url) = (&connection.kind, shown(&connection.url));
        let _ = writeln!(out, "  {kind:<8} {url}: {}{account}", shown(&connection.state));
    }
    system(&mut out, plan);
    requests(&mut out, &plan.requests);
    for trouble in &plan.troubles {
        let _ = writeln!(out, "  trouble: {}", shown(trouble));
    }
    out.trim_end().to_owned()
}

fn system(out: &mut String, plan: &DryRun) {
    let (streams, consumers) = plan.assets;
    let _ = writeln!(
        out,
        "\n{}, {}, {}, {}, {}",
        counted(plan.servers.len(), "server"),
        counted(plan.accounts, "account"),
        counted(usize::try_from(plan.clients).unwrap_or(usize::MAX), "connection"),
        counted(usize::try_from(streams).unwrap_or(usize::MAX), "stream"),
        counted(usize::try_from(consumers).unwrap_or(usize::MAX), "consumer"),
    );
    if let Some(instances) = plan.instances {
        let instances = usize::try_from(instances).unwrap_or(usize::MAX);
        let _ = writeln!(out, "{} of services", counted(instances, "instance"));
    }
    for (name, version) in plan.servers.iter().take(NAMED) {
        let _ = writeln!(out, "  {} {}", shown(name), shown(version));
    }
    if let Some(more) = plan.servers.len().checked_sub(NAMED).filter(|more| *more > 0) {
        let _ = writeln!(out, "  and {more} more");
    }
    for name in plan.missing.iter().take(NAMED) {
        let _ = writeln!(out, "  {} is expected and did not answer at once", shown(name));
    }
}

fn requests(out: &mut String, requests: &[Planned]) {
    if requests.is_empty() {
        return;
    }
    out.push_str("\n  endpoint         requests  replies       about  of\n");
    for planned in requests {
        let _ = writeln!(
            out,
            "  {:<16} {:>8} {:>8} {:>11}  {}",
            planned.endpoint.as_str(),
            planned.requests,
            planned.replies,
            bytes(planned.bytes),
            whom(planned),
        );
    }
    let total: u64 = requests.iter().map(|planned| planned.bytes).sum();
    let _ = writeln!(
        out,
        "\nTogether about {} in replies, and about a fifth of that in the snapshot.\n\
         Estimated from the number of connections, accounts, streams and consumers, of\n\
         which each replica counts, and as if all connections had to be listed. Those\n\
         that are not of services are only listed by --profile full, and where there\n\
         are more than 16 accounts.",
        bytes(total)
    );
}

fn whom(planned: &Planned) -> &'static str {
    match planned.whom {
        Whom::AllServers => "all servers at once",
        Whom::EachServer => "each server",
        Whom::FewAtATime => "each server, a few at a time",
        Whom::EachPort => "each monitoring port",
        Whom::Services if planned.endpoint == Endpoint::SRV_PING => "all services of each account",
        Whom::Services => "the same",
        Whom::Connection => "the server of each connection",
    }
}

/// A size for people, in units of a thousand.
fn bytes(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{} KB", bytes.div_ceil(1_000)),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}
