//! A write-ahead log that ends too early, at every byte, and one that is damaged before its end.

use std::fs;
use std::path::{Path, PathBuf};

use pilotage_domain::event::Position;
use pilotage_engine::port::log::Log;
use tempfile::TempDir;

use super::{append, event, flip, folder, open_log, read_all, with_small_pages};
use crate::sqlite::{OpenError, file, wal};

/// A log whose records are all still in the write-ahead log, as after a kill.
struct Killed {
    folder: TempDir,
    wal: PathBuf,
    /// The length of the write-ahead log after the nth commit; of one record each.
    lengths: Vec<u64>,
}

async fn killed(commits: usize) -> Killed {
    let (live, folder) = (folder(), folder());
    let name = |folder: &Path, end| folder.join(format!("log.sqlite{end}"));
    with_small_pages(&name(live.path(), ""));
    let log = open_log(live.path()).expect("the log opens");
    let length = || fs::metadata(name(live.path(), "-wal")).expect("a file").len();
    let mut lengths = vec![length()];
    for n in 0..commits {
        append(&log, n).await;
        lengths.push(length());
    }
    for end in ["", "-wal"] {
        fs::copy(name(live.path(), end), name(folder.path(), end)).expect("a copy");
    }
    Killed { wal: name(folder.path(), "-wal"), folder, lengths }
}

impl Killed {
    fn database(&self) -> PathBuf {
        self.folder.path().join("log.sqlite")
    }

    /// How many records SQLite finds, without writing anything.
    fn found(&self) -> i64 {
        let connection = file::open_reader(&self.database(), 1 << 20).expect("the file opens");
        let count = "SELECT count(*) FROM block";
        connection.query_row(count, [], |row| row.get(0)).expect("a count")
    }

    fn cut(&self, length: u64) {
        let wal = fs::File::options().write(true).open(&self.wal).expect("the write-ahead log");
        wal.set_len(length).expect("a shorter file");
    }
}

#[tokio::test]
async fn a_torn_end_costs_no_commit_before_it() {
    let killed = killed(12).await;
    let (first, last) = (killed.lengths[8], killed.lengths[12]);
    for length in (first..=last).rev() {
        killed.cut(length);
        wal::check(&killed.database()).expect("a torn end is no damage");
        let whole = killed.lengths.iter().rposition(|end| *end <= length).expect("a commit");
        assert_eq!(killed.found(), whole as i64, "torn at byte {length}");
    }
}

#[tokio::test]
async fn a_log_goes_on_after_a_torn_end() {
    for torn in [0, 1, 12, 24, 300, 540] {
        let killed = killed(6).await;
        let length = killed.lengths[6] - torn;
        killed.cut(length);
        let whole = killed.lengths.iter().rposition(|end| *end <= length).expect("a commit");
        let log = open_log(killed.folder.path()).expect("the log opens");
        assert_eq!(log.end(), Position(whole as u64), "{torn} bytes are missing");
        assert_eq!(append(&log, whole).await, Position(whole as u64 + 1));
        drop(log);
        let log = open_log(killed.folder.path()).expect("the log opens");
        let stored = read_all(&log).await.expect("the log reads");
        let bodies = stored.into_iter().map(|stored| stored.body);
        assert!(bodies.eq((0..=whole).map(|n| event(n).body)), "{torn} bytes were missing");
    }
}

#[tokio::test]
async fn damage_before_the_end_is_refused() {
    let killed = killed(8).await;
    // Within the last commit it looks like a torn end; before that, nothing else explains it.
    let last_commit = usize::try_from(killed.lengths[7]).expect("a small number");
    for at in 0..last_commit {
        flip(&killed.wal, at, at);
        let refused = wal::check(&killed.database());
        assert!(matches!(refused, Err(OpenError::Damaged { .. })), "byte {at} of {last_commit}");
        flip(&killed.wal, at, at);
    }
    wal::check(&killed.database()).expect("it is whole again");
    let frame = 32 + 3 * (24 + 512) + 100;
    flip(&killed.wal, frame, 0);
    let error = open_log(killed.folder.path()).map(drop).expect_err("it must not open");
    let expected = "frame 4 is not what was written, but frames after it are";
    assert!(error.to_string().ends_with(expected), "{error}");
}

#[tokio::test]
async fn damage_in_the_last_commit_costs_no_other() {
    let killed = killed(6).await;
    let range = |length: u64| usize::try_from(length).expect("a small number");
    let (mut torn, mut damaged) = (0, 0);
    for at in range(killed.lengths[5])..range(killed.lengths[6]) {
        flip(&killed.wal, at, at);
        match wal::check(&killed.database()) {
            // Most of it can't be told from a torn end.
            Ok(()) => {
                assert_eq!(killed.found(), 5, "byte {at}");
                torn += 1;
            }
            Err(_) => damaged += 1,
        }
        flip(&killed.wal, at, at);
    }
    // Of two frames: the salts, which nothing else can have changed, and what says that the first ends no commit.
    assert_eq!(damaged, 8 + 8 + 4, "{torn} torn");
}
