//! What a file that is no snapshot seems to be.

/// Beginnings that tell a file's kind.
const BEGINNINGS: &[(&[u8], &str)] = &[
    (b"PK\x03\x04", "a ZIP archive of which nothing can be read"),
    (b"\x1f\x8b", "gzip data of which nothing can be read"),
    (b"BZh", "bzip2 data; unpack it and name what is in it"),
    (b"\xfd7zXZ\0", "xz data; unpack it and name what is in it"),
    (
        b"\x28\xb5\x2f\xfd",
        "zstd data, but not of a snapshot; if one was unpacked and packed again, the original is \
         needed",
    ),
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
        return "a tar archive of which nothing can be read";
    }
    // The head may be cut inside a character.
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&head[..error.valid_up_to()]).unwrap_or("\0")
        }
        Err(_) => "\0",
    };
    let text = text.trim_start();
    // Lines of a server's log begin with its process id in brackets.
    let log =
        text.strip_prefix('[').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    match text.chars().next() {
        Some('{' | '[') if !log => {
            "JSON in which no reply of a NATS server or service is recognised"
        }
        Some(_) if !text.contains('\0') => {
            "plain text, perhaps a log; name files that `hindsight collect` wrote (*.ndjson.zst)"
        }
        _ => "of a kind that is not known here",
    }
}
