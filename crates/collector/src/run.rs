//! A run of the collector: one epoch, or one after the other until it is told to stop.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_snapshot::format::{NAME, VERSION, file_name};
use nats_hindsight_snapshot::lines::{
    AskedLine, CollectorLine, EpochLine, ExpectsLine, FormatName, RunLine,
};
use uuid::Uuid;

use crate::connect::ConnectError;
use crate::connections::Connections;
use crate::epoch::{Epoch, Identified, Seen};
use crate::events::Part;
use crate::memory::remember;
use crate::recall::{self, RecallError};
use crate::record::{Clock, Output, OutputError, Recorder, WriterTask};
use crate::retention::{Latest, Removed, Retention};
use crate::schedule::Schedule;
use crate::settings::Settings;
use crate::stop::Stop;
use crate::summary::{EpochSummary, Written, summarize};
use crate::watch::Watch;

/// Why a run ended without doing its work.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// None of the connections could be made.
    #[error("could not connect{}", lines_of(.0))]
    Connect(Vec<ConnectError>),
    /// The snapshot cannot be written.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// The snapshot to start from cannot be read.
    #[error(transparent)]
    Recall(#[from] RecallError),
    /// The machine refuses threads or signals.
    #[error("cannot start: {0}")]
    Start(#[from] io::Error),
}

fn lines_of(errors: &[ConnectError]) -> String {
    errors.iter().fold(String::new(), |text, error| text + "\n  " + &error.to_string())
}

/// Records as the settings say. The summary of the last epoch, if there was one.
pub fn run(
    settings: &Settings,
    watch: Arc<dyn Watch>,
) -> Result<Option<EpochSummary>, CollectError> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let result = runtime.block_on(run_until_stopped(settings, watch));
    // A request over HTTP that hangs in its thread must not keep the program.
    runtime.shutdown_timeout(Duration::from_millis(100));
    result
}

/// A run, between its epochs.
struct Run<'a> {
    settings: &'a Settings,
    watch: Arc<dyn Watch>,
    stop: Stop,
    id: String,
    collector_id: String,
    connections: Connections,
    expects: ExpectsLine,
    retention: Option<Retention>,
}

async fn run_until_stopped(
    settings: &Settings,
    watch: Arc<dyn Watch>,
) -> Result<Option<EpochSummary>, CollectError> {
    let stop = Stop::on_signals()?;
    let expects = recall(settings)?;
    let mut connections = Connections::new(&settings.connections, settings.listens());
    let errors = tokio::select! {
        errors = connections.connect(&settings.waits) => errors,
        () = stop.told() => return Ok(None),
    };
    if !errors.is_empty() && errors.len() == settings.connections.len() && settings.http.is_empty()
    {
        return Err(CollectError::Connect(errors));
    }
    for error in &errors {
        watch.warn(&error.to_string());
    }
    let collector_id = match &settings.collector_id {
        Some(id) => id.clone(),
        None => settings.output.collector_id()?,
    };
    let id = Uuid::new_v4().to_string();
    let retention = retention(settings, &collector_id);
    let run = Run { settings, watch, stop, id, collector_id, connections, expects, retention };
    run.epochs().await
}

pub(crate) fn recall(settings: &Settings) -> Result<ExpectsLine, RecallError> {
    if let Some(path) = &settings.expect_from {
        return recall::from_file(path);
    }
    let folder = match &settings.output {
        Output::Folder(folder) => recall::from_folder(folder, &settings.system),
        Output::Stdout => None,
    };
    Ok(folder.unwrap_or_default())
}

/// Whether the reason is that there is no room on the disk, or no more for this user.
fn is_full(error: &CollectError) -> bool {
    let first: Option<&(dyn Error + 'static)> = Some(error);
    std::iter::successors(first, |cause| (*cause).source())
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|cause| {
            matches!(cause.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
        })
}

fn retention(settings: &Settings, collector: &str) -> Option<Retention> {
    let folder = settings.output.folder().filter(|_| !settings.keep.everything())?;
    Some(Retention::new(settings.keep, folder, &settings.system, collector))
}

impl Run<'_> {
    async fn epochs(mut self) -> Result<Option<EpochSummary>, CollectError> {
        let count = self.settings.count.or(self.settings.every.is_none().then_some(1));
        let mut schedule = self.settings.every.map(Schedule::start);
        let mut ticks_skipped = 0;
        let mut last: Option<EpochSummary> = None;
        let mut sequence = 0;
        while !self.stop.is_told() && count.is_none_or(|count| sequence < count) {
            let recorded = match self.epoch(sequence, ticks_skipped).await {
                Err(error) if self.makes_room_after(&error) => None,
                recorded => recorded?,
            };
            if let Some(summary) = recorded {
                self.watch.ended(&summary);
                // With a timer, being stopped in the midst of an epoch is how a run ends.
                if last.is_none() || !summary.interrupted || schedule.is_none() {
                    last = Some(summary);
                }
            }
            sequence += 1;
            let Some(schedule) = &mut schedule else { break };
            if count.is_some_and(|count| sequence >= count) {
                break;
            }
            let (next, skipped) = schedule.next(Instant::now());
            ticks_skipped = skipped;
            tokio::select! {
                () = tokio::time::sleep_until(next.into()) => {}
                () = self.stop.told() => {}
            }
        }
        Ok(last)
    }

    /// One epoch. Nothing if it was told to stop before there was a file.
    async fn epoch(
        &mut self,
        sequence: u64,
        ticks_skipped: u64,
    ) -> Result<Option<EpochSummary>, CollectError> {
        self.watch.begins(sequence);
        let settings = self.settings;
        if sequence > 0 {
            self.connections.connect(&settings.waits).await;
        }
        let clock = Clock::start();
        let identified = tokio::select! {
            identified = self.connections.identify(&clock, &settings.waits) => identified,
            () = self.stop.told() => return Ok(None),
        };
        let header = self.header(&clock, sequence, ticks_skipped);
        let start = header.start;
        let file_name = Some(file_name(&header.system, start, &header.uuid));
        let latest = Latest { file_name, start };
        let sink = settings
            .output
            .open(&settings.system, header.start, &header.uuid)
            .map_err(OutputError::from)?;
        let (writer, recorder) = WriterTask::start(sink, header, Arc::clone(&self.watch)).await?;
        let (seen, interrupted) = self.fill(clock, identified, recorder, &writer).await;
        let next = remember(&self.expects, &seen, clock.start, settings.waits.forget_after);
        let (end, place, coverage) = writer.finish(interrupted, next.clone()).await?;
        let written = Written { sequence, took: clock.elapsed(), end, place, coverage };
        let asked: BTreeSet<String> =
            self.connections.accounts().into_iter().filter_map(|account| account.id).collect();
        let mut summary = summarize(written, &seen, &self.expects, &asked);
        summary.removed = self.make_room(&latest);
        self.expects = next;
        Ok(Some(summary))
    }

    /// Deletes epochs that have had their time.
    fn make_room(&mut self, latest: &Latest) -> Removed {
        let Some(retention) = &mut self.retention else { return Removed::default() };
        let (stop, watch) = (&self.stop, &self.watch);
        // Connections live on while this thread is at the disk.
        tokio::task::block_in_place(|| {
            retention.pass(latest, &|| stop.is_told(), &|text| watch.warn(text))
        })
    }

    /// After an epoch that a full disk cut short: whether old epochs have had their time and are
    /// gone now, so that the next one may find room.
    fn makes_room_after(&mut self, error: &CollectError) -> bool {
        if !is_full(error) {
            return false;
        }
        let removed = self.make_room(&Latest { file_name: None, start: Timestamp::now() });
        if removed.files > 0 {
            let files = removed.files;
            self.watch.warn(&format!(
                "{error}; {files} old snapshots had had their time and are deleted now, and the \
                 next epoch will be tried"
            ));
        }
        removed.files > 0
    }

    /// Asks everything and records it, until it is done, told to stop, or cannot be written. What
    /// was seen, and whether it was told to stop.
    async fn fill(
        &self,
        clock: Clock,
        identified: Vec<Identified>,
        recorder: Recorder,
        writer: &WriterTask,
    ) -> (Seen, bool) {
        let epoch = Epoch {
            waits: self.settings.waits,
            clock,
            recorder: recorder.clone(),
            system: self.connections.system(),
            accounts: self.connections.accounts(),
            http: &self.settings.http,
            selection: &self.settings.selection,
            expects: &self.expects,
            seen: RefCell::default(),
        };
        let interrupted = tokio::select! {
            () = self.collect(&epoch, identified) => false,
            () = self.stop.told() => true,
            // The reason comes out when the writer is asked to finish.
            () = writer.failed() => false,
        };
        // After everything else, so that what made a server fall silent in this epoch is in it.
        self.connections.record_events(&recorder, Part::End).await;
        let mut seen = epoch.seen.into_inner();
        seen.account_names.extend(self.connections.account_names());
        (seen, interrupted)
    }

    async fn collect(&self, epoch: &Epoch<'_>, identified: Vec<Identified>) {
        self.connections.record_events(&epoch.recorder, Part::Begin).await;
        epoch.record_identity(identified).await;
        for capture in self.connections.skipped(&self.settings.selection) {
            epoch.recorder.capture(capture).await;
        }
        epoch.collect().await;
    }

    /// Only who records again and again listens.
    fn asked(&self) -> Vec<Endpoint> {
        let asked = self.settings.selection.asked().into_iter();
        asked.filter(|endpoint| self.settings.listens() || *endpoint != Endpoint::EVENTS).collect()
    }

    fn header(&self, clock: &Clock, sequence: u64, ticks_skipped: u64) -> EpochLine {
        let settings = self.settings;
        EpochLine {
            format: FormatName { name: NAME.to_owned(), version: VERSION.to_owned() },
            uuid: Uuid::new_v4().to_string(),
            system: settings.system.clone(),
            system_set: settings.system_set,
            collector: CollectorLine {
                id: self.collector_id.clone(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
            },
            run: RunLine { id: self.id.clone(), sequence, ticks_skipped },
            start: clock.start,
            asked: AskedLine {
                endpoints: self.asked(),
                every_s: settings.every.map(|every| every.as_secs_f64()),
                confirm_after_ms: u64::try_from(settings.waits.confirm_after.as_millis())
                    .unwrap_or(u64::MAX),
            },
            connections: self.connections.lines(&settings.http),
            expects: self.expects.clone(),
        }
    }
}
