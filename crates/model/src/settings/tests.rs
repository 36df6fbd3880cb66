use super::*;

fn read(text: &str) -> BTreeMap<String, (Option<String>, Stated)> {
    let fields: Fields<'_> = serde_json::from_str(text).unwrap();
    let stated = Settings::of(&fields).stated;
    stated.into_iter().map(|(of, said)| (of.path, (of.within, said))).collect()
}

fn said(text: &str, path: &str) -> Option<Stated> {
    read(text).remove(path).map(|(_, said)| said)
}

fn is(value: impl Into<Value>) -> Stated {
    Stated::Value(value.into())
}

#[test]
fn a_field_is_missing_null_set_or_of_another_type() {
    for (text, expected) in [
        ("{}", Some(Stated::Unreadable)),
        (r#"{"max_payload": null}"#, Some(Stated::Unreadable)),
        (r#"{"max_payload": "1MB"}"#, Some(Stated::Unreadable)),
        (r#"{"max_payload": 1.5}"#, Some(Stated::Unreadable)),
        (r#"{"max_payload": [1]}"#, Some(Stated::Unreadable)),
        (r#"{"max_payload": 1048576}"#, Some(is(1_048_576))),
        (r#"{"max_payload": 18446744073709551615}"#, Some(is(u64::MAX))),
        (r#"{"max_payload": 18446744073709551616}"#, Some(Stated::Unreadable)),
        (r#"{"max_payload": -1}"#, Some(is(-1))),
    ] {
        assert_eq!(said(text, "max_payload"), expected, "{text}");
    }
    for (text, expected) in [
        ("{}", Some(is(false))),
        (r#"{"auth_required": null}"#, Some(Stated::Unreadable)),
        (r#"{"auth_required": 1}"#, Some(Stated::Unreadable)),
        (r#"{"auth_required": true}"#, Some(is(true))),
    ] {
        assert_eq!(said(text, "auth_required"), expected, "{text}");
    }
    assert_eq!(said("{}", "max_subscriptions"), Some(is(0)));
    assert_eq!(said("{}", "system_account"), Some(is("")));
    assert_eq!(said(r#"{"auth_timeout": 0.5}"#, "auth_timeout"), Some(is(0.5)));
    let long = format!(r#"{{"system_account": "{}"}}"#, "x".repeat(MAX_TEXT + 1));
    assert_eq!(said(&long, "system_account"), Some(Stated::Unreadable));
}

#[test]
fn a_part_that_is_not_there_has_no_opinion() {
    for (text, expected) in [
        ("{}", None),
        (r#"{"leaf": null}"#, None),
        (r#"{"leaf": {}}"#, None),
        (r#"{"leaf": {"port": null}}"#, None),
        (r#"{"leaf": 5}"#, Some(Stated::Unreadable)),
        (r#"{"leaf": {"port": 7422}}"#, Some(is(false))),
        (r#"{"leaf": {"port": 7422, "tls_required": true}}"#, Some(is(true))),
    ] {
        assert_eq!(said(text, "leaf.tls_required"), expected, "{text}");
    }
}

#[test]
fn a_release_that_does_not_know_a_setting_has_no_opinion() {
    let strict = |version: &str, config: &str| {
        let text = format!(r#"{{"version": "{version}", "jetstream": {{"config": {config}}}}}"#);
        read(&text).remove("jetstream.config.strict")
    };
    let within =
        |release: &str, flag: bool| Some((Some(release.to_owned()), Stated::Value(flag.into())));
    assert_eq!(strict("2.10.25", "{}"), None);
    assert_eq!(strict("2.11.0", "{}"), within("2.11", false));
    assert_eq!(strict("2.12.8", r#"{"strict": true}"#), within("2.12", true));
    assert_eq!(strict("2.15.1", "{}"), within("2.12", false));
    assert_eq!(strict("dev", "{}"), None);
    // Without any version nobody knows what the missing field means.
    assert_eq!(strict("", "{}"), Some((None, Stated::Unreadable)));
}

#[test]
fn every_feature_flag_is_a_setting_of_one_version() {
    let text = r#"{"version": "2.14.6", "feature_flags": {"js_b": true, "js_a": false, "c": 1}}"#;
    let all = read(text);
    let flag = |name: &str| all.get(&format!("feature_flags.{name}")).cloned();
    let within = |said| Some((Some("2.14.6".to_owned()), said));
    assert_eq!(flag("js_b"), within(Stated::Value(true.into())));
    assert_eq!(flag("js_a"), within(Stated::Value(false.into())));
    assert_eq!(flag("c"), within(Stated::Unreadable));
    for silent in ["{}", r#"{"version": "2.10.25", "feature_flags": null}"#] {
        assert!(read(silent).keys().all(|path| !path.starts_with("feature")), "{silent}");
    }
    for odd in [r#"{"version": "2.14.6", "feature_flags": 5}"#, r#"{"feature_flags": {"a": true}}"#]
    {
        assert_eq!(said(odd, "feature_flags"), Some(Stated::Unreadable), "{odd}");
    }
}

#[test]
fn no_path_stands_twice() {
    let mut paths: Vec<&str> = SETTINGS.iter().map(|setting| setting.path).collect();
    paths.sort_unstable();
    paths.dedup();
    assert_eq!(paths.len(), SETTINGS.len());
}
