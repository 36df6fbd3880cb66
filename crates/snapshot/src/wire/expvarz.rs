//! EXPVARZ: variables of the Go runtime.

use serde::Deserialize;

use super::tolerant::{block, field};

/// EXPVARZ. Over HTTP (`/debug/vars`, from 2.11 on) the same two variables. `cmdline`, which can
/// hold secrets, is not read.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Expvarz {
    /// Memory, as the Go runtime counts it.
    #[serde(deserialize_with = "block")]
    pub memstats: Option<MemStats>,
}

/// Memory of the process.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct MemStats {
    /// Bytes taken from the operating system.
    #[serde(rename = "Sys", deserialize_with = "field")]
    pub sys: Option<u64>,
    /// Bytes of objects on the heap, those not collected yet included.
    #[serde(rename = "HeapAlloc", deserialize_with = "field")]
    pub heap_alloc: Option<u64>,
    /// Bytes of heap pages in use.
    #[serde(rename = "HeapInuse", deserialize_with = "field")]
    pub heap_inuse: Option<u64>,
    /// Bytes of stacks in use.
    #[serde(rename = "StackInuse", deserialize_with = "field")]
    pub stack_inuse: Option<u64>,
    /// Garbage collections since the process started.
    #[serde(rename = "NumGC", deserialize_with = "field")]
    pub num_gc: Option<u64>,
    /// Time the process stood still for them, ns.
    #[serde(rename = "PauseTotalNs", deserialize_with = "field")]
    pub pause_total_ns: Option<u64>,
}
