//! The numbers that NumPy's `RandomState` draws from a seed, where a test has to draw as it does. Must not be used for anything
//! else.
//!
//! Mersenne Twister: Matsumoto and Nishimura, 1998. Normal deviates: Marsaglia's polar method, 1964. Gamma: Marsaglia and Tsang,
//! 2000, and for shapes below 1 Ahrens and Dieter, 1974. Beta: from two gammas.

const SIZE: usize = 624;
const SHIFT: usize = 397;

pub(super) struct RandomState {
    state: [u32; SIZE],
    next: usize,
    /// The second of a pair of normal deviates.
    spare: Option<f64>,
}

impl RandomState {
    pub(super) fn new(seed: u32) -> Self {
        let mut state = [seed; SIZE];
        for i in 1..SIZE {
            let before = state[i - 1];
            state[i] =
                1_812_433_253u32.wrapping_mul(before ^ (before >> 30)).wrapping_add(i as u32);
        }
        Self { state, next: SIZE, spare: None }
    }

    fn twist(&mut self) {
        let mut i = 0;
        while i < SIZE {
            let next = if i + 1 < SIZE { i + 1 } else { 0 };
            let far = if i + SHIFT < SIZE { i + SHIFT } else { i + SHIFT - SIZE };
            let y = (self.state[i] & 0x8000_0000) | (self.state[next] & 0x7fff_ffff);
            self.state[i] = self.state[far] ^ (y >> 1) ^ ((y & 1) * 0x9908_b0df);
            i += 1;
        }
        self.next = 0;
    }

    fn bits(&mut self) -> u32 {
        if self.next == SIZE {
            self.twist();
        }
        let mut y = self.state[self.next];
        self.next += 1;
        y ^= y >> 11;
        y ^= (y << 7) & 0x9d2c_5680;
        y ^= (y << 15) & 0xefc6_0000;
        y ^ (y >> 18)
    }

    /// In [0, 1).
    fn uniform(&mut self) -> f64 {
        let (a, b) = (self.bits() >> 5, self.bits() >> 6);
        (f64::from(a) * 67_108_864.0 + f64::from(b)) / 9_007_199_254_740_992.0
    }

    /// Up to `most`, all alike: as `choice` draws with replacement.
    pub(super) fn up_to(&mut self, most: u32) -> u32 {
        let mask = u32::MAX >> most.leading_zeros();
        loop {
            let value = self.bits() & mask;
            if value <= most {
                return value;
            }
        }
    }

    fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        loop {
            let (x, y) = (2.0 * self.uniform() - 1.0, 2.0 * self.uniform() - 1.0);
            let square = x * x + y * y;
            if square < 1.0 && square != 0.0 {
                let factor = (-2.0 * square.ln() / square).sqrt();
                self.spare = Some(factor * x);
                return factor * y;
            }
        }
    }

    fn exponential(&mut self) -> f64 {
        -(1.0 - self.uniform()).ln()
    }

    fn gamma(&mut self, shape: f64) -> f64 {
        if shape == 1.0 {
            return self.exponential();
        }
        if shape < 1.0 {
            return self.small_gamma(shape);
        }
        let b = shape - 1.0 / 3.0;
        let c = 1.0 / (9.0 * b).sqrt();
        loop {
            let (x, v) = loop {
                let x = self.normal();
                let v = 1.0 + c * x;
                if v > 0.0 {
                    break (x, v);
                }
            };
            let v = v * v * v;
            let u = self.uniform();
            if u < 1.0 - 0.0331 * (x * x) * (x * x) || u.ln() < 0.5 * x * x + b * (1.0 - v + v.ln())
            {
                return b * v;
            }
        }
    }

    fn small_gamma(&mut self, shape: f64) -> f64 {
        loop {
            let (u, v) = (self.uniform(), self.exponential());
            if u <= 1.0 - shape {
                let x = u.powf(1.0 / shape);
                if x <= v {
                    return x;
                }
            } else {
                let y = -((1.0 - u) / shape).ln();
                let x = (1.0 - shape + shape * y).powf(1.0 / shape);
                if x <= v + y {
                    return x;
                }
            }
        }
    }

    /// Between 0 and 1, for parameters that are not both at most 1, as no prior here has them.
    pub(super) fn beta(&mut self, a: f64, b: f64) -> f64 {
        assert!(a > 1.0 || b > 1.0, "Jöhnk's method is not needed here");
        let (x, y) = (self.gamma(a), self.gamma(b));
        x / (x + y)
    }
}
