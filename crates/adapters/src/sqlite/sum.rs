//! The checksum of a row. Must not change: rows that were written keep theirs.

/// CRC-32 over the numbers and the texts. The lengths of the texts come first, so that nothing can move from one column
/// to the next.
pub(super) fn of(numbers: &[i64], texts: &[&[u8]]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    for text in texts {
        hasher.update(&(text.len() as u64).to_le_bytes());
    }
    for number in numbers {
        hasher.update(&number.to_le_bytes());
    }
    for text in texts {
        hasher.update(text);
    }
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn known_answer() {
        assert_eq!(of(&[1, -1], &[b"ab", b""]), 1_781_918_688);
    }

    #[test]
    fn nothing_moves_between_columns() {
        assert_ne!(of(&[], &[b"ab", b"c"]), of(&[], &[b"a", b"bc"]));
    }
}
