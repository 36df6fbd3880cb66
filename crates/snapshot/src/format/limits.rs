//! How much of anything a reader takes, all in one place.

use super::{MAX_FRAME_LENGTH, MAX_FRAME_LENGTH as MAX_FRAME_STORED};

/// Bounds of a reader. Every length found in a file is held against one of them before it is
/// believed; the message that says so names the field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one frame as it is stored.
    pub max_frame_stored: u64,
    /// Bytes of one frame unpacked.
    pub max_frame_length: u64,
    /// Bytes that the frames of one input may unpack to in any case.
    pub min_unpacked: u64,
    /// How many times larger than the input its unpacked frames may be together, beyond that.
    pub max_ratio: u64,
    /// Logarithm of the window a frame may ask for: 23 is 8 MiB, what RFC 9659 allows on the web.
    pub max_window_log: u32,
    /// Bytes of one preamble, and of the first line of a frame: one is held for every frame.
    pub max_preamble: u64,
    /// Bytes of an `epoch`, `capture` or `end` line: parsed, they take many times their length.
    pub max_header: u64,
    /// Frames of one input. An index of them is held in memory.
    pub max_frames: u64,
    /// Epochs of one input: the frames of further ones are passed over.
    pub max_epochs: u64,
    /// Servers that answer in one epoch.
    pub max_servers: u64,
    /// Service instances that answer in one epoch.
    pub max_instances: u64,
    /// Streams that the servers of one epoch tell of: one with three replicas counts three times.
    pub max_streams: u64,
    /// Bytes of one text in a reply that is decoded: it is copied wherever it is a name.
    pub max_text: u64,
    /// Bytes read in vain, while looking for the next frame in a damaged input.
    pub max_search: u64,
    /// Bytes held of an input that can be read only once, such as standard input.
    pub stdin_held: u64,
    /// Files of one run.
    pub max_files: u64,
    /// Entries of one archive: an index of them is held in memory.
    pub max_entries: u64,
    /// Bytes of one entry of an archive, unpacked.
    pub max_entry_length: u64,
    /// Bytes of the name of one entry of an archive.
    pub max_entry_name: u64,
    /// Bytes that the names of all entries of one archive may have together: they are held.
    pub max_names: u64,
    /// Bytes held of an archive that is compressed as a whole, such as a `.tar.gz`, unpacked.
    pub max_held: u64,
    /// Bytes of the manifest of an archive of `nats audit gather`.
    pub max_manifest: u64,
    /// Bytes held of the log in an archive of `nats audit gather`.
    pub max_log: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_frame_stored: MAX_FRAME_STORED as u64,
            max_frame_length: MAX_FRAME_LENGTH as u64,
            min_unpacked: 1 << 30,
            max_ratio: 200,
            max_window_log: 23,
            max_preamble: 4 << 10,
            max_header: 8 << 20,
            max_frames: 250_000,
            max_epochs: 20_000,
            max_servers: 10_000,
            max_instances: 100_000,
            max_streams: 250_000,
            max_text: 1 << 20,
            max_search: 1 << 30,
            stdin_held: 1 << 30,
            max_files: 1_000_000,
            max_entries: 500_000,
            max_entry_length: 256 << 20,
            max_entry_name: 8 << 10,
            max_names: 128 << 20,
            max_held: 1 << 30,
            max_manifest: 256 << 20,
            max_log: 8 << 20,
        }
    }
}

impl Limits {
    /// Every limit by name, as messages name it.
    pub fn all(&self) -> [(&'static str, u64); 23] {
        [
            ("max_frame_stored", self.max_frame_stored),
            ("max_frame_length", self.max_frame_length),
            ("min_unpacked", self.min_unpacked),
            ("max_ratio", self.max_ratio),
            ("max_window_log", u64::from(self.max_window_log)),
            ("max_preamble", self.max_preamble),
            ("max_header", self.max_header),
            ("max_frames", self.max_frames),
            ("max_epochs", self.max_epochs),
            ("max_servers", self.max_servers),
            ("max_instances", self.max_instances),
            ("max_streams", self.max_streams),
            ("max_text", self.max_text),
            ("max_search", self.max_search),
            ("stdin_held", self.stdin_held),
            ("max_files", self.max_files),
            ("max_entries", self.max_entries),
            ("max_entry_length", self.max_entry_length),
            ("max_entry_name", self.max_entry_name),
            ("max_names", self.max_names),
            ("max_held", self.max_held),
            ("max_manifest", self.max_manifest),
            ("max_log", self.max_log),
        ]
    }

    /// Sets a limit by name; false if there is none of that name, or the value is out of reach.
    #[must_use]
    pub fn set(&mut self, name: &str, value: u64) -> bool {
        let field = match name {
            "max_frame_stored" => &mut self.max_frame_stored,
            "max_frame_length" => &mut self.max_frame_length,
            "min_unpacked" => &mut self.min_unpacked,
            "max_ratio" => &mut self.max_ratio,
            "max_preamble" => &mut self.max_preamble,
            "max_header" => &mut self.max_header,
            "max_frames" => &mut self.max_frames,
            "max_epochs" => &mut self.max_epochs,
            "max_servers" => &mut self.max_servers,
            "max_instances" => &mut self.max_instances,
            "max_streams" => &mut self.max_streams,
            "max_text" => &mut self.max_text,
            "max_search" => &mut self.max_search,
            "stdin_held" => &mut self.stdin_held,
            "max_files" => &mut self.max_files,
            "max_entries" => &mut self.max_entries,
            "max_entry_length" => &mut self.max_entry_length,
            "max_entry_name" => &mut self.max_entry_name,
            "max_names" => &mut self.max_names,
            "max_held" => &mut self.max_held,
            "max_manifest" => &mut self.max_manifest,
            "max_log" => &mut self.max_log,
            // zstd itself knows windows from 2^10 to 2^31 only.
            "max_window_log" if (10..=31).contains(&value) => {
                self.max_window_log = u32::try_from(value).unwrap_or(self.max_window_log);
                return true;
            }
            _ => return false,
        };
        *field = value;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::Limits;

    #[test]
    fn every_limit_is_set_by_the_name_it_is_told_by() {
        for (name, default) in Limits::default().all() {
            let mut limits = Limits::default();
            assert!(limits.set(name, default + 1), "{name}");
            let changed: Vec<&str> = limits
                .all()
                .iter()
                .zip(Limits::default().all())
                .filter(|(now, before)| now.1 != before.1)
                .map(|(now, _)| now.0)
                .collect();
            assert_eq!(changed, [name]);
        }
        assert!(!Limits::default().set("max_window_log", 64));
        assert!(!Limits::default().set("max_nothing", 1));
    }
}
