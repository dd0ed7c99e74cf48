//! Which situation is worth the next call: the one that many users meet and about which the least is known. Must stay bounded:
//! what is worth least is dropped, and comes back when it is met again.

use std::cmp::Reverse;

use super::budget::Level;
use super::history::STALE;
use crate::hash::ContentHash;
use crate::number::Probability;
use crate::time::{Millis, Timestamp};

/// The head: situations that were met at least so often while they waited.
pub const HEAD: u64 = 20;
/// The pause after a first failure, and the longest; it doubles with each further one.
const FIRST_PAUSE: Millis = Millis::seconds(30);
const LONGEST_PAUSE: Millis = Millis::hours(6);

/// A situation that waits for advice. There is one for a signature: meeting it again adds to its traffic.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Job {
    /// The situation.
    pub signature: ContentHash,
    /// How often it was met since it was last asked about.
    pub traffic: u64,
    /// How little is known: 1 for a new situation, else `Advice::uncertainty` of what is in force.
    pub uncertainty: Probability,
    /// Whether advice is in force that only has to be refreshed.
    pub knows: Knows,
    /// Since when it waits.
    pub since: Timestamp,
    /// Not to be asked about before.
    pub not_before: Timestamp,
}

/// What is known about a situation that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Knows {
    /// Nothing that is in force.
    Nothing,
    /// Something stale.
    Stale,
}

/// What a call about a situation is worth: traffic times uncertainty, in thousandths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Worth(u64);

impl Worth {
    /// The number, to order rows by.
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// What a call about a situation is worth; something even where nothing is unsure.
pub fn worth(traffic: u64, uncertainty: Probability) -> Worth {
    let thousandths = (uncertainty.get() * 1_000.0) as u64;
    Worth(traffic.saturating_mul(thousandths.max(1)))
}

impl Job {
    /// What a call about it is worth.
    pub fn worth(&self) -> Worth {
        worth(self.traffic, self.uncertainty)
    }

    /// From the most to the least worth; among equals the one that waits longest, then by signature.
    pub fn rank(&self) -> (Reverse<Worth>, Timestamp, ContentHash) {
        (Reverse(self.worth()), self.since, self.signature)
    }

    /// Whether it may be asked about now, as far as the budget goes.
    pub fn is_due(&self, level: Level, now: Timestamp) -> bool {
        let affordable = match level {
            Level::Plenty | Level::Sparing => true,
            Level::HeadOnly => self.traffic >= HEAD,
            Level::Spent => false,
        };
        affordable && now >= self.not_before
    }
}

/// The next job, if one is due.
pub fn next<'a>(
    jobs: impl IntoIterator<Item = &'a Job>,
    level: Level,
    now: Timestamp,
) -> Option<&'a Job> {
    jobs.into_iter().filter(|job| job.is_due(level, now)).min_by_key(|job| job.rank())
}

/// The job to drop where there is one too many.
pub fn least<'a>(jobs: impl IntoIterator<Item = &'a Job>) -> Option<&'a Job> {
    jobs.into_iter().max_by_key(|job| job.rank())
}

/// The age from which advice is asked for again: twice as old where money gets scarce, never where there is nearly none.
pub const fn stale_after(level: Level) -> Option<Millis> {
    match level {
        Level::Plenty => Some(STALE),
        Level::Sparing => Some(Millis::new(2 * STALE.get())),
        Level::HeadOnly | Level::Spent => None,
    }
}

/// How long a situation rests after so many failures in a row.
pub fn rest(failures: u32) -> Millis {
    let doubled = 1u64.checked_shl(failures.saturating_sub(1)).unwrap_or(u64::MAX);
    FIRST_PAUSE.times(doubled, LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    fn job(name: &str, traffic: u64, uncertainty: f64) -> Job {
        Job {
            signature: ContentHash::of_bytes(name.as_bytes()),
            traffic,
            uncertainty: Probability::new(uncertainty).expect("in range"),
            knows: Knows::Nothing,
            since: NOW,
            not_before: NOW,
        }
    }

    fn name(job: Option<&Job>, names: &[&str]) -> Option<String> {
        let is =
            |name: &&&str| Some(ContentHash::of_bytes(name.as_bytes())) == job.map(|j| j.signature);
        names.iter().find(is).map(|name| (*name).to_owned())
    }

    #[test]
    fn traffic_times_uncertainty_goes_first_and_the_least_is_dropped() {
        let jobs = [job("known", 900, 0.01), job("rare", 8, 1.0), job("head", 30, 0.9)];
        let names = ["known", "rare", "head"];
        assert_eq!(name(next(&jobs, Level::Plenty, NOW), &names).as_deref(), Some("head"));
        assert_eq!(name(least(&jobs), &names).as_deref(), Some("rare"));
        assert!(worth(5, Probability::ZERO) > worth(4, Probability::ZERO));
    }

    #[test]
    fn among_equals_the_longest_wait_goes_first() {
        let early = Job { since: NOW - Millis::seconds(1), ..job("early", 5, 0.5) };
        let jobs = [job("late", 5, 0.5), early];
        assert_eq!(
            name(next(&jobs, Level::Plenty, NOW), &["late", "early"]).as_deref(),
            Some("early")
        );
    }

    #[test]
    fn scarce_money_is_for_the_head() {
        let (head, tail) = (job("head", HEAD, 0.1), job("tail", HEAD - 1, 1.0));
        let table = [
            (Level::Plenty, true, true),
            (Level::Sparing, true, true),
            (Level::HeadOnly, true, false),
            (Level::Spent, false, false),
        ];
        for (level, first, second) in table {
            assert_eq!((head.is_due(level, NOW), tail.is_due(level, NOW)), (first, second));
        }
        let later = Job { not_before: NOW + Millis::new(1), ..head };
        assert!(!later.is_due(Level::Plenty, NOW));
        assert!(later.is_due(Level::Plenty, NOW + Millis::new(1)));
        assert_eq!(stale_after(Level::Sparing), Some(Millis::days(14)));
        assert_eq!(stale_after(Level::HeadOnly), None);
    }

    #[test]
    fn failures_rest_longer_and_longer() {
        let rests: Vec<String> = [1, 2, 3, 11, 200].map(|n| rest(n).to_string()).into();
        assert_eq!(rests, ["30s", "1m", "2m", "6h", "6h"]);
    }
}
