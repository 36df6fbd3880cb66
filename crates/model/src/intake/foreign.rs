//! What a file that is no snapshot seems to be.

/// Beginnings that tell a file's kind.
const BEGINNINGS: &[(&[u8], &str)] = &[
    (b"PK\x03\x04", "a ZIP archive; unpack it and name what is in it"),
    (b"\x1f\x8b", "gzip data; unpack it and name what is in it"),
    (b"BZh", "bzip2 data; unpack it and name what is in it"),
    (b"\xfd7zXZ\0", "xz data; unpack it and name what is in it"),
    (b"\x28\xb5\x2f\xfd", "zstd data, but not of a snapshot"),
    (b"PAR1", "a Parquet file"),
    (b"SQLite format 3\0", "an SQLite database"),
    (b"\x7fELF", "a program"),
    (b"%PDF", "a PDF document"),
    (b"{\"frame\":", "an unpacked snapshot; the packed original is needed, it carries checksums"),
];

/// Names a file by its first bytes.
pub(super) fn seems_to_be(head: &[u8]) -> &'static str {
    if let Some((_, name)) = BEGINNINGS.iter().find(|(magic, _)| head.starts_with(magic)) {
        return name;
    }
    if head.get(257..262) == Some(b"ustar") {
        return "a tar archive; unpack it and name what is in it";
    }
    // The head may be cut inside a character.
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&head[..error.valid_up_to()]).unwrap_or("\0")
        }
        Err(_) => "\0",
    };
    match text.trim_start().chars().next() {
        Some('{' | '[') => "plain JSON, not recorded by `hindsight collect`",
        Some(_) if !text.contains('\0') => "plain text, perhaps a log",
        _ => "of a kind that is not known here",
    }
}
