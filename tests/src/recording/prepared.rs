//! A recording made ready to be written often with some of its lines left out.

use std::collections::BTreeSet;
use std::sync::Arc;

use nats_hindsight_model::intake::{Intake, Source};
use nats_hindsight_snapshot::format::SnapshotWriter;
use nats_hindsight_snapshot::lines::{CaptureLine, ReplyLine};
use serde_json::value::RawValue;

use super::{Epoch, Recording, open, raw};

/// The text of every body, and the bytes of every epoch: an edit that only leaves lines out costs
/// one epoch, and neither a copy of values nor their text again.
pub struct Prepared<'a> {
    /// The recording.
    pub whole: &'a Recording,
    bodies: Vec<Vec<Box<RawValue>>>,
    stored: Vec<Vec<u8>>,
}

impl<'a> Prepared<'a> {
    /// Makes a recording ready.
    pub fn of(whole: &'a Recording) -> Self {
        let bodies = |epoch: &Epoch| epoch.replies.iter().map(|reply| raw(&reply.body)).collect();
        Self {
            whole,
            bodies: whole.epochs.iter().map(bodies).collect(),
            stored: whole.epochs.iter().map(Epoch::to_bytes).collect(),
        }
    }

    /// The bytes of the recording with something left out of some epochs. `told` says whether a
    /// reply or an event goes, by epoch and position (replies first, then events), `capture` what
    /// becomes of a capture.
    pub fn without(
        &self,
        epochs: &BTreeSet<usize>,
        told: &dyn Fn(usize, usize) -> bool,
        capture: &dyn Fn(usize, &CaptureLine) -> Option<CaptureLine>,
    ) -> Vec<u8> {
        let mut all = Vec::new();
        for (at, stored) in self.stored.iter().enumerate() {
            if epochs.contains(&at) {
                let (told, capture) = (|place| told(at, place), |line: &_| capture(at, line));
                all.append(&mut self.write(at, &told, &capture));
            } else {
                all.extend_from_slice(stored);
            }
        }
        all
    }

    fn write(
        &self,
        at: usize,
        told: &dyn Fn(usize) -> bool,
        left: &dyn Fn(&CaptureLine) -> Option<CaptureLine>,
    ) -> Vec<u8> {
        let epoch = &self.whole.epochs[at];
        let mut bytes = Vec::new();
        let Ok(mut writer) = SnapshotWriter::start(&mut bytes, &epoch.header) else {
            panic!("the header cannot be written")
        };
        for (place, (reply, body)) in epoch.replies.iter().zip(&self.bodies[at]).enumerate() {
            if !told(place) {
                let line = ReplyLine { body: Some(body), ..reply.line.clone() };
                writer.reply(&line).unwrap_or_else(|error| panic!("{error}"));
            }
        }
        for (place, event) in (epoch.replies.len()..).zip(&epoch.events) {
            if !told(place) {
                event.write(&mut writer);
            }
        }
        for capture in epoch.captures.iter().filter_map(left) {
            writer.capture(&capture).unwrap_or_else(|error| panic!("{error}"));
        }
        epoch.write_end(writer);
        bytes
    }
}

/// Opens bytes with the real reader.
pub fn open_bytes(bytes: Vec<u8>) -> Intake {
    open(&[Source::Held { name: "edited".to_owned(), bytes: Arc::from(bytes) }])
}
