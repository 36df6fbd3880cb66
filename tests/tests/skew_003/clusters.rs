//! Clusters: who served how many messages, and held how many connections.

use nats_hindsight_tests::verdicts::judge;
use serde_json::{Value, json};

use super::*;

const BEFORE: &str = "2.12.8";
const AFTER: &str = "2.14.6";

/// A server in one epoch: name, version, start in seconds from the first epoch on, messages in and
/// out since then if VARZ tells them, and connections.
type Server<'a> = (&'a str, &'a str, i64, Option<(u64, u64)>, u64);

/// Cluster `A` with these servers, one epoch a minute. A start of its own is a process of its own.
fn servers(epochs: &[&[Server<'_>]]) -> Recording {
    let step = SignedDuration::from_mins(1);
    let mut recording = Recording::epoch("healthy", 0).repeat(epochs.len(), step);
    let zero = recording.epochs[0].start();
    for (epoch, rows) in recording.epochs.iter_mut().zip(epochs) {
        epoch.header.expects = nats_hindsight_snapshot::lines::ExpectsLine::default();
        for (name, version, born, messages, connections) in *rows {
            let age = epoch.start().duration_since(zero) - SignedDuration::from_secs(*born);
            if *born > 0 {
                epoch.restart(name, born.unsigned_abs(), age + MOMENT);
            }
            epoch.set_age(name, age + MOMENT);
            epoch.set_version(name, version);
            for reply in varz(epoch, name) {
                reply["connections"] = (*connections).into();
                let counter = |at: fn(&(u64, u64)) -> u64| messages.as_ref().map(at);
                reply["in_msgs"] = json!(counter(|m| m.0));
                reply["out_msgs"] = json!(counter(|m| m.1));
            }
        }
        for name in epoch.servers() {
            if !rows.iter().any(|row| row.0 == name) {
                epoch.kill(&name);
            }
        }
    }
    recording
}

fn varz<'a>(epoch: &'a mut Epoch, name: &'a str) -> impl Iterator<Item = &'a mut Value> {
    let of = move |body: &Value| body["server"]["name"] == name;
    let replies = epoch.replies.iter_mut().filter(|r| r.line.endpoint == Endpoint::VARZ);
    replies.filter(move |r| of(&r.body)).map(|r| &mut r.body["data"])
}

fn a1(version: &str, born: i64, messages: (u64, u64), connections: u64) -> Server<'_> {
    ("a1", version, born, Some(messages), connections)
}

/// a2 and a3 are upgraded, one a minute; a1 last.
fn upgrade() -> Vec<Vec<Server<'static>>> {
    vec![
        vec![
            a1(BEFORE, -86_400, (1_000, 2_000), 5),
            ("a2", BEFORE, -86_400, Some((500, 700)), 3),
            ("a3", BEFORE, -86_400, Some((500, 700)), 4),
        ],
        vec![
            a1(BEFORE, -86_400, (1_100, 2_300), 9),
            ("a2", BEFORE, -86_400, Some((550, 750)), 3),
            ("a3", AFTER, 20, Some((40, 60)), 0),
        ],
        vec![
            a1(BEFORE, -86_400, (1_400, 2_900), 6),
            ("a2", AFTER, 80, Some((70, 10)), 1),
            ("a3", AFTER, 20, Some((90, 100)), 2),
        ],
        vec![
            a1(AFTER, 140, (3, 3), 0),
            ("a2", AFTER, 80, Some((80, 20)), 1),
            ("a3", AFTER, 20, Some((95, 130)), 2),
        ],
    ]
}

fn told(rows: &[Vec<Server<'_>>]) -> Recording {
    let rows: Vec<&[Server<'_>]> = rows.iter().map(Vec::as_slice).collect();
    servers(&rows)
}

fn messages(details: &Value, version: &str) -> [Value; 4] {
    bounds_of(side(details, version), ["in_msgs", "out_msgs"])
}

fn connections(details: &Value, version: &str) -> [Value; 2] {
    ["connections", "connections_peak"].map(|key| side(details, version).get(key).unwrap().clone())
}

#[test]
fn the_sides_of_a_cluster_tell_messages_and_connections() {
    let judged = judge(&told(&upgrade()), &[]);
    assert_eq!(judged.verdicts(CODE, "A"), ["ok", "finding", "finding", "ok"]);
    let finding = judged.finding(CODE, "A");
    assert_eq!(span(finding), (1, 2, Some((3, "cured"))));
    let details = &finding.details;
    // a1 1100 to 1400; a2 tells one reading before it is restarted.
    assert_eq!(messages(details, BEFORE), four([Some(300), None, Some(600), None]));
    assert_eq!(side(details, BEFORE)["servers"], 2);
    assert_eq!(side(details, BEFORE)["servers_unknown"], 1);
    assert_eq!(side(details, BEFORE)["servers_partly_known"], 1);
    // Both new processes count from their start.
    assert_eq!(messages(details, AFTER), four([Some(160), Some(175), Some(110), Some(150)]));
    assert_eq!(connections(details, BEFORE), [json!(6), json!(12)]);
    assert_eq!(connections(details, AFTER), [json!(3), json!(3)]);
    assert_eq!(lasted(details), (json!(100), json!(180)));
    assert_eq!(side(details, AFTER).get("errors_per_million"), None);
    assert_eq!(finding.summary, "1 server on 2.12.8, 2 servers on 2.14.6 at the same time");
}

#[test]
fn a_counter_of_a_server_that_shrank_is_no_difference() {
    let mut rows = upgrade();
    rows[2][0] = a1(BEFORE, -86_400, (1_050, 2_900), 6);
    let judged = judge(&told(&rows), &[]);
    let details = &judged.finding(CODE, "A").details;
    assert_eq!(messages(details, BEFORE), four([None; 4]));
}

#[test]
fn without_varz_of_one_server_its_side_is_not_known_and_the_facet_is_named() {
    let mut rows = upgrade();
    rows[2][0].3 = None;
    let judged = judge(&told(&rows), &[]);
    let details = &judged.finding(CODE, "A").details;
    assert_eq!(messages(details, BEFORE), four([None; 4]));
    assert_eq!(messages(details, AFTER)[0], json!(160));
    assert_eq!(unseen(&judged, "A"), [("messages", vec![[2, 2]])]);
}

#[test]
fn without_varz_the_window_stands() {
    let judged = judge(&told(&upgrade()).each(|epoch| epoch.drop_endpoint(&Endpoint::VARZ)), &[]);
    let finding = judged.finding(CODE, "A");
    assert_eq!(span(finding), (1, 2, Some((3, "cured"))));
    assert_eq!(messages(&finding.details, BEFORE), four([None; 4]));
    assert_eq!(unseen(&judged, "A"), [("messages", vec![[1, 2]])], "STATSZ tells connections");
    let blind = told(&upgrade()).each(|epoch| {
        epoch.drop_endpoint(&Endpoint::VARZ);
        epoch.drop_endpoint(&Endpoint::STATSZ);
    });
    let judged = judge(&blind, &[]);
    let unseen = unseen(&judged, "A");
    assert_eq!(unseen, [("connections", vec![[1, 2]]), ("messages", vec![[1, 2]])]);
    assert_eq!(connections(&judged.finding(CODE, "A").details, AFTER), [Value::Null, Value::Null]);
}

#[test]
fn counters_of_servers_near_the_largest_number_do_not_wrap() {
    let mut rows = upgrade();
    rows[1][0] = a1(BEFORE, -86_400, (u64::MAX - 7, 2_300), 9);
    rows[2][0] = a1(BEFORE, -86_400, (u64::MAX, 2_900), u64::MAX);
    let judged = judge(&told(&rows), &[]);
    let details = &judged.finding(CODE, "A").details;
    assert_eq!(messages(details, BEFORE), four([Some(7), None, Some(600), None]));
    assert_eq!(connections(details, BEFORE)[1], json!(u64::MAX));
}

#[test]
fn a_silent_server_keeps_the_window_open_and_a_lost_one_lets_it_close() {
    let rows = || {
        let mut rows = upgrade();
        rows[3][0] = a1(BEFORE, -86_400, (1_500, 3_000), 6);
        rows
    };
    let silent = judge(&told(&rows()).at(3, |epoch| epoch.hang("a1")), &[]);
    assert_eq!(silent.verdicts(CODE, "A")[3], "unknown(server_silent)");
    assert_eq!(span(silent.finding(CODE, "A")), (1, 2, None));
    let lost = judge(&told(&rows()).at(3, |epoch| epoch.kill("a1")), &[]);
    assert_eq!(lost.verdicts(CODE, "A")[3], "ok");
    assert_eq!(span(lost.finding(CODE, "A")), (1, 2, Some((3, "cured"))));
}

#[test]
fn a_server_whose_version_is_not_told_may_be_on_another() {
    let rows = [upgrade().remove(0)];
    let recording = told(&rows).each(|epoch| {
        for reply in &mut epoch.replies {
            if reply.body["server"]["name"] == "a2" {
                reply.body["server"]["ver"] = Value::Null;
            }
        }
    });
    assert_eq!(judge(&recording, &[]).verdicts(CODE, "A"), ["unknown(version_unseen)"]);
}

#[test]
fn without_route_lists_it_is_not_certain_who_belongs_to_the_cluster() {
    let recording = told(&[upgrade().remove(0)]).each(|epoch| {
        epoch.drop_endpoint(&Endpoint::ROUTEZ);
        epoch.drop_endpoint(&Endpoint::VARZ);
    });
    assert_eq!(judge(&recording, &[]).verdicts(CODE, "A"), ["unknown(membership_unknown)"]);
}

#[test]
fn a_cluster_that_answers_nothing_is_unknown_and_one_renamed_has_ended() {
    let nobody = told(&upgrade()).at(2, |epoch| {
        for name in epoch.servers() {
            epoch.kill(&name);
        }
    });
    assert_eq!(judge(&nobody, &[]).verdicts(CODE, "A")[2], "unknown(server_silent)");
    let renamed = told(&upgrade()).during([2, 3], |epoch| epoch.rename_cluster("A", "B"));
    let judged = judge(&renamed, &[]);
    assert_eq!(judged.verdicts(CODE, "A")[2], "not_applicable");
    let finding = judged.finding(CODE, "A");
    assert_eq!(span(finding), (1, 1, Some((2, "ended"))));
    assert_eq!(lasted(&finding.details), (json!(40), json!(120)), "final numbers");
}

#[test]
fn a_half_that_joined_the_other_is_no_cluster_any_more() {
    let rows = [upgrade().remove(0), upgrade().remove(0), upgrade().remove(0)];
    let recording = told(&rows).during([0], |epoch| epoch.split(&["a3"]));
    let judged = judge(&recording, &[]);
    assert_eq!(judged.verdicts(CODE, "A"), ["ok"; 3]);
    assert_eq!(judged.verdicts(CODE, "A#2"), ["ok", "not_applicable", "not_applicable"]);
}
