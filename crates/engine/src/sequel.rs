//! Records that follow from folded ones, for other users: appended to the log before any store stands for what they follow
//! from. Must not append what the log holds already, as far as can be told, nor lose one.
//!
//! While a start folds what was in the log before, the log is likely to bring such a record itself, a little further on: it is
//! held until then, and appended where it never comes. A rebuild has put everything on record before it folds once more.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use pilotage_domain::event::Position;

use crate::port::log::{Entry, EntryName};
use crate::port::store::UserKey;

/// What the log has not brought within so many records is appended. Where it comes even later, its name tells that it is
/// a second one.
const FAR: u64 = 1 << 20;
/// So many bytes of them are held at most, about; the oldest are appended first.
const MOST_BYTES: usize = 16 << 20;
/// What one costs beside its body, roughly.
const OVERHEAD: usize = 400;

/// Those that are not known to be durable.
pub(crate) struct Sequels {
    state: Mutex<State>,
    /// How many there are.
    count: AtomicUsize,
}

struct State {
    /// Up to here the log holds what follows.
    followed: Position,
    /// Up to here the log may hold what follows already.
    until: Position,
    /// By the position of the record from which each follows.
    held: BTreeMap<Position, Entry>,
    /// The same by the names of what follows: nearly always one.
    by_name: HashMap<(UserKey, EntryName), Vec<Position>>,
    bytes: usize,
}

impl State {
    fn new(followed: Position, until: Position) -> Self {
        Self { followed, until, held: BTreeMap::new(), by_name: HashMap::new(), bytes: 0 }
    }

    fn remove(&mut self, from: Position) {
        let Some(entry) = self.held.remove(&from) else { return };
        self.bytes -= cost(&entry);
        if let Some(of_name) = self.by_name.get_mut(&name_of(&entry)) {
            of_name.retain(|known| *known != from);
        }
    }
}

fn cost(entry: &Entry) -> usize {
    OVERHEAD + entry.body.len()
}

fn name_of(entry: &Entry) -> (UserKey, EntryName) {
    let key = UserKey { product: entry.product.clone(), user: entry.user.clone() };
    (key, entry.name.clone())
}

impl Sequels {
    /// None yet, over a log that ends there.
    pub(crate) fn new(until: Position) -> Self {
        let state = State::new(Position(0), until);
        Self { state: Mutex::new(state), count: AtomicUsize::new(0) }
    }

    /// Begins anew, over a log that is folded up to there under the definitions in force: what follows from its records is
    /// durable, however far off it stands.
    pub(crate) fn restart(&self, until: Position) {
        *self.state() = State::new(until, until);
        self.count.store(0, Ordering::Relaxed);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn changed(&self, state: &State) {
        self.count.store(state.held.len(), Ordering::Relaxed);
    }

    /// Whether there is none. Takes no lock.
    pub(crate) fn is_empty(&self) -> bool {
        self.count.load(Ordering::Relaxed) == 0
    }

    /// One follows from the record at that position.
    pub(crate) fn note(&self, from: Position, entry: Entry) {
        let mut state = self.state();
        if from <= state.followed {
            return;
        }
        state.remove(from);
        state.bytes += cost(&entry);
        state.by_name.entry(name_of(&entry)).or_default().push(from);
        state.held.insert(from, entry);
        self.changed(&state);
    }

    /// The log has brought a record of that name.
    pub(crate) fn brought(&self, key: UserKey, name: EntryName) {
        let mut state = self.state();
        let of_name = state.by_name.remove(&(key, name)).unwrap_or_default();
        of_name.into_iter().for_each(|from| state.remove(from));
        self.changed(&state);
    }

    /// Those to be appended now that the log is folded up to there, in the order of what they follow from.
    pub(crate) fn due(&self, last: Position) -> Vec<(Position, Entry)> {
        if self.is_empty() {
            return Vec::new();
        }
        let state = self.state();
        let mut bytes = state.bytes;
        let is_due = |(from, entry): &(&Position, &Entry)| {
            let is_due = last >= state.until || last.0 - from.0 > FAR || bytes > MOST_BYTES;
            bytes -= cost(entry);
            is_due
        };
        let due = state.held.iter().take_while(is_due);
        due.map(|(from, entry)| (*from, entry.clone())).collect()
    }

    /// These are durable.
    pub(crate) fn appended(&self, from: impl Iterator<Item = Position>) {
        let mut state = self.state();
        from.for_each(|from| state.remove(from));
        if state.held.is_empty() {
            state.by_name.clear();
        }
        self.changed(&state);
    }

    /// For which record a store may stand at most, where the log is folded up to there.
    pub(crate) fn stored_up_to(&self, applied: Position) -> Position {
        let first = self.state().held.keys().next().copied();
        first.map_or(applied, |first| applied.min(Position(first.0 - 1)))
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use pilotage_domain::id::{EventId, ProductId, UserId};
    use pilotage_domain::time::Timestamp;

    use super::*;

    fn entry(id: &str, body: usize) -> Entry {
        Entry {
            product: ProductId::new("p").expect("valid"),
            user: UserId::new("u").expect("valid"),
            name: EntryName::Event(EventId::new(id).expect("valid")),
            received_at: Timestamp::from_millis(0),
            body: Bytes::from(vec![0; body]),
            event: None,
        }
    }

    fn due(sequels: &Sequels, last: u64) -> Vec<u64> {
        sequels.due(Position(last)).iter().map(|(from, _)| from.0).collect()
    }

    fn bring(sequels: &Sequels, id: &str) {
        let (key, name) = name_of(&entry(id, 0));
        sequels.brought(key, name);
    }

    #[test]
    fn what_the_log_brings_is_not_appended_and_the_rest_is_at_its_end() {
        let sequels = Sequels::new(Position(100));
        for (from, id) in [(3, "a"), (5, "b"), (9, "c"), (11, "b")] {
            sequels.note(Position(from), entry(id, 1));
        }
        assert!(due(&sequels, 99).is_empty());
        assert_eq!(sequels.stored_up_to(Position(99)), Position(2));
        bring(&sequels, "a");
        bring(&sequels, "b");
        assert_eq!(sequels.stored_up_to(Position(99)), Position(8), "both of one name are there");
        assert_eq!(due(&sequels, 100), [9]);
        assert_eq!(due(&sequels, 100), [9], "until it is durable");
        sequels.appended([Position(9)].into_iter());
        assert!(sequels.is_empty());
        assert_eq!(sequels.stored_up_to(Position(100)), Position(100));
        sequels.note(Position(101), entry("d", 1));
        assert_eq!(due(&sequels, 101), [101], "beyond what was there, nothing is waited for");
    }

    #[test]
    fn what_is_folded_again_follows_once() {
        let sequels = Sequels::new(Position(100));
        for _ in 0..3 {
            sequels.note(Position(3), entry("a", 50));
        }
        assert_eq!(sequels.state().bytes, OVERHEAD + 50);
        bring(&sequels, "a");
        assert_eq!((sequels.state().bytes, sequels.is_empty()), (0, true));
    }

    #[test]
    fn nothing_is_held_for_too_long_or_too_much_of_it() {
        let sequels = Sequels::new(Position(u64::MAX));
        sequels.note(Position(1), entry("a", 1));
        sequels.note(Position(2), entry("b", 1));
        assert!(due(&sequels, FAR + 1).is_empty());
        assert_eq!(due(&sequels, FAR + 2), [1]);
        sequels.note(Position(3), entry("c", MOST_BYTES / 2));
        sequels.note(Position(4), entry("d", MOST_BYTES / 2));
        assert_eq!(due(&sequels, 4), [1, 2, 3], "until what is left is little enough");
    }

    #[test]
    fn a_rebuild_begins_anew() {
        let sequels = Sequels::new(Position(5));
        sequels.note(Position(6), entry("a", 1));
        sequels.restart(Position(9));
        assert!(sequels.is_empty());
        for from in 6..=9 {
            sequels.note(Position(from), entry("a", MOST_BYTES));
        }
        assert!(sequels.is_empty() && due(&sequels, 9).is_empty(), "the log holds it");
        assert_eq!(sequels.stored_up_to(Position(9)), Position(9));
        sequels.note(Position(10), entry("b", 1));
        assert_eq!(due(&sequels, 10), [10]);
    }
}
