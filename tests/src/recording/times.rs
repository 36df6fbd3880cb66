//! Edits of time: later epochs, longer steps, older processes.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{Epoch, Recording};

/// Fields of replies that are the server's clock, which moves on with the epoch. The start of a
/// process or a connection is not among them: it grows older instead.
const CLOCKS: &[&str] = &["now", "time"];

impl Epoch {
    /// The same epoch later: another uuid, and every clock moved on. Processes, connections and
    /// services keep their start, and so grow older.
    pub fn later(&mut self, by: SignedDuration, number: u64) {
        let old = self.header.uuid.clone();
        let uuid = format!("{:08x}{}", number, &old[8..]);
        self.header.uuid = uuid;
        self.header.run.sequence += number;
        self.header.start = moved(self.header.start, by);
        if let Some(end) = &mut self.end {
            end.end = moved(end.end, by);
        }
        for reply in &mut self.replies {
            clocks(&mut reply.body, by);
        }
    }
}

impl Recording {
    /// A sequence of `count` epochs made from the first one, `step` apart.
    #[must_use]
    pub fn repeat(&self, count: usize, step: SignedDuration) -> Self {
        let epochs = (0..count).map(|number| {
            let mut epoch = self.epochs[0].clone();
            if number > 0 {
                let by = step * i32::try_from(number).unwrap_or(i32::MAX);
                epoch.later(by, number as u64);
            }
            epoch
        });
        Self { epochs: epochs.collect() }
    }
}

fn moved(time: Timestamp, by: SignedDuration) -> Timestamp {
    time.checked_add(by).unwrap_or(time)
}

fn clocks(value: &mut Value, by: SignedDuration) {
    match value {
        Value::Object(map) => {
            for (key, value) in map.iter_mut() {
                let clock = CLOCKS.contains(&key.as_str());
                match value.as_str().and_then(|text| text.parse::<Timestamp>().ok()) {
                    Some(time) if clock => *value = moved(time, by).to_string().into(),
                    _ => clocks(value, by),
                }
            }
        }
        Value::Array(rows) => rows.iter_mut().for_each(|row| clocks(row, by)),
        _ => {}
    }
}
