//! The solved regression against posteriors worked out by hand and by a slow solver that treats every unknown alike.

use super::*;
use crate::id::{GuideId, VariantId};
use crate::learn::calendar::Calendar;
use crate::learn::delay::Curve;
use crate::learn::features::Features;
use crate::learn::fixture::frame;
use crate::learn::key::Arm;
use crate::learn::lesson::Stage;
use crate::learn::settings::{self, Hearing};
use crate::learn::sums::{Row, Sign};
use crate::time::{Millis, Timestamp};
use proptest::prelude::*;

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

fn key(n: usize) -> Key {
    let guide = GuideId::new(&format!("g{n:02}")).expect("an identifier");
    Key::Arm(Arm { guide, variant: VariantId::new("v").expect("an identifier") })
}

/// One observation, before it is quantised.
#[derive(Debug, Clone)]
struct Seen {
    key: usize,
    values: Vec<f64>,
    hours_ago: u64,
    came: bool,
}

fn prior(own: Vec<f64>) -> Prior {
    Prior {
        rate: 0.3,
        ridge: 2.0,
        shock: 0.5,
        own,
        crosses: Vec::new(),
        between: Between::Given,
        advice: None,
    }
}

fn fitted(sums: &Sums, shape: &Shape, prior: &Prior) -> Fit {
    later(sums, shape, prior, 0)
}

/// So many days later, at 5 % a day where that is not at once.
fn later(sums: &Sums, shape: &Shape, prior: &Prior, days: u64) -> Fit {
    let forget = if days == 0 { 0.0 } else { 0.05 };
    let curve = Curve::of(&[], Millis::ZERO);
    Fit::new(sums, shape, prior, Ageing { forget, at: NOW + Millis::days(days), curve: &curve })
}

fn sums_of(shape: &Shape, seen: &[Seen]) -> Sums {
    let (calendar, mut sums) = (Calendar::new(Millis::days(7)), Sums::default());
    for one in seen {
        let features = (0u16..).zip(&one.values).map(|(place, value)| (place, *value));
        let (features, key) = (Features::new(features), key(one.key));
        let at = NOW - Millis::hours(one.hours_ago);
        let outcome = one.came.then_some(Millis::ZERO);
        let row =
            Row { key: key.as_ref(), features: &features, at, outcome, horizon: Millis::ZERO };
        let slot = calendar.slot(at, NOW).expect("recent");
        sums.put(shape, slot, &row, Sign::Plus);
    }
    sums
}

/// Every unknown explicitly: shared ones, one shock for each slot, each key's own; Gauss's elimination, nothing clever.
struct Dense {
    covariance: Vec<Vec<f64>>,
    mean: Vec<f64>,
}

impl Dense {
    fn of(shape: &Shape, prior: &Prior, seen: &[Seen], keys: usize) -> Self {
        let sums = sums_of(shape, seen);
        let slots: Vec<_> = sums.slots.keys().copied().collect();
        let size = shape.size + slots.len() + keys * shape.own.len();
        let (mut a, mut b) = (vec![vec![0.0; size]; size], vec![0.0; size]);
        for (place, row) in a.iter_mut().enumerate() {
            row[place] = match place {
                0 => 1.0,
                p if p < shape.size => ridge(prior, p),
                p if p < shape.size + slots.len() => 1.0 / prior.shock,
                p => 1.0 / prior.own[(p - shape.size - slots.len()) % shape.own.len()],
            };
        }
        b[0] = prior.rate;
        for one in seen {
            let slot = Calendar::new(Millis::days(7)).slot(NOW - Millis::hours(one.hours_ago), NOW);
            let slot = slots.iter().position(|known| Some(*known) == slot).expect("a slot");
            let z = Self::design(shape, &one.values, Some(slot), slots.len(), one.key, size);
            for i in 0..size {
                b[i] += z[i] * f64::from(u8::from(one.came));
                for j in 0..size {
                    a[i][j] += z[i] * z[j];
                }
            }
        }
        let covariance = invert(a);
        let times_b = |row: &Vec<f64>| row.iter().zip(&b).map(|(c, b)| c * b).sum();
        let mean = covariance.iter().map(times_b).collect();
        Self { covariance, mean }
    }

    fn design(
        shape: &Shape,
        values: &[f64],
        slot: Option<usize>,
        slots: usize,
        key: usize,
        size: usize,
    ) -> Vec<f64> {
        let mut z = vec![0.0; size];
        z[..shape.size].copy_from_slice(&values[..shape.size]);
        if let Some(slot) = slot {
            z[shape.size + slot] = 1.0;
        }
        for (n, place) in shape.own.iter().enumerate() {
            z[shape.size + slots + key * shape.own.len() + n] = values[usize::from(*place)];
        }
        z
    }
}

/// The precision of a shared coefficient.
fn ridge(prior: &Prior, place: usize) -> f64 {
    let cross = prior.crosses.iter().find(|cross| cross.places.contains(&place));
    cross.map_or(prior.ridge, |cross| 1.0 / cross.variance)
}

fn invert(mut a: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
    let size = a.len();
    let mut inverse: Vec<Vec<f64>> =
        (0..size).map(|i| (0..size).map(|j| f64::from(u8::from(i == j))).collect()).collect();
    for pivot in 0..size {
        let factor = a[pivot][pivot];
        for j in 0..size {
            a[pivot][j] /= factor;
            inverse[pivot][j] /= factor;
        }
        for i in (0..size).filter(|i| *i != pivot) {
            let factor = a[i][pivot];
            for j in 0..size {
                a[i][j] -= factor * a[pivot][j];
                inverse[i][j] -= factor * inverse[pivot][j];
            }
        }
    }
    inverse
}

fn ground(fit: &Fit, values: &[f64]) -> Ground {
    fit.ground(&(0..).zip(values.iter().copied()).collect::<Vec<(u16, f64)>>())
}

fn scored(fit: &Fit, values: &[f64], of: usize) -> Score {
    fit.score(&ground(fit, values), &[], key(of).as_ref())
}

#[test]
fn a_posterior_worked_out_by_hand() {
    // One coordinate, one key, ten rows of which four came, all in one slot. Unknowns: intercept with prior 0.3 and
    // precision 1, shock with variance 1/2, own effect with variance 1/4. Summed up, the level of this key's rows in
    // another slot has prior mean 0.3; the rows' own level has prior variance 1 + 1/2 + 1/4 = 7/4, so its posterior mean
    // is 0.3 + (0.4 - 0.3)·(7/4)/(7/4 + 1/10), and the share 5/7 of that shift is not the slot's.
    let shape = Shape { size: 1, own: vec![0] };
    let seen: Vec<Seen> =
        (0..10).map(|n| Seen { key: 0, values: vec![1.0], hours_ago: 1, came: n < 4 }).collect();
    let fit = fitted(&sums_of(&shape, &seen), &shape, &prior(vec![0.25]));
    let score = scored(&fit, &[1.0], 0);
    let mean = 0.3 + 0.1 * (1.25 / (1.75 + 0.1));
    assert!((score.mean - mean).abs() < 1e-12, "{} {mean}", score.mean);
    let rate = (10.0 * 0.3 + 4.0) / 20.0;
    let noise = rate * (1.0 - rate);
    let variance = noise * (1.25 - 1.25 * 1.25 / (1.75 + 0.1));
    assert!((score.variance() - variance).abs() < 1e-12, "{} {variance}", score.variance());
    // A key without rows knows of the intercept alone.
    let fresh = scored(&fit, &[1.0], 1);
    assert!((fresh.mean - (0.3 + 0.1 / 1.85)).abs() < 1e-12);
    assert!((fresh.variance() - noise * (1.25 - 1.0 / 1.85)).abs() < 1e-12);
}

#[test]
fn what_is_believed_of_advice_counts_for_ten_rows() {
    let space = frame().space;
    let advice = settings::prior(Stage::Click, &space, Hearing::Open).advice;
    let believed = advice.expect("it may be heard").effect * noise(0.3).sqrt();
    assert!(believed > 0.0);
    let shape = Shape { size: 5, own: vec![0] };
    let left = |rows: usize| {
        // As many rows for advice, all of which came, as against it, none of which did: nothing else tells them apart.
        let row = |n| {
            let said = if n % 2 == 0 { 1.0 } else { -1.0 };
            let values = vec![1.0, 0.0, 0.0, 0.0, said];
            Seen { key: 0, values, hours_ago: 1, came: n % 2 == 0 }
        };
        let seen: Vec<Seen> = (0..rows).map(row).collect();
        let prior = Prior { advice, ..prior(vec![0.25]) };
        fitted(&sums_of(&shape, &seen), &shape, &prior).coefficient(space.advice())
    };
    assert!((left(0) - believed).abs() < 1e-12, "{}", left(0));
    // Ten rows say one half of each step: their word and the belief have the same weight.
    assert!((left(10) - (believed + 0.5) / 2.0).abs() < 1e-12, "{}", left(10));
    assert!((left(1_000) - 0.5).abs() < 0.01, "{}", left(1_000));
}

#[test]
fn a_hundred_thousand_rows_leave_no_rounding_behind() {
    let shape = Shape { size: 4, own: vec![0, 1] };
    let seen: Vec<Seen> = (0u64..100_000)
        .map(|n| {
            let turn = |by: u64| ((n * by) % 17) as f64 / 16.0 - 0.5;
            Seen {
                key: (n % 3) as usize,
                values: vec![1.0, turn(3), turn(5), turn(11)],
                hours_ago: n % 200,
                came: n * n % 7 < 3,
            }
        })
        .collect();
    let prior = prior(vec![0.2, 0.1]);
    let fit = fitted(&sums_of(&shape, &seen), &shape, &prior);
    let dense = Dense::of(&shape, &prior, &seen, 3);
    agree(&fit, &dense, &shape, &sums_of(&shape, &seen), &[1.0, 0.25, -0.5, 0.125]);
}

/// Mean and variance for each of three keys, to 1e-8 of the slow solver's.
fn agree(fit: &Fit, dense: &Dense, shape: &Shape, sums: &Sums, values: &[f64]) {
    for of in 0..3 {
        let score = scored(fit, values, of);
        let z = Dense::design(shape, values, None, sums.slots.len(), of, dense.mean.len());
        let mean: f64 = z.iter().zip(&dense.mean).map(|(z, m)| z * m).sum();
        let variance: f64 = (0..z.len())
            .map(|i| (0..z.len()).map(|j| z[i] * z[j] * dense.covariance[i][j]).sum::<f64>())
            .sum();
        assert!((score.mean - mean).abs() < 1e-8, "{of}: {} {mean}", score.mean);
        let own = score.variance() / fit.noise();
        assert!((own - variance).abs() < 1e-8 * variance.max(1e-3), "{of}: {own} {variance}");
    }
}

#[test]
fn rows_wider_than_a_panel_are_the_slow_solvers_and_so_is_what_they_share() {
    let shape = Shape { size: 37, own: (0..18).collect() };
    let row = |n: usize| -> Vec<f64> {
        let turn = |by: usize| ((n + by * by) * (7 + by) % 23) as f64 / 16.0 - 0.5;
        std::iter::once(1.0).chain((1..shape.size).map(turn)).collect()
    };
    let seen: Vec<Seen> = (0..90)
        .map(|n| Seen { key: n % 3, values: row(n), hours_ago: n as u64, came: n * n % 7 < 3 })
        .collect();
    let (prior, sums) = (prior(vec![0.2; 18]), sums_of(&shape, &seen));
    let (fit, dense) = (fitted(&sums, &shape, &prior), Dense::of(&shape, &prior, &seen, 3));
    let at = row(1_000);
    agree(&fit, &dense, &shape, &sums, &at);

    // The same with a part of it as the arms' own look.
    let (context, look) = at.split_at(20);
    let look: Vec<(u16, f64)> = (20..).zip(look.iter().copied()).collect();
    let keys = [key(0), key(1), key(2)];
    let rows = keys.iter().map(|key| (look.as_slice(), key.as_ref()));
    let scores = fit.scores(&ground(&fit, context), rows);
    let design = |of| Dense::design(&shape, &at, None, sums.slots.len(), of, dense.mean.len());
    let mut shared = 0.0;
    for (of, score) in scores.each.iter().enumerate() {
        let whole = scored(&fit, &at, of);
        assert!((score.mean - whole.mean).abs() < 1e-12, "{of}: {score:?} {whole:?}");
        assert!((score.variance() - whole.variance()).abs() < 1e-12, "{of}: {score:?} {whole:?}");
        let (one, other) = (design(of), design((of + 1) % 3));
        for (x, line) in one.iter().zip(&dense.covariance) {
            shared += line.iter().zip(&other).map(|(c, y)| x * c * y).sum::<f64>() / 3.0;
        }
    }
    let common = scores.common() / fit.noise();
    assert!((common - shared).abs() < 1e-8 * shared, "{common} {shared}");
}

#[test]
fn what_all_keys_share_is_no_difference_between_them() {
    // Ten thousand rows of two keys in one context, and a situation that nobody has seen: each score is unsure, the
    // difference is not.
    let shape = Shape { size: 2, own: vec![0] };
    let seen: Vec<Seen> = (0..10_000)
        .map(|n| Seen { key: n % 2, values: vec![1.0, 0.0], hours_ago: 1, came: n % 4 == 0 })
        .collect();
    let fit = fitted(&sums_of(&shape, &seen), &shape, &prior(vec![0.1]));
    let keys = [key(0), key(1)];
    let of = |count: usize| {
        let rows = keys[..count].iter().map(|key| (&[][..], key.as_ref()));
        fit.scores(&ground(&fit, &[1.0, 4.0]), rows)
    };
    let (alone, both) = (of(1), of(2));
    assert_eq!(alone.each[0], both.each[0]);
    let (common, left) = (both.common(), both.each.iter().map(|score| both.apart(score)));
    assert!(common > 0.9 * both.each[0].variance());
    assert!(left.clone().all(|left| left < 0.01 * common), "{common}");
    assert_eq!((alone.common(), alone.apart(&alone.each[0])), (0.0, alone.each[0].variance()));
}

#[test]
fn keys_that_differ_are_shrunk_less_than_keys_that_do_not() {
    let shape = Shape { size: 1, own: vec![0] };
    let seen = |spread: usize| -> Vec<Seen> {
        (0..6_000)
            .map(|n| {
                let (key, turn) = (n % 12, n / 12);
                let came = turn % 100 < 20 + (key * spread) % 60;
                Seen { key, values: vec![1.0], hours_ago: 1, came }
            })
            .collect()
    };
    let learnt = Prior { between: Between::Learnt, ..prior(vec![0.05]) };
    let fit = |seen: &[Seen]| fitted(&sums_of(&shape, seen), &shape, &learnt);
    let (alike, apart) = (fit(&seen(0)), fit(&seen(5)));
    assert!(alike.spread.own[0] < 0.05, "{:?}", alike.spread.own);
    assert!(apart.spread.own[0] > 0.1, "{:?}", apart.spread.own);
}

/// How likely the rows are with these variances of effects, up to a constant and to what the first guesses weigh: rows
/// have a joint normal distribution whose covariance is written out, noise and all.
fn likelihood(shape: &Shape, prior: &Prior, seen: &[Seen], noise: f64) -> f64 {
    let slot =
        |one: &Seen| Calendar::new(Millis::days(7)).slot(NOW - Millis::hours(one.hours_ago), NOW);
    let covariance = |a: &Seen, b: &Seen, same: bool| {
        let ridge = |place: usize| if place == 0 { 1.0 } else { ridge(prior, place) };
        let shared: f64 = (0..shape.size).map(|n| a.values[n] * b.values[n] / ridge(n)).sum();
        let shock = if slot(a) == slot(b) { prior.shock } else { 0.0 };
        let own = shape.own.iter().zip(&prior.own).map(|(place, variance)| {
            let place = usize::from(*place);
            variance * a.values[place] * b.values[place]
        });
        let own = if a.key == b.key { own.sum() } else { 0.0 };
        shared + shock + own + if same { 1.0 } else { 0.0 }
    };
    let mut root: Vec<Vec<f64>> = Vec::new();
    let (mut whitened, mut total) = (Vec::new(), 0.0);
    for (i, row) in seen.iter().enumerate() {
        let mut line: Vec<f64> = Vec::new();
        for (j, other) in seen.iter().take(i + 1).enumerate() {
            let known: f64 =
                (0..j).map(|n| line[n] * if j == i { line[n] } else { root[j][n] }).sum();
            let left = covariance(row, other, i == j) - known;
            line.push(if i == j { left.sqrt() } else { left / root[j][j] });
        }
        let known: f64 = (0..i).map(|n| line[n] * whitened[n]).sum();
        let white = (f64::from(u8::from(row.came)) - prior.rate - known) / line[i];
        total -= line[i].ln() + white * white / (2.0 * noise);
        whitened.push(white);
        root.push(line);
    }
    total
}

/// What the pseudo-keys of a first guess make of a variance.
fn pseudo(variance: f64, guess: f64) -> f64 {
    -2.0 * ((variance / guess).ln() + guess / variance)
}

#[test]
fn what_is_learnt_of_keys_makes_the_rows_likelier_than_any_other_variance() {
    let shape = Shape { size: 3, own: vec![0, 1, 2] };
    // Four keys that are alike but for what the second coordinate does to them.
    let seen: Vec<Seen> = (0..480usize)
        .map(|n| {
            let (key, turn) = (n % 4, (n / 4 * 7) % 120);
            let values =
                [1.0, f64::from(u8::from(turn % 2 == 0)), f64::from(u8::from(turn % 3 == 0))];
            let rate = 30 + if turn % 2 == 0 { 25 * key } else { 0 };
            let came = (turn * 17) % 120 < rate;
            Seen { key, values: values.to_vec(), hours_ago: n as u64 % 50, came }
        })
        .collect();
    let guess = vec![0.1, 0.05, 0.05];
    let learnt = Prior { between: Between::Learnt, ..prior(guess.clone()) };
    let fit = fitted(&sums_of(&shape, &seen), &shape, &learnt);
    let found = fit.spread.own.clone();
    assert!(found[0] < 0.1 && found[1] > 0.05 && found[1] == found[2], "{found:?}");
    let at = |offset: f64, other: f64| {
        let own = vec![found[0] * offset, found[1] * other, found[2] * other];
        // One offset and one other effect: each group has its own pseudo-keys.
        let guesses = pseudo(own[0], guess[0]) + pseudo(own[1], guess[1]);
        likelihood(&shape, &Prior { own, ..learnt.clone() }, &seen, fit.noise()) + guesses
    };
    // It stops where a step is below a tenth; a factor of one and a half is further than that.
    for (offset, other) in [(1.5, 1.0), (1.0 / 1.5, 1.0), (1.0, 1.5), (1.0, 1.0 / 1.5)] {
        assert!(at(1.0, 1.0) > at(offset, other), "{offset} {other} {found:?}");
    }
}

#[test]
fn a_cross_earns_its_variance_where_the_rows_speak_for_it() {
    // Two kinds of user and two of guide, in two features each. What the first kind of guide does depends on the first
    // feature of the user; the second feature changes nothing.
    let shape = Shape { size: 13, own: vec![0] };
    let seen: Vec<Seen> = (0..480usize)
        .map(|n| {
            let (key, turn) = (n % 4, (n / 4 * 7) % 120);
            let (one, two, look) = (turn % 2, turn / 2 % 2, key % 2);
            let flags = |at: usize| [1 - at, at].map(|flag| flag as f64);
            let pairs = |a: usize| flags(a).map(|a| flags(look).map(|b| a * b)).concat();
            let row =
                [vec![1.0], flags(one).to_vec(), flags(look).to_vec(), pairs(one), pairs(two)];
            let came = (turn * 17) % 120 < if one == look { 70 } else { 20 };
            Seen { key, values: row.concat(), hours_ago: n as u64 % 50, came }
        })
        .collect();
    let crosses = |one: f64, two: f64| {
        vec![Crosses { places: 5..9, variance: one }, Crosses { places: 9..13, variance: two }]
    };
    let learnt =
        Prior { crosses: crosses(0.05, 0.05), between: Between::Learnt, ..prior(vec![0.1]) };
    let fit = fitted(&sums_of(&shape, &seen), &shape, &learnt);
    let [one, two] = fit.spread.crosses[..] else { panic!("two kinds") };
    assert!(one > 0.08 && two < 0.05, "{one} {two}");
    let at = |first: f64, second: f64| {
        let prior = Prior {
            own: fit.spread.own.clone(),
            crosses: crosses(one * first, two * second),
            ..learnt.clone()
        };
        let guesses = pseudo(one * first, 0.05) + pseudo(two * second, 0.05);
        likelihood(&shape, &prior, &seen, fit.noise()) + guesses
    };
    for (first, second) in [(1.5, 1.0), (1.0 / 1.5, 1.0), (1.0, 1.5), (1.0, 1.0 / 1.5)] {
        assert!(at(1.0, 1.0) > at(first, second), "{first} {second} {one} {two}");
    }
}

#[test]
fn old_rows_fade_towards_the_prior_and_shocks_do_not_spread() {
    let shape = Shape { size: 1, own: vec![0] };
    let seen: Vec<Seen> =
        (0..400).map(|_| Seen { key: 0, values: vec![1.0], hours_ago: 24, came: true }).collect();
    let sums = sums_of(&shape, &seen);
    let prior = prior(vec![0.1]);
    let mean = |days| scored(&later(&sums, &shape, &prior, days), &[1.0], 0).mean;
    assert!(mean(0) > mean(60) && mean(60) > mean(200) && mean(200) > 0.3);
    assert!((mean(400) - 0.3).abs() < 1e-3);
}

/// How many shared coordinates there are, and which are a key's own: the offset, a shared one, or one that is not shared.
fn own_coordinates() -> impl Strategy<Value = (usize, Vec<u16>)> {
    prop_oneof![
        Just((4, vec![0])),
        Just((4, vec![0, 2])),
        Just((2, vec![0, 3])),
        Just((1, vec![1, 2]))
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn the_quick_solution_is_the_exact_one(
        rows in prop::collection::vec(
            (0usize..3, prop::collection::vec(-16i8..=16, 3), 0u64..400, any::<bool>()), 0..60),
        at in prop::collection::vec(-16i8..=16, 3), own in own_coordinates(), crossed: bool,
    ) {
        let values = |parts: &[i8]| -> Vec<f64> {
            std::iter::once(1.0).chain(parts.iter().map(|part| f64::from(*part) / 16.0)).collect()
        };
        let seen: Vec<Seen> = rows
            .into_iter()
            .map(|(key, parts, hours_ago, came)| Seen { key, values: values(&parts), hours_ago, came })
            .collect();
        let (size, own) = own;
        let shape = Shape { size, own: own.clone() };
        let prior = prior(own.iter().map(|place| 0.2 + f64::from(*place)).collect());
        let crosses = [Crosses { places: 1..2, variance: 0.1 }, Crosses { places: 2..4, variance: 3.0 }];
        let has = |cross: &Crosses| crossed && cross.places.end <= size;
        let prior = Prior { crosses: crosses.into_iter().filter(has).collect(), ..prior };
        let sums = sums_of(&shape, &seen);
        let fit = fitted(&sums, &shape, &prior);
        let dense = Dense::of(&shape, &prior, &seen, 3);
        agree(&fit, &dense, &shape, &sums, &values(&at));
    }
}
