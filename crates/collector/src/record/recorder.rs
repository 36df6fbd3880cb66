//! Takes replies and captures as they come and writes them down in their own thread.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use jiff::Timestamp;
use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_snapshot::format::{ReplyBody, SnapshotWriter, WriteError};
use nats_hindsight_snapshot::lines::{
    CaptureLine, EndLine, EpochLine, EventLine, ExpectsLine, FilterLine, PageLine, ReplyLine,
};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::task::JoinHandle;

use super::scrub::{Secretive, scrub};
use super::{Sink, output::OutputError};
use crate::coverage::Coverage;
use crate::events::Heard;
use crate::table::USER_SECRETS as EVENT_SECRETS;
use crate::watch::Watch;

/// Lines that may wait for the writer.
const QUEUE: usize = 64;

/// How often buffers are looked at for their age.
const TICK: Duration = Duration::from_millis(500);

/// One reply on its way to the file.
pub(crate) struct Reply {
    pub(crate) endpoint: Endpoint,
    pub(crate) subject: String,
    pub(crate) source: Option<String>,
    pub(crate) account: Option<String>,
    pub(crate) arrival_us: u64,
    pub(crate) rtt_us: u64,
    pub(crate) page: Option<PageLine>,
    pub(crate) filter: Option<FilterLine>,
    /// What was sent, unpacked.
    pub(crate) body: Bytes,
    /// Fields that can carry credentials.
    pub(crate) secretive: &'static [Secretive],
    /// Its share of the memory for answers, given back once it is written.
    #[expect(dead_code, reason = "held until the reply is dropped, never read")]
    pub(crate) permit: Option<OwnedSemaphorePermit>,
}

enum Line {
    Reply(Box<Reply>),
    Event(Box<(Heard, Option<String>)>),
    Capture(Box<CaptureLine>),
    End { interrupted: bool, remember: Box<ExpectsLine> },
}

/// Where the parts of an epoch put their lines.
#[derive(Clone)]
pub(crate) struct Recorder {
    lines: mpsc::Sender<Line>,
    coverage: Arc<Mutex<Coverage>>,
    watch: Arc<dyn Watch>,
}

impl Recorder {
    /// Adds a reply. Waits while the writer is behind.
    pub(crate) async fn reply(&self, reply: Reply) {
        self.watch.received();
        // The writer is gone only if it failed, and then it says why when it is asked.
        let _ = self.lines.send(Line::Reply(Box::new(reply))).await;
    }

    /// Adds an event that a connection to an account heard, or the system connection.
    pub(crate) async fn event(&self, event: Heard, account: Option<&String>) {
        let _ = self.lines.send(Line::Event(Box::new((event, account.cloned())))).await;
    }

    /// Adds how a request went.
    pub(crate) async fn capture(&self, capture: CaptureLine) {
        self.coverage.lock().unwrap_or_else(PoisonError::into_inner).count(&capture);
        let _ = self.lines.send(Line::Capture(Box::new(capture))).await;
    }
}

/// The thread that writes one epoch.
pub(crate) struct WriterTask {
    lines: mpsc::Sender<Line>,
    coverage: Arc<Mutex<Coverage>>,
    thread: JoinHandle<Result<(EndLine, String), OutputError>>,
}

impl WriterTask {
    /// Writes the header and starts taking lines.
    pub(crate) async fn start(
        sink: Sink,
        header: EpochLine,
        watch: Arc<dyn Watch>,
    ) -> Result<(Self, Recorder), OutputError> {
        let (lines, queue) = mpsc::channel(QUEUE);
        let coverage = Arc::new(Mutex::new(Coverage::default()));
        let writer = tokio::task::spawn_blocking(move || SnapshotWriter::start(sink, &header))
            .await
            .map_err(|_| OutputError::Stopped)??;
        let handle = Handle::current();
        let thread = tokio::task::spawn_blocking(move || write(writer, queue, &handle));
        let recorder = Recorder { lines: lines.clone(), coverage: Arc::clone(&coverage), watch };
        Ok((Self { lines, coverage, thread }, recorder))
    }

    /// Writes the end and gives the file its name: the end line, where it stands, and how complete
    /// it is.
    pub(crate) async fn finish(
        self,
        interrupted: bool,
        remember: ExpectsLine,
    ) -> Result<(EndLine, String, Coverage), OutputError> {
        let end = Line::End { interrupted, remember: Box::new(remember) };
        let _ = self.lines.send(end).await;
        let (end, place) = self.thread.await.map_err(|_| OutputError::Stopped)??;
        let mut coverage = self.coverage.lock().unwrap_or_else(PoisonError::into_inner);
        Ok((end, place, std::mem::take(&mut coverage)))
    }

    /// Whether writing has failed already, so that going on would be for nothing.
    pub(crate) async fn failed(&self) {
        self.lines.closed().await;
    }
}

fn write(
    mut writer: SnapshotWriter<Sink>,
    mut queue: mpsc::Receiver<Line>,
    handle: &Handle,
) -> Result<(EndLine, String), OutputError> {
    let mut looked = Instant::now();
    loop {
        // Looked at while lines come, too: a busy endpoint must not keep the others in memory.
        if looked.elapsed() >= TICK {
            writer.flush_due()?;
            looked = Instant::now();
        }
        let left = TICK.saturating_sub(looked.elapsed());
        let line = handle.block_on(async { tokio::time::timeout(left, queue.recv()).await });
        match line {
            Err(_) => {}
            Ok(None) => return Err(OutputError::Stopped),
            Ok(Some(Line::Reply(reply))) => write_reply(&mut writer, &reply)?,
            Ok(Some(Line::Event(event))) => write_event(&mut writer, &event.0, event.1.clone())?,
            Ok(Some(Line::Capture(capture))) => writer.capture(&capture)?,
            Ok(Some(Line::End { interrupted, remember })) => {
                let (end, sink) = writer.finish(Timestamp::now(), interrupted, *remember)?;
                return Ok((end, sink.commit()?));
            }
        }
    }
}

fn write_event(
    writer: &mut SnapshotWriter<Sink>,
    event: &Heard,
    account: Option<String>,
) -> Result<(), WriteError> {
    let (body, scrubbed) = scrubbed(&event.body, EVENT_SECRETS);
    writer.event(&EventLine {
        arrival: event.arrival,
        subject: event.subject.clone(),
        account,
        scrubbed,
        body: body.json(),
        body_base64: body.base64().map(str::to_owned),
    })
}

/// A body without its credentials, and the paths where some stood.
fn scrubbed(body: &[u8], secretive: &[Secretive]) -> (ReplyBody, Vec<String>) {
    match scrub(body, secretive) {
        Some((bytes, paths)) => (ReplyBody::from_bytes(&bytes), paths),
        None => (ReplyBody::from_bytes(body), Vec::new()),
    }
}

fn write_reply(writer: &mut SnapshotWriter<Sink>, reply: &Reply) -> Result<(), WriteError> {
    let (body, paths) = scrubbed(&reply.body, reply.secretive);
    writer.reply(&ReplyLine {
        endpoint: reply.endpoint.clone(),
        subject: reply.subject.clone(),
        source: reply.source.clone(),
        account: reply.account.clone(),
        arrival_us: reply.arrival_us,
        rtt_us: reply.rtt_us,
        page: reply.page,
        filter: reply.filter.clone(),
        scrubbed: paths,
        body: body.json(),
        body_base64: body.base64().map(str::to_owned),
    })
}
