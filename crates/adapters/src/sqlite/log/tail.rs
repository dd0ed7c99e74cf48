//! The newest records in memory, for readers who keep up. Must not hold a record that is not durable.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use pilotage_domain::event::Position;
use pilotage_engine::port::log::{Entry, Stored};

use super::queue::bytes_of;

/// So much of what was read stays, for whoever asks about an event just after telling it. More would make every record's
/// memory cold by the time that it is used again: the processor's caches hold about this much.
const READ: usize = 512 << 10;

/// The newest commits, bounded in bytes; without holes between them.
#[derive(Debug)]
pub(super) struct Tail {
    commits: VecDeque<Arc<Commit>>,
    bytes: usize,
    most_bytes: usize,
    /// The last record that the furthest reader has behind it.
    followed: AtomicU64,
}

/// The records of one commit.
#[derive(Debug)]
pub(super) struct Commit {
    /// The position of the first.
    first: u64,
    entries: Vec<Entry>,
    bytes: usize,
}

impl Commit {
    pub(super) fn new(first: Position, entries: Vec<Entry>) -> Self {
        let bytes = entries.iter().map(bytes_of).sum();
        Self { first: first.0, entries, bytes }
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The position of the last; there is at least one record.
    pub(super) fn last(&self) -> Position {
        Position(self.first + self.entries.len() as u64 - 1)
    }

    /// The records after `after`.
    pub(super) fn after(&self, after: Position) -> impl Iterator<Item = Stored> {
        let skipped = (after.0 + 1).saturating_sub(self.first);
        let entries = (self.first..).zip(&self.entries);
        entries.skip(usize::try_from(skipped).unwrap_or(usize::MAX)).map(stored)
    }

    /// The record at that position.
    pub(super) fn at(&self, position: Position) -> Option<&Entry> {
        let index = position.0.checked_sub(self.first)?;
        self.entries.get(usize::try_from(index).ok()?)
    }
}

/// The record as a reader sees it.
pub(super) fn stored((position, entry): (u64, &Entry)) -> Stored {
    Stored {
        position: Position(position),
        product: entry.product.clone(),
        user: entry.user.clone(),
        kind: entry.name.kind(),
        received_at: entry.received_at,
        body: entry.body.clone(),
        event: entry.event.clone(),
    }
}

impl Tail {
    pub(super) fn new(most_bytes: usize) -> Self {
        Self { commits: VecDeque::new(), bytes: 0, most_bytes, followed: AtomicU64::new(0) }
    }

    /// Adds a commit, which holds at least one record, and lets go of the oldest beyond the bound: that of what was read,
    /// and that of all.
    pub(super) fn push(&mut self, commit: Commit) {
        self.bytes += commit.bytes;
        self.commits.push_back(Arc::new(commit));
        let followed = Position(*self.followed.get_mut());
        while let Some(oldest) = self.commits.front() {
            let bound = if oldest.last() <= followed { READ } else { self.most_bytes };
            if self.bytes <= bound.min(self.most_bytes) {
                break;
            }
            self.bytes -= oldest.bytes;
            self.commits.pop_front();
        }
    }

    /// The commits from the record after `after` on, as far as `max_bytes` may reach into them; `None` where the tail
    /// does not go back so far. Whoever asks has all up to `after` behind it.
    pub(super) fn after(&self, after: Position, max_bytes: usize) -> Option<Vec<Arc<Commit>>> {
        self.followed.fetch_max(after.0, Ordering::Relaxed);
        if self.commits.front()?.first > after.0 + 1 {
            return None;
        }
        let start = self.commits.partition_point(|commit| commit.last() <= after);
        let mut bytes = 0;
        let within = |commit: &&Arc<Commit>| {
            let reached = bytes < max_bytes || bytes == 0;
            // Only part of the first commit may be wanted, so that it does not count against the bound.
            bytes += if commit.first <= after.0 + 1 { 1 } else { commit.bytes };
            reached
        };
        Some(self.commits.range(start..).take_while(within).cloned().collect())
    }

    /// The commit that holds that position, where the tail goes back so far.
    pub(super) fn holding(&self, position: Position) -> Option<&Arc<Commit>> {
        let index = self.commits.partition_point(|commit| commit.last() < position);
        self.commits.get(index).filter(|commit| commit.first <= position.0)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use pilotage_domain::id::{EventId, ProductId, UserId};
    use pilotage_domain::time::Timestamp;
    use pilotage_engine::port::log::EntryName;

    use super::*;

    fn entry() -> Entry {
        Entry {
            product: ProductId::new("p").expect("a product"),
            user: UserId::new("u").expect("a user"),
            name: EntryName::Event(EventId::new("e").expect("an id")),
            received_at: Timestamp::from_millis(0),
            body: Bytes::from_static(&[0; 1_000]),
            event: None,
        }
    }

    /// Commits of one, two, three … records, in so many bytes.
    fn tail(commits: usize, most_bytes: usize) -> Tail {
        let mut tail = Tail::new(most_bytes);
        let mut next = 1;
        for count in 1..=commits {
            tail.push(Commit::new(Position(next), vec![entry(); count]));
            next += count as u64;
        }
        tail
    }

    fn after(tail: &Tail, after: u64, max_bytes: usize) -> Option<Vec<u64>> {
        let commits = tail.after(Position(after), max_bytes)?;
        let records = commits.iter().flat_map(|commit| commit.after(Position(after)));
        Some(records.map(|stored| stored.position.0).collect())
    }

    #[test]
    fn records_follow_without_holes_from_anywhere() {
        let tail = tail(4, 1 << 20);
        for from in 0..=10 {
            let expected: Vec<u64> = (from + 1..=10).collect();
            assert_eq!(after(&tail, from, usize::MAX), Some(expected));
        }
        assert_eq!(after(&tail, 3, 0), Some(vec![4, 5, 6]), "one commit at least");
        assert_eq!(after(&tail, 4, 1), Some(vec![5, 6]));
    }

    #[test]
    fn little_stays_of_what_was_read() {
        let big = |first| Commit::new(Position(first), vec![entry(); 200]);
        let mut tail = Tail::new(4 << 20);
        (0..5).for_each(|commit| tail.push(big(1 + 200 * commit)));
        let after_first = |tail: &Tail| after(tail, 0, usize::MAX).map(|all| all.len());
        assert_eq!(after_first(&tail), Some(1_000), "nobody has read it");
        assert_eq!(after(&tail, 500, 0).map(|all| all.len()), Some(100));
        assert_eq!(after_first(&tail), Some(1_000), "nothing goes while nothing comes");
        tail.push(big(1_001));
        assert_eq!(after_first(&tail), None, "from the file");
        assert_eq!(after(&tail, 500, usize::MAX).map(|all| all.len()), Some(700), "half read");
        after(&tail, 1_200, usize::MAX);
        tail.push(big(1_201));
        let held = |at| tail.holding(Position(at)).is_some();
        assert!(!held(1_000) && held(1_001) && held(1_201), "up to half a megabyte");
    }

    #[test]
    fn the_oldest_commits_go_and_are_not_missed() {
        let tail = tail(4, 8_500);
        assert_eq!(after(&tail, 2, usize::MAX), None, "from the file");
        assert_eq!(after(&tail, 3, usize::MAX), Some((4..=10).collect()));
        assert!(tail.holding(Position(3)).is_none());
        let held = (4..=10).all(|at| {
            tail.holding(Position(at)).is_some_and(|commit| commit.at(Position(at)).is_some())
        });
        assert!(held);
        assert!(tail.holding(Position(11)).is_none());
        assert_eq!(after(&Tail::new(100), 0, 1), None, "nothing is held");
    }
}
