//! How the random numbers of a profile are stored: as bytes, because a random number is longest as a variable-length one.
//! Must not change: profiles are stored in this form.

/// 64-bit hashes, eight bytes each.
pub(super) mod hashes {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(in crate::profile) fn serialize<S: Serializer>(
        hashes: &[u64],
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_seq(hashes.iter().map(|hash| hash.to_le_bytes()))
    }

    pub(in crate::profile) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Vec<u64>, D::Error> {
        let hashes = Vec::<[u8; 8]>::deserialize(from)?;
        Ok(hashes.into_iter().map(u64::from_le_bytes).collect())
    }
}

/// A decision's name, sixteen bytes instead of its text.
pub(super) mod decision {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::id::DecisionId;

    pub(in crate::profile) fn serialize<S: Serializer>(
        id: &DecisionId,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        id.bits().to_le_bytes().serialize(to)
    }

    pub(in crate::profile) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<DecisionId, D::Error> {
        <[u8; 16]>::deserialize(from).map(u128::from_le_bytes).map(DecisionId::from_bits)
    }
}
