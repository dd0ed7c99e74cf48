//! A user as the store holds it: the profile and the newest places of the user's records in the log. Must stay compact.

use pilotage_domain::event::Position;
use pilotage_domain::kin::Kin;
use pilotage_domain::learn::Track;
use pilotage_domain::profile::Profile;

use super::RecordError;

/// A version byte, the run, the profile in postcard's format.
const PLAIN: u8 = 1;
/// The same, with the track between run and profile.
const TRACKED: u8 = 2;
/// The same, with the kin and a track or none between run and profile.
const AKIN: u8 = 3;

/// A user's stored record.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct UserRecord {
    /// The fold of the user's records.
    pub profile: Profile,
    /// Where the newest of them stand, ascending; older runs are stored apart.
    pub run: Vec<Position>,
    /// The learner's fold of them; `None` where no draw is on record of which it may learn.
    pub track: Option<Box<Track>>,
    /// With whom the user is one person.
    pub kin: Kin,
}

/// The stored form.
pub fn encode(record: &UserRecord) -> Vec<u8> {
    let mut body = Vec::with_capacity(256);
    let version = match record.track {
        _ if !record.kin.is_alone() => AKIN,
        Some(_) => TRACKED,
        None => PLAIN,
    };
    body.push(version);
    encode_run(&record.run, &mut body);
    // Postcard fails on unknown lengths and full buffers only: a profile has neither.
    let why = "a profile is always writable";
    body = match (version, &record.track) {
        (AKIN, track) => postcard::to_extend(&(&record.kin, track), body).expect(why),
        (_, Some(track)) => postcard::to_extend(track, body).expect(why),
        (_, None) => body,
    };
    postcard::to_extend(&record.profile, body).expect(why)
}

/// Reads a stored user of any version.
pub fn decode(body: &[u8]) -> Result<UserRecord, RecordError> {
    let malformed = |what: &str| RecordError::Malformed(what.to_owned());
    let (version, rest) = body.split_first().ok_or_else(|| malformed("empty"))?;
    if !matches!(*version, PLAIN | TRACKED | AKIN) {
        return Err(RecordError::Newer { found: u64::from(*version), known: u64::from(AKIN) });
    }
    let (run, rest) = decode_run(rest).ok_or_else(|| malformed("run"))?;
    let broken = |error: postcard::Error| RecordError::Malformed(error.to_string());
    let ((kin, track), rest) = match *version {
        AKIN => postcard::take_from_bytes(rest).map_err(broken)?,
        TRACKED => {
            let (track, rest) = postcard::take_from_bytes(rest).map_err(broken)?;
            ((Kin::default(), Some(Box::new(track))), rest)
        }
        _ => ((Kin::default(), None), rest),
    };
    let profile = postcard::from_bytes(rest).map_err(broken)?;
    Ok(UserRecord { profile, run, track, kin })
}

/// Appends ascending positions as their number, then the first and the steps between them, each a LEB128 number.
pub fn encode_run(run: &[Position], into: &mut Vec<u8>) {
    put(run.len() as u64, into);
    let mut last = 0;
    for position in run {
        put(position.0.wrapping_sub(last), into);
        last = position.0;
    }
}

/// Reads what `encode_run` wrote, and gives the rest of the bytes; `None` where it is cut short.
pub fn decode_run(bytes: &[u8]) -> Option<(Vec<Position>, &[u8])> {
    let (count, mut rest) = take(bytes)?;
    let mut run = Vec::with_capacity(usize::try_from(count).ok()?.min(rest.len()));
    let mut last = 0u64;
    for _ in 0..count {
        let (step, after) = take(rest)?;
        last = last.wrapping_add(step);
        run.push(Position(last));
        rest = after;
    }
    Some((run, rest))
}

fn put(mut n: u64, into: &mut Vec<u8>) {
    while n >= 0x80 {
        into.push((n as u8) | 0x80);
        n >>= 7;
    }
    into.push(n as u8);
}

fn take(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut n = 0u64;
    for (place, byte) in bytes.iter().enumerate().take(10) {
        n |= u64::from(byte & 0x7f) << (7 * place as u32);
        if byte & 0x80 == 0 {
            return Some((n, bytes.get(place + 1..)?));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use pilotage_domain::id::UserId;
    use pilotage_domain::kin::Merged;
    use pilotage_domain::time::Timestamp;

    use super::*;

    const GOLDEN_1: &str = "010201830784070301808885b2c06801808885b2c0680000000000000000000000000001070000000000000000";
    const GOLDEN_2: &str = "0202018307000001808885b2c06884070301808885b2c06801808885b2c0680000000000000000000000000001070000000000000000";
    const GOLDEN_3: &str = "03020183070101750500000084070301808885b2c06801808885b2c0680000000000000000000000000001070000000000000000";
    const GOLDEN_3_TRACKED: &str = "0302018307000206616e6f6e2d3106616e6f6e2d320106616e6f6e2d3101000001808885b2c06884070301808885b2c06801808885b2c0680000000000000000000000000001070000000000000000";

    #[test]
    fn a_user_survives_storing() {
        let record = UserRecord {
            profile: Profile { applied: Position(900), events: 3, ..Profile::default() },
            run: [1, 2, 200, 900].map(Position).to_vec(),
            track: None,
            kin: Kin::default(),
        };
        let body = encode(&record);
        assert_eq!(body.first(), Some(&PLAIN));
        assert_eq!(decode(&body).as_ref(), Ok(&record));
        let activated = Some(Timestamp::from_millis(5));
        let track = Some(Box::new(Track { activated, ..Track::default() }));
        let tracked = UserRecord { track, ..record };
        let body = encode(&tracked);
        assert_eq!(body.first(), Some(&TRACKED));
        assert_eq!(decode(&body), Ok(tracked));
    }

    /// A record of each version, as it was written then, and what it is read as.
    #[test]
    fn every_version_loads_for_ever() {
        let id = |text: &str| UserId::new(text).expect("valid");
        let at = Timestamp::from_millis(1_795_348_800_000);
        let profile = Profile {
            applied: Position(900),
            events: 3,
            first_seen: Some(at),
            last_seen: Some(at),
            recent_ids: vec![7],
            ..Profile::default()
        };
        let run = [1, 900].map(Position).to_vec();
        let plain = UserRecord { profile, run, ..UserRecord::default() };
        let track = Track { activated: Some(at), ..Track::default() };
        let tracked = UserRecord { track: Some(Box::new(track)), ..plain.clone() };
        let named =
            Kin { merged: Some(Merged { into: id("u"), at: Position(5) }), ..Kin::default() };
        let absorbed = vec![id("anon-1"), id("anon-2")];
        let known = Kin { absorbed, group_by: Some(id("anon-1")), ..Kin::default() };
        let merged = UserRecord { kin: named, ..plain.clone() };
        let joined = UserRecord { kin: known, ..tracked.clone() };
        let table = [
            (plain, GOLDEN_1),
            (tracked, GOLDEN_2),
            (merged, GOLDEN_3),
            (joined, GOLDEN_3_TRACKED),
        ];
        for (record, golden) in table {
            let body = encode(&record);
            let hex: String = body.iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(hex, golden);
            assert_eq!(decode(&body), Ok(record));
            for cut in 0..body.len() {
                assert!(decode(&body[..cut]).is_err(), "{cut}");
            }
        }
    }

    #[test]
    fn a_run_that_is_cut_short_is_refused() {
        let mut bytes = Vec::new();
        encode_run(&[Position(1 << 40), Position(u64::MAX)], &mut bytes);
        assert_eq!(decode_run(&bytes).map(|(run, _)| run.len()), Some(2));
        for cut in 0..bytes.len() {
            assert_eq!(decode_run(bytes.get(..cut).unwrap_or_default()), None);
        }
        assert!(decode(&[]).is_err());
        assert!(matches!(decode(&[9, 0]), Err(RecordError::Newer { found: 9, .. })));
    }
}
