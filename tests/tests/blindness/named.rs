//! Moves that were wrong once, one by one.

use nats_hindsight_analyzer::report::CoverageGap;
use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_snapshot::lines::{ExpectsLine, Status};
use nats_hindsight_tests::recording::{Epoch, Recording};
use nats_hindsight_tests::verdicts::{Judged, judge};

/// Takes away all that servers of a name told, and how they were asked.
fn without_server(epoch: &mut Epoch, name: &str) {
    let ids: Vec<String> = epoch
        .replies
        .iter()
        .filter(|reply| reply.body["server"]["name"] == name)
        .filter_map(|reply| reply.body["server"]["id"].as_str().map(str::to_owned))
        .collect();
    epoch.retain(
        |reply| reply.body["server"]["name"] != name,
        |capture| capture.target.as_ref().is_none_or(|id| !ids.contains(id)),
    );
}

/// Takes away all that was told on an endpoint, and how it was asked.
fn without_endpoint(epoch: &mut Epoch, endpoint: &Endpoint) {
    epoch.retain(|reply| reply.line.endpoint != *endpoint, |line| line.endpoint != *endpoint);
}

/// What was to be asked and of which no word is left.
fn unrecorded<'a>(judged: &'a Judged, endpoint: &str) -> Option<&'a CoverageGap> {
    let rows = &judged.report.systems[0].coverage;
    let row = rows.iter().find(|row| row.endpoint == endpoint)?;
    row.gaps.iter().find(|gap| gap.status == "unrecorded")
}

#[test]
fn the_clock_of_a_server_that_others_name_is_unknown() {
    let recording = Recording::epoch("healthy", 0).at(0, |epoch| without_server(epoch, "a3"));
    let judged = judge(&recording, &[]);
    assert_eq!(judged.verdicts("HINT_003", "A/a3"), ["unknown(server_silent)"]);
    assert_eq!(judged.verdicts("HINT_003", "A/a1"), ["ok"]);
}

#[test]
fn a_server_that_is_named_from_the_start_is_unknown_and_not_passed_over() {
    let recording = Recording::epoch("healthy", 0).at(0, |epoch| without_server(epoch, "a3"));
    let judged = judge(&recording, &[]);
    assert_eq!(judged.verdicts("HINT_001", "A/a3"), ["unknown(server_silent)"]);
}

#[test]
fn an_unnamed_server_whose_address_is_not_told_may_be_one_that_went() {
    let whole = Recording::fixture("restart-same-version");
    let before = judge(&whole, &[]);
    let seats = before.subjects("HINT_001");
    let seat = seats.iter().find(|seat| seat.contains(':')).map_or("", String::as_str);
    assert_eq!(before.verdicts("HINT_001", seat)[2], "ok");
    let blind = judge(&whole.at(2, |epoch| without_endpoint(epoch, &Endpoint::VARZ)), &[]);
    assert_eq!(blind.verdicts("HINT_001", seat)[2], "unknown(membership_unknown)");
}

#[test]
fn a_server_that_the_header_saw_is_expected_although_its_replies_are_lost() {
    let whole = Recording::fixture("leaf-nodes");
    let judged = judge(&whole.each(|epoch| without_server(epoch, "leaf-west")), &[]);
    let verdicts = judged.verdicts("HINT_001", "leaf-west/leaf-west");
    // Nothing in the first epoch knows of it; the header of the second says that it was there.
    assert_eq!(verdicts[0], "-");
    assert!(verdicts[1..].iter().all(|word| word.starts_with("unknown")), "{verdicts:?}");
}

#[test]
fn a_service_whose_servers_are_not_known_may_be_on_one_that_is_silent() {
    let whole = Recording::fixture("lame-duck");
    let known = judge(&whole, &[]).verdicts("SERVICE_002", "APP/billing");
    let blind = judge(&whole.each(|epoch| without_endpoint(epoch, &Endpoint::CONNZ)), &[]);
    let blind = blind.verdicts("SERVICE_002", "APP/billing");
    assert_eq!([&known[2], &blind[2]], ["unknown(server_silent)"; 2]);
}

#[test]
fn a_user_of_an_account_that_was_not_listed_has_not_gone() {
    let whole = Recording::fixture("expiring-credentials");
    let account = whole.user("orders").split('/').next().unwrap_or_default().to_owned();
    let before = judge(&whole, &[]);
    let blind = judge(
        &whole.at(1, |epoch| {
            let other = |of: Option<&String>| of != Some(&account);
            epoch.retain(
                |reply| {
                    let filter = reply.line.filter.as_ref();
                    other(reply.line.account.as_ref())
                        && other(filter.and_then(|filter| filter.account.as_ref()))
                },
                |line| {
                    let filter = line.filter.as_ref();
                    other(line.account.as_ref())
                        && other(filter.and_then(|filter| filter.account.as_ref()))
                },
            );
        }),
        &[],
    );
    let users: Vec<String> = before
        .subjects("HINT_004")
        .into_iter()
        .filter(|subject| subject.starts_with(&account))
        .filter(|subject| ["ok", "finding"].contains(&&*before.verdicts("HINT_004", subject)[0]))
        .collect();
    assert!(!users.is_empty());
    for user in users {
        assert!(blind.verdicts("HINT_004", &user)[1].starts_with("unknown"), "{user}");
    }
}

#[test]
fn coverage_names_what_was_to_be_asked_and_is_not_recorded() {
    let whole = Recording::fixture("healthy");
    let judged = judge(&whole, &[]);
    for row in &judged.report.systems[0].coverage {
        assert!(row.gaps.iter().all(|gap| gap.status != "unrecorded"), "{row:?}");
    }
    let blind = judge(&whole.clone().at(2, |e| without_endpoint(e, &Endpoint::ROUTEZ)), &[]);
    assert_eq!(unrecorded(&blind, "ROUTEZ").map(|gap| &*gap.epochs), Some(&[[2, 2]][..]));
    let blind = judge(&whole.clone().at(2, |epoch| without_server(epoch, "a3")), &[]);
    assert_eq!(unrecorded(&blind, "STATSZ").map(|gap| &*gap.targets), Some(&["a3".to_owned()][..]));
    let verb = |endpoint: &Endpoint| Endpoint::VERBS.contains(endpoint);
    let blind =
        judge(&whole.at(2, |e| e.retain(|r| !verb(&r.line.endpoint), |c| !verb(&c.endpoint))), &[]);
    assert_eq!(unrecorded(&blind, "SRV_PING").map(|g| &*g.targets), Some(&["APP".to_owned()][..]));
}

#[test]
fn nobody_answering_is_a_gap_only_where_instances_were_expected() {
    let nobody = Recording::epoch("service-down", 1)
        .each(|epoch| epoch.broadcast_ended("APP", &Status::NoResponders));
    let gap = |recording: &Recording| {
        let judged = judge(recording, &[]);
        let rows = &judged.report.systems[0].coverage;
        let row = rows.iter().find(|row| row.endpoint == "SRV_INFO");
        row.and_then(|row| row.gaps.first()).map(|gap| (gap.status.clone(), gap.targets.clone()))
    };
    assert_eq!(gap(&nobody), Some(("no_responders".to_owned(), vec!["APP".to_owned()])));
    let nobody = nobody.each(|epoch| epoch.header.expects = ExpectsLine::default());
    assert_eq!(gap(&nobody), None);
}
