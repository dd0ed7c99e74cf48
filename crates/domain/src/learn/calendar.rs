//! Which rows are kept apart by their age: fresh ones by quarters of a day, then days, then fortnights. Must not read a clock:
//! "now" is the newest time that a state has seen.
//!
//! The slot of a row depends on its own time and on the newest time alone, and slots only ever flow into coarser ones as
//! wholes. So it makes no difference when a row comes in, or on which of two states that are merged later.

use serde::{Deserialize, Serialize};

use crate::time::{Millis, Timestamp};

/// How many units are kept apart before they flow into their day.
const UNITS: i64 = 4;
/// How many days are kept apart: at least the attribution window, so that what flows on is mature.
const DAYS: i64 = 8;
/// How many fortnights are kept before they are let go of: at 5 % a day the oldest weighs 0.3 %.
const FORTNIGHTS: i64 = 8;
/// No unit is shorter.
const SHORTEST: i64 = 60_000;

/// A stretch of time whose rows share a weight, by its number since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Slot {
    /// 14 days, or two attribution windows where that is longer.
    Fortnight(i64),
    /// A seventh of the attribution window: a day, where that is a week.
    Day(i64),
    /// A quarter of that.
    Unit(i64),
}

/// The lengths of the slots, by the attribution window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calendar {
    unit: i64,
    fortnight: i64,
}

impl Calendar {
    /// The calendar for that attribution window.
    pub fn new(window: Millis) -> Self {
        let window = i64::try_from(window.get()).unwrap_or(i64::MAX / 64);
        let unit = (window / (7 * UNITS)).max(SHORTEST);
        let fortnight = window.saturating_mul(2).max(Millis::days(14).get() as i64);
        Self { unit, fortnight }
    }

    /// Where a row of that time stands once `newest` was seen; `None` where it is too old to be kept.
    pub fn slot(&self, at: Timestamp, newest: Timestamp) -> Option<Slot> {
        self.slot_from(at.as_millis().div_euclid(self.unit).saturating_mul(self.unit), newest)
    }

    /// Where a slot's rows stand once `newest` was seen.
    pub fn settled(&self, slot: Slot, newest: Timestamp) -> Option<Slot> {
        match slot {
            Slot::Unit(unit) => self.slot_from(unit.saturating_mul(self.unit), newest),
            Slot::Day(day) => self.day_from(day.saturating_mul(self.day()), newest),
            Slot::Fortnight(fortnight) => self.kept(fortnight, newest),
        }
    }

    /// The numbers of the moment's unit and fortnight: no slot flows on before one of them changes.
    pub fn marks(&self, newest: Timestamp) -> (i64, i64) {
        let now = newest.as_millis();
        (now.div_euclid(self.unit), now.div_euclid(self.fortnight))
    }

    const fn day(&self) -> i64 {
        self.unit * UNITS
    }

    fn slot_from(&self, start: i64, newest: Timestamp) -> Option<Slot> {
        let (unit, now) = (start.div_euclid(self.unit), newest.as_millis().div_euclid(self.unit));
        if now - unit < UNITS {
            return Some(Slot::Unit(unit));
        }
        self.day_from(start.div_euclid(self.day()).saturating_mul(self.day()), newest)
    }

    fn day_from(&self, start: i64, newest: Timestamp) -> Option<Slot> {
        let (day, now) = (start.div_euclid(self.day()), newest.as_millis().div_euclid(self.day()));
        if now - day < DAYS {
            return Some(Slot::Day(day));
        }
        self.kept(start.div_euclid(self.fortnight), newest)
    }

    fn kept(&self, fortnight: i64, newest: Timestamp) -> Option<Slot> {
        let now = newest.as_millis().div_euclid(self.fortnight);
        (now - fortnight < FORTNIGHTS).then_some(Slot::Fortnight(fortnight))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn hours(n: i64) -> Timestamp {
        Timestamp::from_millis(n * 3_600_000)
    }

    #[test]
    fn fresh_rows_stand_apart_and_old_ones_together() {
        let week = Calendar::new(Millis::days(7));
        let now = hours(24 * 1000);
        let table = [
            (0, Some(Slot::Unit(4000))),
            (5, Some(Slot::Unit(3999))),
            (25, Some(Slot::Day(998))),
            (24 * 7, Some(Slot::Day(993))),
            (24 * 8, Some(Slot::Fortnight(70))),
            (24 * 130, None),
        ];
        for (age, slot) in table {
            assert_eq!(week.slot(hours(24 * 1000 - age), now), slot, "{age} h");
        }
    }

    proptest! {
        #[test]
        fn it_does_not_matter_when_a_row_comes_in(
            at in 0i64..40_000, first in 0i64..40_000, later in 0i64..40_000, window in 0u64..60,
        ) {
            let calendar = Calendar::new(Millis::days(window));
            let (first, later) = (hours(at + first), hours(at + first + later));
            let early = calendar.slot(hours(at), first);
            let moved = early.and_then(|slot| calendar.settled(slot, later));
            prop_assert_eq!(moved, calendar.slot(hours(at), later));
        }

        #[test]
        fn a_fortnight_holds_mature_rows_alone(at in 0i64..4_000, age in 0i64..4_000, days in 0u64..60) {
            let window = Millis::days(days);
            let slot = Calendar::new(window).slot(hours(at), hours(at + age));
            if matches!(slot, Some(Slot::Fortnight(_)) | None) {
                prop_assert!(hours(at + age).since(hours(at)) >= window);
            }
        }
    }
}
