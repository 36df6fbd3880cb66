//! Settings of a server as its VARZ shows them: which there are, and how each is read.
//!
//! What a missing field means is a fact about nats-server (`server/monitor.go` and the defaults in
//! `server/const.go`, releases 2.9 to 2.15): many fields are left out when they are false, zero or
//! empty, others are always written, and some releases do not know a field at all. A server that
//! cannot have an opinion states nothing; one whose field cannot be read is told apart from both.

use std::collections::BTreeMap;

use jiff::Timestamp;
use nats_hindsight_snapshot::wire::{Envelope, Field, Fields};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::version::generation;

/// Bytes of a text beyond which it is not kept: no name of an account or a user is that long.
const MAX_TEXT: usize = 256;
/// Feature flags beyond which the list of a server is not believed.
const MAX_FLAGS: usize = 64;
/// Path of the feature flags, which are settings of their own each.
pub const FEATURE_FLAGS: &str = "feature_flags";

/// What the value of a setting counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Bytes, whole.
    Bytes,
    /// A whole number.
    Count,
    /// Nanoseconds, whole.
    Nanoseconds,
    /// Seconds, which may have a fraction.
    Seconds,
    /// True or false.
    Flag,
    /// A name.
    Text,
}

/// One setting that VARZ shows.
#[derive(Debug)]
pub struct Setting {
    /// Path in VARZ.
    pub path: &'static str,
    /// What its value counts.
    pub unit: Unit,
    /// Whether every server writes it; others leave it out when it is false, zero or empty.
    pub always: bool,
    /// What must be there for the setting to mean anything: a listener, JetStream.
    pub part_of: Option<&'static str>,
    /// Releases that began to know the setting or changed its default, in order; none where every
    /// release has it with the same default. Only servers of one such generation can be compared.
    pub generations: &'static [(u64, u64, u64)],
}

impl Setting {
    const fn always(path: &'static str, unit: Unit) -> Self {
        Self { path, unit, always: true, part_of: None, generations: &[] }
    }

    const fn unless_zero(path: &'static str, unit: Unit) -> Self {
        Self { path, unit, always: false, part_of: None, generations: &[] }
    }

    const fn of(mut self, part: &'static str) -> Self {
        self.part_of = Some(part);
        self
    }

    const fn since(mut self, generations: &'static [(u64, u64, u64)]) -> Self {
        self.generations = generations;
        self
    }
}

const ROUTES: &str = "cluster.cluster_port";
const GATEWAY: &str = "gateway.port";
const LEAFS: &str = "leaf.port";
const MQTT: &str = "mqtt.port";
const WEBSOCKET: &str = "websocket.port";
const JETSTREAM: &str = "jetstream.config";
const V2_10: &[(u64, u64, u64)] = &[(2, 10, 0)];
const V2_11: &[(u64, u64, u64)] = &[(2, 11, 0)];
/// Known from 2.11 on, and on by default from 2.12 on.
const STRICT: &[(u64, u64, u64)] = &[(2, 11, 0), (2, 12, 0)];

/// Every setting that is read, feature flags aside.
pub static SETTINGS: &[Setting] = &[
    Setting::always("max_payload", Unit::Bytes),
    Setting::always("max_control_line", Unit::Bytes),
    Setting::always("max_connections", Unit::Count),
    Setting::unless_zero("max_subscriptions", Unit::Count),
    Setting::always("max_pending", Unit::Bytes),
    Setting::always("write_deadline", Unit::Nanoseconds),
    Setting::always("ping_interval", Unit::Nanoseconds),
    Setting::always("ping_max", Unit::Count),
    Setting::unless_zero("auth_required", Unit::Flag),
    Setting::always("auth_timeout", Unit::Seconds),
    Setting::unless_zero("tls_required", Unit::Flag),
    Setting::unless_zero("tls_verify", Unit::Flag),
    Setting::always("tls_timeout", Unit::Seconds),
    Setting::unless_zero("tls_ocsp_peer_verify", Unit::Flag).since(V2_10),
    Setting::unless_zero("system_account", Unit::Text),
    Setting::unless_zero("cluster.tls_required", Unit::Flag).of(ROUTES),
    Setting::unless_zero("cluster.pool_size", Unit::Count).of(ROUTES).since(V2_10),
    Setting::unless_zero("gateway.tls_required", Unit::Flag).of(GATEWAY),
    Setting::unless_zero("gateway.reject_unknown", Unit::Flag).of(GATEWAY),
    Setting::unless_zero("leaf.tls_required", Unit::Flag).of(LEAFS),
    Setting::unless_zero("leaf.tls_verify", Unit::Flag).of(LEAFS),
    Setting::unless_zero("mqtt.no_auth_user", Unit::Text).of(MQTT),
    Setting::unless_zero("websocket.no_tls", Unit::Flag).of(WEBSOCKET),
    Setting::unless_zero("websocket.no_auth_user", Unit::Text).of(WEBSOCKET),
    Setting::unless_zero("websocket.same_origin", Unit::Flag).of(WEBSOCKET),
    Setting::unless_zero("jetstream.config.domain", Unit::Text).of(JETSTREAM),
    Setting::unless_zero("jetstream.config.strict", Unit::Flag).of(JETSTREAM).since(STRICT),
    Setting::unless_zero("jetstream.config.sync_always", Unit::Flag).of(JETSTREAM).since(V2_10),
    Setting::unless_zero("jetstream.config.sync_interval", Unit::Nanoseconds)
        .of(JETSTREAM)
        .since(V2_10),
    Setting::unless_zero("jetstream.config.unique_tag", Unit::Text).of(JETSTREAM).since(V2_10),
    Setting::unless_zero("jetstream.limits.max_ack_pending", Unit::Count)
        .of(JETSTREAM)
        .since(V2_11),
    Setting::unless_zero("jetstream.limits.max_request_batch", Unit::Count)
        .of(JETSTREAM)
        .since(V2_11),
    Setting::unless_zero("jetstream.limits.max_duplicate_window", Unit::Nanoseconds)
        .of(JETSTREAM)
        .since(V2_11),
];

/// What is compared with what: one setting among servers for which it means the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Comparable {
    /// Place of the setting in [`SETTINGS`], feature flags behind all.
    rank: usize,
    /// Path in VARZ.
    pub path: String,
    /// The releases among which it is compared: `2.12` for 2.12 and later up to the next change, a
    /// whole version for feature flags; `None` where every release has it with one default.
    pub within: Option<String>,
}

impl Comparable {
    /// What its value counts.
    pub fn unit(&self) -> Unit {
        SETTINGS.get(self.rank).map_or(Unit::Flag, |setting| setting.unit)
    }
}

/// What one server's VARZ says of one setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stated {
    /// This: a whole number, a flag, a text, or for seconds a number with a fraction.
    Value(Value),
    /// Something that cannot be read, or nothing although every server writes it.
    Unreadable,
}

/// The settings of one server.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// What it states; a setting of which it can have no opinion is absent.
    pub stated: BTreeMap<Comparable, Stated>,
    /// When it loaded its configuration, at its start or a reload, by its own clock.
    pub loaded: Option<Timestamp>,
    /// Its clock.
    pub now: Option<Timestamp>,
}

impl Settings {
    /// Milliseconds since it loaded its configuration.
    pub fn age_ms(&self) -> Option<i64> {
        Some((self.now?.as_millisecond() - self.loaded?.as_millisecond()).max(0))
    }

    /// Reads the settings from a reply to VARZ as it was sent, over HTTP bare. Without an object
    /// that can be read there are none.
    pub(crate) fn of_reply(body: &[u8], bare: bool) -> Self {
        let fields =
            |text: &[u8]| serde_json::from_slice::<Fields<'_>>(text).map(|all| Self::of(&all));
        if bare {
            return fields(body).unwrap_or_default();
        }
        let envelope = serde_json::from_slice::<Envelope<'_>>(body).ok();
        let data = envelope.and_then(|envelope| envelope.data);
        data.and_then(|raw| fields(raw.get().as_bytes()).ok()).unwrap_or_default()
    }

    /// Reads the settings of a VARZ.
    pub fn of(varz: &Fields<'_>) -> Self {
        let version = text(varz.get("version"));
        let mut stated = BTreeMap::new();
        for (rank, setting) in SETTINGS.iter().enumerate() {
            if let Some((within, said)) = state(setting, varz, version.as_deref()) {
                stated.insert(Comparable { rank, path: setting.path.to_owned(), within }, said);
            }
        }
        flags(varz, version, &mut stated);
        let time = |path| text(varz.get(path)).and_then(|text| text.parse().ok());
        Self { stated, loaded: time("config_load_time"), now: time("now") }
    }
}

fn text(field: Field<'_>) -> Option<String> {
    let Field::Sent(raw) = field else { return None };
    let text: String = serde_json::from_str(raw.get()).ok()?;
    (!text.is_empty() && text.len() <= MAX_TEXT).then_some(text)
}

/// What a server states, and among which releases it counts; `None` if it can have no opinion.
fn state(
    setting: &Setting,
    varz: &Fields<'_>,
    version: Option<&str>,
) -> Option<(Option<String>, Stated)> {
    let mut said = match varz.get(setting.path) {
        Field::Missing if setting.always => Stated::Unreadable,
        Field::Missing => Stated::Value(zero(setting.unit)),
        Field::Unreadable => Stated::Unreadable,
        Field::Sent(raw) => value(setting.unit, raw),
    };
    match setting.part_of.map(|part| varz.get(part)) {
        Some(Field::Missing) => return None,
        Some(Field::Sent(raw)) if raw.get() == "null" => return None,
        Some(Field::Unreadable) => said = Stated::Unreadable,
        Some(Field::Sent(_)) | None => {}
    }
    if setting.generations.is_empty() {
        return Some((None, said));
    }
    let Some(version) = version else { return Some((None, Stated::Unreadable)) };
    let (major, minor, _) = generation(setting.generations, version)?;
    Some((Some(format!("{major}.{minor}")), said))
}

/// What a setting is that a server which knows it leaves out.
fn zero(unit: Unit) -> Value {
    match unit {
        Unit::Flag => false.into(),
        Unit::Text => "".into(),
        _ => 0.into(),
    }
}

fn value(unit: Unit, raw: &RawValue) -> Stated {
    let Ok(value) = serde_json::from_str::<Value>(raw.get()) else { return Stated::Unreadable };
    // A whole number that needs a float is none that a server sends.
    let fits = match &value {
        Value::Bool(_) => unit == Unit::Flag,
        Value::String(text) => unit == Unit::Text && text.len() <= MAX_TEXT,
        Value::Number(number) if number.is_f64() => unit == Unit::Seconds,
        Value::Number(_) => !matches!(unit, Unit::Flag | Unit::Text),
        _ => false,
    };
    if fits { Stated::Value(value) } else { Stated::Unreadable }
}

/// Feature flags, whose defaults change with the release: each is a setting among servers of one
/// and the same version. A release without flags has no opinion.
fn flags(varz: &Fields<'_>, version: Option<String>, stated: &mut BTreeMap<Comparable, Stated>) {
    let rank = SETTINGS.len();
    let said = match varz.get(FEATURE_FLAGS) {
        Field::Missing => return,
        Field::Sent(raw) if raw.get() == "null" => return,
        Field::Sent(raw) => serde_json::from_str::<Fields<'_>>(raw.get()).ok(),
        Field::Unreadable => None,
    };
    let known = said.filter(|flags| flags.iter().count() <= MAX_FLAGS);
    let (Some(flags), Some(version)) = (known, version) else {
        let all = Comparable { rank, path: FEATURE_FLAGS.to_owned(), within: None };
        stated.insert(all, Stated::Unreadable);
        return;
    };
    for (name, raw) in flags.iter().filter(|(name, _)| name.len() <= MAX_TEXT) {
        let path = format!("{FEATURE_FLAGS}.{name}");
        let within = Some(version.clone());
        stated.insert(Comparable { rank, path, within }, value(Unit::Flag, raw));
    }
}

#[cfg(test)]
mod tests;
