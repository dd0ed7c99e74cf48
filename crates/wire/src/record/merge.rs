//! The two records that merge an anonymous user into a known one: that they are one person, and what was known of the anonymous
//! one. Must stay compact: the second holds a whole profile.

use pilotage_domain::event::Position;
use pilotage_domain::hash::ContentHash;
use pilotage_domain::id::{SessionId, UserId};
use pilotage_domain::learn::Track;
use pilotage_domain::profile::Profile;
use pilotage_domain::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::RecordError;
use super::user::{self, UserRecord};

const VERSION: u8 = 1;

/// Stands among the records of the anonymous user: who that is. Stored as a version byte and the fields in postcard's format.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// The known user.
    pub into: UserId,
    /// In which visit it was said.
    pub session: SessionId,
    /// When, as the event counts that said so.
    pub at: Timestamp,
}

/// Stands among the records of the known user: what was known of the anonymous one when it was named. Stored as a version
/// byte, the first four fields in postcard's format and the others as a user's record.
#[derive(Debug, Clone, PartialEq)]
pub struct Carried {
    /// The anonymous user.
    pub from: UserId,
    /// In which visit it was named.
    pub session: SessionId,
    /// When it was named.
    pub at: Timestamp,
    /// What the anonymous user's records were folded under: under anything else, profile and track mean nothing.
    pub fold: ContentHash,
    /// The fold of the anonymous user's records; at position 0, as those of another user mean nothing here.
    pub profile: Profile,
    /// The learner's fold of them; `None` where no draw is on record of which it may learn.
    pub track: Option<Box<Track>>,
}

impl Carried {
    /// What the naming carries over of the anonymous user. The same however often it is worked out, and whatever came later.
    pub fn new(from: UserId, named: &Named, fold: ContentHash, record: &UserRecord) -> Self {
        Self {
            from,
            session: named.session.clone(),
            at: named.at,
            fold,
            profile: Profile { applied: Position::default(), ..record.profile.clone() },
            track: record.track.clone(),
        }
    }
}

/// The stored form of a naming.
pub fn encode_named(named: &Named) -> Vec<u8> {
    write(named)
}

/// Reads a naming of any version.
pub fn decode_named(body: &[u8]) -> Result<Named, RecordError> {
    let (named, rest) = read::<Named>(body)?;
    if named.into.is_anonymous() {
        return Err(malformed("into: names no known user"));
    }
    if rest.is_empty() { Ok(named) } else { Err(malformed("more than a naming")) }
}

/// The stored form of what is carried over.
pub fn encode_carried(carried: &Carried) -> Vec<u8> {
    let fold = carried.fold.as_bytes();
    let mut body = write(&(&carried.from, &carried.session, carried.at, fold));
    let record = UserRecord {
        profile: carried.profile.clone(),
        track: carried.track.clone(),
        ..UserRecord::default()
    };
    body.extend(user::encode(&record));
    body
}

/// Reads what is carried over, of any version.
pub fn decode_carried(body: &[u8]) -> Result<Carried, RecordError> {
    let ((from, session, at, fold), rest) = read::<(UserId, SessionId, Timestamp, [u8; 32])>(body)?;
    if !from.is_anonymous() {
        return Err(malformed("from: names no anonymous user"));
    }
    let UserRecord { profile, track, run, kin } = user::decode(rest)?;
    if !run.is_empty() || !kin.is_alone() {
        return Err(malformed("more than a profile and a track"));
    }
    let fold = ContentHash::from_bytes(fold);
    Ok(Carried { from, session, at, fold, profile, track })
}

fn write<T: Serialize>(value: &T) -> Vec<u8> {
    // Postcard fails on unknown lengths and full buffers only: names and a time have neither.
    postcard::to_extend(value, vec![VERSION]).expect("names are always writable")
}

fn read<T: for<'a> Deserialize<'a>>(body: &[u8]) -> Result<(T, &[u8]), RecordError> {
    let (version, rest) = body.split_first().ok_or_else(|| malformed("empty"))?;
    if *version != VERSION {
        return Err(RecordError::Newer { found: u64::from(*version), known: u64::from(VERSION) });
    }
    postcard::take_from_bytes(rest).map_err(|error| malformed(&error.to_string()))
}

fn malformed(what: &str) -> RecordError {
    RecordError::Malformed(what.to_owned())
}

#[cfg(test)]
mod tests {
    use pilotage_domain::kin::{Kin, Merged};

    use super::*;

    /// As version 1 was written, which must be read for ever.
    const NAMED: &str = "0101750173808885b2c068";
    const CARRIED: &str = "0106616e6f6e2d310173808885b2c068abababababababababababababababababababababababababababababababab0200000001808885b2c068000300000000000000000000000000000001070000000000000000";

    fn id(text: &str) -> UserId {
        UserId::new(text).expect("valid")
    }

    fn named() -> Named {
        let session = SessionId::new("s").expect("valid");
        Named { into: id("u"), session, at: Timestamp::from_millis(1_795_348_800_000) }
    }

    /// As the anonymous user's record stands once the naming is folded, and some more.
    fn record() -> UserRecord {
        let activated = Some(named().at);
        UserRecord {
            profile: Profile {
                applied: Position(900),
                events: 3,
                recent_ids: vec![7],
                ..Profile::default()
            },
            run: vec![Position(900)],
            track: Some(Box::new(Track { activated, ..Track::default() })),
            kin: Kin {
                merged: Some(Merged { into: id("u"), at: Position(800) }),
                ..Kin::default()
            },
        }
    }

    fn fold() -> ContentHash {
        ContentHash::from_bytes([0xab; 32])
    }

    fn hex(body: &[u8]) -> String {
        body.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn a_naming_survives_and_a_damaged_or_newer_one_is_refused() {
        let body = encode_named(&named());
        assert_eq!(hex(&body), NAMED);
        assert_eq!(decode_named(&body), Ok(named()));
        for cut in 0..body.len() {
            assert!(decode_named(&body[..cut]).is_err(), "{cut}");
        }
        assert!(decode_named(&[&*body, &[0]].concat()).is_err());
        assert!(matches!(decode_named(&[2]), Err(RecordError::Newer { found: 2, known: 1 })));
        let chained = Named { into: id("anon-2"), ..named() };
        assert!(matches!(decode_named(&encode_named(&chained)), Err(RecordError::Malformed(_))));
    }

    #[test]
    fn what_is_carried_survives_and_a_damaged_or_newer_one_is_refused() {
        let carried = Carried::new(id("anon-1"), &named(), fold(), &record());
        let body = encode_carried(&carried);
        assert_eq!(hex(&body), CARRIED);
        assert_eq!(decode_carried(&body).as_ref(), Ok(&carried));
        for cut in 0..body.len() {
            assert!(decode_carried(&body[..cut]).is_err(), "{cut}");
        }
        assert!(matches!(decode_carried(&[2]), Err(RecordError::Newer { found: 2, known: 1 })));
        let stolen = Carried { from: id("v"), ..carried.clone() };
        assert!(matches!(decode_carried(&encode_carried(&stolen)), Err(RecordError::Malformed(_))));
        let head = write(&(&carried.from, &carried.session, carried.at, fold().as_bytes()));
        let whole = [head, user::encode(&record())].concat();
        assert!(matches!(decode_carried(&whole), Err(RecordError::Malformed(_))));
    }

    #[test]
    fn what_is_carried_is_the_same_whenever_it_is_worked_out() {
        let first = Carried::new(id("anon-1"), &named(), fold(), &record());
        let mut later = record();
        later.profile.applied = Position(5_000);
        later.run.push(Position(5_000));
        let again = Carried::new(id("anon-1"), &named(), fold(), &later);
        assert_eq!(encode_carried(&first), encode_carried(&again));
        assert_eq!((first.profile.events, first.track), (3, record().track));
    }
}
