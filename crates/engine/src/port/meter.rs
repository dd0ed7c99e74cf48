//! How commits are measured: sorted by size as they happen, read at any time. Must not read a clock, nor know who shows it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Bounds of the times, in microseconds.
const MICROS: &[u64] = &[
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000,
    1_000_000, 5_000_000,
];
/// Bounds of the numbers of records.
const RECORDS: &[u64] = &[1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024, 2_048, 4_096, 8_192];

/// Measures commits; shared by whoever commits and whoever asks. Never blocks.
#[derive(Debug)]
pub struct CommitMeter {
    micros: Scale,
    records: Scale,
}

impl Default for CommitMeter {
    fn default() -> Self {
        Self { micros: Scale::new(MICROS), records: Scale::new(RECORDS) }
    }
}

impl CommitMeter {
    /// Notes a commit that has succeeded: how long it took until it was durable, and how many records it held.
    pub fn note(&self, took: Duration, records: usize) {
        self.micros.note(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
        self.records.note(records as u64);
    }

    /// The commits so far.
    pub fn read(&self) -> Commits {
        Commits { micros: self.micros.read(), records: self.records.read() }
    }
}

/// The commits of a part since it was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commits {
    /// How long they took, in microseconds.
    pub micros: Spread,
    /// How many records (of the store: users) they held.
    pub records: Spread,
}

/// How values are spread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spread {
    /// A bound, and how many values are at most that and above the bound before. The bounds ascend.
    pub buckets: Vec<(u64, u64)>,
    /// How many values are above every bound.
    pub above: u64,
    /// All values together. A value that is noted at this moment may be missing here or in its bucket.
    pub sum: u64,
}

impl Spread {
    /// How many values there are.
    pub fn count(&self) -> u64 {
        self.buckets.iter().map(|(_, count)| count).sum::<u64>() + self.above
    }
}

#[derive(Debug)]
struct Scale {
    bounds: &'static [u64],
    /// One more than there are bounds.
    counts: Box<[AtomicU64]>,
    sum: AtomicU64,
}

impl Scale {
    fn new(bounds: &'static [u64]) -> Self {
        let counts = (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Self { bounds, counts, sum: AtomicU64::new(0) }
    }

    fn note(&self, value: u64) {
        let place = self.bounds.partition_point(|bound| *bound < value);
        if let Some(count) = self.counts.get(place) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        self.sum.fetch_add(value, Ordering::Relaxed);
    }

    fn read(&self) -> Spread {
        let mut counts = self.counts.iter().map(|count| count.load(Ordering::Relaxed));
        let buckets = self.bounds.iter().copied().zip(counts.by_ref()).collect();
        let above = counts.next().unwrap_or(0);
        Spread { buckets, above, sum: self.sum.load(Ordering::Relaxed) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_commit_is_in_one_bucket_and_in_the_sum() {
        let meter = CommitMeter::default();
        assert_eq!(meter.read().micros.count(), 0);
        for (micros, records) in [(0, 1), (100, 1), (101, 2), (5_000_000, 3), (6_000_000, 9_000)] {
            meter.note(Duration::from_micros(micros), records);
        }
        let Commits { micros, records } = meter.read();
        let counts = |spread: &Spread| {
            let counted = spread.buckets.iter().copied().filter(|(_, count)| *count > 0);
            counted.collect::<Vec<_>>()
        };
        assert_eq!(counts(&micros), [(100, 2), (250, 1), (5_000_000, 1)]);
        assert_eq!((micros.above, micros.count(), micros.sum), (1, 5, 11_000_201));
        assert_eq!(counts(&records), [(1, 2), (2, 1), (4, 1)]);
        assert_eq!((records.above, records.count(), records.sum), (1, 5, 9_007));
    }
}
