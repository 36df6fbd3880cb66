//! `inspect`, `checks`, `explain`, `completions`, and help.

use crate::support::{EVEN, epoch, folder, hindsight};

#[test]
fn inspect_says_what_a_recording_is() {
    let recording = folder(&[epoch(0, EVEN), epoch(1, EVEN).incomplete()]);
    let cut = epoch(2, EVEN).bytes();
    std::fs::write(recording.path().join("cut.ndjson.zst"), &cut[..cut.len() / 2]).unwrap();
    let ran = hindsight(&[&"inspect", &recording.path()]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran:?}");
    for wanted in [
        "3 files, 3 epochs: 1 cut or damaged, 1 with gaps in the answers.",
        "2026-11-21 09:00:00  prod    complete  3",
        "2026-11-21 09:01:00  prod    partial   3",
        "2026-11-21 09:02:00  prod    damaged",
        "SERVICE_002 service-down",
        "not asked: SRV_INFO, SRV_PING, SRV_STATS",
        "not asked, or lost with the damage: ",
    ] {
        assert!(ran.stdout.contains(wanted), "{wanted}\n{}", ran.stdout);
    }
    let json = hindsight(&[&"inspect", &recording.path(), &"--format", &"json"]).survey();
    assert_eq!(json["epochs"][0]["requests"]["VARZ"]["ok"], 3);
    assert_eq!(json["epochs"][2]["whole"], false);
}

#[test]
fn inspect_exits_3_where_there_is_no_epoch() {
    let empty = tempfile::tempdir().unwrap();
    assert_eq!(hindsight(&[&"inspect", &empty.path()]).code, 3);
    assert_eq!(hindsight(&[&"inspect", &empty.path().join("missing")]).code, 3);
    assert_eq!(hindsight(&[&"inspect"]).code, 2);
}

#[test]
fn checks_are_listed_and_explained() {
    let table = hindsight(&[&"checks"]);
    assert_eq!(table.code, 0);
    let json = hindsight(&[&"checks", &"--format", &"json"]).checks();
    for check in json.as_array().unwrap() {
        let (code, slug) = (check["code"].as_str().unwrap(), check["slug"].as_str().unwrap());
        assert!(table.stdout.contains(code) && table.stdout.contains(slug));
        let by_code = hindsight(&[&"explain", &code]);
        let by_slug = hindsight(&[&"explain", &slug]);
        assert_eq!((by_code.code, &by_code.stdout), (0, &by_slug.stdout));
        assert!(by_code.stdout.starts_with(&format!("# {code} {slug}\n")));
        for part in ["## What it means", "## What to do", "- Severity: ", "- Cannot do without: "] {
            assert!(by_code.stdout.contains(part), "{code} {part}");
        }
    }
}

#[test]
fn a_typo_gets_a_suggestion() {
    let ran = hindsight(&[&"explain", &"service-donw"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    assert_eq!(
        ran.stderr,
        "error: there is no check `service-donw`; did you mean `SERVICE_002`?\n"
    );
    let ran = hindsight(&[&"explain", &"zzz"]);
    assert!(ran.stderr.contains("`hindsight checks` lists them"), "{ran:?}");
}

#[test]
fn completions_are_written_for_each_shell() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let ran = hindsight(&[&"completions", &shell]);
        assert_eq!(ran.code, 0);
        assert!(ran.stdout.contains("require-coverage"), "{shell}");
    }
}

#[test]
fn every_command_shows_examples() {
    for name in ["collect", "analyze", "inspect", "checks", "explain", "completions"] {
        let ran = hindsight(&[&name, &"--help"]);
        assert_eq!(ran.code, 0);
        assert!(ran.stdout.contains("Example"), "{name}");
        assert!(ran.stdout.contains(&format!("hindsight {name}")), "{name}");
    }
}

#[test]
fn a_limit_is_named_when_it_is_hit_and_can_be_set() {
    let recording = folder(&[epoch(0, EVEN)]);
    let tight = hindsight(&[&"inspect", &recording.path(), &"--limit", &"max_frame_length=100"]);
    assert!(tight.stdout.contains("max_frame_length"), "{}", tight.stdout);
    let wide = hindsight(&[&"inspect", &recording.path(), &"--limit", &"max_frame_length=100000"]);
    assert!(!wide.stdout.contains("max_frame_length"), "{}", wide.stdout);
    for wrong in ["max_nothing=1", "max_frames", "max_frames=many", "max_window_log=64"] {
        let ran = hindsight(&[&"analyze", &recording.path(), &"--limit", &wrong]);
        assert_eq!(ran.code, 2, "{wrong}");
        assert!(ran.stderr.contains("max_window_log"), "{}", ran.stderr);
    }
}
