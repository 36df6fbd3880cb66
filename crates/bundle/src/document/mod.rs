//! One JSON document: the reply in it, and who sent it.
//!
//! [`split`] takes the envelope off a document of which it is known what it is, such as a page of
//! an artifact. [`loose`] finds replies in whatever somebody saved, and [`recognise`] tells by its
//! content which endpoint one is of; names of files are never asked.
//!
//! Bodies are borrowed as text and not decoded. How deep one is nested does not matter here:
//! passing over it takes no stack, and whoever decodes it has a limit.

pub mod loose;
mod recognise;

use std::fmt;

use nats_hindsight_snapshot::wire::{ApiError, ServerInfo};
use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

pub use recognise::{Recognised, recognise};

use crate::problem::Problem;

/// A document without its envelope.
#[derive(Clone, Debug)]
pub struct Document<'a> {
    /// Who answered; `None` where there was no envelope, as in replies over HTTP and in archives
    /// of natscli before 0.2.0.
    pub server: Option<ServerInfo<'a>>,
    /// The reply as it stands there; `None` where the envelope has none, or `null`.
    pub body: Option<&'a str>,
    /// Whether the reply is of STATSZ, which has a place of its own in the envelope.
    pub is_statsz: bool,
    /// Why the server refused.
    pub error: Option<ApiError<'a>>,
}

/// Takes a document apart. It has an envelope if it is an object with `server`, and one of `data`,
/// `statsz` and `error`.
///
/// Fails where it is no JSON, or a key of its outermost object stands there twice: two readers
/// would read two things.
pub fn split(bytes: &[u8]) -> Result<Document<'_>, Problem> {
    let bytes = without_mark(bytes);
    let damaged = |error: serde_json::Error| {
        Problem::new("document_damaged", format!("is no document that can be read: {error}"))
    };
    let whole: &RawValue = serde_json::from_slice(bytes).map_err(damaged)?;
    split_value(whole).map_err(damaged)
}

/// The same of text that is known to be one JSON value.
fn split_value(whole: &RawValue) -> Result<Document<'_>, serde_json::Error> {
    let bare = Document { server: None, body: Some(whole.get()), is_statsz: false, error: None };
    if !whole.get().starts_with('{') {
        return Ok(bare);
    }
    let parts: Parts<'_> = serde_json::from_str(whole.get())?;
    let reply = parts.data.is_some() || parts.statsz.is_some() || parts.error.is_some();
    let Some(server) = parts.server.filter(|server| reply && server.get().starts_with('{')) else {
        return Ok(bare);
    };
    let is_statsz = parts.statsz.is_some() && parts.data.is_none();
    let body = parts.data.or(parts.statsz).map(RawValue::get).filter(|body| *body != "null");
    let error = match parts.error {
        Some(error) => serde_json::from_str(error.get())?,
        None => None,
    };
    Ok(Document { server: Some(serde_json::from_str(server.get())?), body, is_statsz, error })
}

/// What stands in an envelope.
#[derive(Default)]
struct Parts<'a> {
    server: Option<&'a RawValue>,
    data: Option<&'a RawValue>,
    statsz: Option<&'a RawValue>,
    error: Option<&'a RawValue>,
}

impl<'de> Deserialize<'de> for Parts<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Parts<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Parts<'de>, A::Error> {
                let mut parts = Parts::default();
                let mut keys = recognise::Keys::default();
                while let Some(key) = map.next_key()? {
                    let key = keys.add(key).map_err(A::Error::custom)?;
                    let part = match &*key {
                        "server" => &mut parts.server,
                        "data" => &mut parts.data,
                        "statsz" => &mut parts.statsz,
                        "error" => &mut parts.error,
                        _ => {
                            map.next_value::<IgnoredAny>()?;
                            continue;
                        }
                    };
                    *part = Some(map.next_value()?);
                }
                Ok(parts)
            }
        }
        deserializer.deserialize_map(Object)
    }
}

/// Without the mark that some editors put before UTF-8.
fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}
