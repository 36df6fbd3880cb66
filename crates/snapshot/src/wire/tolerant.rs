//! Reading one field at a time, so that a value of a type nobody expects costs its field and not
//! the row around it.
//!
//! Such a value reads as missing: a future server may turn a number into text, and the rest of the
//! reply is still worth reading. Numbers are never read through a float, because sequences and
//! unlimited reservations reach 2^64-1.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// What a JSON value can mean to a field. Everything it does not take is nothing to it.
pub(super) trait Field<'de>: Sized {
    fn text(_: Cow<'de, str>) -> Option<Self> {
        None
    }
    fn unsigned(_: u64) -> Option<Self> {
        None
    }
    fn signed(_: i64) -> Option<Self> {
        None
    }
    fn float(_: f64) -> Option<Self> {
        None
    }
    fn flag(_: bool) -> Option<Self> {
        None
    }
    fn list<A: SeqAccess<'de>>(mut list: A) -> Result<Option<Self>, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }
    fn object<A: MapAccess<'de>>(mut object: A) -> Result<Option<Self>, A::Error> {
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}

impl<'de: 'a, 'a> Field<'de> for Cow<'a, str> {
    fn text(text: Cow<'de, str>) -> Option<Self> {
        Some(text)
    }
}

impl Field<'_> for u64 {
    fn unsigned(number: u64) -> Option<Self> {
        Some(number)
    }
}

impl Field<'_> for i64 {
    fn unsigned(number: u64) -> Option<Self> {
        Self::try_from(number).ok()
    }
    fn signed(number: i64) -> Option<Self> {
        Some(number)
    }
}

impl Field<'_> for f64 {
    fn unsigned(number: u64) -> Option<Self> {
        Some(number as Self)
    }
    fn signed(number: i64) -> Option<Self> {
        Some(number as Self)
    }
    fn float(number: f64) -> Option<Self> {
        Some(number)
    }
}

impl Field<'_> for bool {
    fn flag(flag: bool) -> Option<Self> {
        Some(flag)
    }
}

/// A struct read from an object.
pub(super) struct Block<T>(pub(super) T);

impl<'de, T: Deserialize<'de>> Field<'de> for Block<T> {
    fn object<A: MapAccess<'de>>(object: A) -> Result<Option<Self>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(object)).map(|block| Some(Self(block)))
    }
}

/// A list of anything.
struct List<T>(Vec<Option<T>>);

impl<'de, T: Field<'de>> Field<'de> for List<T> {
    fn list<A: SeqAccess<'de>>(mut list: A) -> Result<Option<Self>, A::Error> {
        let mut rows = Vec::new();
        while let Some(Read(row)) = list.next_element()? {
            rows.push(row);
        }
        Ok(Some(Self(rows)))
    }
}

/// An object whose keys are names.
struct Named<T>(BTreeMap<String, Option<T>>);

impl<'de, T: Field<'de>> Field<'de> for Named<T> {
    fn object<A: MapAccess<'de>>(mut object: A) -> Result<Option<Self>, A::Error> {
        let mut named = BTreeMap::new();
        while let Some((name, Read(value))) = object.next_entry()? {
            named.insert(name, value);
        }
        Ok(Some(Self(named)))
    }
}

/// A list of which nothing is read where it has more rows than that.
struct Few<T, const MOST: usize>(Vec<Option<T>>);

impl<'de, T: Field<'de>, const MOST: usize> Field<'de> for Few<T, MOST> {
    fn list<A: SeqAccess<'de>>(mut list: A) -> Result<Option<Self>, A::Error> {
        let mut rows = Vec::new();
        while rows.len() < MOST {
            let Some(Read(row)) = list.next_element()? else { return Ok(Some(Self(rows))) };
            rows.push(row);
        }
        let mut more = false;
        while list.next_element::<IgnoredAny>()?.is_some() {
            more = true;
        }
        Ok(Some(Self(rows)).filter(|_| !more))
    }
}

/// Any JSON value, as what it means to a field.
pub(super) struct Read<T>(pub(super) Option<T>);

impl<'de, T: Field<'de>> Deserialize<'de> for Read<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Anything(PhantomData)).map(Self)
    }
}

struct Anything<T>(PhantomData<T>);

impl<'de, T: Field<'de>> Visitor<'de> for Anything<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }
    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
    fn visit_bool<E>(self, flag: bool) -> Result<Self::Value, E> {
        Ok(T::flag(flag))
    }
    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(T::unsigned(number))
    }
    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(T::signed(number))
    }
    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        Ok(T::float(number))
    }
    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(T::text(Cow::Borrowed(text)))
    }
    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(T::text(Cow::Owned(text.to_owned())))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
        T::list(list)
    }
    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<Self::Value, A::Error> {
        T::object(object)
    }
}

/// Takes a JSON value apart as it is read. Everything it does not take is passed over.
pub(super) trait Sink<'de>: Sized {
    fn list<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }
    fn object<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(())
    }
}

/// Hands a JSON value of any type to a sink.
pub(super) struct Taking<S>(pub(super) S);

impl<'de, S: Sink<'de>> DeserializeSeed<'de> for Taking<S> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, S: Sink<'de>> Visitor<'de> for Taking<S> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }
    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }
    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }
    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<(), A::Error> {
        self.0.list(list)
    }
    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<(), A::Error> {
        self.0.object(object)
    }
}

/// Reads text, a number or a flag.
pub(super) fn field<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Field<'de>,
{
    Ok(Read::deserialize(deserializer)?.0)
}

/// Reads an object as a struct.
pub(super) fn block<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Ok(field::<D, Block<T>>(deserializer)?.map(|block| block.0))
}

/// Reads a list of objects. A row that is none stays as an empty one, so that counts are right.
pub(super) fn rows<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(field(deserializer)?.map_or_else(Vec::new, unwrapped))
}

/// Reads a list of objects that has few; a longer one is nothing of what it should be, and reads
/// as missing.
pub(super) fn few_rows<'de, D, T, const MOST: usize>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    let few: Option<Few<Block<T>, MOST>> = field(deserializer)?;
    Ok(few.map_or_else(Vec::new, |few| unwrapped(List(few.0))))
}

/// Reads a list of texts; what is no text is left out.
pub(super) fn texts<'de: 'a, 'a, D>(deserializer: D) -> Result<Vec<Cow<'a, str>>, D::Error>
where
    D: Deserializer<'de>,
{
    let texts: Option<List<Cow<'a, str>>> = field(deserializer)?;
    Ok(texts.map_or_else(Vec::new, |texts| texts.0.into_iter().flatten().collect()))
}

/// Reads names with a text each; what is no text is left out.
pub(super) fn labels<'de, D>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error>
where
    D: Deserializer<'de>,
{
    let labels: Named<Cow<'de, str>> =
        field(deserializer)?.unwrap_or_else(|| Named(BTreeMap::new()));
    let texts = labels.0.into_iter().filter_map(|(name, text)| Some((name, text?.into_owned())));
    Ok(texts.collect())
}

/// Reads names with an object each. One that is none stays as an empty one.
pub(super) fn named<'de, D, T>(deserializer: D) -> Result<BTreeMap<String, T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    let named: Named<Block<T>> = field(deserializer)?.unwrap_or_else(|| Named(BTreeMap::new()));
    let blocks = named.0.into_iter();
    Ok(blocks.map(|(name, block)| (name, block.map_or_else(T::default, |block| block.0))).collect())
}

/// Reads names with a list of objects each.
pub(super) fn named_rows<'de, D, T>(deserializer: D) -> Result<BTreeMap<String, Vec<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    let named: Named<List<Block<T>>> =
        field(deserializer)?.unwrap_or_else(|| Named(BTreeMap::new()));
    let lists = named.0.into_iter();
    Ok(lists.map(|(name, list)| (name, list.map_or_else(Vec::new, unwrapped))).collect())
}

fn unwrapped<T: Default>(list: List<Block<T>>) -> Vec<T> {
    list.0.into_iter().map(|row| row.map_or_else(T::default, |block| block.0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default)]
    struct Row<'a> {
        #[serde(borrow, deserialize_with = "field")]
        text: Option<Cow<'a, str>>,
        #[serde(deserialize_with = "field")]
        count: Option<u64>,
        #[serde(deserialize_with = "field")]
        limit: Option<i64>,
        #[serde(deserialize_with = "field")]
        share: Option<f64>,
        #[serde(deserialize_with = "field")]
        flag: Option<bool>,
        #[serde(borrow, deserialize_with = "rows")]
        rows: Vec<Row<'a>>,
        #[serde(borrow, deserialize_with = "texts")]
        texts: Vec<Cow<'a, str>>,
        #[serde(deserialize_with = "labels")]
        labels: BTreeMap<String, String>,
        #[serde(borrow, deserialize_with = "named")]
        named: BTreeMap<String, Row<'a>>,
    }

    const FIELDS: [&str; 9] =
        ["text", "count", "limit", "share", "flag", "rows", "texts", "labels", "named"];

    fn read(json: &str) -> Row<'_> {
        serde_json::from_str(json).expect("the row is read")
    }

    #[test]
    fn values_of_every_other_type_cost_their_field_only() {
        for value in ["null", "true", "-1", "1.5", "\"x\"", "[[1],{}]", "{\"a\":{\"b\":[]}}"] {
            for name in FIELDS {
                let json = format!(r#"{{"{name}":{value},"later":{{"x":1}}}}"#);
                let row = read(&json);
                let alone = Row { text: row.text.clone(), ..Row::default() };
                assert!(name != "text" || row == alone, "{json}: {row:?}");
                let kept = if name == "text" { "count" } else { "text" };
                let sound = if kept == "count" { "7" } else { "\"kept\"" };
                let beside = format!(r#"{{"{name}":{value},"{kept}":{sound}}}"#);
                let row = read(&beside);
                let found = row.count == Some(7) || row.text.as_deref() == Some("kept");
                assert!(found, "{beside}: {row:?}");
            }
        }
    }

    #[test]
    fn numbers_keep_every_bit() {
        let most = read(r#"{"count":18446744073709551615,"limit":-9223372036854775808}"#);
        assert_eq!((most.count, most.limit), (Some(u64::MAX), Some(i64::MIN)));
        let beyond = read(r#"{"count":18446744073709551616,"limit":18446744073709551615}"#);
        assert_eq!((beyond.count, beyond.limit), (None, None));
        assert_eq!(read(r#"{"count":-1,"limit":-1,"share":2}"#).limit, Some(-1));
        assert_eq!(read(r#"{"share":2}"#).share, Some(2.0));
    }

    #[test]
    fn rows_that_are_none_are_still_counted() {
        let row = read(r#"{"rows":[{"count":1},null,"x",[1]],"texts":["a",1,null,"\u003e"]}"#);
        let counts: Vec<Option<u64>> = row.rows.iter().map(|row| row.count).collect();
        assert_eq!(counts, [Some(1), None, None, None]);
        assert_eq!(row.texts, ["a", ">"]);
        let row = read(r#"{"named":{"a":{"count":1},"b":3},"labels":{"a":"1","b":2,"c":null}}"#);
        assert_eq!(row.named.keys().collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!((row.named["a"].count, row.named["b"].count), (Some(1), None));
        assert_eq!(row.labels, BTreeMap::from([("a".to_owned(), "1".to_owned())]));
    }

    #[test]
    fn text_without_escapes_is_borrowed() {
        assert!(matches!(read(r#"{"text":"plain"}"#).text, Some(Cow::Borrowed("plain"))));
        assert!(matches!(read(r#"{"text":"\u003e"}"#).text, Some(Cow::Owned(_))));
    }

    #[test]
    fn depth_beyond_reason_is_an_error_and_no_crash() {
        let deep = format!("{{\"rows\":{}", "[".repeat(100_000));
        assert!(serde_json::from_str::<Row<'_>>(&deep).is_err());
    }
}
