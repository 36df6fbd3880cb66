//! The manifest: which entry is what, and of whom.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, Visitor};

use super::texts::{Id, Texts};

/// What the manifest says of one entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tags {
    pub(super) kind: Id,
    pub(super) cluster: Id,
    pub(super) server: Id,
    pub(super) account: Id,
    pub(super) stream: Id,
    pub(super) profile_name: Id,
    pub(super) special: Id,
}

/// What is handed every entry that a manifest names.
pub(super) type Each<'a> = &'a mut dyn FnMut(&str, Tags, &Texts) -> Result<(), &'static str>;

/// Reads a manifest and hands out every entry it names, in its order. Nothing of it is held.
///
/// Fails where it is no JSON of that form, with what was handed out before being right.
pub(super) fn read(
    bytes: &[u8],
    texts: &mut Texts,
    each: Each<'_>,
) -> Result<(), serde_json::Error> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    Manifest { texts, each }.deserialize(&mut json)?;
    json.end()
}

struct Manifest<'a> {
    texts: &'a mut Texts,
    each: Each<'a>,
}

impl<'de> DeserializeSeed<'de> for Manifest<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

/// Something said of an entry.
#[derive(Deserialize)]
pub(super) struct Tag<'a> {
    #[serde(borrow, rename = "Name")]
    name: Text<'a>,
    #[serde(borrow, rename = "Value", default)]
    value: Option<Text<'a>>,
}

/// Borrowed where it holds no escapes.
#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

impl<'de> Visitor<'de> for Manifest<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of entries and their tags")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Text(path)) = map.next_key::<Text<'de>>()? {
            let tags = map.next_value::<Option<Vec<Tag<'de>>>>()?.unwrap_or_default();
            let tags = gather(&tags, self.texts);
            (self.each)(&path, tags, self.texts).map_err(A::Error::custom)?;
        }
        Ok(())
    }
}

/// What is said of an entry, by what it is about.
pub(super) fn gather(tags: &[Tag<'_>], texts: &mut Texts) -> Tags {
    let mut gathered = Tags::default();
    for tag in tags {
        let Some(Text(value)) = &tag.value else { continue };
        let field = match &*tag.name.0 {
            "cluster" => {
                gathered.cluster = texts.cluster(value);
                continue;
            }
            "artifact_type" => &mut gathered.kind,
            "server" => &mut gathered.server,
            "account" => &mut gathered.account,
            "stream" => &mut gathered.stream,
            "profile_name" => &mut gathered.profile_name,
            "special" => &mut gathered.special,
            // Releases to come may say more.
            _ => continue,
        };
        *field = texts.id(value);
    }
    gathered
}
