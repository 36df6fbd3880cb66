//! Edits of what VARZ says of a server's settings.

use jiff::{SignedDuration, Timestamp};
use nats_hindsight_snapshot::Endpoint;
use serde_json::{Map, Value};

use super::Epoch;

impl Epoch {
    fn varz_of(&mut self, server: &str) -> impl Iterator<Item = &mut Map<String, Value>> {
        let id = self.id(server);
        self.replies
            .iter_mut()
            .filter(move |r| r.line.endpoint == Endpoint::VARZ && r.body["server"]["id"] == *id)
            .filter_map(|reply| reply.body["data"].as_object_mut())
    }

    /// A server states another value under a path such as `cluster.tls_required`.
    ///
    /// # Panics
    /// If something on the path is no object.
    pub fn set_setting(&mut self, server: &str, path: &str, value: &Value) {
        for varz in self.varz_of(server) {
            let (blocks, name) = path.rsplit_once('.').unwrap_or(("", path));
            let mut block = varz;
            for key in blocks.split('.').filter(|key| !key.is_empty()) {
                let inner = block.entry(key).or_insert_with(|| Value::Object(Map::new()));
                let Value::Object(inner) = inner else { panic!("{key} of {path} is no object") };
                block = inner;
            }
            block.insert(name.to_owned(), value.clone());
        }
    }

    /// A server leaves a field of VARZ out.
    ///
    /// # Panics
    /// If it did so already.
    pub fn drop_setting(&mut self, server: &str, name: &str) {
        for varz in self.varz_of(server) {
            assert!(varz.remove(name).is_some(), "{server} does not tell {name}");
        }
    }

    /// A server loaded its configuration that long ago, by its own clock.
    pub fn set_config_age(&mut self, server: &str, age: SignedDuration) {
        for varz in self.varz_of(server) {
            let now: Option<Timestamp> = varz.get("now").and_then(|now| now.as_str()?.parse().ok());
            let loaded = now.and_then(|now| now.checked_sub(age).ok());
            let loaded = loaded.map_or(Value::Null, |loaded| loaded.to_string().into());
            varz.insert("config_load_time".to_owned(), loaded);
        }
    }

    /// The servers were asked on their monitoring ports only: no envelope, nothing but VARZ and
    /// ROUTEZ.
    pub fn over_http(&mut self) {
        let names = self.servers();
        let wanted = [Endpoint::VARZ, Endpoint::ROUTEZ];
        self.retain(|r| wanted.contains(&r.line.endpoint), |c| wanted.contains(&c.endpoint));
        for reply in &mut self.replies {
            let name = reply.body["server"]["name"].as_str().unwrap_or_default().to_owned();
            let place = names.iter().position(|known| *known == name).unwrap_or_default();
            reply.line.source = Some(format!("http://127.0.0.1:{}", 8222 + place));
            reply.body = reply.body["data"].take();
        }
        self.header.connections.clear();
    }
}
