//! The budget governor: money is reserved before a call and settled after it, so that no cap is ever passed. Must not be
//! told less than the worst case, nor forget money that may have been spent.
//!
//! It is one small value. A store keeps it in one row (or one transaction) and lets every worker step it there: the state
//! that was read, the command, the state that is written.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::calendar;
use super::money::MicroUsd;
use crate::id::ProviderId;
use crate::time::Timestamp;

/// The most reservations at a time: it bounds the row, and more calls at once nobody makes.
pub const MOST_HELD: usize = 1_024;

/// What may be spent. A cap of nothing allows nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Caps {
    /// In a day of UTC; no cap of its own where `None`.
    pub day: Option<MicroUsd>,
    /// In a month of UTC.
    pub month: MicroUsd,
    /// In a month with one provider, where it has a cap of its own.
    pub providers: BTreeMap<ProviderId, MicroUsd>,
}

/// What is spent and reserved.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Ledger {
    /// Counted from 1970, and never back.
    day: i64,
    /// Counted from the year 0, and never back.
    month: i64,
    spent_in_day: MicroUsd,
    spent_in_month: MicroUsd,
    spent_with: BTreeMap<ProviderId, MicroUsd>,
    held: BTreeMap<Reservation, Held>,
    next: u64,
    level: Level,
}

/// The name of a reservation, never given twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Reservation(u64);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Held {
    provider: ProviderId,
    amount: MicroUsd,
    until: Timestamp,
}

/// How much of the tighter of day and month is spent or reserved.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Less than 70 %.
    #[default]
    Plenty,
    /// From 70 % on: what is known is refreshed half as often.
    Sparing,
    /// From 90 % on: only what many users meet is asked about.
    HeadOnly,
    /// All of it: nothing is asked.
    Spent,
}

/// What somebody wants of the governor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Room for the worst case of one call, until that instant at the latest.
    Reserve {
        /// Who bills it.
        provider: ProviderId,
        /// The most that it can cost.
        worst: MicroUsd,
        /// When the call is over for sure.
        until: Timestamp,
    },
    /// The call is over and was billed so much.
    Settle(Reservation, MicroUsd),
    /// The call was not billed: it never reached the provider.
    Release(Reservation),
    /// Time has passed.
    Look,
}

/// What comes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// The call may be made.
    Granted(Reservation),
    /// It may not.
    Denied(Denial),
    /// So much was spent.
    Charged(MicroUsd),
    /// The bill was higher than the worst case by so much: a price or a bound is wrong, and somebody must look.
    Overrun(MicroUsd),
    /// Nobody settled in time. The call may have been billed, so the whole reservation counts as spent.
    Lapsed(Reservation, MicroUsd),
    /// No such reservation: it was settled or released before, or has lapsed.
    Unknown(Reservation),
    /// Another level than before. `Spent` is an alert.
    Reached(Level),
}

/// Which cap a reservation would pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denial {
    /// The day's.
    Day,
    /// The month's.
    Month,
    /// The provider's own.
    Provider,
    /// Too many reservations are open.
    Crowded,
}

/// The next ledger, and what comes of the command.
pub fn step(
    mut ledger: Ledger,
    caps: &Caps,
    command: Command,
    now: Timestamp,
) -> (Ledger, Vec<Effect>) {
    ledger.turn(now);
    let mut effects = ledger.lapse(now);
    match command {
        Command::Reserve { provider, worst, until } => {
            effects.push(match ledger.denial(caps, &provider, worst) {
                Some(denial) => Effect::Denied(denial),
                None => Effect::Granted(ledger.hold(Held { provider, amount: worst, until })),
            });
        }
        Command::Settle(id, cost) => effects.extend(ledger.settle(id, cost)),
        Command::Release(id) if ledger.held.remove(&id).is_none() => {
            effects.push(Effect::Unknown(id));
        }
        Command::Release(_) | Command::Look => {}
    }
    let level = ledger.level_under(caps);
    if level != ledger.level {
        ledger.level = level;
        effects.push(Effect::Reached(level));
    }
    (ledger, effects)
}

impl Ledger {
    /// Spent today, as of the last step.
    pub const fn spent_in_day(&self) -> MicroUsd {
        self.spent_in_day
    }
    /// Spent this month, as of the last step.
    pub const fn spent_in_month(&self) -> MicroUsd {
        self.spent_in_month
    }
    /// Spent this month with that provider, as of the last step.
    pub fn spent_with(&self, provider: &ProviderId) -> MicroUsd {
        self.spent_with.get(provider).copied().unwrap_or_default()
    }
    /// Reserved for calls that are not over.
    pub fn reserved(&self) -> MicroUsd {
        self.held.values().map(|held| held.amount).sum()
    }
    /// The level, as of the last step.
    pub const fn level(&self) -> Level {
        self.level
    }

    /// A new day or month begins with nothing spent. What is reserved goes along: it will be spent in the new one, and
    /// counted in the old one as long as that lasted.
    fn turn(&mut self, now: Timestamp) {
        let (day, month) = (calendar::day(now), calendar::month(now));
        if day > self.day {
            self.day = day;
            self.spent_in_day = MicroUsd::ZERO;
        }
        if month > self.month {
            self.month = month;
            self.spent_in_month = MicroUsd::ZERO;
            self.spent_with.clear();
        }
    }

    fn lapse(&mut self, now: Timestamp) -> Vec<Effect> {
        let late = self.held.iter().filter(|(_, held)| now >= held.until);
        let late: Vec<Reservation> = late.map(|(id, _)| *id).collect();
        let lapsed = late.into_iter().filter_map(|id| Some((id, self.held.remove(&id)?)));
        let lapsed: Vec<(Reservation, Held)> = lapsed.collect();
        let charge = |(id, held): (Reservation, Held)| {
            self.charge(&held.provider, held.amount);
            Effect::Lapsed(id, held.amount)
        };
        lapsed.into_iter().map(charge).collect()
    }

    fn hold(&mut self, held: Held) -> Reservation {
        let id = Reservation(self.next);
        self.next = self.next.wrapping_add(1);
        self.held.insert(id, held);
        id
    }

    fn settle(&mut self, id: Reservation, cost: MicroUsd) -> Vec<Effect> {
        let Some(held) = self.held.remove(&id) else { return vec![Effect::Unknown(id)] };
        self.charge(&held.provider, cost);
        let over = cost.less(held.amount);
        let overrun = (over > MicroUsd::ZERO).then_some(Effect::Overrun(over));
        std::iter::once(Effect::Charged(cost)).chain(overrun).collect()
    }

    fn charge(&mut self, provider: &ProviderId, cost: MicroUsd) {
        self.spent_in_day = self.spent_in_day.plus(cost);
        self.spent_in_month = self.spent_in_month.plus(cost);
        let with = self.spent_with.entry(provider.clone()).or_default();
        *with = with.plus(cost);
    }

    fn denial(&self, caps: &Caps, provider: &ProviderId, worst: MicroUsd) -> Option<Denial> {
        let reserved = self.reserved();
        let passes = |spent: MicroUsd, reserved: MicroUsd, cap: MicroUsd| {
            spent.plus(reserved).plus(worst) > cap
        };
        if self.held.len() >= MOST_HELD {
            return Some(Denial::Crowded);
        }
        if caps.day.is_some_and(|cap| passes(self.spent_in_day, reserved, cap)) {
            return Some(Denial::Day);
        }
        if passes(self.spent_in_month, reserved, caps.month) {
            return Some(Denial::Month);
        }
        let own = self.held.values().filter(|held| held.provider == *provider);
        let own = own.map(|held| held.amount).sum();
        let cap = caps.providers.get(provider);
        cap.is_some_and(|cap| passes(self.spent_with(provider), own, *cap))
            .then_some(Denial::Provider)
    }

    fn level_under(&self, caps: &Caps) -> Level {
        let reserved = self.reserved();
        let month = level(self.spent_in_month.plus(reserved), caps.month);
        let day = caps.day.map(|cap| level(self.spent_in_day.plus(reserved), cap));
        day.map_or(month, |day| day.max(month))
    }
}

fn level(used: MicroUsd, cap: MicroUsd) -> Level {
    let (used, cap) = (u128::from(used.get()) * 100, u128::from(cap.get()));
    if used >= cap * 100 {
        Level::Spent
    } else if used >= cap * 90 {
        Level::HeadOnly
    } else if used >= cap * 70 {
        Level::Sparing
    } else {
        Level::Plenty
    }
}

#[cfg(test)]
mod tests;
