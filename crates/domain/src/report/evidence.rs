//! Evidence against "it makes no difference", as a bet: starting from 1, its expected value never grows while there is none.
//! Must be settled by nothing but outcomes that were predicted before they were seen.
//!
//! So it ever reaches 20 with a chance of at most 1 in 20, however often one looks (Ville 1939), for any number of users and
//! whatever the rates do from day to day.

use crate::learn::math::ln;

/// How many users' weight a group's rate is drawn towards the rate of both, before its own are known.
const HELD: f64 = 18.0;

/// Users of one day and group: how many, and how many of them were activated.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Outcomes {
    /// Users.
    pub users: f64,
    /// Of these, those who were activated.
    pub activated: f64,
}

impl Outcomes {
    /// Adds others.
    pub fn add(&mut self, other: Self) {
        self.users += other.users;
        self.activated += other.activated;
    }

    /// ln of the chance of these outcomes at that rate.
    fn log_chance(self, rate: f64) -> f64 {
        self.activated * ln(rate) + (self.users - self.activated) * ln(1.0 - rate)
    }
}

/// By what factor a day's outcomes of two groups move the logarithm of the bet, given those of all days before.
///
/// The e-variable for two streams of Turner, Ly and Grünwald (Generic E-variables for exact sequential k-sample tests that
/// allow for optional stopping, 2024): the chance of the outcomes at the rates that earlier days give each group, over their
/// chance at one rate for both, which is the mean of the two by users of the day.
pub fn log_bet(before: (Outcomes, Outcomes), day: (Outcomes, Outcomes)) -> f64 {
    let users = day.0.users + day.1.users;
    if users <= 0.0 {
        return 0.0;
    }
    let both =
        (before.0.activated + before.1.activated + 0.5) / (before.0.users + before.1.users + 1.0);
    let rate = |of: Outcomes| (of.activated + HELD * both) / (of.users + HELD);
    let (one, other) = (rate(before.0), rate(before.1));
    let same = (day.0.users * one + day.1.users * other) / users;
    day.0.log_chance(one) + day.1.log_chance(other)
        - day.0.log_chance(same)
        - day.1.log_chance(same)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn of(users: f64, activated: f64) -> Outcomes {
        Outcomes { users, activated }
    }

    #[test]
    fn bets_are_those_of_another_program() {
        for ((before, day), expected) in TABLE {
            let found = log_bet(before, day);
            assert!((found - expected).abs() < 1e-9, "{found} is not {expected}");
        }
    }

    /// Outcomes of the days before, those of the day, and what another program has worked out.
    const TABLE: [(((Outcomes, Outcomes), (Outcomes, Outcomes)), f64); 3] = [
        (((of(0.0, 0.0), of(0.0, 0.0)), (of(360.0, 20.0), of(40.0, 2.0))), 0.0),
        (((of(360.0, 20.0), of(40.0, 2.0)), (of(350.0, 19.0), of(50.0, 2.0))), 0.039688910247812),
        (
            ((of(2000.0, 400.0), of(500.0, 50.0)), (of(300.0, 61.0), of(70.0, 5.0))),
            3.580782603666885,
        ),
    ];

    /// Over all outcomes of a small day, weighed by their chances at one rate for both groups, the bet's mean is at most 1:
    /// exactly so, whatever the rate and whatever was seen before.
    #[test]
    fn the_bet_is_fair_at_every_rate() {
        let choose =
            |n: u32, k: u32| (0..k).fold(1.0, |c, i| c * f64::from(n - i) / f64::from(i + 1));
        let chance = |n: u32, k: u32, p: f64| {
            choose(n, k) * p.powi(k as i32) * (1.0 - p).powi((n - k) as i32)
        };
        for before in [
            (of(0.0, 0.0), of(0.0, 0.0)),
            (of(50.0, 40.0), of(60.0, 2.0)),
            (of(9.0, 0.0), of(3.0, 3.0)),
        ] {
            for (n, m) in [(1, 1), (7, 2), (3, 9)] {
                for p in [0.01, 0.05, 0.3, 0.5, 0.97] {
                    let mean: f64 = (0..=n)
                        .flat_map(|k| (0..=m).map(move |l| (k, l)))
                        .map(|(k, l)| {
                            let day =
                                (of(f64::from(n), f64::from(k)), of(f64::from(m), f64::from(l)));
                            chance(n, k, p) * chance(m, l, p) * log_bet(before, day).exp()
                        })
                        .sum();
                    assert!(mean <= 1.0 + 1e-9, "{before:?} {n} {m} {p}: {mean}");
                }
            }
        }
    }

    #[test]
    fn a_day_without_users_moves_nothing() {
        assert_eq!(log_bet((of(9.0, 3.0), of(9.0, 1.0)), (of(0.0, 0.0), of(0.0, 0.0))), 0.0);
    }
}
