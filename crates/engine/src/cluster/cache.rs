//! Users as they were read a moment ago, for the next decision about them. Must not be relied on: what has to be right is
//! checked where it is written.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pilotage_domain::decide::Group;
use pilotage_domain::kin::Kin;
use pilotage_domain::profile::Profile;
use pilotage_domain::profile::contact::Offer;

use crate::port::shared::user_mark;
use crate::port::store::{RowId, UserKey};

/// How often the cache is told that it has grown older.
pub(super) const BEAT: Duration = Duration::from_millis(500);
/// For so many beats what was read may be used, where no notification says otherwise.
const LIFE: u64 = 2;
/// How many users are kept; beyond, all are let go.
const MOST: usize = 50_000;

/// A user as it was read.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) key: UserKey,
    pub(super) group: Group,
    pub(super) profile: Profile,
    pub(super) kin: Kin,
    pub(super) row: Option<RowId>,
    /// The places of the newest records.
    pub(super) newest: Vec<pilotage_domain::event::Position>,
    pub(super) pending: Vec<Offer>,
    pub(super) reservations: u64,
}

/// A moment, counted in beats.
#[derive(Debug, Clone, Copy)]
pub(super) struct Age(u64);

/// The users read, by their marks.
#[derive(Default)]
pub(super) struct Cache {
    read: Mutex<HashMap<u64, (Age, Arc<Read>)>>,
    beats: AtomicU64,
}

impl Cache {
    fn held(&self) -> MutexGuard<'_, HashMap<u64, (Age, Arc<Read>)>> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The moment: to be asked for before what is to be kept is read.
    pub(super) fn age(&self) -> Age {
        Age(self.beats.load(Ordering::Relaxed))
    }

    /// One beat has passed.
    pub(super) fn grow_older(&self) {
        self.beats.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn get(&self, key: &UserKey) -> Option<Arc<Read>> {
        let now = self.age();
        let held = self.held();
        let (since, read) = held.get(&user_mark(key))?;
        (read.key == *key && now.0 - since.0 <= LIFE).then(|| read.clone())
    }

    /// Keeps what was read since that moment.
    pub(super) fn put(&self, since: Age, read: Arc<Read>) {
        let mut held = self.held();
        if held.len() >= MOST {
            held.clear();
        }
        held.insert(user_mark(&read.key), (since, read));
    }

    pub(super) fn forget(&self, marks: &[u64]) {
        let mut held = self.held();
        marks.iter().for_each(|mark| drop(held.remove(mark)));
    }

    pub(super) fn forget_all(&self) {
        self.held().clear();
    }
}
