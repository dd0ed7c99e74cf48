//! Whether an arm is dismissed more often than it may be, at a level that holds however often one looks. Must not pause it:
//! that is for those who ask.
//!
//! The evidence is an e-process: a likelihood ratio, averaged over rates above the limit, against the limit itself. Where the
//! true rate is at or below the limit, it is a supermartingale that starts at 1, so it ever passes 20 with a chance
//! of at most 1 in 20 (Ville's inequality; Ramdas, Grünwald, Vovk and Shafer 2023). Being an average over fixed rates it depends on
//! the counts alone: order does not matter. An exposure counts from the moment it is seen, so that dismissals that are still to
//! come can only make the evidence smaller than it ought to be.

use super::math::{exp, ln};

/// From here on an arm is taken for proven worse than the limit.
pub const PROVEN: f64 = 20.0;
/// How many rates above the limit are averaged over.
const RATES: u32 = 16;
/// Evidence is held below this.
const MOST_LOG: f64 = 600.0;

/// The evidence that of so many exposures more are dismissed, in the long run, than the share `limit`, in (0, 1).
pub fn evidence(shown: i64, dismissed: i64, limit: f64) -> f64 {
    let (shown, dismissed) = (shown.max(0) as f64, dismissed.clamp(0, shown.max(0)) as f64);
    if !(limit > 0.0 && limit < 1.0) {
        return 0.0;
    }
    let ratio = |step: u32| {
        let rate = limit + (1.0 - limit) * (f64::from(step) + 0.5) / f64::from(RATES);
        let log =
            dismissed * ln(rate / limit) + (shown - dismissed) * ln((1.0 - rate) / (1.0 - limit));
        exp(log.min(MOST_LOG))
    };
    (0..RATES).fold(0.0, |sum, step| sum + ratio(step)) / f64::from(RATES)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::uniform_unit;

    /// Whether the evidence ever passes `PROVEN` in 300 exposures of which each is dismissed with that chance.
    fn alarms(run: u32, chance: f64) -> bool {
        let mut dismissed = 0;
        (0..300u32).any(|n| {
            let drawn = uniform_unit("guard", &[&run.to_be_bytes(), &n.to_be_bytes()]);
            dismissed += i64::from(drawn < chance);
            evidence(i64::from(n) + 1, dismissed, 0.4) >= PROVEN
        })
    }

    #[test]
    fn looking_after_every_exposure_cries_wolf_at_most_once_in_twenty() {
        // At most 15 are expected of 300, with a standard deviation of 3.8; a test at 5 % that is looked at each time has 90.
        let false_alarms = (0..300).filter(|run| alarms(*run, 0.4)).count();
        assert!(false_alarms <= 26, "{false_alarms} of 300");
    }

    #[test]
    fn a_worse_arm_is_found() {
        assert!((0..50).filter(|run| alarms(*run, 0.55)).count() >= 48);
    }

    #[test]
    fn it_starts_at_one_and_is_defined_everywhere() {
        assert!((evidence(0, 0, 0.4) - 1.0).abs() < 1e-12);
        assert!(evidence(i64::MAX, i64::MAX, 0.4).is_finite());
        assert!(evidence(10, 50, 0.4) <= evidence(10, 10, 0.4));
        assert_eq!(evidence(10, 5, 0.0), 0.0);
        assert!(evidence(1_000, 100, 0.4) < 1e-9);
    }
}
