//! How much is opened side by side: what an archive is made of is found out by its manifest, which
//! is held as a whole meanwhile.

use std::sync::{Condvar, Mutex, PoisonError};

/// Bytes of archives, as they are stored, that are opened at the same time. A larger one is opened
/// alone.
const MOST: u64 = 64 << 20;

/// Room for archives that are being opened.
#[derive(Debug, Default)]
pub(super) struct Room {
    taken: Mutex<u64>,
    freed: Condvar,
}

/// A part of the room.
struct Part<'a> {
    room: &'a Room,
    bytes: u64,
}

impl Room {
    /// Whether no two archives of this size are opened at the same time.
    pub(super) fn fits_one(bytes: u64) -> bool {
        bytes > MOST / 2
    }

    /// Does some work on an archive as soon as there is room for it.
    pub(super) fn with<T>(&self, bytes: u64, work: impl FnOnce() -> T) -> T {
        let _part = self.take(bytes);
        work()
    }

    fn take(&self, bytes: u64) -> Part<'_> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        while *taken > 0 && taken.saturating_add(bytes) > MOST {
            taken = self.freed.wait(taken).unwrap_or_else(PoisonError::into_inner);
        }
        *taken = taken.saturating_add(bytes);
        Part { room: self, bytes }
    }
}

impl Drop for Part<'_> {
    fn drop(&mut self) {
        let mut taken = self.room.taken.lock().unwrap_or_else(PoisonError::into_inner);
        *taken = taken.saturating_sub(self.bytes);
        drop(taken);
        self.room.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::thread;

    use super::{MOST, Room};

    #[test]
    fn what_is_opened_side_by_side_is_bounded() {
        let (room, open, most) = (Room::default(), AtomicU64::new(0), AtomicU64::new(0));
        let sizes = [MOST / 4, MOST * 3, MOST / 2, MOST, 0, MOST / 3, MOST * 2, MOST / 4];
        thread::scope(|scope| {
            for bytes in sizes {
                let (room, open, most) = (&room, &open, &most);
                scope.spawn(move || {
                    room.with(bytes, || {
                        let now = open.fetch_add(bytes.min(MOST), Ordering::SeqCst);
                        most.fetch_max(now + bytes.min(MOST), Ordering::SeqCst);
                        thread::yield_now();
                        open.fetch_sub(bytes.min(MOST), Ordering::SeqCst);
                    });
                });
            }
        });
        assert!(most.into_inner() <= MOST);
    }
}
