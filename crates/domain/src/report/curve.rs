//! Time to activation of one group: the share that is still on its way, by time since signup. Must not count a user for a time
//! that could not have been seen yet.
//!
//! Kaplan and Meier's product of what stays, bin by bin (1958), with Greenwood's variance (1926) and, at each end of a bin, the
//! limits on the scale log(-log S) (Kalbfleisch and Prentice 1980). The restricted mean is the area under it up to the window
//! (Irwin 1949; Royston and Parmar 2013). Users of a day are looked at up to the age that all of them have reached: so nobody
//! is censored inside a bin, and nothing is assumed of when in the day they signed up.

use super::cohort::Cohorts;
use super::grid::Grid;
use crate::decide::Group;
use crate::learn::math::{exp, ln};
use crate::time::{Millis, Timestamp};

/// The normal quantile of a two-sided interval of 95 %.
const Z: f64 = 1.959_963_984_540_054;

/// The curve.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Curve {
    /// Ends of bins, in order, as far as anybody was seen.
    pub points: Vec<Point>,
    /// When half of the users are activated, in milliseconds, taken as spread evenly over its bin; `None` where that is not
    /// reached inside the window.
    pub median_ms: Option<f64>,
    /// The mean time to activation, of which at most the window counts; `None` until somebody was seen for all of it.
    pub restricted: Option<Restricted>,
}

/// The end of a bin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Time since signup.
    pub at: Millis,
    /// Users who were seen from the bin's beginning to its end.
    pub at_risk: u64,
    /// Of these, those who were activated in it.
    pub events: u64,
    /// The share of users that is activated by then.
    pub activated: f64,
    /// Its interval of 95 %, for a single look.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

/// A restricted mean in milliseconds, with its interval of 95 % for a single look.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Restricted {
    /// The mean.
    pub mean_ms: f64,
    /// The lower end.
    pub low_ms: f64,
    /// The upper end.
    pub high_ms: f64,
}

/// The curve of a group, as of that moment.
pub fn curve(cohorts: &Cohorts, group: Group, grid: &Grid, now: Timestamp) -> Curve {
    of_bins(grid, &bins(cohorts, group, grid, now))
}

/// Users at risk and events, by bin.
fn bins(cohorts: &Cohorts, group: Group, grid: &Grid, now: Timestamp) -> Vec<(u64, u64)> {
    let count = grid.edges().len();
    // How many are at risk for the last time in each bin, and how many were activated there.
    let mut last: Vec<(u64, u64)> = vec![(0, 0); count];
    for (cell, users) in cohorts.cells.iter().filter(|(cell, _)| cell.group == group) {
        let Some(age) = cell.day.and_then(|day| day.over_for(now)) else { continue };
        let seen = grid.edges().partition_point(|edge| *edge <= age);
        let activated = cell.activated.map_or(count, usize::from);
        let Some(place) = seen.min(activated + 1).checked_sub(1) else { continue };
        if let Some((at_risk, events)) = last.get_mut(place) {
            *at_risk += users;
            *events += if activated == place { *users } else { 0 };
        }
    }
    let mut at_risk = 0;
    for bin in last.iter_mut().rev() {
        at_risk += bin.0;
        bin.0 = at_risk;
    }
    last
}

fn of_bins(grid: &Grid, bins: &[(u64, u64)]) -> Curve {
    let mut curve = Curve::default();
    let (mut stays, mut greenwood, mut area) = (1.0, 0.0, 0.0);
    // By bin: the area up to its end, and what it adds to the variance.
    let mut parts: Vec<(f64, f64)> = Vec::new();
    for ((from, to), (at_risk, events)) in grid.spans().zip(bins.iter().copied()) {
        if at_risk == 0 && stays > 0.0 {
            return curve;
        }
        if at_risk == 0 {
            break;
        }
        let (n, d) = (at_risk as f64, events as f64);
        let next = stays * (n - d) / n;
        let step = if events == at_risk { 0.0 } else { d / (n * (n - d)) };
        greenwood += step;
        let width = to.get().saturating_sub(from.get()) as f64;
        if curve.median_ms.is_none() && next <= 0.5 && stays > 0.5 {
            curve.median_ms = Some(from.get() as f64 + width * (stays - 0.5) / (stays - next));
        }
        area += width * (stays + next) / 2.0;
        parts.push((area, step));
        stays = next;
        let (low, high) = limits(stays, greenwood, n);
        let activated = 1.0 - stays;
        curve.points.push(Point {
            at: to,
            at_risk,
            events,
            activated,
            low: 1.0 - high,
            high: 1.0 - low,
        });
    }
    // Var = Σ (area beyond the bin)² · d / (n (n - d)).
    let variance: f64 = parts.iter().map(|(upto, step)| (area - upto) * (area - upto) * step).sum();
    let error = Z * variance.sqrt();
    let window = grid.window().get() as f64;
    let high_ms = (area + error).min(window);
    // Where nobody was activated the variance is no measure.
    let least = curve.points.last().filter(|_| stays >= 1.0).map(|last| window * (1.0 - last.high));
    let low_ms = least.unwrap_or((area - error).max(0.0));
    curve.restricted = Some(Restricted { mean_ms: area, low_ms, high_ms });
    curve
}

/// The limits of a share that stays, of which so many users are left to tell. Where it is 0 or 1, what that many could have
/// missed (Clopper and Pearson 1934).
fn limits(stays: f64, greenwood: f64, at_risk: f64) -> (f64, f64) {
    let missed = exp(ln(0.025) / at_risk);
    if stays <= 0.0 {
        return (0.0, 1.0 - missed);
    }
    if stays >= 1.0 {
        return (missed, 1.0);
    }
    let log = ln(stays);
    let reach = Z * greenwood.sqrt() / -log;
    (exp(log * exp(reach)), exp(log * exp(-reach)))
}

#[cfg(test)]
mod tests {
    use super::super::cohort::{Cell, Day};
    use super::*;

    const DAY: i64 = 86_400_000;

    /// Users of the guided group by day of signup and bin of activation.
    fn cohorts(cells: &[(i64, Option<u8>, u64)]) -> Cohorts {
        let mut cohorts = Cohorts::default();
        for (day, activated, users) in cells {
            let cell = Cell { group: Group::Guided, day: Some(Day(*day)), activated: *activated };
            cohorts.cells.insert(cell, *users);
        }
        cohorts
    }

    fn near(found: f64, expected: f64) {
        assert!(
            (found - expected).abs() < 1e-9 * expected.abs().max(1.0),
            "{found} is not {expected}"
        );
    }

    #[test]
    fn the_curve_of_a_small_group_is_the_one_by_hand() {
        // A window of three minutes: bins end at 1, 2 and 3.
        let grid = Grid::new(Millis::minutes(3));
        let now = Timestamp::from_millis(2 * DAY + 120_000);
        // The second day is over for two minutes: its ten users are seen for two bins, though one of them is known to
        // have been activated later. The third is not over: it counts for nothing yet.
        let cohorts = cohorts(&[
            (0, None, 5),
            (0, Some(0), 2),
            (0, Some(2), 3),
            (1, None, 6),
            (1, Some(1), 3),
            (1, Some(2), 1),
            (2, Some(0), 100),
        ]);
        let curve = curve(&cohorts, Group::Guided, &grid, now);
        let found: Vec<(u64, u64)> = curve.points.iter().map(|p| (p.at_risk, p.events)).collect();
        assert_eq!(found, [(20, 2), (18, 3), (8, 3)]);
        // S: 18/20, then 15/18 of it, then 5/8 of that.
        let expected = [0.1, 0.25, 1.0 - 0.75 * 0.625];
        curve.points.iter().zip(expected).for_each(|(point, share)| near(point.activated, share));
        let restricted = curve.restricted.expect("some were seen for all of it");
        let minute = 60_000.0;
        let area = (0.95 + 0.825 + (0.75 + 0.46875) / 2.0) * minute;
        near(restricted.mean_ms, area);
        let beyond = [area - 0.95 * minute, area - 1.775 * minute, 0.0];
        let steps = [2.0 / (20.0 * 18.0), 3.0 / (18.0 * 15.0), 3.0 / (8.0 * 5.0)];
        let variance: f64 = beyond.iter().zip(steps).map(|(b, s)| b * b * s).sum();
        near(restricted.low_ms, area - Z * variance.sqrt());
        near(curve.median_ms.expect("more than half"), (2.0 + 0.25 / 0.28125) * minute);
    }

    /// Worked out by another program: Kaplan–Meier with limits on the scale log(-log S).
    #[test]
    fn limits_are_those_of_another_program() {
        let (low, high) = limits(0.75, 2.0 / (20.0 * 18.0) + 3.0 / (18.0 * 15.0), 18.0);
        near(low, LIMITS.0);
        near(high, LIMITS.1);
        // 0.025 to the power of a tenth.
        let (low, high) = limits(1.0, 0.0, 10.0);
        near(low, MISSED);
        assert_eq!((high, limits(0.0, 9.0, 10.0).0), (1.0, 0.0));
        near(limits(0.0, 9.0, 10.0).1, 1.0 - MISSED);
    }
    const LIMITS: (f64, f64) = (0.4999439079657519, 0.8874709189158878);
    const MISSED: f64 = 0.6915028921812392;

    #[test]
    fn without_anybody_there_is_no_curve() {
        let grid = Grid::new(Millis::days(7));
        let now = Timestamp::from_millis(30 * DAY);
        let of = |cells: &[_]| curve(&cohorts(cells), Group::Guided, &grid, now);
        assert_eq!(of(&[]), Curve::default());
        let young = of(&[(26, None, 10)]);
        assert_eq!(
            (young.points.len(), young.restricted),
            (usize::from(grid.bin(Millis::days(3))) + 1, None)
        );
        let all = of(&[(0, Some(0), 10)]);
        assert_eq!(all.points.len(), 1, "nobody is left to be seen");
        near(all.restricted.expect("all was seen").mean_ms, 30_000.0);
    }

    #[test]
    fn nobody_activated_and_all_activated_late_look_the_same_inside_the_window() {
        let grid = Grid::new(Millis::days(7));
        let now = Timestamp::from_millis(30 * DAY);
        let of = |cells: &[_]| curve(&cohorts(cells), Group::Guided, &grid, now);
        let (never, late) = (of(&[(0, None, 9)]), of(&[(0, Some(grid.bins()), 9)]));
        assert_eq!(never, late);
        let week = 7.0 * DAY as f64;
        let restricted = never.restricted.expect("all were seen for all of it");
        assert_eq!((restricted.mean_ms, restricted.high_ms), (week, week));
        near(restricted.low_ms, week * exp(ln(0.025) / 9.0));
        assert_eq!(never.median_ms, None);
    }
}
