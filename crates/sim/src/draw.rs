//! Numbers by chance from a seed, in whole numbers alone: the same on every machine. Must be the crate's only chance.

use pilotage_domain::hash::uniform;
use pilotage_domain::time::Millis;

/// One visitor's own sequence (SplitMix64): what others draw does not change it.
#[derive(Debug)]
pub(crate) struct Draws(u64);

impl Draws {
    /// The sequence of that visitor under that seed.
    pub(crate) fn new(seed: u64, visitor: u32) -> Self {
        Self(uniform("simulated visitor", &[&seed.to_be_bytes(), &visitor.to_be_bytes()]))
    }

    /// 64 uniform bits.
    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// From 0 up to, but not including, `end`; 0 where `end` is 0. The bias is below `end` in 2⁶⁴.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        let scaled = u128::from(self.bits()) * u128::from(end);
        (scaled >> 64) as u64
    }

    /// From `least` up to, but not including, `end`.
    pub(crate) fn between(&mut self, least: Millis, end: Millis) -> Millis {
        Millis::new(least.get() + self.below(end.get().saturating_sub(least.get())))
    }

    /// True that often in a hundred; always from 100 on.
    pub(crate) fn chance(&mut self, percent: u32) -> bool {
        self.below(100) < u64::from(percent)
    }

    /// One of them, as often as its share of all weights; there must be one with a weight.
    pub(crate) fn pick<T: Copy>(&mut self, of: &[(u32, T)]) -> T {
        let mut left = self.below(of.iter().map(|(weight, _)| u64::from(*weight)).sum());
        for (weight, item) in of {
            match left.checked_sub(u64::from(*weight)) {
                Some(rest) => left = rest,
                None => return *item,
            }
        }
        unreachable!("a number below the sum of all weights falls into one of them")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_and_a_visitor_make_one_sequence() {
        let first = |seed, visitor| Draws::new(seed, visitor).bits();
        assert_eq!(first(1, 1), first(1, 1));
        assert_ne!(first(1, 1), first(2, 1));
        assert_ne!(first(1, 1), first(1, 2));
    }

    #[test]
    fn the_sequence_is_the_same_on_every_machine() {
        // The published first outputs of SplitMix64 from the state 1234567.
        let mut draws = Draws(1_234_567);
        assert_eq!(
            [draws.bits(), draws.bits()],
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973]
        );
    }

    #[test]
    fn draws_keep_to_their_bounds_and_weights() {
        let mut draws = Draws::new(7, 7);
        let mut heavy = 0;
        for _ in 0..1_000 {
            assert!(draws.below(3) < 3);
            let span = draws.between(Millis::new(5), Millis::new(8));
            assert!((5..8).contains(&span.get()));
            assert!(draws.chance(100));
            assert!(!draws.chance(0));
            heavy += u32::from(draws.pick(&[(1, false), (9, true), (0, false)]));
        }
        // Binomial(1000, 0.9): standard deviation 9.5; five of them on either side.
        assert!((852..=948).contains(&heavy), "{heavy}");
        assert_eq!(draws.below(0), 0);
    }
}
