//! Whether groups are as large as the settings say. Where they are not, something takes users out of one of them, and no
//! comparison holds. Must be valid however often one looks.
//!
//! The sequential test of multinomial counts of Lindon and Malek (Anytime-valid inference for multinomial count data, NeurIPS
//! 2022): the chance of the counts under shares drawn from a Dirichlet distribution around the expected ones, over their
//! chance under the expected ones. A fixed-size chi-square test, looked at daily, cries wolf sooner or later.

use crate::decide::Group;
use crate::learn::math::{exp, ln};

/// Evidence from which on shares do not match: reached by chance in at most 1 of 100 installations, ever.
pub const ALERT_AT: f64 = 100.0;

/// How many users' weight the expected shares have in the alternative: departures of about a tenth of a small share are what
/// is looked for.
const WEIGHT: f64 = 1_000.0;

/// Shares of groups beside what the settings say.
#[derive(Debug, Clone, PartialEq)]
pub struct Ratio {
    /// The groups that have a share.
    pub shares: Vec<Share>,
    /// Evidence that the users were not divided so; 1 to begin with.
    pub e_value: f64,
    /// Whether it is too much.
    pub alert: bool,
}

/// One group.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Share {
    /// Which.
    pub group: Group,
    /// Its share by the settings.
    pub expected: f64,
    /// Its users.
    pub users: u64,
}

/// Of these groups; `None` where fewer than two have a share.
pub fn ratio(groups: impl IntoIterator<Item = Share>) -> Option<Ratio> {
    let groups: Vec<Share> = groups.into_iter().collect();
    // Users of a group that has no share: nothing could be surer.
    let impossible = groups.iter().any(|share| share.expected <= 0.0 && share.users > 0);
    let shares: Vec<Share> =
        groups.into_iter().filter(|s| s.expected > 0.0 || s.users > 0).collect();
    if shares.len() < 2 {
        return None;
    }
    let e_value = if impossible { exp(700.0) } else { exp(log_evidence(&shares)) };
    Some(Ratio { shares, e_value, alert: e_value >= ALERT_AT })
}

fn log_evidence(shares: &[Share]) -> f64 {
    let all: f64 = shares.iter().map(|share| share.users as f64).sum();
    let of = |share: &Share| {
        let (users, prior) = (share.users as f64, WEIGHT * share.expected);
        ln_gamma(prior + users) - ln_gamma(prior) - users * ln(share.expected)
    };
    ln_gamma(WEIGHT) - ln_gamma(WEIGHT + all) + shares.iter().map(of).sum::<f64>()
}

/// ln Γ(x) for x above 0, by Stirling's series, with a relative error below 1e-13 where it is not near 0.
fn ln_gamma(x: f64) -> f64 {
    let (mut x, mut below) = (x, 0.0);
    while x < 12.0 {
        below += ln(x);
        x += 1.0;
    }
    let (inverse, square) = (1.0 / x, 1.0 / (x * x));
    let series = inverse
        * (1.0 / 12.0
            - square
                * (1.0 / 360.0
                    - square * (1.0 / 1_260.0 - square * (1.0 / 1_680.0 - square / 1_188.0))));
    (x - 0.5) * ln(x) - x + 0.5 * ln(std::f64::consts::TAU) + series - below
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(counts: &[(f64, u64)]) -> Vec<Share> {
        let groups = super::super::cohort::GROUPS.into_iter().zip(counts);
        groups
            .map(|(group, (expected, users))| Share { group, expected: *expected, users: *users })
            .collect()
    }

    #[test]
    fn evidence_is_that_of_another_program() {
        for (counts, expected) in TABLE {
            let found = log_evidence(&shares(counts));
            assert!((found - expected).abs() < 1e-6, "{found} is not {expected}");
        }
    }

    /// Share and users of each group, and ln of the evidence as another program has worked it out.
    const TABLE: [(&[(f64, u64)], f64); 4] = [
        (&[(0.9, 90), (0.1, 10)], -0.04773168853955667),
        (&[(0.9, 9120), (0.1, 880)], 6.373750375700183),
        (&[(0.5, 500000), (0.3, 301500), (0.2, 198500)], 2.4652369059622288),
        (&[(0.85, 8500), (0.05, 500), (0.05, 520), (0.05, 480)], -2.8733065777196316),
    ];

    #[test]
    fn factorials() {
        let mut sum = 0.0;
        for n in 1..200 {
            assert!((ln_gamma(f64::from(n)) - sum).abs() <= 1e-12 * sum.max(1.0), "{n}");
            sum += f64::from(n).ln();
        }
        assert!((ln_gamma(0.5) - 0.5 * std::f64::consts::PI.ln()).abs() < 1e-13);
    }

    #[test]
    fn nobody_is_no_evidence_and_the_impossible_is_all() {
        let nobody = ratio(shares(&[(0.9, 0), (0.1, 0)])).expect("two groups");
        assert!((nobody.e_value - 1.0).abs() < 1e-9 && !nobody.alert);
        assert_eq!(ratio(shares(&[(1.0, 900), (0.0, 0)])), None);
        assert!(ratio(shares(&[(1.0, 900), (0.0, 1)])).expect("two groups").alert);
        assert!(ratio(shares(&[(0.9, 90_000), (0.1, 9_000)])).expect("two groups").alert);
        assert!(!ratio(shares(&[(0.9, 90_000), (0.1, 10_000)])).expect("two groups").alert);
    }
}
