//! What pax extensions say of an entry of a tar archive.

/// The records that matter here.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Records<'a> {
    pub(super) path: Option<&'a [u8]>,
    pub(super) size: Option<u64>,
    /// Whether the entry is stored with holes.
    pub(super) sparse: bool,
}

/// Reads records of the form `<length> <key>=<value>\n`; `None` where one is not of that form.
pub(super) fn parse(mut bytes: &[u8]) -> Option<Records<'_>> {
    let mut records = Records::default();
    while !bytes.is_empty() && bytes[0] != 0 {
        let space = bytes.iter().take(20).position(|byte| *byte == b' ')?;
        let length: usize = std::str::from_utf8(&bytes[..space]).ok()?.parse().ok()?;
        let record = bytes.get(space + 1..length)?.strip_suffix(b"\n")?;
        let equals = record.iter().position(|byte| *byte == b'=')?;
        let (key, value) = (&record[..equals], &record[equals + 1..]);
        match key {
            b"path" => records.path = Some(value),
            b"size" => records.size = Some(std::str::from_utf8(value).ok()?.parse().ok()?),
            _ => records.sparse |= key.starts_with(b"GNU.sparse."),
        }
        bytes = &bytes[length..];
    }
    Some(records)
}
