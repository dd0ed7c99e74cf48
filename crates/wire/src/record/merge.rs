//! The two records that merge an anonymous user into a known one: that they are one person, and what was known of the anonymous
//! one. Must stay compact: the second holds a whole profile.

use pilotage_domain::event::Position;
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
/// byte, the first three fields in postcard's format and the others as a user's record.
#[derive(Debug, Clone, PartialEq)]
pub struct Carried {
    /// The anonymous user.
    pub from: UserId,
    /// In which visit it was named.
    pub session: SessionId,
    /// When it was named.
    pub at: Timestamp,
    /// The fold of the anonymous user's records; at position 0, as those of another user mean nothing here.
    pub profile: Profile,
    /// The learner's fold of them; `None` where no draw is on record of which it may learn.
    pub track: Option<Box<Track>>,
}

impl Carried {
    /// What the naming carries over of the anonymous user. The same however often it is worked out, and whatever came later.
    pub fn new(from: UserId, named: &Named, record: &UserRecord) -> Self {
        Self {
            from,
            session: named.session.clone(),
            at: named.at,
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
    let mut body = write(&(&carried.from, &carried.session, carried.at));
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
    let ((from, session, at), rest) = read::<(UserId, SessionId, Timestamp)>(body)?;
    if !from.is_anonymous() {
        return Err(malformed("from: names no anonymous user"));
    }
    let UserRecord { profile, track, run, kin } = user::decode(rest)?;
    if !run.is_empty() || !kin.is_alone() {
        return Err(malformed("more than a profile and a track"));
    }
    Ok(Carried { from, session, at, profile, track })
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
