//! A bound on how often a key may call: a token bucket in one atomic number. Must not know whom it bounds.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// So many requests a second, and so many at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Requests a second in the long run; at least 1.
    pub per_second: u32,
    /// Requests that may come at once after a silence; at least 1.
    pub burst: u32,
}

/// A bucket. It holds the moment at which it will be full again, in nanoseconds since it was made (a bucket that is
/// full now has a moment in the past), so taking a token is one compare-and-swap.
#[derive(Debug)]
pub(crate) struct Bucket {
    made: Instant,
    full_at: AtomicU64,
    /// What one token costs.
    interval: u64,
    /// What a full bucket is worth.
    capacity: u64,
}

impl Bucket {
    /// A full bucket.
    pub(crate) fn new(rate: Rate, now: Instant) -> Self {
        let interval = 1_000_000_000 / u64::from(rate.per_second.max(1));
        let capacity = interval.saturating_mul(u64::from(rate.burst.max(1)));
        Self { made: now, full_at: AtomicU64::new(0), interval, capacity }
    }

    /// Takes a token; where there is none, says after what time there will be one.
    pub(crate) fn take(&self, now: Instant) -> Result<(), Duration> {
        let now =
            u64::try_from(now.saturating_duration_since(self.made).as_nanos()).unwrap_or(u64::MAX);
        let latest = now.saturating_add(self.capacity);
        let taken = self.full_at.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |full_at| {
            let next = full_at.max(now).saturating_add(self.interval);
            (next <= latest).then_some(next)
        });
        taken.map(|_| ()).map_err(|full_at| {
            Duration::from_nanos(full_at.saturating_add(self.interval).saturating_sub(latest))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_then_one_token_each_interval() {
        let start = Instant::now();
        let bucket = Bucket::new(Rate { per_second: 10, burst: 3 }, start);
        let at = |ms: u64| start + Duration::from_millis(ms);
        for _ in 0..3 {
            assert_eq!(bucket.take(at(0)), Ok(()));
        }
        assert_eq!(bucket.take(at(0)), Err(Duration::from_millis(100)));
        assert_eq!(bucket.take(at(60)), Err(Duration::from_millis(40)));
        assert_eq!(bucket.take(at(100)), Ok(()));
        assert!(bucket.take(at(100)).is_err());
        for _ in 0..3 {
            assert_eq!(bucket.take(at(10_000)), Ok(()));
        }
        assert!(bucket.take(at(10_000)).is_err(), "silence saves no more than a burst");
    }
}
