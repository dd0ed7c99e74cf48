//! What stands against the limits at a moment: exposures, and for a short time offers. Must not decide what to show.

use super::contact::{ContactLedger, DAY, Dismissals, LONGEST_SILENCE, Offer, RESERVATION};
use crate::definition::{ContactRules, Guide};
use crate::id::MilestoneId;
use crate::time::{Millis, Timestamp};

/// A limit that is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stop {
    /// Which: the first in the order of `Limit`.
    pub limit: Limit,
    /// What the limit is: exposures for `Shows`, `Session` and `Day`, else milliseconds.
    pub need: u64,
    /// What stands against it: exposures and reservations, or milliseconds since the last of them.
    pub have: u64,
    /// When time alone will have opened this limit and every later one of the same gate; `None` where it never will.
    pub opens_at: Option<Timestamp>,
}

/// The limits, those of the gate `limits` first, each gate's in the order in which they are named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Limit {
    /// Exposures of the guide.
    Shows,
    /// Time between two exposures of the guide.
    GuideGap,
    /// Exposures in the session.
    Session,
    /// Exposures in 24 hours.
    Day,
    /// Time between any two exposures.
    Gap,
    /// Silence about the milestone after a dismissal.
    Dismissed,
}

/// What stands against the limits of one user at one moment.
///
/// An exposure is charged from the time it was shown. An offer that nobody has seen is charged as if it were shown when
/// it was made, for `RESERVATION` and no longer.
#[derive(Debug, Clone)]
pub struct Charges<'a> {
    ledger: &'a ContactLedger,
    reserved: Vec<&'a Offer>,
    now: Timestamp,
}

impl<'a> Charges<'a> {
    /// The charges at `now`. `pending` are offers that are made but perhaps not yet folded; each decision counts once,
    /// and where the ledger knows it, as the ledger knows it.
    pub fn new(ledger: &'a ContactLedger, pending: &'a [Offer], now: Timestamp) -> Self {
        let unfolded = pending.iter().filter(|offer| ledger.offer(offer.decision).is_none());
        let mut reserved: Vec<&Offer> = ledger
            .offers
            .iter()
            .chain(unfolded)
            .filter(|offer| offer.shown.is_none() && offer.at + RESERVATION > now)
            .collect();
        reserved.sort_by_key(|offer| offer.decision);
        reserved.dedup_by_key(|offer| offer.decision);
        Self { ledger, reserved, now }
    }

    /// The gate `limits`: the guide's shows and gap.
    pub fn limits(&self, guide: &Guide) -> Result<(), Stop> {
        let past = self.ledger.guide(&guide.id);
        let reserved = self.reserved.iter().filter(|offer| offer.guide == guide.id);
        let shows = guide.shows.and_then(|most| {
            let releases = reserved.clone().map(|offer| offer.at + RESERVATION);
            self.full(Limit::Shows, most, past.shows, releases)
        });
        let gap = guide
            .gap
            .and_then(|gap| self.too_soon(Limit::GuideGap, gap, past.last_shown, reserved));
        together([shows, gap])
    }

    /// The gate `contact` for a guide that serves the milestone, in the session of that hash: session, day, gap,
    /// dismissed.
    pub fn contact(
        &self,
        rules: &ContactRules,
        session: u64,
        milestone: &MilestoneId,
    ) -> Result<(), Stop> {
        together([
            rules.session.and_then(|most| self.session(most, session)),
            rules.day.and_then(|most| self.day(most)),
            self.too_soon(Limit::Gap, rules.gap, self.ledger.last_shown(), self.reserved.iter()),
            self.silence(rules.dismissed, milestone),
        ])
    }

    fn session(&self, most: u32, session: u64) -> Option<Stop> {
        let exposures = self.ledger.recent.iter().filter(|(_, of)| *of == session).count();
        let reserved = self.reserved.iter().filter(|offer| offer.session == session);
        let releases = reserved.map(|offer| offer.at + RESERVATION);
        self.full(Limit::Session, most, u32::try_from(exposures).unwrap_or(u32::MAX), releases)
    }

    fn day(&self, most: u32) -> Option<Stop> {
        let exposures =
            self.ledger.recent.iter().map(|(at, _)| *at + DAY).filter(|end| *end > self.now);
        let releases = self.reserved.iter().map(|offer| offer.at + RESERVATION);
        self.full(Limit::Day, most, 0, exposures.chain(releases))
    }

    /// `lasting` charges that never end and others that end at those instants, against at most `most`.
    fn full(
        &self,
        limit: Limit,
        most: u32,
        lasting: u32,
        ends: impl Iterator<Item = Timestamp> + Clone,
    ) -> Option<Stop> {
        let (need, have) = (u64::from(most), u64::from(lasting) + ends.clone().count() as u64);
        let surplus = usize::try_from(have.checked_sub(need)?).ok()?;
        let mut ends: Vec<Timestamp> = ends.collect();
        ends.sort_unstable();
        // There is room again once one more than the surplus has ended.
        Some(Stop { limit, need, have, opens_at: ends.get(surplus).copied() })
    }

    /// Less than `gap` since the last exposure or since a reservation, which holds for no longer than it lasts.
    fn too_soon<'o>(
        &self,
        limit: Limit,
        gap: Millis,
        last: Option<Timestamp>,
        reserved: impl Iterator<Item = &'o &'a Offer> + Clone,
    ) -> Option<Stop>
    where
        'a: 'o,
    {
        let held = reserved.clone().map(|offer| offer.at + gap.min(RESERVATION)).max();
        let opens_at = last.map(|last| last + gap).max(held).filter(|opens| *opens > self.now)?;
        let newest = reserved.map(|offer| offer.at).max().max(last)?;
        Some(Stop {
            limit,
            need: gap.get(),
            have: self.now.since(newest).get(),
            opens_at: Some(opens_at),
        })
    }

    fn silence(&self, first: Millis, milestone: &MilestoneId) -> Option<Stop> {
        let Dismissals { count, last } = self.ledger.dismissals(milestone)?;
        let doubled = 1_u64.checked_shl(count.saturating_sub(1)).unwrap_or(u64::MAX);
        let silence = first.times(doubled, LONGEST_SILENCE);
        let opens_at = last + silence;
        let have = self.now.since(last).get();
        (opens_at > self.now).then(|| Stop {
            limit: Limit::Dismissed,
            need: silence.get(),
            have,
            opens_at: Some(opens_at),
        })
    }
}

/// The first stop, open when all are.
fn together(stops: impl IntoIterator<Item = Option<Stop>>) -> Result<(), Stop> {
    let all = stops.into_iter().flatten();
    let first = all.reduce(|first, next| Stop {
        opens_at: first.opens_at.zip(next.opens_at).map(|(a, b)| a.max(b)),
        ..first
    });
    first.map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests;
