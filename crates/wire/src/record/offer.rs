//! An offer as it is held for a user until its decision is in the profile. Must stay compact: it lives for minutes.

use pilotage_domain::profile::contact::Offer;

use super::RecordError;

const VERSION: u8 = 1;

/// A version byte and the offer in postcard's format.
pub fn encode(offer: &Offer) -> Vec<u8> {
    // Postcard fails on unknown lengths and full buffers only: an offer has neither.
    postcard::to_extend(offer, vec![VERSION]).expect("an offer is always writable")
}

/// Reads an offer of any version.
pub fn decode(body: &[u8]) -> Result<Offer, RecordError> {
    let malformed = |what: &str| RecordError::Malformed(what.to_owned());
    let (version, rest) = body.split_first().ok_or_else(|| malformed("empty"))?;
    if *version != VERSION {
        return Err(RecordError::Newer { found: u64::from(*version), known: u64::from(VERSION) });
    }
    postcard::from_bytes(rest).map_err(|error| malformed(&error.to_string()))
}

#[cfg(test)]
mod tests {
    use pilotage_domain::id::{DecisionId, GuideId, MilestoneId, SessionId, VariantId};
    use pilotage_domain::time::Timestamp;

    use super::*;

    #[test]
    fn an_offer_survives_and_a_cut_or_newer_one_is_refused() {
        let arm = (GuideId::new("g").expect("valid"), VariantId::new("a").expect("valid"));
        let milestone = MilestoneId::new("m").expect("valid");
        let session = SessionId::new("s").expect("valid");
        let at = Timestamp::from_millis(1_795_348_800_000);
        let offer = Offer::new(DecisionId::from_bits(9), arm, milestone, &session, at);
        let body = encode(&offer);
        assert_eq!(decode(&body), Ok(offer));
        assert!(decode(&body[..body.len() - 1]).is_err());
        assert!(matches!(decode(&[7]), Err(RecordError::Newer { found: 7, .. })));
    }
}
