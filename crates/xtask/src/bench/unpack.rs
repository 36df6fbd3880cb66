//! The floor: unpacks all frames of a recording into a buffer, and does nothing with them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Unpacks every file of a folder. Tells the bytes there were in them.
pub(super) fn run(folder: &Path, threads: usize) -> Result<u64, Failure> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    files.sort();
    let next = AtomicUsize::new(0);
    let work = || -> Result<u64, Failure> {
        let (mut unpacker, mut text, mut sum) = (zstd::bulk::Decompressor::new()?, Vec::new(), 0);
        while let Some(path) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
            sum += unpack(&fs::read(path)?, &mut unpacker, &mut text)?;
        }
        Ok(sum)
    };
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mut sum = work()?;
        for other in others {
            sum += other.join().map_err(|_| "a thread failed")??;
        }
        Ok(sum)
    })
}

fn unpack(
    mut bytes: &[u8],
    unpacker: &mut zstd::bulk::Decompressor<'_>,
    text: &mut Vec<u8>,
) -> Result<u64, Failure> {
    let mut sum = 0;
    while !bytes.is_empty() {
        let stored = zstd::zstd_safe::find_frame_compressed_size(bytes).map_err(zstd_error)?;
        let (frame, rest) = bytes.split_at_checked(stored).ok_or("a frame is cut")?;
        let length = zstd::zstd_safe::get_frame_content_size(frame).ok().flatten().unwrap_or(0);
        text.clear();
        text.reserve(usize::try_from(length)?);
        sum += unpacker.decompress_to_buffer(frame, text)? as u64;
        bytes = rest;
    }
    Ok(sum)
}

fn zstd_error(code: usize) -> String {
    zstd::zstd_safe::get_error_name(code).to_owned()
}
