use nats_hindsight_analyzer::check::Setting;
use nats_hindsight_analyzer::report::Severity;
use nats_hindsight_analyzer::settings::Settings;

use super::{config, set_one};

fn read(text: &str) -> Result<Settings, String> {
    let mut settings = Settings::default();
    config::read("hindsight.toml", text, &mut settings)
        .map(|()| settings)
        .map_err(|error| format!("{error}\n{}", error.excerpt()))
}

#[test]
fn everything_that_can_be_set_is_read() {
    let settings = read(
        r#"
[checks.SERVER_002]
recent = "30min"
severity = "critical"

[checks.server-lost]
enabled = false

[[retired]]
account = "APP"
service = "billing"
from = 2026-11-20T00:00:00Z
reason = "replaced by invoices"

[[may_be_zero]]
service = "batch-*"
reason = "runs at night only"

[[allowed_mix]]
service = "search"
versions = ["1.2.0", "1.3.0"]
reason = "canary by choice"
"#,
    )
    .unwrap();
    let recent = ("SERVER_002".to_owned(), "recent".to_owned());
    assert_eq!(settings.thresholds.get(&recent), Some(&Setting::Duration(1_800_000)));
    assert_eq!(settings.severities.get("SERVER_002"), Some(&Severity::Critical));
    assert!(settings.disabled.contains("HINT_001"));
    let retired = &settings.exceptions.retired[0];
    assert_eq!(retired.service.account.as_deref(), Some("APP"));
    assert_eq!(retired.from, "2026-11-20T00:00:00Z".parse().unwrap());
    assert_eq!(settings.exceptions.may_be_zero[0].reason, "runs at night only");
    assert_eq!(settings.exceptions.allowed_mixes[0].versions, ["1.2.0", "1.3.0"]);
}

#[test]
fn every_mistake_names_its_line() {
    for (text, wanted) in [
        (
            "\n[cheks.SERVER_002]\n",
            "hindsight.toml:2: `cheks` is no section; did you mean `checks`?",
        ),
        ("[checks.SERVER_02]\n", ":1: there is no check `SERVER_02`; did you mean `SERVER_002`?"),
        (
            "[checks.SERVER_002]\n\nrecnt = \"3s\"",
            ":3: `recnt` is no setting of SERVER_002; did you mean `recent`?",
        ),
        ("[checks.SERVER_002]\nrecent = 30", ":2: expected a duration such as \"30min\""),
        ("[checks.SERVER_002]\nrecent = \"30 parsecs\"", ":2: `30 parsecs` is not a duration"),
        ("[checks.SERVER_002]\nseverity = \"fatal\"", ":2: expected \"info\", \"warning\""),
        ("[checks.SERVER_002]\nenabled = \"no\"", ":2: expected true or false"),
        ("[checks.SERVER_002]\n[checks.server-version-mismatch]", ":2: SERVER_002 is set twice"),
        ("[[may_be_zero]]\nservice = \"x\"\n", ":1: `reason` is missing here"),
        ("[[may_be_zero]]\nservice = \"x\"\nreason = \"  \"\n", ":3: this may not be empty"),
        ("[[retired]]\nservice = \"x\"\nreason = \"y\"\n", ":1: `from` is missing here"),
        (
            "[[retired]]\nservice = \"x\"\nreson = \"y\"\n",
            ":3: `reson` is no key here; did you mean",
        ),
        ("[[allowed_mix]]\nservice = \"x\"\nreason = \"y\"", ":1: `versions` is missing here"),
        ("[may_be_zero]\nservice = \"x\"\n", ":1: expected a list of tables"),
        ("[checks.SERVER_002\n", ":1: "),
    ] {
        let said = read(text).unwrap_err();
        assert!(said.contains(wanted), "{wanted}\n{said}");
    }
}

#[test]
fn a_mistake_shows_the_line_and_marks_the_place() {
    let said = read("[checks.SERVER_002]\nrecnt = \"3s\" # \u{202e}x").unwrap_err();
    assert!(said.ends_with("  |\n2 | recnt = \"3s\" # \\u{202e}x\n  | ^^^^^"), "{said}");
}

#[test]
fn options_set_thresholds() {
    let mut settings = Settings::default();
    set_one("server-version-mismatch.recent=3s", &mut settings).unwrap();
    let recent = ("SERVER_002".to_owned(), "recent".to_owned());
    assert_eq!(settings.thresholds.get(&recent), Some(&Setting::Duration(3_000)));
    for (argument, wanted) in [
        ("SERVER_002.recent", "write it as CODE.key=value"),
        ("SERVER_002=3s", "the key is missing"),
        ("SERVER_02.recent=3s", "did you mean `SERVER_002`?"),
        ("SERVER_002.recnt=3s", "did you mean `recent`?"),
        ("SERVER_002.recent=soon", "is not a duration"),
    ] {
        let said = set_one(argument, &mut settings).unwrap_err();
        assert!(said.contains(wanted), "{wanted}\n{said}");
    }
}
