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

/// What bash completes after these words, asked of the script as bash asks it.
fn completed(words: &[&str]) -> Vec<String> {
    let script = "source <(\"$0\" completions bash)\n\
                  COMP_WORDS=(hindsight \"$@\") COMP_CWORD=$#\n\
                  _hindsight hindsight \"${COMP_WORDS[$COMP_CWORD]}\" \"${COMP_WORDS[$COMP_CWORD-1]}\"\n\
                  printf '%s\\n' \"${COMPREPLY[@]}\"";
    let mut bash = std::process::Command::new("bash");
    bash.args(["-c", script]).arg(nats_hindsight_testkit::hindsight().unwrap()).args(words);
    let output = bash.output().unwrap();
    let complaints = String::from_utf8(output.stderr).unwrap();
    assert_eq!(complaints, "", "{words:?}");
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes_commands_flags_and_codes() {
    assert_eq!(completed(&["ana"]), ["analyze"]);
    assert_eq!(completed(&["analyze", "--require"]), ["--require-coverage"]);
    assert_eq!(completed(&["explain", "SERVICE_0"]), ["SERVICE_001", "SERVICE_002"]);
    assert_eq!(completed(&["analyze", "--check", "HINT_003"]), ["HINT_003"]);
    assert_eq!(completed(&["analyze", "--skip", "SERVER_002"]), ["SERVER_002"]);
    assert_eq!(completed(&["analyze", "--format", "j"]), ["json"]);
}

/// Shells that are not on this machine are not asked; bash is on every one that runs these tests.
#[test]
fn each_shell_that_is_there_can_read_its_completions() {
    let folder = tempfile::tempdir().unwrap();
    for (shell, flag) in [("bash", "-n"), ("zsh", "-n"), ("fish", "--no-execute")] {
        let script = folder.path().join(shell);
        std::fs::write(&script, hindsight(&[&"completions", &shell]).stdout).unwrap();
        match std::process::Command::new(shell).arg(flag).arg(&script).output() {
            Ok(output) => assert!(output.status.success(), "{shell}: {output:?}"),
            Err(error) => assert_ne!(shell, "bash", "{error}"),
        }
    }
}

#[test]
fn the_manual_has_a_page_per_command_with_all_its_flags() {
    let folder = tempfile::tempdir().unwrap();
    let ran = hindsight(&[&"man", &"--out", &folder.path().join("man1")]);
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (0, "", ""));
    let page = |name: &str| std::fs::read_to_string(folder.path().join("man1").join(name)).unwrap();
    let first = page("hindsight.1");
    assert_eq!(hindsight(&[&"man"]).stdout.lines().next(), first.lines().next());
    for name in ["collect", "analyze", "inspect", "checks", "explain", "completions", "man"] {
        let page = page(&format!("hindsight-{name}.1"));
        assert!(page.starts_with(".ie") && page.contains(".TH hindsight-"), "{name}");
        assert!(first.contains(&format!("hindsight\\-{name}(1)")), "{name} is not named");
        let help = hindsight(&[&name, &"--help"]).stdout;
        let flags = help.split_whitespace().filter(|word| word.starts_with("--") && word.len() > 2);
        for flag in flags {
            let name: String =
                flag[2..].chars().take_while(|c| c.is_ascii_lowercase() || *c == '-').collect();
            let escaped = name.trim_end_matches('-').replace('-', "\\-");
            assert!(page.contains(&escaped), "{flag} is not in the page");
        }
    }
}

#[test]
fn every_command_shows_examples() {
    for name in ["collect", "analyze", "inspect", "checks", "explain", "completions", "man"] {
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
