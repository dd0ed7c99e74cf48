//! How much keys differ from each other beyond chance. Must not know what the keys are.
//!
//! Two ways. Where only residuals are known, Paule and Mandel's (1982): the variance at which the squared residuals, each over
//! its own variance, come to their expected sum. Where a whole regression is solved, restricted maximum likelihood by the fixed point
//! of Henderson's mixed-model equations (Harville 1977): what the estimated effects come to, squared, over how many of
//! them the rows tell. A few pseudo-keys hold either near the first guess while there are few real ones.

/// How many pseudo-keys stand for the first guess.
const GUESSES: f64 = 4.0;

/// A key's residual: its square, and the variance that chance alone gives it.
#[derive(Debug, Clone, Copy)]
pub struct Residual {
    /// The squared residual.
    pub square: f64,
    /// Its variance where the keys don't differ at all; above 0.
    pub chance: f64,
}

/// The variance is at most so many times below the first guess, and above it.
const LEAST: f64 = 1.0 / 64.0;
const MOST: f64 = 16.0;

/// What a solution says of effects that have one variance.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Effects {
    /// The sum of their squared means, each over the first guess at its variance.
    pub square: f64,
    /// How many of them the rows tell: for each the share of its prior variance that is gone.
    pub told: f64,
}

impl Effects {
    /// Notes one of them: its squared mean over the first guess, and the share of its prior variance that is left.
    pub(super) fn add(&mut self, square: f64, left: f64) {
        self.square += square;
        self.told += (1.0 - left).max(0.0);
    }

    /// How many times the first guess their variance is. At its fixed point no other variance makes the rows likelier.
    pub(super) fn factor(self) -> f64 {
        ((GUESSES + self.square) / (GUESSES + self.told)).clamp(LEAST, MOST)
    }
}

/// The variance between the keys, at most 64 times below and 16 times above the guess. One degree of freedom is taken for
/// the mean that the residuals are taken from.
pub fn between(residuals: &[Residual], guess: f64) -> f64 {
    let expected = (residuals.len() as f64 - 1.0).max(0.0) + GUESSES;
    let (mut low, mut high) = (guess * LEAST, guess * MOST);
    // Ten octaves, halved 40 times.
    for _ in 0..40 {
        let middle = (low * high).sqrt();
        let sum = residuals.iter().fold(GUESSES * guess / middle, |sum, residual| {
            sum + residual.square / (middle + residual.chance)
        });
        if sum > expected {
            low = middle;
        } else {
            high = middle;
        }
    }
    (low * high).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_keys_it_is_the_guess() {
        for guess in [1e-3, 0.125, 7.0] {
            assert!((between(&[], guess) / guess - 1.0).abs() < 1e-9);
        }
    }

    #[test]
    fn effects_count_as_far_as_rows_tell_them() {
        let factor = |square, told| Effects { square, told }.factor();
        assert_eq!(factor(0.0, 0.0), 1.0);
        // Four effects that are known for sure, and four times as large in the square as was guessed: with the four
        // pseudo-keys (4 + 16)/(4 + 4).
        assert_eq!(factor(16.0, 4.0), 2.5);
        assert_eq!((factor(1e9, 4.0), factor(0.0, 1e9)), (16.0, 1.0 / 64.0));
    }

    #[test]
    fn worked_out_by_hand() {
        // Without noise: (4·0.1 + 5·0.4)/v = 4 + 4, so v = 0.3.
        let residuals = [Residual { square: 0.4, chance: 1e-15 }; 5];
        assert!((between(&residuals, 0.1) - 0.3).abs() < 1e-9);
    }

    #[test]
    fn what_chance_explains_is_no_difference() {
        let residuals = [Residual { square: 1e-3, chance: 1e-2 }; 200];
        assert!(between(&residuals, 0.1) < 0.01);
        let residuals = [Residual { square: 2.0, chance: 1e-2 }; 200];
        assert!((between(&residuals, 0.1) - 1.6).abs() < 1e-6, "held at 16 guesses");
    }
}
