//! Free ports on loopback.
//!
//! The system's own ephemeral ports are no good here: a server that is down for a while would lose
//! its port to any outgoing connection of the machine. So ports come from below that range, in
//! blocks that each test process locks for itself.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Mutex, PoisonError};

use crate::error::{KitError, Result, io, io_at};
use crate::workspace::cache;

const FIRST: u16 = 11_000;
const BLOCK: u16 = 100;
const BLOCKS: u16 = 200;

struct Block {
    next: u16,
    end: u16,
    /// Held as long as this process lives.
    _lock: File,
}

static CURRENT: Mutex<Option<Block>> = Mutex::new(None);

/// A port on which nobody listens now, and which no other process of this kit will take.
pub fn free_port() -> Result<u16> {
    let listener = free_listener()?;
    Ok(listener.local_addr().map_err(io("asking for a free port"))?.port())
}

/// A listener on such a port. Who listens at once must not ask for the port and then bind it: a
/// child that another thread starts in between holds the first listener until it runs.
pub(crate) fn free_listener() -> Result<TcpListener> {
    let mut current = CURRENT.lock().unwrap_or_else(PoisonError::into_inner);
    for _ in 0..BLOCKS * BLOCK {
        let block = match current.take() {
            Some(block) if block.next < block.end => current.insert(block),
            used => {
                let fresh = claim_block()?;
                // A used block stays locked, because servers still live on its ports.
                std::mem::forget(used);
                current.insert(fresh)
            }
        };
        let port = block.next;
        block.next += 1;
        if let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            return Ok(listener);
        }
    }
    Err(KitError::Plan("there is no free port on loopback".to_owned()))
}

fn claim_block() -> Result<Block> {
    let folder = cache().join("ports");
    fs::create_dir_all(&folder).map_err(io_at("cannot create", &folder))?;
    // Checkouts do not see each other's locks, so each process begins somewhere else.
    let begin = u16::try_from(std::process::id() % u32::from(BLOCKS)).unwrap_or(0);
    for step in 0..BLOCKS {
        let number = (begin + step) % BLOCKS;
        let path = folder.join(number.to_string());
        let lock = File::create(&path).map_err(io_at("cannot create", &path))?;
        if lock.try_lock().is_ok() {
            let next = FIRST + number * BLOCK;
            return Ok(Block { next, end: next + BLOCK, _lock: lock });
        }
    }
    Err(KitError::Plan("all blocks of ports are taken by other test processes".to_owned()))
}
