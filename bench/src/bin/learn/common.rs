//! What the learner's yardsticks share: numbers by chance, time on a core, arms. Must not measure or learn anything itself.

use pilotage_domain::id::{GuideId, VariantId};
use pilotage_domain::learn::{Arm, Features, Windows};
use pilotage_domain::number::Propensity;
use pilotage_domain::policy::{Choice, Distribution};
use pilotage_domain::time::{Millis, Timestamp};

/// The first moment of every task.
pub(crate) const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);
/// Where a reward comes at once or never, a minute is long enough to wait for it.
pub(crate) const AT_ONCE: Windows = Windows { goal: Millis::minutes(1), click: Millis::minutes(1) };

/// Numbers by chance from a seed: SplitMix64 (Steele, Lea and Flood 2014).
pub(crate) struct Dice(u64);

impl Dice {
    /// Starts from that seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x2545_f491_4f6c_dd1d))
    }

    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// In [0, 1).
    pub(crate) fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    pub(crate) fn hits(&mut self, chance: f64) -> bool {
        self.unit() < chance
    }

    pub(crate) fn below(&mut self, count: usize) -> usize {
        (self.unit() * count as f64) as usize
    }

    /// A number of 32 bits, as a draw takes it.
    pub(crate) fn number(&mut self) -> u32 {
        (self.bits() >> 32) as u32
    }

    /// Two independent standard normal numbers (Box and Muller 1958).
    pub(crate) fn normals(&mut self) -> (f64, f64) {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        let angle = self.unit() * std::f64::consts::TAU;
        (radius * angle.cos(), radius * angle.sin())
    }

    pub(crate) fn normal(&mut self) -> f64 {
        self.normals().0
    }
}

/// The arm of that number.
pub(crate) fn arm(n: usize) -> Arm {
    let guide = GuideId::new(&format!("g{n:04}")).expect("a letter and digits");
    Arm { guide, variant: VariantId::new("v").expect("a letter") }
}

/// The coordinates with a 1 first, which every situation has, and the values after it.
pub(crate) fn situation(values: &[f64]) -> Features {
    let values = (1u16..).zip(values.iter().copied());
    Features::new(std::iter::once((0, 1.0)).chain(values))
}

/// How likely each arm is, and no guide last, in parts of 2³².
pub(crate) fn parts(law: &Distribution, arms: usize) -> Vec<u64> {
    let choices = (0..arms).map(Choice::Arm).chain([Choice::NoGuide]);
    choices.map(|choice| law.propensity(choice).map_or(0, Propensity::parts)).collect()
}

/// Seconds that this thread has spent on a core; other programs on the machine don't count.
pub(crate) fn on_core() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells it");
    let nanoseconds = stat.split(' ').next().and_then(|word| word.parse::<f64>().ok());
    nanoseconds.expect("a number comes first") / 1e9
}

/// Mean and standard deviation.
pub(crate) fn spread(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let square = values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>();
    (mean, (square / (count - 1.0).max(1.0)).sqrt())
}
