//! Floors: parts of the work by themselves. Nothing that does all of it can be faster.

use std::collections::HashSet;
use std::fs;
use std::hash::BuildHasher as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use clap::ValueEnum;
use foldhash::fast::FixedState;
use nats_hindsight_model::decode::{Memo, load};
use nats_hindsight_model::intake::{Intake, Source, open};
use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_snapshot::format::{Body, Limits, Line, Scratch, preamble, read_frame};
use nats_hindsight_snapshot::wire::{Envelope, ServiceReply, Statsz, Varz};
use serde::de::IgnoredAny;

use super::ENDPOINTS;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A sum, so that nothing can be left out unnoticed.
type Sum = Result<u64, Failure>;

/// Epochs after which what was not met again is forgotten, as when a recording is judged.
const STRETCH: usize = 4;

/// Which part of the work is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Floor {
    /// Unpack all frames, and do nothing with them
    Unpack,
    /// Unpack, cut lines, and let the JSON parser pass over the bodies that changed
    PassOver,
    /// The same, but into the structs in which decoding reads them
    Parse,
    /// Everything but joining and judging
    Decode,
}

impl Floor {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Unpack => "unpack",
            Self::PassOver => "pass-over",
            Self::Parse => "parse",
            Self::Decode => "decode",
        }
    }

    /// Does it to every file of a folder.
    pub(super) fn run(self, folder: &Path, threads: usize) -> Sum {
        match self {
            Self::Unpack => frames(folder, threads, &|frame, memory| unpack(frame, memory)),
            Self::PassOver => {
                changed(folder, threads, &|body, _| body.parse::<IgnoredAny>().map(drop))
            }
            Self::Parse => changed(folder, threads, &|body, endpoint| match endpoint {
                e if *e == Endpoint::VARZ => body.parse::<Envelope<'_, Varz<'_>>>().map(drop),
                e if *e == Endpoint::STATSZ => body.parse::<Envelope<'_, Statsz<'_>>>().map(drop),
                _ => body.parse::<ServiceReply<'_>>().map(drop),
            }),
            Self::Decode => decode(folder, threads),
        }
    }
}

/// Memory that is used again for the next frame.
struct Memory {
    unpacker: zstd::bulk::Decompressor<'static>,
    text: Vec<u8>,
    scratch: Scratch,
    limits: Limits,
}

/// Hands every frame of a folder to `work`, in several threads.
fn frames(folder: &Path, threads: usize, work: &(dyn Fn(&[u8], &mut Memory) -> Sum + Sync)) -> Sum {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    files.sort();
    let memory = || -> Result<Memory, Failure> {
        let (text, scratch, limits) = (Vec::new(), Scratch::default(), Limits::default());
        Ok(Memory { unpacker: zstd::bulk::Decompressor::new()?, text, scratch, limits })
    };
    each(files.len(), threads, &memory, &|memory, at| {
        let (bytes, mut sum) = (fs::read(&files[at])?, 0);
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let stored = zstd::zstd_safe::find_frame_compressed_size(rest).map_err(zstd_error)?;
            let (frame, behind) = rest.split_at_checked(stored).ok_or("a frame is cut")?;
            sum += work(frame, memory)?;
            rest = behind;
        }
        Ok(sum)
    })
}

/// Does something as often as told, in several threads that take turns.
fn each<M>(
    count: usize,
    threads: usize,
    memory: &(dyn Fn() -> Result<M, Failure> + Sync),
    work: &(dyn Fn(&mut M, usize) -> Sum + Sync),
) -> Sum {
    let next = AtomicUsize::new(0);
    let turns = || -> Sum {
        let (mut memory, mut sum) = (memory()?, 0);
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if at >= count {
                return Ok(sum);
            }
            sum += work(&mut memory, at)?;
        }
    };
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(turns)).collect();
        let mut sum = turns()?;
        for other in others {
            sum += other.join().map_err(|_| "a thread failed")??;
        }
        Ok(sum)
    })
}

fn unpack(frame: &[u8], memory: &mut Memory) -> Sum {
    let length = zstd::zstd_safe::get_frame_content_size(frame).ok().flatten().unwrap_or(0);
    memory.text.clear();
    memory.text.reserve(usize::try_from(length)?);
    Ok(memory.unpacker.decompress_to_buffer(frame, &mut memory.text)? as u64)
}

/// Hands over bodies that are not known yet, and tells how many bytes those are. Bodies are known by
/// their hash alone: this is a floor, not a reader.
fn changed(
    folder: &Path,
    threads: usize,
    read: &(dyn Fn(&Body<'_>, &Endpoint) -> serde_json::Result<()> + Sync),
) -> Sum {
    let known: Mutex<HashSet<u64, FixedState>> = Mutex::default();
    frames(folder, threads, &|frame, memory| {
        if frame.starts_with(&preamble::MAGIC) {
            return Ok(0);
        }
        let mut sum = 0;
        for line in read_frame(frame, &memory.limits, &mut memory.scratch)?.lines() {
            let Line::Reply(reply) = line else { continue };
            let Some(body) = reply.body else { continue };
            let hash = FixedState::default().hash_one(body.bytes());
            if known.lock().unwrap_or_else(PoisonError::into_inner).insert(hash) {
                read(&body, &reply.endpoint)?;
                sum += body.bytes().len() as u64;
            }
        }
        Ok(sum)
    })
}

fn decode(folder: &Path, threads: usize) -> Sum {
    let Intake { epochs, .. } =
        open(&[Source::Path(folder.to_owned())], &Limits::default(), &|_, _| {})?;
    let memo = Memo::default();
    each(epochs.len(), threads, &|| Ok(()), &|(), at| {
        if at % STRETCH == 0 {
            memo.next_stretch();
        }
        let (epoch, _) = load(&epochs[at], &|endpoint| ENDPOINTS.contains(endpoint), &memo);
        let rows = epoch.sightings.len() + epoch.services.len();
        memo.take_back(epoch);
        Ok(rows as u64)
    })
}

fn zstd_error(code: usize) -> String {
    zstd::zstd_safe::get_error_name(code).to_owned()
}
