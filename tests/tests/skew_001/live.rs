//! What real servers of every release write and leave out.

use nats_hindsight_model::settings::{SETTINGS, Settings, Stated};
use nats_hindsight_snapshot::wire::Fields;
use nats_hindsight_testkit::{System, V2_10, V2_12, V2_14, V2_15};

/// Everything that has settings of its own is on, so that all of them are stated.
const PARTS: &str = r#"
websocket {
  listen: "127.0.0.1:-1"
  no_tls: true
}
mqtt {
  listen: "127.0.0.1:-1"
}
"#;

#[test]
fn every_release_states_what_it_is_believed_to_know() {
    for version in [V2_10, V2_12, V2_14, V2_15] {
        let system = System::builder()
            .cluster("B", &["b1", "b2"], version)
            .cluster("A", &["a1", "a2"], version)
            .settings(PARTS)
            .jetstream()
            .start()
            .unwrap();
        let varz = system.monitor("a2", "/varz").unwrap().to_string();
        let fields: Fields<'_> = serde_json::from_str(&varz).unwrap();
        let settings = Settings::of(&fields);
        assert!(settings.age_ms().is_some(), "{version}");
        for (of, said) in &settings.stated {
            assert!(matches!(said, Stated::Value(_)), "{version}: {} is {said:?}", of.path);
        }
        let stated: Vec<&str> = settings.stated.keys().map(|of| of.path.as_str()).collect();
        for setting in SETTINGS {
            let known = version != V2_10
                || !(setting.path.starts_with("jetstream.limits")
                    || setting.path == "jetstream.config.strict");
            assert_eq!(stated.contains(&setting.path), known, "{version}: {}", setting.path);
        }
        let flags = stated.iter().filter(|path| path.starts_with("feature_flags.")).count();
        assert_eq!(flags > 0, [V2_14, V2_15].contains(&version), "{version}");
        let strict = settings.stated.iter().find(|(of, _)| of.path == "jetstream.config.strict");
        let on = Stated::Value(true.into());
        assert_eq!(strict.map(|(_, said)| said == &on), (version != V2_10).then_some(true));
    }
}
