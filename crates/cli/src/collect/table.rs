//! The coverage of an epoch as a small table.

use std::fmt::Write;

use nats_hindsight_analyzer::render::plain::shown;
use nats_hindsight_collector::{EpochSummary, Removed};
use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_snapshot::lines::Status;

use super::size;

/// Silent servers and accounts that are named one by one.
const NAMED: usize = 10;

/// One epoch in one line.
pub(super) fn headline(summary: &EpochSummary) -> String {
    let state = match (summary.complete, summary.interrupted) {
        (true, _) => "complete",
        (false, true) => "interrupted",
        (false, false) => "partial",
    };
    format!(
        "{}: {state}, {} and {} answered, {} in {:.1} s",
        shown(&summary.place),
        counted(summary.servers, "server"),
        counted(summary.services, "service"),
        counted(usize::try_from(summary.replies).unwrap_or(usize::MAX), "replie"),
        summary.took.as_secs_f64(),
    )
    .replace("1 replie ", "1 reply ")
        + &removed(summary.removed)
}

/// What was deleted to make room.
fn removed(removed: Removed) -> String {
    if removed.files == 0 {
        return String::new();
    }
    let files = usize::try_from(removed.files).unwrap_or(usize::MAX);
    format!("; deleted {}, {}", counted(files, "old file"), size::shown(removed.bytes))
}

/// The table, what is missing, and what to do about it.
pub(super) fn render(summary: &EpochSummary) -> String {
    let mut out = headline(summary);
    out.push_str("\n  endpoint          asked      ok  other\n");
    for endpoint in Endpoint::KNOWN {
        let Some(outcomes) = summary.coverage.endpoints.get(endpoint) else { continue };
        let ok = outcomes.get(&Status::Ok).copied().unwrap_or(0);
        let others: Vec<String> = outcomes
            .iter()
            .filter(|(status, _)| **status != Status::Ok)
            .map(|(status, count)| format!("{count} {status}"))
            .collect();
        let asked = summary.coverage.asked(endpoint);
        let name = endpoint.as_str();
        let line = format!("  {name:<16} {asked:>6} {ok:>7}  {}", others.join(", "));
        out.push_str(line.trim_end());
        out.push('\n');
    }
    silent(&mut out, summary);
    accounts(&mut out, summary);
    for remark in &summary.coverage.remarks {
        let _ = writeln!(out, "  note: {}", shown(remark));
    }
    if summary.coverage.more_remarks > 0 {
        let _ = writeln!(out, "  and {} more notes in the snapshot", summary.coverage.more_remarks);
    }
    out.trim_end().to_owned()
}

fn silent(out: &mut String, summary: &EpochSummary) {
    for server in summary.silent.iter().take(NAMED) {
        let _ = writeln!(
            out,
            "  silent: {} did not answer. It hangs, or leaves as a lame duck: look at its process, \
             its log and /healthz on its monitoring port.",
            shown(server)
        );
    }
    if let Some(more) = summary.silent.len().checked_sub(NAMED).filter(|more| *more > 0) {
        let _ = writeln!(out, "  and {more} more silent servers");
    }
}

fn accounts(out: &mut String, summary: &EpochSummary) {
    if summary.unasked_accounts.is_empty() {
        return;
    }
    let named: Vec<String> =
        summary.unasked_accounts.iter().take(NAMED).map(|account| shown(account)).collect();
    let more = match summary.unasked_accounts.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let _ = writeln!(
        out,
        "  not asked: services of {}{more} are known by their connections only; add \
         --account-server, --account-context or --account-creds for them.",
        named.join(", ")
    );
}

pub(super) fn counted(count: usize, thing: &str) -> String {
    if count == 1 { format!("1 {thing}") } else { format!("{count} {thing}s") }
}
