//! How the last connections of a service ended, and what that says of why it went.

use std::collections::BTreeSet;

use jiff::Timestamp;
use nats_hindsight_model::services::{LastGood, ServiceFacts};
use nats_hindsight_snapshot::Endpoint;
use smol_str::SmolStr;

/// The end of the last connection of one instance.
pub(super) struct End<'a> {
    /// Instance id.
    pub(super) id: &'a str,
    /// When, by the server's clock.
    pub(super) at: Option<Timestamp>,
    /// Server id.
    pub(super) server: &'a str,
    /// In the server's words.
    pub(super) reason: &'a str,
    /// Name of the connection.
    pub(super) connection: Option<&'a str>,
    /// What told it.
    pub(super) told_by: Endpoint,
}

/// The exact end of each last connection, where an event told it or its server still remembers it.
/// The list of closed connections is a ring of one process; an event came once and stays.
pub(super) fn of<'a>(before: &'a LastGood, facts: &'a ServiceFacts, most: usize) -> Vec<End<'a>> {
    let end = |id: &'a SmolStr| {
        let listed = facts.roster.stops.get(id).and_then(|stops| stops.last()).map(|stop| End {
            id,
            at: stop.at,
            server: &stop.server,
            reason: &stop.reason,
            connection: stop.name.as_deref(),
            told_by: Endpoint::CONNZ_CLOSED,
        });
        listed.or_else(|| {
            let ended = before.ends.get(id)?;
            Some(End {
                id,
                at: Some(ended.at),
                server: &ended.server,
                reason: &ended.reason,
                connection: ended.name.as_deref(),
                told_by: Endpoint::EVENTS,
            })
        })
    };
    before.instances.keys().filter_map(end).take(most).collect()
}

/// Why they ended, each once, in words of our own.
pub(super) fn why(ends: &[End<'_>]) -> Vec<&'static str> {
    let words: BTreeSet<&str> = ends.iter().map(|end| word(end.reason)).collect();
    words.into_iter().collect()
}

/// What the servers' words mean. A process that is killed closes its connection as one that ends
/// does, so that *client closed* is both.
fn word(reason: &str) -> &'static str {
    match reason {
        "Client Closed" => "client_closed",
        "Server Shutdown" | "SHUTDOWN" | "LAMEDUCK" => "server_left",
        "Stale Connection" => "stale",
        "Kicked" => "kicked",
        "Authentication Expired"
        | "Credentials Revoked"
        | "Authentication Failure"
        | "Authentication Timeout"
        | "Missing Account" => "credentials",
        "Maximum Connections Exceeded"
        | "Maximum Account Connections Exceeded"
        | "Maximum Subscriptions Exceeded"
        | "Maximum Message Payload Exceeded"
        | "Maximum Control Line Exceeded" => "limit",
        "Read Error" | "Write Error" | "TLS Handshake Failure" => "network",
        other if other.starts_with("Slow Consumer") => "slow_consumer",
        _ => "other",
    }
}

/// The same as a clause of a sentence.
pub(super) fn clause(why: &[&'static str]) -> Option<&'static str> {
    let [only] = why else { return None };
    Some(match *only {
        "client_closed" => "its clients closed their connections or ended",
        "server_left" => "its server was stopped",
        "stale" => "its clients stopped answering pings and were dropped",
        "kicked" => "its clients were disconnected by an operator",
        "credentials" => "its credentials expired or were taken away",
        "limit" => "a limit of its account or server was exceeded",
        "network" => "its connections broke",
        "slow_consumer" => "its clients took messages too slowly and were dropped",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_servers_have_a_meaning() {
        for (reason, expected) in [
            ("Client Closed", "client_closed"),
            ("Server Shutdown", "server_left"),
            ("SHUTDOWN", "server_left"),
            ("LAMEDUCK", "server_left"),
            ("Slow Consumer (Pending Bytes)", "slow_consumer"),
            ("Slow Consumer (Write Deadline)", "slow_consumer"),
            ("Authentication Expired", "credentials"),
            ("Credentials Revoked", "credentials"),
            ("Stale Connection", "stale"),
            ("Kicked", "kicked"),
            ("Read Error", "network"),
            ("Maximum Account Connections Exceeded", "limit"),
            ("Something of 2031", "other"),
            ("", "other"),
        ] {
            assert_eq!(word(reason), expected, "{reason}");
            assert_eq!(clause(&[expected]).is_some(), expected != "other", "{reason}");
        }
        assert_eq!(clause(&["client_closed", "stale"]), None);
    }
}
