//! What a person sees while the collector works.

use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use nats_hindsight_analyzer::render::plain::shown;
use nats_hindsight_collector::{EpochSummary, Watch};

use super::table::headline;

/// A line on a terminal; nothing elsewhere, but for one line per epoch of a long run.
pub(super) struct Progress {
    bar: Option<ProgressBar>,
    replies: AtomicU64,
    repeated: bool,
}

impl Progress {
    pub(super) fn new(repeated: bool) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(120));
            bar.set_message("connecting");
            bar
        });
        Self { bar, replies: AtomicU64::new(0), repeated }
    }

    /// Makes room for the result.
    pub(super) fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn line(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| write_line(text)),
            None => write_line(text),
        }
    }
}

fn write_line(text: &str) {
    let _ = writeln!(anstream::stderr(), "{text}");
}

impl Watch for Progress {
    fn begins(&self, sequence: u64) {
        self.replies.store(0, Ordering::Relaxed);
        if let Some(bar) = &self.bar {
            bar.set_message(format!("recording epoch {}", sequence + 1));
        }
    }

    fn received(&self) {
        let replies = self.replies.fetch_add(1, Ordering::Relaxed) + 1;
        if let Some(bar) = &self.bar {
            bar.set_message(format!("recording: {replies} replies"));
        }
    }

    fn ended(&self, summary: &EpochSummary) {
        if let Some(bar) = &self.bar {
            bar.set_message("waiting for the next epoch");
        }
        if self.repeated {
            self.line(&headline(summary));
        }
    }

    fn warn(&self, text: &str) {
        self.line(&format!("warning: {}", shown(text)));
    }
}
