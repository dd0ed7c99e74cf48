//! What a product's learner has learnt, as the store holds it. Must not be read as anything but sums: what they mean is in them.

use pilotage_domain::learn::{Frame, Learner, lesson};
use pilotage_domain::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::RecordError;

mod uncrossed;

/// The version that is written. The first two are by the rules for lessons of their number and have no crossings, the third is by
/// the second rules.
const VERSION: u8 = 3;
/// From here on spaces have crossings.
const CROSSED: u8 = 3;

/// The state from which decisions draw: as of a fixed position of the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Published {
    /// The position, which is the version that decisions note.
    pub version: u64,
    /// The newest event time up to there.
    pub at: Timestamp,
    /// What was learnt up to there.
    pub learner: Learner,
}

/// The stored form of what is learnt.
pub fn encode(learner: &Learner) -> Vec<u8> {
    write(learner)
}

/// Reads what is learnt, of any version.
pub fn decode(body: &[u8]) -> Result<Learner, RecordError> {
    let mut learner: Learner = read::<_, uncrossed::Learner>(body)?;
    mark(&mut learner.frame, body);
    Ok(learner)
}

/// The stored form of what decisions draw from.
pub fn encode_published(published: &Published) -> Vec<u8> {
    write(published)
}

/// Reads what decisions draw from, of any version.
pub fn decode_published(body: &[u8]) -> Result<Published, RecordError> {
    let mut published: Published = read::<_, uncrossed::Published>(body)?;
    mark(&mut published.learner.frame, body);
    Ok(published)
}

/// Notes by which rules it was learnt.
fn mark(frame: &mut Frame, body: &[u8]) {
    frame.rules = body.first().copied().unwrap_or(VERSION).min(lesson::RULES);
}

/// A version byte and the value in postcard's format.
fn write<T: Serialize>(value: &T) -> Vec<u8> {
    // Postcard fails on unknown lengths and full buffers only: sums have neither.
    postcard::to_extend(value, vec![VERSION]).expect("sums are always writable")
}

/// Reads a value; where it is older than crossings, in its earlier form.
fn read<T, Earlier>(body: &[u8]) -> Result<T, RecordError>
where
    T: for<'a> Deserialize<'a> + From<Earlier>,
    Earlier: for<'a> Deserialize<'a>,
{
    let malformed = |what: &str| RecordError::Malformed(what.to_owned());
    let (version, rest) = body.split_first().ok_or_else(|| malformed("empty"))?;
    if !(1..=VERSION).contains(version) {
        return Err(RecordError::Newer { found: u64::from(*version), known: u64::from(VERSION) });
    }
    let value = if *version < CROSSED {
        postcard::from_bytes::<Earlier>(rest).map(T::from)
    } else {
        postcard::from_bytes(rest)
    };
    value.map_err(|error| malformed(&error.to_string()))
}

#[cfg(test)]
mod tests {
    use pilotage_domain::learn::settings::CLICK_WINDOW;
    use pilotage_domain::learn::{Space, Windows};
    use pilotage_domain::time::Millis;

    use super::*;

    #[test]
    fn what_is_learnt_survives_and_a_cut_or_newer_one_is_refused() {
        let windows = Windows { goal: Millis::days(7), click: CLICK_WINDOW };
        let learner = Learner::new(Frame::new(Space::plain(2, 1, vec![0]), windows));
        let body = encode(&learner);
        assert_eq!(decode(&body).as_ref(), Ok(&learner));
        assert!(decode(&body[..body.len() - 1]).is_err());
        assert!(matches!(decode(&[9]), Err(RecordError::Newer { found: 9, .. })));
        let published = Published { version: 64, at: Timestamp::from_millis(7), learner };
        assert_eq!(decode_published(&encode_published(&published)), Ok(published));
    }

    #[test]
    fn every_past_version_loads() {
        let windows = Windows { goal: Millis::days(7), click: CLICK_WINDOW };
        let learner = Learner::new(Frame::new(Space::plain(1, 1, vec![0]), windows));
        // Three names with their numbers, nothing folded, one coordinate of situations, one of them a segment.
        let space = b"\x03\x02a0\x02\x06advice\x01\x02x0\x00\x00\x01\x01\x00";
        // The two windows, no time, five stages without a slot, no arm.
        let rest = b"\x80\x88\xb2\xa0\x02\xc0\xeem\x00\x00\x00\x00\x00\x00\x00";
        let stored = |version: u8| [&[version][..], space, rest].concat();
        assert_eq!(decode(&stored(2)).as_ref(), Ok(&learner), "nothing was crossed in it");
        let first = decode(&stored(1)).expect("the first version");
        assert_ne!(first.frame, learner.frame, "its lessons came about by other rules");
        let published = [&[2, 64, 14][..], space, rest].concat();
        let expected = Published { version: 64, at: Timestamp::from_millis(7), learner };
        assert_eq!(decode_published(&published), Ok(expected));
    }
}
