//! Users as they were read a moment ago, for the next decision about them. Must not be relied on: what has to be right is
//! checked where it is written.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pilotage_domain::decide::Group;
use pilotage_domain::profile::Profile;
use pilotage_domain::profile::contact::Offer;
use tokio::time::Instant;

use crate::port::shared::user_mark;
use crate::port::store::{RowId, UserKey};

/// How long what was read may be used, where no notification says otherwise.
const LIFE: Duration = Duration::from_secs(1);
/// How many users are kept; beyond, all are let go.
const MOST: usize = 50_000;

/// A user as it was read.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) key: UserKey,
    pub(super) group: Group,
    pub(super) profile: Profile,
    pub(super) row: Option<RowId>,
    /// The places of the newest records.
    pub(super) newest: Vec<pilotage_domain::event::Position>,
    pub(super) pending: Vec<Offer>,
    pub(super) reservations: u64,
}

/// The users read, by their marks.
#[derive(Default)]
pub(super) struct Cache(Mutex<HashMap<u64, (Instant, Arc<Read>)>>);

impl Cache {
    fn held(&self) -> MutexGuard<'_, HashMap<u64, (Instant, Arc<Read>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn get(&self, key: &UserKey) -> Option<Arc<Read>> {
        let held = self.held();
        let (since, read) = held.get(&user_mark(key))?;
        (read.key == *key && since.elapsed() < LIFE).then(|| read.clone())
    }

    /// Keeps what was read since `asked`.
    pub(super) fn put(&self, asked: Instant, read: Arc<Read>) {
        let mut held = self.held();
        if held.len() >= MOST {
            held.clear();
        }
        held.insert(user_mark(&read.key), (asked, read));
    }

    pub(super) fn forget(&self, marks: &[u64]) {
        let mut held = self.held();
        marks.iter().for_each(|mark| drop(held.remove(mark)));
    }

    pub(super) fn forget_all(&self) {
        self.held().clear();
    }
}
