//! How many tokens a provider is sent in a minute: a bucket that fills evenly and is never overdrawn. Must be asked before a
//! call.

use crate::time::{Millis, Timestamp};

/// Milliseconds in a minute: a token is counted as so many parts, of which each millisecond brings as many as tokens may be
/// sent in a minute.
const PARTS: u64 = 60_000;

/// A bucket of tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    per_minute: u64,
    /// What is in it, in parts of a token.
    parts: u64,
    since: Option<Timestamp>,
}

impl Bucket {
    /// A full bucket for so many tokens a minute; at least one.
    pub fn new(per_minute: u32) -> Self {
        let per_minute = u64::from(per_minute.max(1));
        Self { per_minute, parts: per_minute * PARTS, since: None }
    }

    /// Takes so many tokens out, at most a full bucket.
    ///
    /// # Errors
    /// When there will be so many, if nobody else takes any.
    pub fn take(&mut self, tokens: u64, now: Timestamp) -> Result<(), Timestamp> {
        let full = self.per_minute * PARTS;
        let passed = self.since.map_or(0, |since| now.since(since).get());
        self.since = Some(self.since.map_or(now, |since| since.max(now)));
        self.parts = full.min(self.parts.saturating_add(passed.saturating_mul(self.per_minute)));
        let wanted = full.min(tokens.saturating_mul(PARTS));
        if wanted <= self.parts {
            self.parts -= wanted;
            return Ok(());
        }
        Err(now + Millis::new((wanted - self.parts).div_ceil(self.per_minute)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    #[test]
    fn it_fills_evenly_and_says_when() {
        let mut bucket = Bucket::new(600);
        assert_eq!(bucket.take(500, NOW), Ok(()));
        assert_eq!(bucket.take(100, NOW), Ok(()));
        assert_eq!(bucket.take(10, NOW), Err(NOW + Millis::seconds(1)));
        assert_eq!(bucket.take(10, NOW + Millis::new(999)), Err(NOW + Millis::seconds(1)));
        assert_eq!(bucket.take(10, NOW + Millis::seconds(1)), Ok(()));
        // More than a whole minute's tokens wait for a full bucket.
        let later = NOW + Millis::seconds(61);
        assert_eq!(bucket.take(9_000, later), Ok(()));
        assert_eq!(bucket.take(9_000, later), Err(later + Millis::seconds(60)));
    }

    proptest! {
        /// In no minute more than two buckets are taken: one that was full, and what fills meanwhile.
        #[test]
        fn no_minute_has_more(
            per_minute in 1u32..10_000,
            calls in prop::collection::vec((0u64..20_000, 0u64..5_000), 1..60),
        ) {
            let mut bucket = Bucket::new(per_minute);
            let (mut now, mut taken) = (NOW, Vec::new());
            for (pause, tokens) in calls {
                now = now + Millis::new(pause);
                match bucket.take(tokens, now) {
                    Ok(()) => taken.push((now, tokens.min(u64::from(per_minute)))),
                    Err(at) => {
                        prop_assert!(at > now);
                        prop_assert_eq!(bucket.clone().take(tokens, at), Ok(()));
                    }
                }
            }
            for (start, _) in &taken {
                let minute = taken.iter().filter(|(at, _)| {
                    *at >= *start && at.since(*start) < Millis::seconds(60)
                });
                let sum: u64 = minute.map(|(_, tokens)| tokens).sum();
                prop_assert!(sum <= 2 * u64::from(per_minute), "{sum}");
            }
        }
    }
}
