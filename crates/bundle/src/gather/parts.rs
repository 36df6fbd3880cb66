//! The manifest piece by piece: it is most of what opening an archive would hold otherwise.

use serde::Deserialize;

use super::manifest::{Each, Tag, Text, gather};
use super::texts::Texts;

/// Takes the members of the one object that a manifest is, as far as they are there.
#[derive(Default)]
pub(super) struct Parts {
    /// Whether the object was opened.
    begun: bool,
    /// Whether a member was taken, so that a comma must stand before the next.
    some: bool,
    /// Whether it was closed.
    ended: bool,
}

/// What stands at some place.
enum At<T> {
    /// This, and where it ends.
    Here(T, usize),
    /// It does not end in this piece.
    Cut,
}

impl Parts {
    /// Hands out every member that is whole, and says how many bytes it is done with. Nothing where
    /// this is no manifest, or `each` does not want it.
    pub(super) fn take(
        &mut self,
        piece: &[u8],
        last: bool,
        texts: &mut Texts,
        each: Each<'_>,
    ) -> Option<usize> {
        let mut done = 0;
        loop {
            match self.next(piece, done, texts, each)? {
                At::Here((), end) => done = end,
                At::Cut if last && !self.ended => return None,
                At::Cut => return Some(if last { piece.len() } else { done }),
            }
        }
    }

    /// Takes one step: the beginning, a member, or the end.
    fn next(
        &mut self,
        piece: &[u8],
        at: usize,
        texts: &mut Texts,
        each: Each<'_>,
    ) -> Option<At<()>> {
        let at = blank(piece, at);
        match piece.get(at) {
            None => Some(At::Cut),
            Some(_) if self.ended => None,
            Some(b'{') if !self.begun => {
                self.begun = true;
                Some(At::Here((), at + 1))
            }
            Some(b'}') if self.begun => {
                self.ended = true;
                Some(At::Here((), at + 1))
            }
            Some(b',') if self.some => self.member(piece, blank(piece, at + 1), texts, each),
            Some(b'"') if self.begun && !self.some => self.member(piece, at, texts, each),
            Some(_) => None,
        }
    }

    /// Takes one member: the name of an entry, and what is said of it.
    fn member(
        &mut self,
        piece: &[u8],
        start: usize,
        texts: &mut Texts,
        each: Each<'_>,
    ) -> Option<At<()>> {
        let At::Here(Text(path), end) = value::<Text<'_>>(piece, start)? else {
            return Some(At::Cut);
        };
        let colon = blank(piece, end);
        match piece.get(colon) {
            Some(b':') => {}
            Some(_) => return None,
            None => return Some(At::Cut),
        }
        let tags = value::<Option<Vec<Tag<'_>>>>(piece, blank(piece, colon + 1))?;
        let At::Here(tags, end) = tags else { return Some(At::Cut) };
        let tags = gather(&tags.unwrap_or_default(), texts);
        each(&path, tags, texts).ok()?;
        self.some = true;
        Some(At::Here((), end))
    }
}

/// Where the next thing stands that is no space.
fn blank(piece: &[u8], from: usize) -> usize {
    let rest = piece.get(from..).unwrap_or(&[]);
    let blank = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\n' | b'\r' | b'\t'));
    from + blank.count()
}

/// Reads a value. One that ends with the piece may go on behind it.
fn value<'a, T: Deserialize<'a>>(piece: &'a [u8], from: usize) -> Option<At<T>> {
    let rest = piece.get(from..).unwrap_or(&[]);
    let mut values = serde_json::Deserializer::from_slice(rest).into_iter::<T>();
    match values.next() {
        None => Some(At::Cut),
        Some(Ok(value)) => Some(At::Here(value, from + values.byte_offset())),
        Some(Err(error)) if error.is_eof() => Some(At::Cut),
        Some(Err(_)) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::manifest;
    use super::super::texts::Texts;
    use super::Parts;

    /// What is handed out of a manifest in pieces of a length, if all of it can be.
    fn in_pieces(json: &[u8], length: usize) -> Option<Vec<String>> {
        let (mut parts, mut texts, mut all) = (Parts::default(), Texts::default(), Vec::new());
        let (mut from, mut to) = (0, 0);
        while to < json.len() || json.is_empty() {
            to = (to + length).min(json.len());
            let mut each = |path: &str, tags: manifest::Tags, _: &Texts| {
                all.push(format!("{path} {tags:?}"));
                Ok(())
            };
            from += parts.take(&json[from..to], to == json.len(), &mut texts, &mut each)?;
            if json.is_empty() {
                break;
            }
        }
        (from == json.len()).then_some(all)
    }

    fn at_once(json: &[u8]) -> Option<Vec<String>> {
        let (mut texts, mut all) = (Texts::default(), Vec::new());
        let mut each = |path: &str, tags: manifest::Tags, _: &Texts| {
            all.push(format!("{path} {tags:?}"));
            Ok(())
        };
        manifest::read(json, &mut texts, &mut each).ok().map(|()| all)
    }

    #[test]
    fn pieces_tell_what_the_whole_tells() {
        let one = r#""a/\"b\\":[{"Name":"server","Value":"s, ]}"},{"Name":"cluster"}]"#;
        let manifests = [
            "{}".to_owned(),
            format!("{{{one}}}"),
            format!(" {{ {one} ,\n\"c\" : null ,\"d\":[] }} \n"),
            format!("{{{one},}}"),
            format!("{{{one}}}x"),
            format!("{{{one}"),
            format!("{{{one}{one}}}"),
            format!("{{,{one}}}"),
            "{\"a\":1}".to_owned(),
            "{\"a\":nul}".to_owned(),
            "{\"a\" []}".to_owned(),
            "[]".to_owned(),
            String::new(),
            "{\"a\":[{\"Name\":\"server\",\"Value\":\"\u{e4}\"}]}".to_owned(),
        ];
        for json in manifests {
            let whole = at_once(json.as_bytes());
            for length in 1..=json.len() + 1 {
                assert_eq!(in_pieces(json.as_bytes(), length), whole, "{json} by {length}");
            }
        }
    }
}
