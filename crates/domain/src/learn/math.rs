//! Elementary functions that give the same bits on every machine: built from additions, products, quotients and square
//! roots, which IEEE 754 fixes to the last bit. Must not call the platform's own `exp`, `ln` or `powi`, which differ.

use std::f64::consts::{LN_2, LOG2_E, PI, SQRT_2};
use std::sync::LazyLock;

/// 1.5·2⁵²: a double of this size has no fraction left, so adding and taking it away again rounds to a whole number.
const ROUNDER: f64 = 6_755_399_441_055_744.0;
/// ln 2 in two parts; the first has zeros at its end, so that products with small whole numbers are exact.
const LN_2_HIGH: f64 = 6.931_471_803_691_238e-1;
const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;
/// 1/n! from n = 12 down to 0.
const INVERSE_FACTORIALS: [f64; 13] = [
    1.0 / 479_001_600.0,
    1.0 / 39_916_800.0,
    1.0 / 3_628_800.0,
    1.0 / 362_880.0,
    1.0 / 40_320.0,
    1.0 / 5_040.0,
    1.0 / 720.0,
    1.0 / 120.0,
    1.0 / 24.0,
    1.0 / 6.0,
    0.5,
    1.0,
    1.0,
];

/// eˣ with a relative error below 1e-14; 0 below -700, and no more than at 700 above.
pub fn exp(x: f64) -> f64 {
    if x < -700.0 {
        return 0.0;
    }
    let x = x.min(700.0);
    let whole = (x * LOG2_E + ROUNDER) - ROUNDER;
    let rest = (x - whole * LN_2_HIGH) - whole * LN_2_LOW;
    let series = INVERSE_FACTORIALS.iter().fold(0.0, |sum, factor| sum * rest + factor);
    // Within ±1010, so that the exponent's bits hold it.
    series * f64::from_bits(((whole as i64 + 1023) as u64) << 52)
}

/// The natural logarithm of a positive number, with a relative error below 1e-14; -708 for what is not positive.
pub fn ln(x: f64) -> f64 {
    if x < f64::MIN_POSITIVE {
        return -708.0;
    }
    let bits = x.to_bits();
    let exponent = (bits >> 52) as i32 - 1023;
    let mantissa = f64::from_bits((bits & ((1 << 52) - 1)) | (1023 << 52));
    let (mantissa, exponent) =
        if mantissa > SQRT_2 { (mantissa / 2.0, exponent + 1) } else { (mantissa, exponent) };
    // ln m = 2·artanh((m - 1)/(m + 1)), whose argument is at most 0.172 here.
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let series = (0..11).rev().fold(0.0, |sum, n| sum * s * s + 1.0 / f64::from(2 * n + 1));
    f64::from(exponent) * LN_2 + 2.0 * s * series
}

/// Numerator and denominator of Hart's rational approximation 5666 (Computer Approximations, 1968), highest power first.
const HART: [(f64, f64); 8] = [
    (0.0, 8.838_834_764_831_84e-2),
    (3.526_249_659_989_11e-2, 1.755_667_163_182_64),
    (0.700_383_064_443_688, 16.064_177_579_207),
    (6.373_962_203_531_65, 86.780_732_202_946_1),
    (33.912_866_078_383, 296.564_248_779_674),
    (112.079_291_497_871, 637.333_633_378_831),
    (221.213_596_169_931, 793.826_512_519_948),
    (220.206_867_912_376, 440.413_735_824_752),
];

/// The chance that a standard normal number is at most `z`, within 1e-12.
pub fn normal_cdf(z: f64) -> f64 {
    let size = z.abs();
    let tail = if size >= LAST {
        0.0
    } else {
        let fold =
            |(top, bottom): (f64, f64), (a, b): &(f64, f64)| (top * size + a, bottom * size + b);
        let (top, bottom) = HART.iter().fold((0.0, 0.0), fold);
        exp(-0.5 * size * size) * top / bottom
    };
    if z < 0.0 { tail } else { 1.0 - tail }
}

/// Beyond so many standard deviations nothing of a normal distribution is left.
const LAST: f64 = 7.0;
/// How many nodes a table of it has to a standard deviation.
const NODES: f64 = 64.0;

const THIRD: f64 = 1.0 / 3.0;

/// The whole number that `ROUNDER` has been added to, where it is below 2¹⁶: it stands in the last bits.
fn low_bits(rounded: f64) -> usize {
    usize::from(rounded.to_bits() as u16)
}

/// The normal distribution function from a table, made by `normal_cdf` and several times as fast.
pub(super) struct NormalTable {
    /// At each node the chance beyond it, and the density.
    nodes: Vec<(f64, f64)>,
}

impl NormalTable {
    /// The one that all share.
    pub(super) fn shared() -> &'static Self {
        static TABLE: LazyLock<NormalTable> = LazyLock::new(NormalTable::new);
        &TABLE
    }

    fn new() -> Self {
        let node = |place: u32| {
            let z = f64::from(place) / NODES;
            (normal_cdf(-z), exp(-0.5 * z * z) / (2.0 * PI).sqrt())
        };
        Self { nodes: (0..(LAST * NODES) as u32).map(node).collect() }
    }

    /// The chance that a standard normal number is at most `z`, within 1e-12 of `normal_cdf`.
    ///
    /// Taylor's series around the nearest node, to the fourth power of the way from there. What it leaves out is at most the fifth
    /// power over 120 times the density's fourth derivative, which is nowhere above 1.2: for half a node's width 2.9e-13.
    pub(super) fn cdf(&self, z: f64) -> f64 {
        let size = z.abs();
        let nearest = (size * NODES).min(LAST * NODES - 1.0) + ROUNDER;
        let tail = match self.nodes.get(low_bits(nearest)) {
            Some((beyond, density)) if size < LAST => {
                let at = (nearest - ROUNDER) / NODES;
                let (way, square) = (size - at, at * at);
                let fourth = 0.25 * way * at * (square - 3.0);
                let third = THIRD * way * (square - 1.0 - fourth);
                beyond - density * way * (1.0 - 0.5 * way * (at - third))
            }
            _ => 0.0,
        };
        if z < 0.0 { tail } else { 1.0 - tail }
    }
}

/// Where the normal distribution function passes `chance`; at most 7 from 0.
pub fn normal_quantile(chance: f64) -> f64 {
    let (mut low, mut high) = (-7.0, 7.0);
    // Each round halves 14: after 50 the error is below 1e-13.
    for _ in 0..50 {
        let middle = 0.5 * (low + high);
        if normal_cdf(middle) < chance {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

/// The scalar product of two lists of one length. Four sums side by side, always in this order: fast, and the same bits.
pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (fours_a, fours_b) = (a.chunks_exact(4), b.chunks_exact(4));
    let pairs = fours_a.remainder().iter().zip(fours_b.remainder());
    let rest = pairs.fold(0.0, |sum, (x, y)| sum + x * y);
    let mut lanes = [0.0; 4];
    for (x, y) in fours_a.zip(fours_b) {
        for ((lane, x), y) in lanes.iter_mut().zip(x).zip(y) {
            *lane += x * y;
        }
    }
    lanes.iter().fold(rest, |sum, lane| sum + lane)
}

/// Adds `factor` times `b` to `a`, entry by entry.
pub fn add_scaled(a: &mut [f64], factor: f64, b: &[f64]) {
    for (to, from) in a.iter_mut().zip(b) {
        *to += factor * from;
    }
}

/// Adds each row, times its factor, to `to`: four rows at a time, so that `to` is read and written a quarter as often, and
/// always in this order. A row that is shorter than `to` ends there.
pub fn add_rows<'a>(to: &mut [f64], mut rows: impl Iterator<Item = (f64, &'a [f64])>) {
    loop {
        match (rows.next(), rows.next(), rows.next(), rows.next()) {
            (Some((a, first)), Some((b, second)), Some((c, third)), Some((d, fourth))) => {
                let rows = first.iter().zip(second).zip(third).zip(fourth);
                for (to, (((x, y), z), w)) in to.iter_mut().zip(rows) {
                    *to += (a * x + b * y) + (c * z + d * w);
                }
            }
            (first, second, third, _) => {
                let rest = [first, second, third].into_iter().flatten();
                rest.for_each(|(factor, row)| add_scaled(to, factor, row));
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_and_ln_agree_with_known_values_and_with_each_other() {
        let table = [
            (0.0, 1.0),
            (1.0, std::f64::consts::E),
            (-1.0, 0.367_879_441_171_442_33),
            (10.0, 22_026.465_794_806_718),
            (-30.0, 9.357_622_968_840_175e-14),
        ];
        for (x, y) in table {
            assert!((exp(x) / y - 1.0).abs() < 1e-14, "exp {x}: {}", exp(x));
            assert!((ln(y) - x).abs() < 1e-13, "ln {y}: {}", ln(y));
        }
        for n in -600..600 {
            let x = f64::from(n) * 1.1;
            assert!((ln(exp(x)) - x).abs() < 1e-12 * x.abs().max(1.0), "{x}");
        }
        assert_eq!((exp(-1e9), ln(0.0), exp(1e9)), (0.0, -708.0, exp(700.0)));
    }

    #[test]
    fn the_normal_distribution_is_the_one_in_the_tables() {
        // Worked out by another program, to more digits than a double has.
        let table = [
            (0.0, 0.5),
            (0.5, 0.691_462_461_274_013_1),
            (1.0, 0.841_344_746_068_542_9),
            (-1.959_963_984_540_054, 0.025),
            (-3.0, 1.349_898_031_630_094_5e-3),
            (-6.0, 9.865_876_450_376_98e-10),
            (6.5, 0.999_999_999_959_84),
        ];
        for (z, p) in table {
            assert!((normal_cdf(z) - p).abs() < 1e-12, "{z}: {}", normal_cdf(z));
            if z.abs() < 4.0 {
                assert!((normal_quantile(p) - z).abs() < 1e-9, "{p}: {}", normal_quantile(p));
            }
        }
        assert_eq!((normal_cdf(-8.0), normal_cdf(8.0)), (0.0, 1.0));
    }

    #[test]
    fn the_table_is_the_function() {
        let table = NormalTable::shared();
        for n in -80_000..=80_000 {
            let z = f64::from(n) / 10_000.0;
            let (quick, slow) = (table.cdf(z), normal_cdf(z));
            assert!((quick - slow).abs() < 1e-12, "{z}: {quick} {slow}");
            // Far down it is small, and still right.
            assert!((quick - slow).abs() <= 1e-8 * slow || slow < 1e-11, "{z}: {quick} {slow}");
        }
        assert_eq!((table.cdf(0.0), table.cdf(-9.0), table.cdf(9.0)), (0.5, 0.0, 1.0));
        assert!(table.cdf(f64::NAN).is_finite());
    }

    #[test]
    fn rows_add_up_however_many() {
        let rows: Vec<Vec<f64>> =
            (1..=9).map(|n| vec![f64::from(n), 1.0, f64::from(n * n)]).collect();
        for count in 0..=9 {
            let mut sum = vec![1.0; 3];
            add_rows(&mut sum, rows.iter().take(count).map(|row| (2.0, row.as_slice())));
            let n = count as f64;
            let squares = n * (n + 1.0) * (2.0 * n + 1.0) / 6.0;
            assert_eq!(sum, [1.0 + n * (n + 1.0), 1.0 + 2.0 * n, 1.0 + 2.0 * squares]);
        }
    }

    #[test]
    fn products_of_lists_of_every_length() {
        for length in 0..10 {
            let list: Vec<f64> = (1..=length).map(f64::from).collect();
            let squares: f64 = list.iter().map(|x| x * x).sum();
            assert_eq!(dot(&list, &list), squares);
        }
    }
}
