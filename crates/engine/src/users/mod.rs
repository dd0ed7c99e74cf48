//! The users in memory: found, loaded when missing, let go when there is no room. Must not hold a lock across an await.

mod user;

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use pilotage_domain::decide::Group;
use pilotage_domain::definition::Definition;
use pilotage_domain::group::group_of;
use pilotage_domain::id::UserId;
use pilotage_wire::record::RecordError;
use pilotage_wire::record::user::UserRecord;
use thiserror::Error;
use tokio::sync::Notify;

use crate::port::store::{RowId, Store, StoreError, StoredUser, UserKey};
use crate::product::Products;
pub(crate) use user::{User, Writing};

const SHARDS: usize = 256;
/// From so many users on a load is worth two readers.
const MANY: usize = 64;

/// Why a user could not be brought into memory.
#[derive(Debug, Error)]
pub(crate) enum LoadError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("a stored user can't be read: {0}")]
    Record(#[from] RecordError),
}

/// The users in memory, in shards with a lock each; a lock is held for one user's fold or decision at a time.
pub(crate) struct Users {
    shards: Box<[Mutex<Shard>]>,
    hasher: RandomState,
    bytes: AtomicUsize,
    bound: usize,
    epoch: AtomicU32,
    /// Woken when there is more in memory than the bound allows.
    pub(crate) crowded: Notify,
}

/// One lock's worth of users.
#[derive(Default)]
pub(crate) struct Shard {
    users: HashMap<UserKey, User>,
    /// How often users were let go: a load that began before such a moment may be out of date.
    evictions: u64,
}

impl Users {
    pub(crate) fn new(bound: usize) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            hasher: RandomState::new(),
            bytes: AtomicUsize::new(0),
            bound,
            epoch: AtomicU32::new(0),
            crowded: Notify::new(),
        }
    }

    fn shard(&self, key: &UserKey) -> MutexGuard<'_, Shard> {
        let place = self.hasher.hash_one(key) as usize % SHARDS;
        self.lock(place)
    }

    fn lock(&self, place: usize) -> MutexGuard<'_, Shard> {
        // A panic inside a fold leaves a profile that the log can rebuild; the process is about to stop anyway.
        self.shards[place].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something with the user, where it is in memory.
    pub(crate) fn with<T>(&self, key: &UserKey, act: impl FnOnce(&mut User) -> T) -> Option<T> {
        let epoch = self.epoch.load(Ordering::Relaxed);
        let mut shard = self.shard(key);
        let user = shard.users.get_mut(key)?;
        user.touched = epoch;
        let before = user.weight();
        let result = act(user);
        let after = user.weight();
        drop(shard);
        self.weigh(before, after);
        Some(result)
    }

    fn weigh(&self, before: usize, after: usize) {
        if after > before {
            let total = self.bytes.fetch_add(after - before, Ordering::Relaxed) + after - before;
            if total > self.bound {
                self.crowded.notify_one();
            }
        } else {
            self.bytes.fetch_sub(before - after, Ordering::Relaxed);
        }
    }

    /// Whether the user is in memory; if not, how often its shard has let users go.
    fn absent(&self, key: &UserKey) -> Option<u64> {
        let shard = self.shard(key);
        (!shard.users.contains_key(key)).then_some(shard.evictions)
    }

    /// Brings the users into memory, those unknown to the store as new ones.
    pub(crate) async fn ensure(
        &self,
        store: &dyn Store,
        products: &Products,
        keys: impl IntoIterator<Item = UserKey>,
    ) -> Result<(), LoadError> {
        let mut wanted: Vec<UserKey> = keys.into_iter().collect();
        loop {
            let mut missing: Vec<(UserKey, u64)> = wanted
                .drain(..)
                .filter_map(|key| self.absent(&key).map(|evictions| (key, evictions)))
                .collect();
            if missing.is_empty() {
                return Ok(());
            }
            // Neighbours in the store are loaded one after the other.
            missing.sort_unstable();
            let keys = missing.iter().map(|(key, _)| key.clone()).collect();
            let found = load(store, keys).await?;
            for ((key, evictions), stored) in missing.drain(..).zip(found) {
                let Some(product) = products.get(&key.product) else { continue };
                let user = user_from(&product.definition, &key.user, stored)?;
                if !self.insert(key.clone(), user, evictions) {
                    wanted.push(key);
                }
            }
        }
    }

    /// Brings the user into memory where the store has it. False where neither has: nobody is made by being looked for.
    pub(crate) async fn known(
        &self,
        store: &dyn Store,
        products: &Products,
        key: &UserKey,
    ) -> Result<bool, LoadError> {
        while let Some(evictions) = self.absent(key) {
            let stored = store.load(vec![key.clone()]).await?.into_iter().flatten().next();
            let product = products.get(&key.product);
            let Some((product, stored)) = product.zip(stored) else {
                // It may have come meanwhile, and been stored and let go, too.
                if self.absent(key) == Some(evictions) {
                    return Ok(false);
                }
                continue;
            };
            let user = user_from(&product.definition, &key.user, Some(stored))?;
            if self.insert(key.clone(), user, evictions) {
                break;
            }
        }
        Ok(true)
    }

    /// Puts a loaded user in, unless it is there already. False where users were let go since the load began: the user
    /// may have been in memory, changed, stored and let go meanwhile, so what was loaded may be out of date.
    fn insert(&self, key: UserKey, mut user: User, evictions: u64) -> bool {
        user.touched = self.epoch.load(Ordering::Relaxed);
        let weight = user.weight();
        let mut shard = self.shard(&key);
        if shard.users.contains_key(&key) {
            return true;
        }
        if shard.evictions != evictions {
            return false;
        }
        shard.users.insert(key, user);
        drop(shard);
        self.weigh(0, weight);
        true
    }

    /// How many users are in memory.
    pub(crate) fn count(&self) -> usize {
        (0..SHARDS).map(|place| self.lock(place).users.len()).sum()
    }

    /// About how many bytes they take.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Whether there is more in memory than the bound allows.
    pub(crate) fn is_crowded(&self) -> bool {
        self.bytes() > self.bound
    }

    /// Lets clean users go until there is room: first those not used since the last write-back, then any.
    pub(crate) fn make_room(&self) {
        let now = self.epoch.load(Ordering::Relaxed);
        for oldest in [now, now.saturating_add(1)] {
            for place in 0..SHARDS {
                if !self.is_crowded() {
                    return;
                }
                self.let_go(place, oldest);
            }
        }
    }

    fn let_go(&self, place: usize, touched_before: u32) {
        let epoch = self.epoch.load(Ordering::Relaxed);
        let mut freed = 0;
        let mut shard = self.lock(place);
        let before = shard.users.len();
        shard.users.retain(|_, user| {
            let stays = user.touched >= touched_before || !user.is_clean(epoch);
            if !stays {
                freed += user.weight();
            }
            stays
        });
        if shard.users.len() != before {
            shard.evictions += 1;
        }
        drop(shard);
        self.bytes.fetch_sub(freed, Ordering::Relaxed);
    }

    /// The users in such rows that the store does not hold as they are, in row order, new ones last by key.
    pub(crate) fn dirty(&self, within: impl Fn(Option<RowId>) -> bool) -> Vec<UserKey> {
        let mut dirty = Vec::new();
        for place in 0..SHARDS {
            let shard = self.lock(place);
            let wanted = |user: &User| user.is_dirty() && within(user.row);
            let changed = shard.users.iter().filter(|(_, user)| wanted(user));
            dirty.extend(changed.map(|(key, user)| (user.row.is_none(), user.row, key.clone())));
        }
        dirty.sort_unstable();
        dirty.into_iter().map(|(_, _, key)| key).collect()
    }

    /// A new generation: users not touched from here on are the first to be let go.
    pub(crate) fn next_epoch(&self) {
        self.epoch.fetch_add(1, Ordering::Relaxed);
    }

    /// Forgets everyone.
    pub(crate) fn clear(&self) {
        for place in 0..SHARDS {
            let mut shard = self.lock(place);
            shard.users.clear();
            shard.evictions += 1;
        }
        self.bytes.store(0, Ordering::Relaxed);
    }
}

/// The stored users, in the order asked; many of them in two halves at the same time.
async fn load(
    store: &dyn Store,
    mut keys: Vec<UserKey>,
) -> Result<Vec<Option<StoredUser>>, StoreError> {
    if keys.len() < MANY {
        return store.load(keys).await;
    }
    let rest = keys.split_off(keys.len() / 2);
    let (found, rest) = tokio::join!(store.load(keys), store.load(rest));
    let mut found = found?;
    found.extend(rest?);
    Ok(found)
}

fn user_from(
    definition: &Definition,
    id: &UserId,
    stored: Option<StoredUser>,
) -> Result<User, RecordError> {
    match stored {
        None => Ok(User::new(group_of(definition, id))),
        Some(stored) => User::stored(definition, id, &stored),
    }
}

/// The group of the person that this user is.
pub(crate) fn group_in(definition: &Definition, record: &UserRecord, own: &UserId) -> Group {
    group_of(definition, record.kin.group_id(own))
}
