//! Stable hashes: the same bytes give the same number on every machine, for ever. Must not be used to hide a secret.

use sha2::{Digest, Sha256};
use std::fmt;

/// A SHA-256, printed as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentHash([u8; 32]);

impl ContentHash {
    /// The hash of the parts, each preceded by its length, so that no two lists of parts collide by shifting.
    pub fn of(parts: &[&[u8]]) -> Self {
        let mut hasher = Sha256::new();
        for part in parts {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
        Self(hasher.finalize().into())
    }

    /// The hash of the bytes alone, as any SHA-256 tool prints it.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Takes a hash that was made before.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The 64 digits that it is printed as, all ASCII.
    pub fn digits(&self) -> [u8; 64] {
        let mut digits = [0; 64];
        for (pair, byte) in digits.as_chunks_mut::<2>().0.iter_mut().zip(self.0) {
            *pair = [byte >> 4, byte & 15].map(hex_digit);
        }
        digits
    }

    /// The first eight bytes as a number: enough to tell a definition's parts from each other.
    pub fn short(&self) -> u64 {
        self.0.iter().take(8).fold(0, |n, b| (n << 8) | u64::from(*b))
    }
}

impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.digits()).unwrap_or_default())
    }
}

impl fmt::Debug for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Four bits as a hexadecimal digit.
const fn hex_digit(nibble: u8) -> u8 {
    nibble + if nibble < 10 { b'0' } else { b'a' - 10 }
}

/// A name of `N` characters, all ASCII: the tag, then the number's last `N` - 4 hexadecimal digits. A decision has one for
/// each time that it is written down, so that it does without the formatter.
pub fn tagged<const N: usize>(tag: [u8; 4], mut number: u128) -> [u8; N] {
    let mut text = [0; N];
    for (place, character) in text.iter_mut().enumerate().rev() {
        *character = tag.get(place).copied().unwrap_or_else(|| {
            let digit = hex_digit((number & 15) as u8);
            number >>= 4;
            digit
        });
    }
    text
}

/// A uniform 64-bit number that depends on the labelled parts alone (the first eight bytes of their SHA-256).
///
/// `label` keeps uses apart: a user's holdout number says nothing of the same user's group number.
pub fn uniform(label: &str, parts: &[&[u8]]) -> u64 {
    let mut all = Vec::with_capacity(parts.len() + 1);
    all.push(label.as_bytes());
    all.extend_from_slice(parts);
    ContentHash::of(&all).short()
}

/// `uniform` as a number in [0, 1) with 53 bits.
pub fn uniform_unit(label: &str, parts: &[&[u8]]) -> f64 {
    (uniform(label, parts) >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_answers() {
        assert_eq!(
            ContentHash::of_bytes(b"abc").to_string(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_ne!(ContentHash::of(&[b"ab", b"c"]), ContentHash::of(&[b"a", b"bc"]));
    }

    #[test]
    fn the_unit_number_is_spread_evenly() {
        let below =
            (0..20_000u32).filter(|n| uniform_unit("test", &[&n.to_be_bytes()]) < 0.1).count();
        // Binomial(20000, 0.1): mean 2000, standard deviation 42; five of them on either side.
        assert!((1_790..=2_210).contains(&below), "{below}");
    }
}
