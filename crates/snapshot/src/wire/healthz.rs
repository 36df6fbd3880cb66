//! HEALTHZ with `details`.

use std::borrow::Cow;

use serde::Deserialize;

use super::tolerant::{field, rows};

/// HEALTHZ with `details`. The reply to an unhealthy server is no error of the envelope, and over
/// HTTP it comes with the status of `status_code`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Healthz<'a> {
    /// `ok`, `error` or `unavailable`.
    #[serde(borrow, deserialize_with = "field")]
    pub status: Option<Cow<'a, str>>,
    /// 200, or what HTTP would say: 404 for what does not exist, 503 for what is not ready. Over
    /// HTTP it is missing from the body.
    #[serde(deserialize_with = "field")]
    pub status_code: Option<u64>,
    /// In words; only without `details`.
    #[serde(borrow, deserialize_with = "field")]
    pub error: Option<Cow<'a, str>>,
    /// What is wrong; missing while all is well.
    #[serde(borrow, deserialize_with = "rows")]
    pub errors: Vec<HealthError<'a>>,
}

/// One thing that is wrong.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct HealthError<'a> {
    /// `CONNECTION`, `BAD_REQUEST`, `JETSTREAM`, `ACCOUNT`, `STREAM` or `CONSUMER`.
    #[serde(rename = "type", borrow, deserialize_with = "field")]
    pub kind: Option<Cow<'a, str>>,
    /// The account concerned; omitted where none is.
    #[serde(borrow, deserialize_with = "field")]
    pub account: Option<Cow<'a, str>>,
    /// The stream concerned; omitted where none is.
    #[serde(borrow, deserialize_with = "field")]
    pub stream: Option<Cow<'a, str>>,
    /// The consumer concerned; omitted where none is.
    #[serde(borrow, deserialize_with = "field")]
    pub consumer: Option<Cow<'a, str>>,
    /// In words.
    #[serde(borrow, deserialize_with = "field")]
    pub error: Option<Cow<'a, str>>,
}
