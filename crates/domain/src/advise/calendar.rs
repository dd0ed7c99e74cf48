//! Days and months of UTC, counted. Must not know time zones.

use crate::time::Timestamp;

const MS_PER_DAY: i64 = 86_400_000;

/// The day of an instant, counted from 1970-01-01.
pub(super) const fn day(at: Timestamp) -> i64 {
    at.as_millis().div_euclid(MS_PER_DAY)
}

/// The month of an instant, counted from the year 0.
pub(super) const fn month(at: Timestamp) -> i64 {
    let (year, month, _) = civil(day(at));
    year * 12 + month - 1
}

/// Year, month and day of month of a day, in the Gregorian calendar that is extended to all days.
///
/// Years are counted from March, so that a leap day is the last of its year; 400 of them have 146,097 days.
pub(super) const fn civil(day: i64) -> (i64, i64, i64) {
    // From 1970-01-01 back to 0000-03-01.
    let day = day.saturating_add(719_468);
    let (era, of_era) = (day.div_euclid(146_097), day.rem_euclid(146_097));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (era * 400 + year + (month <= 2) as i64, month, day)
}

/// The day of a date; the reverse of `civil`.
pub(super) const fn day_of(year: i64, month: i64, day: i64) -> i64 {
    let year = year - (month <= 2) as i64;
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let from_march = if month > 2 { month - 3 } else { month + 9 };
    let of_year = (153 * from_march + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_days() {
        let table = [
            (0, (1970, 1, 1)),
            (-1, (1969, 12, 31)),
            (11_016, (2000, 2, 29)),
            (11_017, (2000, 3, 1)),
            (20_779, (2026, 11, 22)),
            (47_540, (2100, 2, 28)),
            (47_541, (2100, 3, 1)),
        ];
        for (number, date) in table {
            assert_eq!(civil(number), date);
            assert_eq!(day_of(date.0, date.1, date.2), number);
        }
    }

    #[test]
    fn days_follow_each_other() {
        let mut before = civil(-200_000);
        for number in -199_999..200_000 {
            let now = civil(number);
            let next_day = (before.0, before.1, before.2 + 1);
            let next_month = (before.0 + before.1 / 12, before.1 % 12 + 1, 1);
            assert!(now == next_day || (now == next_month && before.2 >= 28), "{before:?} {now:?}");
            assert_eq!(day_of(now.0, now.1, now.2), number);
            before = now;
        }
    }

    #[test]
    fn a_month_ends_with_its_last_millisecond() {
        let end = Timestamp::from_millis(20_788 * MS_PER_DAY);
        let last = Timestamp::from_millis(end.as_millis() - 1);
        assert_eq!(civil(day(end)), (2026, 12, 1));
        assert_eq!(month(end), month(last) + 1);
    }
}
