//! Passes over folders with real snapshots, and with everything that must not be touched.

use std::cell::RefCell;
use std::fs;
use std::io;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use nats_hindsight_snapshot::format::{SnapshotFile, SnapshotWriter, file_name};
use nats_hindsight_snapshot::lines::{
    AskedLine, CollectorLine, EpochLine, ExpectsLine, FormatName, RunLine,
};
use tempfile::TempDir;

use super::{Keep, Latest, Removed, Retention};

const NOW: &str = "2026-11-21T09:00:00Z";
const WEEK: Keep = Keep { age: Some(Duration::from_hours(168)), bytes: None };

/// A folder and the collector `c1` of the system `prod` in it.
struct Room {
    folder: TempDir,
    retention: Retention,
    warnings: RefCell<Vec<String>>,
}

fn room(keep: Keep) -> Room {
    let folder = tempfile::tempdir().unwrap();
    let retention = Retention::new(keep, folder.path(), "prod", "c1");
    Room { folder, retention, warnings: RefCell::default() }
}

fn header(system: &str, collector: &str, days_ago: i64) -> EpochLine {
    let now: Timestamp = NOW.parse().unwrap();
    EpochLine {
        format: FormatName { name: "nats-hindsight-snapshot".into(), version: "1.0".into() },
        uuid: uuid::Uuid::new_v4().to_string(),
        system: system.to_owned(),
        system_set: true,
        collector: CollectorLine { id: collector.to_owned(), version: "0.1.0".into() },
        run: RunLine::default(),
        start: now - SignedDuration::from_hours(24 * days_ago),
        asked: AskedLine::default(),
        connections: Vec::new(),
        expects: ExpectsLine::default(),
    }
}

impl Room {
    /// A finished epoch; its name.
    fn epoch(&self, system: &str, collector: &str, days_ago: i64) -> String {
        let header = header(system, collector, days_ago);
        let (file, name) = self.begun(&header);
        let (_, file) = file.finish(header.start, false, ExpectsLine::default()).unwrap();
        file.commit().unwrap();
        name
    }

    fn begun(&self, header: &EpochLine) -> (SnapshotWriter<SnapshotFile>, String) {
        let name = file_name(&header.system, header.start, &header.uuid);
        let file = SnapshotFile::create(self.folder.path(), &name).unwrap();
        (SnapshotWriter::start(file, header).unwrap(), name)
    }

    /// What a killed collector leaves.
    fn cut(&self, days_ago: i64) -> String {
        let (writer, name) = self.begun(&header("prod", "c1", days_ago));
        drop(writer);
        name + ".partial"
    }

    /// Days ago that there are epochs of this collector.
    fn epochs(&self, days_ago: impl IntoIterator<Item = i64>) -> Vec<String> {
        days_ago.into_iter().map(|days| self.epoch("prod", "c1", days)).collect()
    }

    /// Epochs without a hole up to now, so that what is older than a week is known to be; the last.
    fn recent(&self, system: &str) -> String {
        self.epoch(system, "c1", 6);
        self.epoch(system, "c1", 3);
        self.epoch(system, "c1", 0)
    }

    fn pass(&mut self, latest: &str) -> Removed {
        let latest = Latest { file_name: Some(latest.to_owned()), start: NOW.parse().unwrap() };
        let warnings = &self.warnings;
        let warn = |text: &str| warnings.borrow_mut().push(text.to_owned());
        self.retention.pass(&latest, &|| false, &warn)
    }

    fn has(&self, name: &str) -> bool {
        self.folder.path().join(name).symlink_metadata().is_ok()
    }

    fn count(&self) -> usize {
        fs::read_dir(self.folder.path()).unwrap().count()
    }
}

#[test]
fn old_epochs_go_and_are_counted() {
    let mut room = room(WEEK);
    let names = room.epochs([9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
    let bytes = names[..2]
        .iter()
        .map(|name| fs::metadata(room.folder.path().join(name)).unwrap().len())
        .sum();
    assert_eq!(room.pass(&names[9]), Removed { files: 2, bytes });
    assert_eq!(
        (room.has(&names[0]), room.has(&names[1]), room.has(&names[2])),
        (false, false, true)
    );
    assert_eq!(room.pass(&names[9]), Removed::default());
    assert!(room.warnings.borrow().is_empty());
}

#[test]
fn size_counts_own_epochs_only() {
    let mut room = room(Keep { age: None, bytes: Some(1) });
    let foreign = room.epoch("prod", "c2", 3);
    let names = room.epochs([2, 1, 0]);
    assert_eq!(room.pass(&names[2]).files, 2);
    assert!(room.has(&foreign) && room.has(&names[2]), "the newest stays, though it is too large");
    let kept = fs::metadata(room.folder.path().join(&names[2])).unwrap().len();
    room.retention.keep.bytes = Some(kept);
    assert_eq!(room.pass(&names[2]), Removed::default());
}

/// The labels of two systems may be alike in their first 64 characters.
#[test]
fn names_alone_prove_nothing() {
    let mut room = room(WEEK);
    let long = |end: &str| format!("{}{end}", "s".repeat(64));
    room.retention = Retention::new(WEEK, room.folder.path(), &long("-one"), "c1");
    let own = room.epoch(&long("-one"), "c1", 30);
    let namesake = room.epoch(&long("-two"), "c1", 30);
    let latest = room.recent(&long("-one"));
    assert_eq!(own.split('.').next(), namesake.split('.').next());
    assert_eq!(room.pass(&latest).files, 1);
    assert!(!room.has(&own) && room.has(&namesake));
}

#[test]
fn what_is_not_certainly_its_own_stays() {
    let mut room = room(WEEK);
    let path = room.folder.path().to_owned();
    let mut stays = vec![
        room.epoch("prod", "c2", 30),
        room.epoch("prod2", "c1", 30),
        room.epoch("staging", "c1", 30),
    ];
    let own = room.epochs([31, 30, 29, 28]);
    // A name that is not the one of its header.
    fs::rename(path.join(&own[0]), path.join("prod.20260101T000000Z.0123abcd.ndjson.zst")).unwrap();
    stays.push("prod.20260101T000000Z.0123abcd.ndjson.zst".into());
    // A damaged header.
    let mut bytes = fs::read(path.join(&own[1])).unwrap();
    bytes[300] ^= 1;
    fs::write(path.join(&own[1]), bytes).unwrap();
    stays.push(own[1].clone());
    for (name, content) in [
        ("prod.20260102T000000Z.0123abcd.ndjson.zst", "not a snapshot"),
        ("prod.20260103T000000Z.0123abcd.ndjson.zst", ""),
        ("notes.txt", "mine"),
        (".hindsight-collector-id", "c1\n"),
    ] {
        fs::write(path.join(name), content).unwrap();
        stays.push(name.into());
    }
    fs::create_dir(path.join("prod.20260104T000000Z.0123abcd.ndjson.zst")).unwrap();
    stays.push("prod.20260104T000000Z.0123abcd.ndjson.zst".into());
    let latest = room.recent("prod");
    assert_eq!(room.pass(&latest).files, 2, "those of 29 and 28 days ago");
    for name in &stays {
        assert!(room.has(name), "{name}");
    }
    assert_eq!(room.count(), stays.len() + 3);
}

#[cfg(unix)]
#[test]
fn links_are_left_alone_and_so_is_what_they_lead_to() {
    let mut room = room(WEEK);
    let elsewhere = tempfile::tempdir().unwrap();
    let target = room.epoch("prod", "c1", 30);
    let path = room.folder.path().join(&target);
    fs::rename(&path, elsewhere.path().join(&target)).unwrap();
    std::os::unix::fs::symlink(elsewhere.path().join(&target), &path).unwrap();
    let latest = room.recent("prod");
    assert_eq!(room.pass(&latest), Removed::default());
    assert!(room.has(&target) && elsewhere.path().join(&target).exists());
}

/// Also in a folder that is known already: it may be made read-only while the collector runs.
#[test]
fn a_read_only_file_stays() {
    let mut room = room(WEEK);
    let [pinned, latest] = &room.epochs([6, 0])[..] else { panic!("two epochs") };
    assert_eq!(room.pass(latest), Removed::default());
    let path = room.folder.path().join(pinned);
    let mut permissions = fs::metadata(&path).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&path, permissions).unwrap();
    room.retention.keep = Keep { age: Some(Duration::from_hours(24)), bytes: Some(1) };
    let younger = room.epoch("prod", "c1", 2);
    assert_eq!(room.pass(latest).files, 1, "by size");
    assert!(room.has(pinned) && !room.has(&younger));
}

#[test]
fn a_partial_goes_with_its_time_unless_somebody_writes_it() {
    let mut room = room(WEEK);
    let old = room.cut(30);
    let young = room.cut(1);
    let (writer, name) = room.begun(&header("prod", "c1", 30));
    let locked = name + ".partial";
    let unreadable = "prod.20260101T000000Z.0123abcd.ndjson.zst.partial";
    fs::write(room.folder.path().join(unreadable), "").unwrap();
    let latest = room.recent("prod");
    assert_eq!(room.pass(&latest).files, 1);
    assert!(!room.has(&old) && room.has(&young) && room.has(&locked) && room.has(unreadable));
    drop(writer);
    assert_eq!(room.pass(&latest).files, 1, "it is looked at again once nobody holds it");
    assert!(!room.has(&locked));
}

#[test]
fn a_file_that_cannot_be_deleted_is_one_warning() {
    let mut room = room(WEEK);
    room.retention.delete = |_| Err(io::Error::from(io::ErrorKind::PermissionDenied));
    let names = room.epochs([30, 29]);
    let latest = room.recent("prod");
    for _ in 0..3 {
        assert_eq!(room.pass(&latest), Removed::default());
    }
    let warnings = room.warnings.borrow();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains(&names[0]) && warnings[0].contains("and 1 more"), "{warnings:?}");
}

#[test]
fn a_folder_that_cannot_be_listed_is_one_warning() {
    let mut room = room(WEEK);
    let gone = room.folder.path().join("gone");
    room.retention = Retention::new(WEEK, &gone, "prod", "c1");
    for _ in 0..3 {
        assert_eq!(room.pass(""), Removed::default());
    }
    assert_eq!(room.warnings.borrow().len(), 1);
}

#[test]
fn a_future_of_a_wrong_clock_is_told_once() {
    let mut room = room(WEEK);
    let names = room.epochs([8, 0, -20_000, 3, 6]);
    assert_eq!(room.pass(&names[1]).files, 1);
    assert_eq!(room.pass(&names[1]).files, 0);
    assert!(room.has(&names[1]) && room.has(&names[2]));
    let warnings = room.warnings.borrow();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("1 snapshot") && warnings[0].contains(&names[2]), "{warnings:?}");
}

/// What was opened once is not opened again: a header that is exchanged behind the collector's back
/// is only noticed when its file would go, and then the file stays.
#[test]
fn headers_are_read_once_and_again_before_a_file_goes() {
    let mut room = room(WEEK);
    let names = room.epochs([6, 0]);
    assert_eq!(room.pass(&names[1]), Removed::default());
    let path = room.folder.path().join(&names[0]);
    let exchanged = room.epoch("prod", "c2", 6);
    fs::rename(room.folder.path().join(exchanged), &path).unwrap();
    room.retention.keep.age = Some(Duration::from_hours(24));
    assert_eq!(room.pass(&names[1]), Removed::default());
    assert!(room.has(&names[0]));
}

#[test]
fn it_stops_when_it_is_told_to() {
    let mut room = room(WEEK);
    let old = room.epoch("prod", "c1", 30);
    let latest = Latest { file_name: Some(room.recent("prod")), start: NOW.parse().unwrap() };
    assert_eq!(room.retention.pass(&latest, &|| true, &|_| {}), Removed::default());
    assert!(room.has(&old));
    assert_eq!(room.retention.pass(&latest, &|| false, &|_| {}).files, 1);
}

/// After an epoch that could not be finished the newest whole one stays, and what is left of the
/// other as well.
#[test]
fn an_epoch_that_was_cut_does_not_take_the_place_of_the_newest_whole_one() {
    let mut room = room(Keep { age: None, bytes: Some(0) });
    let old = room.epoch("prod", "c1", 2);
    let newest = room.epoch("prod", "c1", 1);
    let cut = room.cut(0);
    let latest = Latest { file_name: None, start: NOW.parse().unwrap() };
    let removed = room.retention.pass(&latest, &|| false, &|_| {});
    assert_eq!(removed.files, 1);
    assert!(!room.has(&old) && room.has(&newest) && room.has(&cut));
}

/// A clock may have jumped: what lies before a hole stays until as much has been recorded since.
#[test]
fn a_hole_is_told_once() {
    let mut room = room(WEEK);
    let names = room.epochs([31, 30, 0]);
    for _ in 0..3 {
        assert_eq!(room.pass(&names[2]), Removed::default());
    }
    {
        let warnings = room.warnings.borrow();
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(warnings[0].contains("2 snapshots"), "{warnings:?}");
    }
    room.epoch("prod", "c1", 3);
    room.epoch("prod", "c1", 6);
    assert_eq!(room.pass(&names[2]).files, 2);
}
