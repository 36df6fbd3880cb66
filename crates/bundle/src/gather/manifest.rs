//! The manifest: which entry is what, and of whom.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, Visitor};

use super::kind::ArtifactKind;

/// What the manifest says of one entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tags {
    pub(super) kind: Option<ArtifactKind>,
    pub(super) cluster: Option<Arc<str>>,
    pub(super) server: Option<Arc<str>>,
    pub(super) account: Option<Arc<str>>,
    pub(super) stream: Option<Arc<str>>,
    pub(super) profile_name: Option<Arc<str>>,
    pub(super) special: Option<Arc<str>>,
}

/// Texts that are held once, however often they occur.
#[derive(Debug, Default)]
pub(super) struct Texts(HashSet<Arc<str>>);

impl Texts {
    /// The one copy of a text.
    pub(super) fn one(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.0.get(text) {
            return known.clone();
        }
        let new: Arc<str> = text.into();
        self.0.insert(new.clone());
        new
    }

    /// The one copy of the name of a cluster: the two ways to say that there is none are one.
    pub(super) fn cluster(&mut self, name: &str) -> Option<Arc<str>> {
        (!name.is_empty() && name != "unclustered").then(|| self.one(name))
    }
}

/// Reads a manifest and hands out every entry it names, in its order. Nothing of it is held.
///
/// Fails where it is no JSON of that form, with what was handed out before being right.
pub(super) fn read(
    bytes: &[u8],
    texts: &mut Texts,
    each: &mut dyn FnMut(&str, Tags) -> Result<(), &'static str>,
) -> Result<(), serde_json::Error> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    Manifest { texts, each }.deserialize(&mut json)?;
    json.end()
}

struct Manifest<'a> {
    texts: &'a mut Texts,
    each: &'a mut dyn FnMut(&str, Tags) -> Result<(), &'static str>,
}

impl<'de> DeserializeSeed<'de> for Manifest<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

#[derive(Deserialize)]
struct Tag<'a> {
    #[serde(borrow, rename = "Name")]
    name: Text<'a>,
    #[serde(borrow, rename = "Value", default)]
    value: Option<Text<'a>>,
}

/// Borrowed where it holds no escapes.
#[derive(Deserialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> Visitor<'de> for Manifest<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of entries and their tags")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Text(path)) = map.next_key::<Text<'de>>()? {
            let tags = map.next_value::<Option<Vec<Tag<'de>>>>()?.unwrap_or_default();
            let tags = gather(&tags, self.texts);
            (self.each)(&path, tags).map_err(A::Error::custom)?;
        }
        Ok(())
    }
}

fn gather(tags: &[Tag<'_>], texts: &mut Texts) -> Tags {
    let mut gathered = Tags::default();
    for tag in tags {
        let Some(Text(value)) = &tag.value else { continue };
        let field = match &*tag.name.0 {
            "artifact_type" => {
                gathered.kind = Some(ArtifactKind::named(value));
                continue;
            }
            "cluster" => {
                gathered.cluster = texts.cluster(value);
                continue;
            }
            "server" => &mut gathered.server,
            "account" => &mut gathered.account,
            "stream" => &mut gathered.stream,
            "profile_name" => &mut gathered.profile_name,
            "special" => &mut gathered.special,
            // Releases to come may say more.
            _ => continue,
        };
        *field = Some(texts.one(value));
    }
    gathered
}
