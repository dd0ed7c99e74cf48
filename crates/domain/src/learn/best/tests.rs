//! The chances against slow references: a fine integral of another form, and draws.

use super::*;
use crate::learn::math::{exp, normal_cdf};
use proptest::prelude::*;

fn normal(mean: f64, sd: f64) -> Normal {
    Normal { mean, sd }
}

/// ∫ f_k Π_{i≠k} F_i dx by midpoints, each score over its own reach in 4,000 steps: nothing shared with the quick way but
/// the distribution function.
fn slow(scores: &[Normal]) -> Vec<f64> {
    let of = |k: usize| {
        let (steps, own) = (4_000, scores[k]);
        let breadth = 16.0 / f64::from(steps);
        (0..steps)
            .map(|step| {
                let z = -8.0 + breadth * (f64::from(step) + 0.5);
                let x = own.mean + own.sd * z;
                let others = (0..scores.len()).filter(|i| *i != k);
                let below: f64 =
                    others.map(|i| normal_cdf((x - scores[i].mean) / scores[i].sd)).product();
                breadth * exp(-0.5 * z * z) / (2.0 * std::f64::consts::PI).sqrt() * below
            })
            .sum::<f64>()
    };
    (0..scores.len()).map(of).collect()
}

fn worst(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

/// Two chances have a formula: Φ((a - b)/√(s² + t²)).
#[test]
fn two_scores_by_formula() {
    let table = [
        (1.0, 1.0, 0.0, 1.0),
        (0.0, 1.0, 0.0, 1e-3),
        (0.02, 1e-3, 0.0, 0.1),
        (-3.0, 1.0, 0.5, 0.4),
    ];
    for (a, s, b, t) in table {
        let exact = normal_cdf((a - b) / f64::sqrt(s * s + t * t));
        let chances = chances(&[normal(a, s), normal(b, t)]);
        assert!((chances[0] - exact).abs() < 6e-5, "{a} {s} {b} {t}: {chances:?} {exact}");
    }
}

#[test]
fn scores_alike_share_alike() {
    for count in 1..40 {
        let chances = chances(&vec![normal(0.3, 0.1); count]);
        let compared = count.min(COMPARED);
        let share = 1.0 / compared as f64;
        assert!(chances.iter().take(compared).all(|chance| (chance - share).abs() < 1e-12));
        assert_eq!(chances.iter().filter(|chance| **chance == 0.0).count(), count - compared);
    }
}

#[test]
fn certain_scores_win_or_lose_for_sure() {
    assert_eq!(chances(&[normal(1.0, 0.0), normal(2.0, 0.0), normal(2.0, 0.0)]), [0.0, 0.5, 0.5]);
    assert_eq!(chances(&[normal(f64::NAN, 1.0), normal(2.0, 1.0)]), [0.5, 0.5]);
    assert_eq!(chances(&[normal(0.0, 1.0), normal(100.0, 1.0)]), [0.0, 1.0]);
    assert_eq!(chances(&[]), Vec::<f64>::new());
    let step = chances(&[normal(0.0, 0.0), normal(0.0, 1.0)]);
    assert!((step[0] - 0.5).abs() < 1e-4, "{step:?}");
}

/// A million draws of eight scores whose widths differ up to a thousand times: within three standard errors, which the rarest
/// winners have none of.
#[test]
fn draws_agree() {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut uniform = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1u64 << 53) as f64
    };
    let scores: Vec<Normal> = [(0.0, 0.02), (0.01, 0.001), (-0.02, 0.1), (0.0, 1e-4)]
        .into_iter()
        .chain([(0.005, 0.01), (0.008, 2e-3), (-0.05, 0.05), (0.01, 0.02)])
        .map(|(mean, sd)| normal(mean, sd))
        .collect();
    let draws = 1_000_000;
    let mut wins = [0u32; 8];
    for _ in 0..draws {
        let mut best = (f64::NEG_INFINITY, 0);
        for (pair, two) in scores.chunks_exact(2).enumerate() {
            let (radius, angle) = ((-2.0 * uniform().max(1e-300).ln()).sqrt(), uniform());
            let turn = std::f64::consts::TAU * angle;
            for (n, z) in [radius * turn.cos(), radius * turn.sin()].into_iter().enumerate() {
                let drawn = two[n].mean + two[n].sd * z;
                if drawn > best.0 {
                    best = (drawn, 2 * pair + n);
                }
            }
        }
        wins[best.1] += 1;
    }
    for (wins, chance) in wins.iter().zip(chances(&scores)) {
        let seen = f64::from(*wins) / f64::from(draws);
        let error = (chance * (1.0 - chance) / f64::from(draws)).sqrt();
        assert!((seen - chance).abs() < 3.0 * error + 1e-6, "{seen} {chance}");
    }
}

fn some_scores() -> impl Strategy<Value = Vec<Normal>> {
    // Widths from 10⁻³ to 1, so up to 1 : 1000, and means that make them rivals.
    let score = (-2.0..2.0f64, -3.0..0.0f64).prop_map(|(z, width)| {
        let sd = 10f64.powf(width);
        normal(0.05 * z, sd)
    });
    prop::collection::vec(score, 1..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn they_are_right_to_one_in_ten_thousand(scores in some_scores()) {
        let (quick, slow) = (chances(&scores), slow(&scores));
        prop_assert!(worst(&quick, &slow) < 1e-4, "{:?} {:?} {:?}", scores, quick, slow);
        let sum: f64 = quick.iter().sum();
        prop_assert!((sum - 1.0).abs() < 1e-12);
    }

    #[test]
    fn renaming_and_shifting_change_nothing(
        scores in some_scores(), turn in 0usize..12, shift in -3.0..3.0f64,
    ) {
        let plain = chances(&scores);
        let mut turned: Vec<Normal> =
            scores.iter().map(|score| normal(score.mean + shift, score.sd)).collect();
        let by = turn % scores.len();
        turned.rotate_left(by);
        let mut moved = chances(&turned);
        moved.rotate_right(by);
        prop_assert!(worst(&plain, &moved) < 1e-9);
    }

    #[test]
    fn a_newcomer_takes_from_others_and_gives_to_none(scores in some_scores(), mean in -0.5..0.5f64) {
        let before = chances(&scores);
        let with: Vec<Normal> = scores.iter().copied().chain([normal(mean, 0.05)]).collect();
        let after = chances(&with);
        let taken = after.last().copied().unwrap_or(0.0);
        for (before, after) in before.iter().zip(&after) {
            prop_assert!(*after < before + 2e-4);
            prop_assert!(*after > before - taken - 2e-4);
        }
    }
}
