//! One entry of a container.

use std::ops::Range;

use crate::problem::Problem;

/// A file in a container, as it was listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Bytes it unpacks to. Not one more is ever given; where there are fewer, reading it fails.
    pub length: u64,
    /// Bytes it takes in the container.
    pub stored: u64,
    /// CRC-32 of what it unpacks to. A tar archive has none.
    pub crc: Option<u32>,
    /// Whether its name is no UTF-8: what could not be read of it is replaced by `U+FFFD`.
    pub lossy_name: bool,
    /// Why it cannot be read, where that is known already.
    pub refused: Option<Refusal>,
    /// Where the name is among the names of the container.
    pub(super) name: Range<usize>,
    /// Where it is in the container.
    pub(super) place: Place,
    /// Whether it has to be inflated.
    pub(super) deflated: bool,
}

/// Where an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Behind a local header of a ZIP archive, at this offset.
    Local(u64),
    /// Right at this offset.
    Data(u64),
}

impl Place {
    pub(super) fn offset(self) -> u64 {
        match self {
            Self::Local(offset) | Self::Data(offset) => offset,
        }
    }
}

/// Why an entry is listed but cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It is encrypted.
    Encrypted,
    /// It is compressed with a method that is not known here.
    Method(u16),
    /// It shares bytes with an entry before it, or with the directory.
    Overlaps,
    /// It declares more than it can unpack to.
    Impossible,
    /// It is longer than limit `max_entry_length`, which is this.
    TooLong(u64),
    /// Together with those before it, it unpacks to more than `min_unpacked` and `max_ratio` allow,
    /// which is this.
    Budget(u64),
    /// It is a link, a device or a sparse file.
    NotAFile,
    /// The archive ends before it does.
    Cut,
    /// Its bytes are not what was written.
    Damaged,
}

impl Refusal {
    /// A stable name for reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Encrypted => "entry_encrypted",
            Self::Method(_) => "entry_method_unknown",
            Self::Overlaps => "entry_overlaps",
            Self::Impossible => "entry_sizes_lie",
            Self::TooLong(_) | Self::Budget(_) => "limit",
            Self::NotAFile => "entry_not_a_file",
            Self::Cut => "entry_cut",
            Self::Damaged => "entry_damaged",
        }
    }

    /// Says it of an entry.
    pub(super) fn problem(self) -> Problem {
        let text = match self {
            Self::Encrypted => "is encrypted; ask for an archive without a password".to_owned(),
            Self::Method(method) => {
                format!("is compressed with method {method}; only stored and deflated are read")
            }
            Self::Overlaps => "shares bytes with another part of the archive".to_owned(),
            Self::Impossible => "declares more bytes than it can unpack to".to_owned(),
            Self::TooLong(limit) => {
                format!("declares more bytes than limit `max_entry_length`, {limit}")
            }
            Self::Budget(limit) => format!(
                "the archive unpacks to more than limits `min_unpacked` and `max_ratio` allow, \
                 {limit} bytes"
            ),
            Self::NotAFile => {
                "is a link, a device or a sparse file; only files are read".to_owned()
            }
            Self::Cut => "the archive ends before this entry does".to_owned(),
            Self::Damaged => "is damaged; its bytes are not what was written".to_owned(),
        };
        Problem::new(self.as_str(), text)
    }
}
