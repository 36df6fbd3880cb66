//! Writes archives no honest tool would write.

use std::io::Write;

use flate2::Compression;
use flate2::write::DeflateEncoder;

/// One entry of a ZIP archive, every field of it to be set.
#[derive(Clone)]
pub(crate) struct Forged {
    pub(crate) name: Vec<u8>,
    pub(crate) data: Vec<u8>,
    pub(crate) crc: u32,
    pub(crate) length: u64,
    pub(crate) stored: u64,
    pub(crate) method: u16,
    pub(crate) flags: u16,
    /// What stands in the upper half of the external attributes.
    pub(crate) mode: u32,
    /// Where the directory says it is, if not where it is.
    pub(crate) offset: Option<u64>,
    /// The name in the directory, if it is another.
    pub(crate) listed: Option<Vec<u8>>,
    /// Sizes of 64 bits.
    pub(crate) wide: bool,
    /// Whether a data descriptor has a signature.
    pub(crate) signed: bool,
}

/// An honest entry, stored.
pub(crate) fn stored(name: &str, content: &[u8]) -> Forged {
    Forged {
        name: name.as_bytes().to_vec(),
        data: content.to_vec(),
        crc: crc32fast::hash(content),
        length: content.len() as u64,
        stored: content.len() as u64,
        method: 0,
        flags: 0,
        mode: 0o100_644,
        offset: None,
        listed: None,
        wide: false,
        signed: true,
    }
}

/// An honest entry, deflated.
pub(crate) fn deflated(name: &str, content: &[u8]) -> Forged {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(content).unwrap();
    let data = encoder.finish().unwrap();
    Forged { stored: data.len() as u64, data, method: 8, ..stored(name, content) }
}

impl Forged {
    /// With sizes and checksum behind the data, as Go writes them.
    pub(crate) fn streamed(self) -> Self {
        Self { flags: self.flags | 8, ..self }
    }
}

fn wide(entry: &Forged, value: u64) -> u32 {
    if entry.wide { u32::MAX } else { u32::try_from(value).unwrap_or(u32::MAX) }
}

/// The entries with their local headers, and where each is.
pub(crate) fn bodies(entries: &[Forged]) -> (Vec<u8>, Vec<u64>) {
    let (mut out, mut offsets) = (Vec::new(), Vec::new());
    for entry in entries {
        offsets.push(out.len() as u64);
        let streamed = entry.flags & 8 != 0;
        out.extend(b"PK\x03\x04\x2d\x00");
        out.extend(entry.flags.to_le_bytes());
        out.extend(entry.method.to_le_bytes());
        out.extend([0; 4]);
        let told = |value: u32| if streamed { 0 } else { value };
        out.extend(told(entry.crc).to_le_bytes());
        out.extend(told(wide(entry, entry.stored)).to_le_bytes());
        out.extend(told(wide(entry, entry.length)).to_le_bytes());
        out.extend(u16::try_from(entry.name.len()).unwrap().to_le_bytes());
        let extra = if entry.wide && !streamed { sizes(entry, None) } else { Vec::new() };
        out.extend(u16::try_from(extra.len()).unwrap().to_le_bytes());
        out.extend(&entry.name);
        out.extend(extra);
        out.extend(&entry.data);
        if streamed {
            out.extend(if entry.signed { &b"PK\x07\x08"[..] } else { &[] });
            out.extend(entry.crc.to_le_bytes());
            for size in [entry.stored, entry.length] {
                let bytes = size.to_le_bytes();
                out.extend(if entry.wide { &bytes[..] } else { &bytes[..4] });
            }
        }
    }
    (out, offsets)
}

/// The extra field with sizes of 64 bits.
fn sizes(entry: &Forged, offset: Option<u64>) -> Vec<u8> {
    let mut field: Vec<u8> =
        [entry.length, entry.stored].into_iter().chain(offset).flat_map(u64::to_le_bytes).collect();
    let length = u16::try_from(field.len()).unwrap();
    field.splice(0..0, [1, 0].into_iter().chain(length.to_le_bytes()));
    field
}

/// A whole archive.
pub(crate) fn zip(entries: &[Forged]) -> Vec<u8> {
    let (mut out, offsets) = bodies(entries);
    let start = out.len() as u64;
    for (entry, offset) in entries.iter().zip(offsets) {
        let name = entry.listed.as_ref().unwrap_or(&entry.name);
        let offset = entry.offset.unwrap_or(offset);
        let extra = if entry.wide { sizes(entry, Some(offset)) } else { Vec::new() };
        // Made by Unix, so that the mode counts.
        out.extend(b"PK\x01\x02\x2d\x03\x2d\x00");
        out.extend(entry.flags.to_le_bytes());
        out.extend(entry.method.to_le_bytes());
        out.extend([0; 4]);
        out.extend(entry.crc.to_le_bytes());
        out.extend(wide(entry, entry.stored).to_le_bytes());
        out.extend(wide(entry, entry.length).to_le_bytes());
        out.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
        out.extend(u16::try_from(extra.len()).unwrap().to_le_bytes());
        out.extend([0; 6]);
        out.extend((entry.mode << 16).to_le_bytes());
        out.extend(wide(entry, offset).to_le_bytes());
        out.extend(name);
        out.extend(extra);
    }
    finish(&mut out, start, entries.len());
    out
}

fn finish(out: &mut Vec<u8>, start: u64, count: usize) {
    let size = out.len() as u64 - start;
    if count > 0xFFFF {
        let end = out.len() as u64;
        out.extend(b"PK\x06\x06");
        out.extend(44_u64.to_le_bytes());
        out.extend([0x2d, 3, 0x2d, 0]);
        out.extend([0; 8]);
        for value in [count as u64, count as u64, size, start] {
            out.extend(value.to_le_bytes());
        }
        out.extend(b"PK\x06\x07\0\0\0\0");
        out.extend(end.to_le_bytes());
        out.extend(1_u32.to_le_bytes());
    }
    out.extend(b"PK\x05\x06\0\0\0\0");
    for _ in 0..2 {
        out.extend(u16::try_from(count).unwrap_or(u16::MAX).to_le_bytes());
    }
    out.extend(u32::try_from(size).unwrap().to_le_bytes());
    out.extend(u32::try_from(start).unwrap().to_le_bytes());
    out.extend([0; 2]);
}

/// One entry of a tar archive, of any type.
pub(crate) fn tar_entry(name: &[u8], kind: u8, content: &[u8]) -> Vec<u8> {
    let mut header = vec![0; 512];
    header[..name.len().min(100)].copy_from_slice(&name[..name.len().min(100)]);
    header[100..108].copy_from_slice(b"0000644\0");
    header[124..136].copy_from_slice(format!("{:011o}\0", content.len()).as_bytes());
    header[156] = kind;
    header[257..265].copy_from_slice(b"ustar\x0000");
    seal(&mut header);
    header.extend(content);
    header.resize(header.len().next_multiple_of(512), 0);
    header
}

/// Sets the checksum of a header.
pub(crate) fn seal(header: &mut [u8]) {
    header[148..156].copy_from_slice(b"        ");
    let sum: u64 = header[..512].iter().map(|byte| u64::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}

/// Records of a pax extension.
pub(crate) fn pax(records: &[(&str, &str)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (key, value) in records {
        let rest = key.len() + value.len() + 3;
        let length = (1..8).map(|digits| rest + digits).find(|n| n.to_string().len() + rest == *n);
        out.extend(format!("{} {key}={value}\n", length.unwrap()).into_bytes());
    }
    out
}
