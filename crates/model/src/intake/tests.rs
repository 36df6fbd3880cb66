//! Epochs out of whatever people hand over.

mod noise;

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_snapshot::format::preamble::{Preamble, crc32_hex};
use nats_hindsight_snapshot::format::writer::frame_bytes;
use nats_hindsight_snapshot::format::{
    Found, FrameAt, Limits, Line, NAME, ReplyBody, SnapshotWriter, VERSION, scan,
};
use nats_hindsight_snapshot::lines::{
    CaptureLine, EpochLine, ExpectedServer, ExpectsLine, FrameLine, ReplyLine, RunLine,
};

use super::unite::MOST_OUTCOMES;
use super::{EpochIndex, Intake, IntakeError, Problem, Source, open};
use crate::decode::Memo;

const A: &str = "aaaaaaaa-0000-4000-8000-000000000000";
const B: &str = "bbbbbbbb-0000-4000-8000-000000000000";

fn header(uuid: &str, minute: u32) -> EpochLine {
    let text = format!(
        r#"{{"format":{{"name":"{NAME}","version":"{VERSION}"}},"uuid":"{uuid}","system":"prod",
            "collector":{{"id":"c1"}},"start":"2026-11-21T09:{minute:02}:00Z"}}"#
    );
    let expected = ExpectedServer { id: "A".to_owned(), ..ExpectedServer::default() };
    EpochLine {
        run: RunLine { id: "r".to_owned(), sequence: u64::from(minute), ticks_skipped: 0 },
        expects: ExpectsLine { servers: vec![expected], ..ExpectsLine::default() },
        ..serde_json::from_str(&text).unwrap()
    }
}

fn reply<'a>(endpoint: &str, body: &'a ReplyBody) -> ReplyLine<'a> {
    let mut line: ReplyLine<'a> = serde_json::from_str(r#"{"endpoint":""}"#).unwrap();
    line.endpoint = Endpoint::named(endpoint);
    line.body = body.json();
    line
}

/// Frames: 0 header, then CONNZ, ROUTEZ, VARZ in the order of their names, 4 end.
fn epoch_of(header: &EpochLine, text: &str) -> Vec<u8> {
    let mut writer = SnapshotWriter::start(Vec::new(), header).unwrap();
    let body = ReplyBody::from_bytes(text.as_bytes());
    for endpoint in ["VARZ", "CONNZ", "ROUTEZ"] {
        writer.reply(&reply(endpoint, &body)).unwrap();
        let endpoint = Endpoint::named(endpoint);
        writer.capture(&CaptureLine { endpoint, ..CaptureLine::default() }).unwrap();
    }
    let end = header.start + std::time::Duration::from_secs(5);
    writer.finish(end, false, header.expects.clone()).unwrap().1
}

fn epoch(uuid: &str, minute: u32) -> Vec<u8> {
    epoch_of(&header(uuid, minute), "{\"a\":1}")
}

/// A frame by its lines, as another writer may have made it.
fn frame_of(header: &EpochLine, n: u64, endpoint: &str, lines: &str) -> Vec<u8> {
    let first = FrameLine {
        epoch: header.uuid.clone(),
        system: header.system.clone(),
        start: header.start,
        n,
        endpoint: Endpoint::named(endpoint),
    };
    frame_bytes(first, lines.as_bytes()).unwrap()
}

fn head_line(header: &EpochLine) -> String {
    format!("{{\"epoch\":{}}}\n", serde_json::to_string(header).unwrap())
}

/// Preamble and frame, one piece for each frame of a recording.
fn pieces(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut ends = Vec::new();
    let source: std::sync::Arc<[u8]> = bytes.into();
    scan(&source, &Limits::default(), &mut |found| {
        if let Found::Frame(FrameAt { offset, stored, .. }) = found {
            ends.push(usize::try_from(offset + stored).unwrap());
        }
    })
    .unwrap();
    let starts = std::iter::once(0).chain(ends.iter().copied());
    starts.zip(&ends).map(|(from, to)| bytes[from..*to].to_vec()).collect()
}

fn held(name: &str, bytes: &[u8]) -> Source {
    Source::Held { name: name.to_owned(), bytes: bytes.into() }
}

fn intake(sources: &[Source]) -> Intake {
    open(sources, &Limits::default(), &|_, _| {}).unwrap()
}

fn one(bytes: &[u8]) -> Intake {
    intake(&[held("one", bytes)])
}

fn kinds(problems: &[Problem]) -> Vec<&str> {
    problems.iter().map(|problem| problem.kind).collect()
}

/// Everything that must not depend on how the records came.
fn essence(intake: &Intake) -> String {
    let plain = |problems: &[Problem]| -> Vec<Problem> {
        problems.iter().cloned().map(|problem| Problem { where_: None, ..problem }).collect()
    };
    let epochs: Vec<_> = intake
        .epochs
        .iter()
        .map(|epoch| {
            let mut lines = Vec::new();
            let met = epoch.read(&|_| true, &mut |line| lines.push(format!("{line:?}")));
            let numbers: Vec<u64> = epoch.frames.iter().map(|frame| frame.n).collect();
            let problems = (plain(&epoch.problems), plain(&met));
            (&epoch.uuid, &epoch.digest, epoch.complete, numbers, lines, problems)
        })
        .collect();
    format!("{epochs:#?} {:#?}", plain(&intake.problems))
}

fn replies(epoch: &EpochIndex, wanted: &str) -> usize {
    let mut count = 0;
    let wanted = |endpoint: &Endpoint| endpoint.as_str() == wanted;
    epoch.read(&wanted, &mut |line| count += usize::from(matches!(line, Line::Reply(_))));
    count
}

#[test]
fn a_whole_epoch_is_complete_and_read_by_endpoint() {
    let intake = one(&epoch(A, 0));
    assert_eq!(intake.problems, []);
    let [epoch] = intake.epochs.as_slice() else { panic!("{intake:?}") };
    assert!(epoch.complete && epoch.has_header && epoch.problems.is_empty(), "{epoch:?}");
    assert_eq!((replies(epoch, "VARZ"), replies(epoch, "AURAZ")), (1, 0));
    assert_eq!(epoch.head.expects, ExpectsLine::default(), "kept small");
    assert_eq!(epoch.header(), header(A, 0));
    assert_eq!(epoch.end().unwrap().remember, header(A, 0).expects);
    assert_eq!(epoch.totals.as_ref().unwrap().replies, 3);
    assert_eq!((intake.inputs[0].kind, epoch.frames.len()), ("snapshot", 5));
}

#[test]
fn order_cuts_names_and_repeats_do_not_matter() {
    let (a, b) = (epoch(A, 0), epoch(B, 1));
    let whole = essence(&intake(&[held("a", &a), held("b", &b)]));
    let mut shuffled = [pieces(&a), pieces(&b)].concat();
    shuffled.sort_by_key(|piece| crc32_hex(piece));
    let again: Vec<Source> =
        shuffled.iter().enumerate().map(|(at, piece)| held(&at.to_string(), piece)).collect();
    let cases = [
        vec![held("x", &b), held("y", &a)],
        vec![held("both", &[a.clone(), b.clone()].concat())],
        vec![held("twice", &[b.clone(), a.clone(), b.clone()].concat())],
        vec![held("x", &a), held("x", &a), held("y", &b)],
        vec![held("shuffled", &shuffled.concat())],
        again,
    ];
    for sources in cases {
        assert_eq!(essence(&intake(&sources)), whole);
    }
}

#[test]
fn epochs_stand_in_order_of_time() {
    let intake = one(&[epoch(A, 7), epoch(B, 3)].concat());
    let order: Vec<&str> = intake.epochs.iter().map(|epoch| epoch.uuid.as_str()).collect();
    assert_eq!(order, [B, A]);
}

#[test]
fn what_is_lost_is_named_and_the_rest_is_used() {
    let pieces = pieces(&epoch(A, 0));
    let expected: [&[&str]; 5] = [
        &["frames_missing", "header_lost"],
        &["frames_missing"],
        &["frames_missing"],
        &["frames_missing"],
        &["epoch_cut"],
    ];
    for (gone, expected) in expected.iter().enumerate() {
        let rest: Vec<&[u8]> = (0..5).filter(|n| *n != gone).map(|n| &pieces[n][..]).collect();
        let intake = one(&rest.concat());
        let epoch = &intake.epochs[0];
        assert_eq!(kinds(&epoch.problems), *expected, "without frame {gone}");
        assert!(!epoch.complete);
        assert_eq!((epoch.frames.len(), epoch.head.system.as_str()), (4, "prod"));
        assert_eq!(epoch.start(), header(A, 0).start);
    }
}

#[test]
fn damage_is_named_with_its_place_unless_another_copy_heals_it() {
    let good = epoch(A, 0);
    let mut pieces = pieces(&good);
    let offset = pieces[0].len();
    let last = pieces[1].len() - 1;
    pieces[1][last] ^= 1;
    let bad = pieces.concat();
    let broken = one(&bad);
    let epoch = &broken.epochs[0];
    assert_eq!(kinds(&epoch.problems), ["frame_damaged", "frames_missing"]);
    assert_eq!(epoch.problems[0].where_, Some(format!("one, offset {offset}")));
    assert!(epoch.problems[0].text.starts_with("frame 1 (CONNZ): "), "{:?}", epoch.problems);
    assert_eq!((replies(epoch, "CONNZ"), replies(epoch, "VARZ")), (0, 1));
    let healed = intake(&[held("bad", &bad), held("good", &good)]);
    assert!(healed.epochs[0].complete && healed.epochs[0].problems.is_empty());
    assert_eq!(kinds(&healed.problems), ["frame_damaged"]);
    assert_eq!(healed.epochs[0].digest, one(&good).epochs[0].digest);
}

#[test]
fn differing_frames_under_one_number_are_a_problem_and_one_wins() {
    let (one, other) = (epoch(A, 0), epoch_of(&header(A, 0), "{\"a\":2}"));
    let there = intake(&[held("x", &one), held("y", &other)]);
    let back = intake(&[held("x", &other), held("y", &one)]);
    assert_eq!(essence(&there), essence(&back));
    assert_eq!(kinds(&there.epochs[0].problems), ["frames_differ"; 3]);
}

/// A frame whose preamble says `said` and whose first line says `is`.
fn lying(said: &FrameLine, is: &FrameLine, lines: &str) -> Vec<u8> {
    let bytes = frame_bytes(is.clone(), lines.as_bytes()).unwrap();
    let honest = 8 + usize::try_from(u32::from_le_bytes(bytes[4..8].try_into().unwrap())).unwrap();
    let preamble = Preamble::decode(&bytes[8..honest]).unwrap();
    let lie = Preamble { frame: said.clone(), ..preamble };
    [&lie.encode().unwrap(), &bytes[honest..]].concat()
}

fn line(uuid: &str, n: u64, endpoint: &str) -> FrameLine {
    FrameLine {
        epoch: uuid.to_owned(),
        system: "prod".to_owned(),
        start: header(uuid, 0).start,
        n,
        endpoint: Endpoint::named(endpoint),
    }
}

#[test]
fn a_preamble_that_contradicts_its_frame_joins_nothing_to_an_epoch() {
    let stranger =
        lying(&line(A, 5, "VARZ"), &line(B, 5, "VARZ"), r#"{"reply":{"endpoint":"VARZ"}}"#);
    let intake = one(&[epoch(A, 0), stranger].concat());
    let epoch = intake.epochs.iter().find(|epoch| epoch.uuid == A).unwrap();
    let mut count = 0;
    let met =
        epoch.read(&|_| true, &mut |line| count += usize::from(matches!(line, Line::Reply(_))));
    assert_eq!((count, kinds(&met)), (3, vec!["frame_contradicts"]));
}

#[test]
fn a_line_is_never_seen_through_the_frame_of_another_endpoint() {
    let lines = "{\"reply\":{\"endpoint\":\"CONNZ\"}}\n{\"weather\":1}\n{\"weather\":2}\nrubbish\n";
    let frame = lying(&line(A, 1, "VARZ"), &line(A, 1, "VARZ"), lines);
    let intake = one(&frame);
    let mut seen = Vec::new();
    let met = intake.epochs[0].read(&|_| true, &mut |line| seen.push(format!("{line:?}")));
    assert_eq!(seen.len(), 3, "{seen:?}");
    assert_eq!(kinds(&met), ["line_malformed", "line_misplaced"]);
}

#[test]
fn versions_to_come() {
    let mut newer = header(A, 0);
    newer.format.version = "1.4".to_owned();
    let mut other = header(B, 0);
    other.format.version = "2.0".to_owned();
    other.collector.version = "3.0.0".to_owned();
    let intake = one(&[epoch_of(&newer, "{}"), epoch_of(&other, "{}")].concat());
    assert_eq!(intake.epochs.len(), 1);
    assert_eq!(kinds(&intake.epochs[0].problems), ["newer_minor"]);
    assert!(intake.epochs[0].complete);
    assert_eq!(kinds(&intake.problems), ["newer_major"]);
    let text = &intake.problems[0].text;
    assert!(text.contains("2.0") && text.contains("3.0.0"), "{text}");
}

#[test]
fn foreign_and_empty_inputs_are_named() {
    let gathered = [b"PK\x03\x04", &[0; 26][..], b"capture/clusters/"].concat();
    let cases: [(&[u8], &str, &str); 8] = [
        (b"", "input_empty", "empty"),
        (b"PK\x03\x04rest", "input_foreign", "archive"),
        (b"\x1f\x8b\x08rest", "input_foreign", "archive"),
        (b"{\"server_id\":1}", "input_foreign", "JSON in which no reply"),
        ("[1] 2026/11/21 Server is ready é".as_bytes(), "input_foreign", "log"),
        (b"[{\"server_id\":1}]", "input_foreign", "JSON in which no reply"),
        (&gathered, "input_foreign", "archive"),
        (b"\x00\x01\x02\x03", "input_foreign", "not known"),
    ];
    for (bytes, kind, text) in cases {
        let intake = one(bytes);
        let told = intake.problems.iter().find(|problem| problem.kind == kind);
        assert!(told.is_some_and(|problem| problem.text.contains(text)), "{intake:?}");
        assert!(intake.epochs.is_empty());
    }
}

/// A folder that goes when the test ends.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("intake-{}-{next}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn put(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

#[test]
fn folders_give_their_snapshots_and_nothing_else() {
    let folder = Folder::new();
    folder.put("b/x.ndjson.zst", &epoch(A, 0));
    folder.put("y.ndjson.zst.partial", &pieces(&epoch(B, 1))[..2].concat());
    folder.put("notes.txt", b"hello");
    let log = folder.put("server.log", b"hello");
    let from_folder = intake(&[Source::Path(folder.0.clone())]);
    assert_eq!((from_folder.epochs.len(), from_folder.inputs.len()), (2, 2));
    assert_eq!(from_folder.problems, []);
    assert!(from_folder.epochs[0].complete && !from_folder.epochs[1].complete);
    assert_eq!(kinds(&from_folder.epochs[1].problems), ["epoch_cut"]);
    assert_eq!(replies(&from_folder.epochs[0], "VARZ"), 1);
    let named = intake(&[Source::Path(log)]);
    assert_eq!(kinds(&named.problems), ["input_foreign"]);
}

#[test]
fn what_a_collector_still_writes_is_named_and_not_read() {
    let folder = Folder::new();
    let path = folder.put("x.ndjson.zst.partial", &epoch(A, 0));
    let writing = fs::File::options().append(true).open(&path).unwrap();
    writing.try_lock().unwrap();
    let locked = intake(&[Source::Path(folder.0.clone())]);
    assert_eq!((kinds(&locked.problems), locked.epochs.len()), (vec!["input_locked"], 0));
    drop(writing);
    assert_eq!(intake(&[Source::Path(path)]).epochs.len(), 1);
}

#[test]
fn a_path_that_leads_nowhere_is_an_error_that_names_it() {
    let error =
        open(&[Source::Path("no/such".into())], &Limits::default(), &|_, _| {}).unwrap_err();
    assert!(matches!(error, IntakeError::Missing { .. }));
    assert!(error.to_string().contains("no/such"), "{error}");
}

#[test]
fn what_has_to_be_held_is_bounded() {
    let limits = Limits { stdin_held: 10, ..Limits::default() };
    let error = super::place::hold(&[0_u8; 11][..], "standard input", &limits).unwrap_err();
    assert!(error.to_string().contains("stdin_held"), "{error}");
    assert!(super::place::hold(&[0_u8; 10][..], "standard input", &limits).is_ok());
}

#[test]
fn progress_ends_at_the_total() {
    let (a, b) = (epoch(A, 0), epoch(B, 1));
    let last = std::sync::Mutex::new((0, 0));
    let tell = |done, total| {
        let mut last = last.lock().unwrap();
        last.0 = last.0.max(done);
        last.1 = total;
    };
    open(&[held("a", &a), held("b", &b)], &Limits::default(), &tell).unwrap();
    let total = (a.len() + b.len()) as u64;
    assert_eq!(*last.lock().unwrap(), (total, total));
}

/// A later minor version may put fields behind a body: what the body is does not change by them.
#[test]
fn fields_behind_a_body_cost_nothing() {
    let header = header(A, 0);
    let frame = |n: u64, endpoint: &str, lines: &str| frame_of(&header, n, endpoint, lines);
    let later = r#","later":{"a":1}}}"#;
    let varz = r#"{"reply":{"endpoint":"VARZ","source":"http://a1:8222","body":{"server_id":"N1","server_name":"a1","version":"2.12.8"}"#;
    let jsz = r#"{"reply":{"endpoint":"JSZ","source":"N1","body":{"server":{"id":"N1","name":"a1"},"data":{"config":{"domain":"hub"}}}"#;
    let head = head_line(&header);
    let bytes = [
        frame(0, "epoch", &head),
        frame(1, "VARZ", &format!("{varz}{later}\n")),
        frame(2, "JSZ", &format!("{jsz}{later}\n")),
    ];
    let source = Source::Held { name: "later".to_owned(), bytes: bytes.concat().into() };
    let intake = open(&[source], &Limits::default(), &|_, _| {}).unwrap();
    let epoch = crate::decode::replies(&intake.epochs[0], &|_| true);
    assert_eq!(epoch.malformed, []);
    assert_eq!((epoch.varz.len(), epoch.jsz.len(), epoch.sightings.len()), (1, 1, 2));
}

#[test]
fn an_end_is_the_same_whether_it_is_held_or_read_again() {
    let header = header(A, 0);
    let frame = |n: u64, endpoint: &str, lines: &str| frame_of(&header, n, endpoint, lines);
    let head = head_line(&header);
    let end = |outcomes: usize| {
        let outcome = r#"{"endpoint":"VARZ","status":"ok","count":1}"#;
        let outcomes = vec![outcome; outcomes].join(",");
        format!(
            "{{\"end\":{{\"end\":\"2026-11-21T09:00:05Z\",\"frames\":1,\"replies\":{},\"outcomes\":[{outcomes}]}}}}\n",
            outcomes.len()
        )
    };
    let unknown = "{\"hologram\":{}}\n";
    for (ends, outcomes, held) in [
        (end(0), 0, true),
        (end(MOST_OUTCOMES), MOST_OUTCOMES, true),
        (end(MOST_OUTCOMES + 1), MOST_OUTCOMES + 1, false),
        (end(2) + unknown, 2, false),
        (end(1) + &end(3), 3, false),
    ] {
        let frames = [frame(0, "epoch", &head), frame(1, "end", &ends)];
        let index = one(&frames.concat()).epochs.remove(0);
        assert_eq!(index.known_end().is_some(), held, "{ends}");
        let wanted = |_: &Endpoint| true;
        let (epoch, problems) = crate::decode::load(&index, &wanted, &Memo::default());
        assert_eq!(problems, []);
        assert_eq!(epoch.end.map(|end| end.outcomes.len()), Some(outcomes), "{ends}");
        let unknowns = epoch.unknown_lines.get("hologram").copied().unwrap_or_default();
        assert_eq!(unknowns, u64::from(ends.ends_with(unknown)));
        assert!(epoch.read.contains(&Endpoint::END));
    }
}
