//! Which partition a user's records stand in: the one that every Kafka client of the Java family would choose for the key.
//! Must not change: a user's order is kept only as long as its records stand in one partition.

use pilotage_domain::id::{ProductId, UserId};
use pilotage_engine::port::feed::Partition;
use pilotage_wire::record::kafka::key;

/// The partition of a user's records in a topic of so many partitions, at least one.
pub fn partition_of(product: &ProductId, user: &UserId, partitions: u16) -> Partition {
    of_key(key(product, user).as_bytes(), partitions)
}

/// The partition of the records with that key.
pub(super) fn of_key(key: &[u8], partitions: u16) -> Partition {
    let hash = murmur2(key) & 0x7fff_ffff;
    // The remainder is smaller than the number of partitions.
    Partition((hash % u32::from(partitions.max(1))) as u16)
}

/// Murmur2 as Kafka seeds it.
fn murmur2(bytes: &[u8]) -> u32 {
    const M: u32 = 0x5bd1_e995;
    const SEED: u32 = 0x9747_b28c;
    // Keys are a few hundred bytes at the most.
    let mut hash = SEED ^ bytes.len() as u32;
    let (words, rest) = bytes.as_chunks::<4>();
    for word in words {
        let mut k = u32::from_le_bytes(*word).wrapping_mul(M);
        k ^= k >> 24;
        hash = hash.wrapping_mul(M) ^ k.wrapping_mul(M);
    }
    if !rest.is_empty() {
        let tail = rest.iter().rev().fold(0, |tail, byte| (tail << 8) | u32::from(*byte));
        hash = (hash ^ tail).wrapping_mul(M);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(M);
    hash ^ (hash >> 15)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values that Kafka's own tests expect of its own function.
    #[test]
    fn the_hash_is_kafkas() {
        let cases: [(&str, i32); 6] = [
            ("21", -973_932_308),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
            ("abc", 479_470_107),
        ];
        for (text, expected) in cases {
            assert_eq!(murmur2(text.as_bytes()) as i32, expected, "{text}");
        }
    }

    #[test]
    fn every_partition_is_used_and_none_beyond() {
        let mut seen = [0; 12];
        for n in 0..1_200 {
            let partition = of_key(format!("acme:user {n}").as_bytes(), 12);
            seen[usize::from(partition.0)] += 1;
        }
        assert!(seen.iter().all(|count| *count > 50), "{seen:?}");
    }
}
