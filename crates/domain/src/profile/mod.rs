//! What we know of a user now: the fold of the user's log records. Must not be changed by anything but the fold.

pub mod contact;

use serde::{Deserialize, Serialize};

use crate::definition::UserIdForm;
use crate::event::Position;
use crate::id::{ErrorName, MilestoneId};
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
    /// Hashes of the newest event ids: the fold's own guard against redelivery.
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

impl UserIdForm {
    /// Whether the text is a user id of this form.
    pub fn fits(self, text: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Uuid => {
                text.len() == 36
                    && text.bytes().enumerate().all(|(place, b)| match place {
                        8 | 13 | 18 | 23 => b == b'-',
                        _ => b.is_ascii_hexdigit(),
                    })
            }
        }
    }
}
