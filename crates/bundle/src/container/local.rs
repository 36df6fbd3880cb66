//! The local header that stands before every entry of a ZIP archive.

/// Bytes of a local header without name and extra fields.
pub(super) const FIXED: usize = 30;

/// What a local header begins with.
pub(super) const MAGIC: &[u8; 4] = b"PK\x03\x04";

/// The extra field with sizes of 64 bits.
const ZIP64: u16 = 1;

/// A local header.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Local<'a> {
    pub(super) name: &'a [u8],
    pub(super) method: u16,
    pub(super) crc: u32,
    pub(super) stored: u64,
    pub(super) length: u64,
    /// Bytes of the whole header.
    pub(super) header: usize,
    flags: u16,
}

impl<'a> Local<'a> {
    /// Reads a header, or says how many bytes it takes to read it, or that there is none.
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, Missing> {
        if bytes.len() < FIXED {
            return Err(Missing::Bytes(FIXED));
        }
        if !bytes.starts_with(MAGIC) {
            return Err(Missing::Header);
        }
        let name_end = FIXED + usize::from(u16_at(bytes, 26));
        let header = name_end + usize::from(u16_at(bytes, 28));
        let (Some(name), Some(extra)) = (bytes.get(FIXED..name_end), bytes.get(name_end..header))
        else {
            return Err(Missing::Bytes(header));
        };
        let (stored, length) = sizes(u32_at(bytes, 18), u32_at(bytes, 22), extra);
        let (flags, method, crc) = (u16_at(bytes, 6), u16_at(bytes, 8), u32_at(bytes, 14));
        Ok(Self { name, method, crc, stored, length, header, flags })
    }

    pub(super) fn is_encrypted(&self) -> bool {
        self.flags & 1 != 0
    }

    /// Whether the sizes stand behind the entry.
    pub(super) fn has_descriptor(&self) -> bool {
        self.flags & 8 != 0
    }
}

/// Why there is no header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// There are fewer bytes than the header has, which is at least this many.
    Bytes(usize),
    /// Something else stands there.
    Header,
}

/// The sizes of 32 bits, or those of 64 bits where the first are out of range.
fn sizes(stored: u32, length: u32, extra: &[u8]) -> (u64, u64) {
    let mut wide = find(extra, ZIP64).unwrap_or(&[]);
    let mut next = |narrow: u32| match wide.split_first_chunk::<8>() {
        Some((bytes, rest)) if narrow == u32::MAX => {
            wide = rest;
            u64::from_le_bytes(*bytes)
        }
        _ => u64::from(narrow),
    };
    let length = next(length);
    (next(stored), length)
}

/// An extra field by its number.
fn find(mut extra: &[u8], wanted: u16) -> Option<&[u8]> {
    while extra.len() >= 4 {
        let end = 4 + usize::from(u16_at(extra, 2));
        let field = extra.get(4..end)?;
        if u16_at(extra, 0) == wanted {
            return Some(field);
        }
        extra = &extra[end..];
    }
    None
}

/// 16 bits at an offset, 0 where there are none.
pub(super) fn u16_at(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |two| u16::from_le_bytes(*two))
}

/// 32 bits at an offset, 0 where there are none.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |four| u32::from_le_bytes(*four))
}

/// 64 bits at an offset, 0 where there are none.
pub(super) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |all| u64::from_le_bytes(*all))
}
