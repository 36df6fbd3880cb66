//! `inspect` in full: who answered what, clocks, blind checks and their cure.

use std::path::PathBuf;

use crate::support::{EVEN, epoch, folder, hindsight};

fn fixture(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "..", "fixtures", name].iter().collect()
}

#[test]
fn each_server_has_a_row_of_endpoints() {
    let path = fixture("hung-server");
    let ran = hindsight(&[&"inspect", &path]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    for wanted in [
        "  A/a1                    +++++++\n",
        "  A/a3                    ~~~~~~~\n",
        "              timeout in epochs 1-2: STATSZ\n",
        "a ACCOUNTZ b CONNZ",
    ] {
        assert!(ran.stdout.contains(wanted), "{wanted}\n{}", ran.stdout);
    }
    let json = hindsight(&[&"inspect", &path, &"--format", &"json"]).survey();
    let silent = json["epochs"][1]["silent"].as_object().unwrap();
    let [server] = silent.values().collect::<Vec<_>>()[..] else { panic!("{silent:?}") };
    assert_eq!(server["name"], "a3");
    assert_eq!(
        (&server["answers"]["STATSZ"], &server["answers"]["VARZ"]),
        (&"timeout".into(), &"skipped".into())
    );
    assert!(json["epochs"][0]["silent"].as_object().unwrap().is_empty());
    let answering = json["epochs"][1]["servers"].as_object().unwrap();
    assert!(answering.values().all(|server| server["answers"]["CONNZ"] == "ok"));
}

#[test]
fn clocks_are_shown_with_how_well_they_are_known() {
    let path = fixture("healthy");
    let json = hindsight(&[&"inspect", &path, &"--format", &"json"]).survey();
    for server in json["epochs"][0]["servers"].as_object().unwrap().values() {
        let offset = server["clock"]["offset_us"].as_i64().unwrap();
        let known = server["clock"]["uncertainty_us"].as_i64().unwrap();
        // All of it was recorded on one machine with one clock.
        assert!(offset.abs() <= known + 1000, "{offset} within {known}");
    }
    let text = hindsight(&[&"inspect", &path]).stdout;
    assert!(text.contains("Clocks of servers against the collector's"), "{text}");
    assert!(text.contains("known to\n"), "{text}");
}

#[test]
fn a_blind_check_is_named_with_its_cure() {
    let recording = folder(&[epoch(0, EVEN)]);
    let json = hindsight(&[&"inspect", &recording.path(), &"--format", &"json"]).survey();
    let blind = json["blind"].as_array().unwrap();
    let of_services: Vec<_> = blind.iter().filter(|blind| blind["code"] == "SERVICE_002").collect();
    assert!(!of_services.is_empty(), "{blind:?}");
    for blind in blind {
        assert!(!blind["cure"].as_str().unwrap().is_empty(), "{blind}");
    }
    assert!(
        of_services
            .iter()
            .any(|blind| blind["cure"].as_str().unwrap().contains("--account-server"))
    );
    let text = hindsight(&[&"inspect", &recording.path()]).stdout;
    assert!(text.contains("    cure      record with a connection of the account"), "{text}");
}

#[test]
fn what_checks_cannot_say_of_some_subjects_stands_with_its_cure() {
    let path = fixture("hung-server");
    let text = hindsight(&[&"inspect", &path]).stdout;
    for wanted in ["Not known\n", "SERVER_002 server silent", "hidden by server a3 of cluster A"] {
        assert!(text.contains(wanted), "{wanted}\n{text}");
    }
    let json = hindsight(&[&"inspect", &path, &"--format", &"json"]).survey();
    let report = hindsight(&[&"analyze", &path, &"--format", &"json"]).report();
    assert_eq!(json["unknown"][0]["unknowns"], report["systems"][0]["unknowns"]);
}

#[test]
fn streams_are_joined_and_silent_replicas_are_named() {
    let path = fixture("bundles").join("server_lost");
    let ran = hindsight(&[&"inspect", &path]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    for wanted in [
        "  2 streams, 3 replicas told, 1 silent, 0 not joined.\n",
        "  APP      ORDERS  A        2 of 3  a1      a3      20\n",
    ] {
        assert!(ran.stdout.contains(wanted), "{wanted}\n{}", ran.stdout);
    }
    let json = hindsight(&[&"inspect", &path, &"--format", &"json"]).survey();
    let counts: Vec<&serde_json::Value> =
        (0..4).map(|epoch| &json["epochs"][epoch]["streams"]["silent"]).collect();
    assert_eq!(counts, [0, 0, 1, 1]);
    let orders = &json["epochs"][3]["streams"]["rows"][1];
    assert_eq!((&orders["stream"], &orders["silent"][0]["name"]), (&"ORDERS".into(), &"a3".into()));
    assert_eq!((&orders["domain"], &orders["replicas"][0]["last_seq"]), (&"".into(), &20.into()));
    // Who was not asked for streams says nothing of them.
    let json = hindsight(&[&"inspect", &fixture("healthy"), &"--format", &"json"]).survey();
    assert!(json["epochs"][0]["streams"].is_null());
}
