//! A thousand installations that are looked at every day. Must have in it a test that fails, so that passing means something.

use super::cohort::GROUPS;
use super::contrast::{Came, Contrast, Lift, PROVEN_AT, Side, Verdict};
use super::ratio::{ALERT_AT, Share, ratio};
use crate::decide::Group;

const RUNS: u64 = 1_000;
const DAYS: usize = 60;
const USERS: u64 = 400;

/// SplitMix64 (Steele, Lea and Flood 2014).
pub(crate) struct Draws(pub(crate) u64);

impl Draws {
    /// The next number in [0, 1).
    pub(crate) fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    fn count(&mut self, n: u64, chance: f64) -> u64 {
        (0..n).map(|_| u64::from(self.unit() < chance)).sum()
    }
}

/// A product whose guides have these rates: users, days, and a learner that drifts towards what was lucky so far.
struct World {
    draws: Draws,
    rates: [f64; 4],
    holdout: f64,
    seen: [(f64, f64); 4],
}

impl World {
    /// A day. Each guided user is shown the arm that looks best or, one time in five, any.
    fn day(&mut self) -> (Came, Came) {
        let others = self.draws.count(USERS, self.holdout);
        let mut activated = 0;
        let best = self.best();
        for _ in 0..USERS - others {
            let any = (self.draws.unit() * 4.0) as usize;
            let arm = if self.draws.unit() < 0.2 { any.min(3) } else { best };
            let came = self.draws.unit() < self.rates[arm];
            self.seen[arm].0 += 1.0;
            self.seen[arm].1 += f64::from(u8::from(came));
            activated += u64::from(came);
        }
        let base = self.draws.count(others, 0.05);
        (came(USERS - others, activated), came(others, base))
    }

    fn best(&self) -> usize {
        let rate = |arm: usize| (self.seen[arm].1 + 1.0) / (self.seen[arm].0 + 10.0);
        (0..4).max_by(|a, b| rate(*a).total_cmp(&rate(*b))).expect("four arms")
    }
}

fn came(users: u64, activated: u64) -> Came {
    // Half of the window is left to each.
    let (saved, saved_square) = (activated as f64 / 2.0, activated as f64 / 4.0);
    Came { side: Side { users, activated }, saved, saved_square }
}

/// How many of the runs ever came to each conclusion, at any day.
#[derive(Debug, Default)]
struct Ever {
    interval: u64,
    time: u64,
    evidence: u64,
    better: u64,
    plain: u64,
}

fn run(rates: [f64; 4], holdout: f64, runs: u64) -> Ever {
    let mut ever = Ever::default();
    for run in 0..runs {
        let seen = [(0.0, 0.0); 4];
        let mut world = World { draws: Draws(run + 1), rates, holdout, seen };
        let mut contrast = Contrast::default();
        let mut found = [false; 5];
        for _ in 0..DAYS {
            let (guided, other) = world.day();
            contrast.add(1.0 - holdout, &guided, &other);
            let lift = contrast.lift(Group::Holdout, 1.0);
            let misses =
                |i: Option<super::Interval>| i.is_some_and(|i| i.low > 0.0 || i.high < 0.0);
            let today = [
                misses(lift.difference),
                misses(lift.time_ms),
                lift.e_value >= PROVEN_AT,
                lift.verdict == Verdict::Better,
                plain_test(&lift),
            ];
            found.iter_mut().zip(today).for_each(|(found, today)| *found |= today);
        }
        let counts = [
            &mut ever.interval,
            &mut ever.time,
            &mut ever.evidence,
            &mut ever.better,
            &mut ever.plain,
        ];
        counts.into_iter().zip(found).for_each(|(count, found)| *count += u64::from(found));
    }
    ever
}

/// The test that everybody knows, at 95 %, as if there were one look.
fn plain_test(lift: &Lift) -> bool {
    let (a, b) = (lift.guided, lift.other);
    let (n, m) = (a.users as f64, b.users as f64);
    let share = (a.activated + b.activated) as f64 / (n + m);
    let spread = share * (1.0 - share) * (1.0 / n + 1.0 / m);
    let difference = a.rate().zip(b.rate()).map_or(0.0, |(a, b)| a - b);
    a.activated >= 10 && b.activated >= 10 && difference.abs() > 1.96 * spread.sqrt()
}

/// Of installations where no guide matters, at most one in twenty is ever told that one does; with the plain test it is one in three.
#[test]
fn looking_every_day_misleads_at_most_one_installation_in_twenty() {
    for holdout in [0.1, 0.2] {
        let ever = run([0.05; 4], holdout, RUNS);
        println!("no guide matters, holdout {holdout}: {ever:?}");
        let most = RUNS / 20;
        assert!(ever.interval <= most && ever.time <= most && ever.evidence <= most, "{ever:?}");
        assert!(ever.better <= most / 2, "{ever:?}");
        assert!(ever.plain > 4 * most, "the runs could not tell: {ever:?}");
    }
}

/// An arm that activates two fifths more users is found out, in most installations of that size.
#[test]
fn what_makes_a_difference_is_found() {
    let ever = run([0.05, 0.05, 0.05, 0.07], 0.2, 200);
    println!("one arm is better by two fifths: {ever:?}");
    assert!(ever.interval >= 150 && ever.better >= 130, "{ever:?}");
}

/// Shares that are kept raise an alarm in at most one installation in a hundred, looked at daily; a chi-square test for one look
/// does in many. Shares that are not kept raise it.
#[test]
fn an_alarm_about_shares_is_rare_and_comes() {
    let chi_square = |shares: &[Share]| {
        let all: f64 = shares.iter().map(|s| s.users as f64).sum();
        let of = |s: &Share| (s.users as f64 - all * s.expected).powi(2) / (all * s.expected);
        // 99 % of one degree of freedom.
        shares.iter().map(of).sum::<f64>() > 6.635
    };
    let alarms = |actual: f64| {
        let (mut ours, mut plain) = (0, 0);
        for run in 0..RUNS {
            let (mut draws, mut counts) = (Draws(90_000 + run), [0u64; 2]);
            let mut found = [false; 2];
            for _ in 0..DAYS {
                let held = draws.count(USERS, actual);
                counts[0] += USERS - held;
                counts[1] += held;
                let expected = [0.9, 0.1].into_iter().zip(counts).zip(GROUPS);
                let shares: Vec<Share> = expected
                    .map(|((expected, users), group)| Share { group, expected, users })
                    .collect();
                found[1] |= chi_square(&shares);
                found[0] |= ratio(shares).is_some_and(|ratio| ratio.e_value >= ALERT_AT);
            }
            ours += u64::from(found[0]);
            plain += u64::from(found[1]);
        }
        (ours, plain)
    };
    let (ours, plain) = alarms(0.1);
    println!("shares are kept: {ours} alarms, {plain} by chi-square");
    assert!(ours <= RUNS / 100 && plain > 5 * RUNS / 100, "{ours} {plain}");
    let (ours, _) = alarms(0.085);
    println!("a sixth of the holdout is lost: {ours} alarms");
    assert!(ours > 9 * RUNS / 10, "{ours}");
}
