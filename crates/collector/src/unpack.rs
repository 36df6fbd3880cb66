//! Compressed answers.

use std::io::Read;

use bytes::Bytes;
use flate2::read::MultiGzDecoder;

/// An answer may have this many bytes unpacked: what server and client allow for one message.
pub(crate) const MOST: u64 = 64 << 20;

/// Why an answer could not be unpacked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UnpackError {
    /// It has more than [`MOST`] bytes.
    TooLarge,
    /// It is not what it says it is.
    Malformed,
}

/// The bytes of an answer as they were before compression.
pub(crate) fn unpack(payload: Bytes, gzip: bool) -> Result<Bytes, UnpackError> {
    if !gzip {
        return if payload.len() as u64 > MOST { Err(UnpackError::TooLarge) } else { Ok(payload) };
    }
    let mut out = Vec::with_capacity(payload.len().saturating_mul(4).min(1 << 20));
    let mut reader = MultiGzDecoder::new(payload.as_ref()).take(MOST + 1);
    reader.read_to_end(&mut out).map_err(|_| UnpackError::Malformed)?;
    if out.len() as u64 > MOST { Err(UnpackError::TooLarge) } else { Ok(out.into()) }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn packed(bytes: &[u8]) -> Bytes {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        let written = encoder.write_all(bytes).and_then(|()| encoder.finish());
        written.map(Bytes::from).unwrap_or_default()
    }

    #[test]
    fn plain_and_packed_answers_are_the_same() {
        assert_eq!(unpack(packed(b"{}"), true), Ok(Bytes::from_static(b"{}")));
        assert_eq!(unpack(Bytes::from_static(b"{}"), false), Ok(Bytes::from_static(b"{}")));
    }

    #[test]
    fn a_bomb_is_refused() {
        let zeros = vec![0; usize::try_from(MOST).unwrap_or(0) + 1];
        assert_eq!(unpack(packed(&zeros), true), Err(UnpackError::TooLarge));
    }

    #[test]
    fn damage_is_named() {
        assert_eq!(unpack(Bytes::from_static(b"\x1f\x8b\x08"), true), Err(UnpackError::Malformed));
    }
}
