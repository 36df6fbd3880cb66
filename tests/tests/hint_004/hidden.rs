//! What hides a user, and what is said of the servers.

use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_tests::recording::Epoch;
use nats_hindsight_tests::verdicts::{Judged, judge, name};

use crate::{CODE, every, hours};

fn facets(judged: &Judged) -> Vec<String> {
    let unseen = judged.report.systems.iter().flat_map(|system| &system.unseen);
    let own = unseen.filter(|facet| facet.code == CODE);
    let mut names: Vec<String> = own.flat_map(|facet| facet.subjects.iter().map(name)).collect();
    names.sort();
    names
}

#[test]
fn lists_of_services_only_are_named_as_such() {
    let recording = every(hours(1), 1);
    let named = facets(&judge(&recording, &[]));
    let user = recording.user("orders");
    for subject in ["A/a1", "A/a2", "A/a3", user.as_str()] {
        assert!(named.contains(&subject.to_owned()), "{subject} in {named:?}");
    }
    let everybody = recording.each(Epoch::list_everybody);
    let judged = judge(&everybody, &[]);
    assert_eq!(facets(&judged), Vec::<String>::new());
    assert_eq!(judged.verdicts(CODE, "A/a1"), ["ok"]);
}

#[test]
fn a_jwt_nobody_can_read_hides_its_user_and_nobody_else() {
    let recording = every(hours(1), 1).each(|epoch| epoch.hide_jwt("orders"));
    let user = every(hours(1), 1).user("orders");
    let judged = judge(&recording, &[]);
    assert_eq!(judged.verdicts(CODE, &user), ["unknown(jwt_unreadable)"]);
    assert_eq!(judged.verdicts(CODE, "A/a1"), ["ok"]);
    assert_eq!(judged.findings(CODE, &recording.user("mailer")).len(), 1);
}

#[test]
fn a_jwt_of_nobody_leaves_its_server_unknown() {
    let recording = every(hours(1), 1).each(|epoch| epoch.hide_user("mailer"));
    let judged = judge(&recording, &[]);
    assert_eq!(judged.verdicts(CODE, "A/a3"), ["unknown(jwt_unreadable)"]);
    assert_eq!(judged.verdicts(CODE, "A/a1"), ["ok"]);
    // Whoever it is, it may be any user with an older JWT.
    let word = "unknown(jwt_unreadable)";
    assert_eq!(judged.verdicts(CODE, &recording.user("orders")), [word]);
}

#[test]
fn without_an_operator_it_applies_to_nobody() {
    let recording = every(hours(1), 1).each(Epoch::leave_operator_mode);
    let judged = judge(&recording, &[]);
    assert_eq!(judged.subjects(CODE), ["A/a1", "A/a2", "A/a3"]);
    assert_eq!(judged.verdicts(CODE, "A/a2"), ["not_applicable"]);
    // The files of servers tell it even where nobody asked for connections.
    let judged = judge(&recording.clone().each(Epoch::drop_connections), &[]);
    assert_eq!(judged.verdicts(CODE, "A/a2"), ["not_applicable"]);
    // A server that is out of sight told nothing of itself.
    let judged = judge(&recording.each(|epoch| epoch.hang("a3")), &[]);
    assert_eq!(judged.verdicts(CODE, "A/a3"), ["unknown(server_silent)"]);
    assert_eq!(judged.verdicts(CODE, "A/a2"), ["not_applicable"]);
}

#[test]
fn without_varz_connections_tell_whether_there_is_an_operator() {
    let without = |epoch: &mut Epoch| epoch.drop_endpoint(&Endpoint::VARZ);
    let judged = judge(&every(hours(1), 1).each(without), &[]);
    assert_eq!(judged.verdicts(CODE, "A/a1"), ["ok"]);
    let plain = every(hours(1), 1).each(without).each(Epoch::forget_jwts);
    assert_eq!(judge(&plain, &[]).verdicts(CODE, "A/a1"), ["not_applicable"]);
    let bare = every(hours(1), 1).each(without).each(|epoch| epoch.unlist_service("orders"));
    // a1 held nothing but orders: its empty list could be that of either.
    assert_eq!(judge(&bare, &[]).verdicts(CODE, "A/a1"), ["unknown(not_asked)"]);
    assert_eq!(judge(&bare, &[]).verdicts(CODE, "A/a3"), ["ok"]);
}

#[test]
fn a_hidden_server_keeps_a_finding_open() {
    let recording = every(hours(1), 3)
        .at(1, |epoch| epoch.hang("a3"))
        .at(2, |epoch| epoch.disconnect("mailer"));
    let user = recording.user("mailer");
    let judged = judge(&recording, &[]);
    let words = ["finding", "unknown(server_silent)", "not_applicable"];
    assert_eq!(judged.verdicts(CODE, &user), words);
    assert_eq!(judged.verdicts(CODE, "A/a3"), ["ok", "unknown(server_silent)", "ok"]);
    assert_eq!(judged.finding(CODE, &user).closed.as_ref().map(|closed| closed.how), Some("ended"));
}

#[test]
fn membership_that_nobody_knows_makes_nothing_good() {
    let recording = every(hours(1), 1).each(|epoch| {
        epoch.drop_endpoint(&Endpoint::ROUTEZ);
        epoch.drop_endpoint(&Endpoint::VARZ);
    });
    let judged = judge(&recording, &[]);
    let word = "unknown(membership_unknown)";
    assert_eq!(judged.verdicts(CODE, &recording.user("orders")), [word]);
    assert_eq!(judged.verdicts(CODE, &recording.user("mailer")), ["finding"]);
}
