//! What we know of a user now: the fold of the user's log records. Must not be changed by anything but the fold.

mod absorb;
pub mod attribute;
pub mod charge;
mod compare;
pub mod contact;
#[cfg(test)]
mod fixture;
pub mod fold;
#[cfg(test)]
mod properties;
mod stored;
pub mod view;

use std::hash::Hasher;

use serde::{Deserialize, Serialize};
use siphasher::sip::SipHasher13;

use crate::definition::UserIdForm;
use crate::event::Position;
use crate::id::{ErrorName, EventId, MilestoneId, SessionId};
use crate::kin::ANONYMOUS;
use crate::time::Timestamp;
use crate::value::Scalar;
use contact::ContactLedger;

/// The fold of one user's records, in log order.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Profile {
    /// The last record that is in it; records at or before it change nothing.
    pub applied: Position,
    /// Events that are in it, redeliveries not counted.
    pub events: u64,
    /// Earliest event time.
    pub first_seen: Option<Timestamp>,
    /// Latest event time.
    pub last_seen: Option<Timestamp>,
    /// When the user's clock started.
    pub signup: Option<Timestamp>,
    /// Current values by attribute name, sorted by name.
    pub attributes: Vec<(Box<str>, Scalar)>,
    /// Counters by key, sorted by key.
    pub counters: Vec<(u64, Count)>,
    /// Reached milestones with the time of the event that reached them, sorted by id.
    pub reached: Vec<(MilestoneId, Timestamp)>,
    /// The last error in log order and its event time.
    pub last_error: Option<(ErrorName, Timestamp)>,
    /// Visits.
    pub sessions: Sessions,
    /// Exposures, clicks, dismissals, offers.
    pub contact: ContactLedger,
    /// Hashes of the newest event ids, oldest first, at most `fold::IDS_KEPT`: the fold's own guard against redelivery.
    #[serde(with = "stored::hashes")]
    pub recent_ids: Vec<u64>,
    /// Attribute values that did not fit their type and were dropped.
    pub dropped_values: u32,
}

/// What a counter has seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Count {
    /// How many, ever, up to the count that the form asks for.
    Ever(u32),
    /// The newest event times, ascending; as many as the form's count asks for.
    Newest(Vec<Timestamp>),
}

/// A user's visits.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Sessions {
    /// How many different visits in a row were seen.
    pub count: u32,
    /// Hash of the session id of the newest event.
    pub current: u64,
    /// When the current visit's first event happened.
    pub started: Option<Timestamp>,
}

impl Profile {
    /// The value that was set, by the attribute's name; defaults are the definition's.
    pub fn attribute(&self, name: &str) -> Option<&Scalar> {
        let place = self.attributes.binary_search_by(|(known, _)| (**known).cmp(name)).ok();
        place.and_then(|at| self.attributes.get(at)).map(|(_, value)| value)
    }

    /// What the counter of that key has seen; `None` where it has seen nothing.
    pub fn counter(&self, key: u64) -> Option<&Count> {
        let place = self.counters.binary_search_by_key(&key, |(known, _)| *known).ok();
        place.and_then(|at| self.counters.get(at)).map(|(_, count)| count)
    }

    /// When the milestone was reached.
    pub fn reached_at(&self, milestone: &MilestoneId) -> Option<Timestamp> {
        let place = self.reached.binary_search_by(|(id, _)| id.cmp(milestone)).ok();
        place.and_then(|at| self.reached.get(at)).map(|(_, at)| *at)
    }

    /// Reaches the milestone, for ever: a later time changes nothing.
    fn reach(&mut self, milestone: &MilestoneId, at: Timestamp) {
        if let Err(place) = self.reached.binary_search_by(|(id, _)| id.cmp(milestone)) {
            self.reached.insert(place, (milestone.clone(), at));
        }
    }
}

/// The hash by which profiles and offers know a session again; the same on every machine, for ever.
pub fn session_hash(session: &SessionId) -> u64 {
    keyed(0x7365_7373_696f_6e00, session.as_str())
}

/// The hash by which a profile knows an event id again; the same on every machine, for ever.
pub fn event_hash(event: &EventId) -> u64 {
    keyed(0x6576_656e_7469_6400, event.as_str())
}

// The keys keep the two uses apart; they are part of the stored form and may never change.
fn keyed(key: u64, text: &str) -> u64 {
    let mut hasher = SipHasher13::new_with_keys(key, !key);
    hasher.write(text.as_bytes());
    hasher.finish()
}

impl UserIdForm {
    /// Whether the text is a user id of this form; an anonymous one is, where what follows its beginning is.
    pub fn fits(self, text: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Uuid => is_uuid(text.strip_prefix(ANONYMOUS).unwrap_or(text)),
        }
    }
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(place, b)| match place {
            8 | 13 | 18 | 23 => b == b'-',
            _ => b.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use super::fixture::session;
    use super::*;

    #[test]
    fn user_ids_fit_their_form() {
        let table = [
            ("0190b6d2-8f3a-7cc1-9d5e-0123456789ab", true),
            ("0190B6D2-8F3A-7CC1-9D5E-0123456789AB", true),
            ("0190b6d2-8f3a-7cc1-9d5e-0123456789a", false),
            ("0190b6d2-8f3a-7cc1-9d5e-0123456789abc", false),
            ("0190b6d2-8f3a-7cc1-9d5e-0123456789ag", false),
            ("0190b6d2-8f3a-7cc1-9d5e00123456789ab", false),
            ("0190b6d2-8f3a-7cc1-9d5e--123456789ab", false),
            ("0190b6d2-8f3a-7cc1-9d5e-0123456789é", false),
            ("anna", false),
            ("anon-0190b6d2-8f3a-7cc1-9d5e-0123456789ab", true),
            ("anon-anon-0190b6d2-8f3a-7cc1-9d5e-0123456789ab", false),
            ("anon0190b6d2-8f3a-7cc1-9d5e-0123456789ab", false),
            ("anon-7", false),
            ("", false),
        ];
        for (text, fits) in table {
            assert_eq!(UserIdForm::Uuid.fits(text), fits, "{text}");
            assert!(UserIdForm::Any.fits(text), "{text}");
        }
    }

    #[test]
    fn hashes_are_the_same_for_ever_and_keep_their_uses_apart() {
        // Worked out by another implementation of SipHash-1-3.
        assert_eq!(session_hash(&session("s-1")), 6_642_515_800_374_666_693);
        let event = EventId::new("s-1").expect("an id");
        assert_eq!(event_hash(&event), 8_539_476_677_513_879_782);
    }

    #[test]
    fn a_profile_is_stored_compactly() {
        let hashes = vec![u64::MAX; 3];
        let profile = Profile { recent_ids: hashes, ..Profile::default() };
        let empty = postcard::to_stdvec(&Profile::default()).expect("always writable");
        let stored = postcard::to_stdvec(&profile).expect("always writable");
        assert_eq!((empty.len(), stored.len()), (19, 19 + 3 * 8));
        let mut offered = Profile::default();
        offered.contact.offers.push(fixture::offer(u128::MAX, 0));
        let stored = postcard::to_stdvec(&offered).expect("always writable");
        // Sixteen bytes of decision, three short names with their lengths, session, time, three absences.
        assert!(stored.len() < empty.len() + 16 + 6 + 10 + 6 + 3 + 1, "{}", stored.len());
    }
}
