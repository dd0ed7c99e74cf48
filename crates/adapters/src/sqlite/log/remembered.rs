//! Which events, and other records known by name, were stored lately, in about 12 bytes each. Must not decide: equal marks
//! only say where to look.

use std::collections::VecDeque;

use hashbrown::HashTable;
use pilotage_domain::event::Position;
use pilotage_engine::port::log::EntryName;
use siphasher::sip::SipHasher13;

/// The newest events, in generations: the oldest is let go of as a whole once the younger ones hold enough. So no
/// single entry is ever removed and no table ever grows, which would halt the writer for a while.
#[derive(Debug)]
pub(super) struct Remembered {
    generations: VecDeque<Generation>,
    at_least: usize,
    of_each: usize,
}

/// What is kept of an event: a keyed hash of its name. Others may have the same, so the record is compared as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark(u32);

/// A mark and where its event stands.
pub(super) type Marked = (Mark, Position);

/// The secret key of the marks: without it nobody can make many events with one mark.
#[derive(Debug, Clone, Copy)]
pub(super) struct MarkKey(pub [u8; 16]);

impl MarkKey {
    /// The mark of that event of that user.
    pub(super) fn mark(self, product: &str, user: &str, event: &str) -> Mark {
        self.of(&[product.as_bytes(), user.as_bytes(), event.as_bytes()])
    }

    /// The mark of a record of that name; `None` of a decision, which is found otherwise.
    pub(super) fn of_name(self, product: &str, user: &str, name: &EntryName) -> Option<Mark> {
        let (product, user) = (product.as_bytes(), user.as_bytes());
        Some(match name {
            EntryName::Decision(_) => return None,
            EntryName::Event(id) => self.of(&[product, user, id.as_str().as_bytes()]),
            EntryName::Named(into) => self.of(&[product, user, b"named", into.as_str().as_bytes()]),
            EntryName::Carried(from, fold) => {
                self.of(&[product, user, b"carried", from.as_str().as_bytes(), fold.as_bytes()])
            }
        })
    }

    fn of(self, parts: &[&[u8]]) -> Mark {
        let mut hasher = SipHasher13::new_with_key(&self.0);
        for part in parts {
            // No id holds a control character, so that a zero byte ends it.
            std::hash::Hasher::write(&mut hasher, part);
            std::hash::Hasher::write(&mut hasher, &[0]);
        }
        let hash = std::hash::Hasher::finish(&hasher);
        Mark((hash >> 32) as u32)
    }
}

impl Mark {
    /// The table takes its bucket from the low bits and a tag from the high ones.
    pub(super) fn spread(self) -> u64 {
        u64::from(self.0).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

/// Marks of events in order.
#[derive(Debug)]
struct Generation {
    /// Positions are kept as distances from here.
    first: Position,
    slots: HashTable<(Mark, u32)>,
}

impl Generation {
    fn new(first: Position, capacity: usize) -> Self {
        Self { first, slots: HashTable::with_capacity(capacity) }
    }

    fn find(&self, mark: Mark) -> impl Iterator<Item = Position> {
        let slots = self.slots.iter_hash(mark.spread()).filter(move |slot| slot.0 == mark);
        slots.map(|slot| Position(self.first.0 + u64::from(slot.1)))
    }

    /// Adds the event, where its position is not too far from the first.
    fn insert(&mut self, (mark, position): Marked) -> bool {
        let Ok(distance) = u32::try_from(position.0 - self.first.0) else { return false };
        self.slots.insert_unique(mark.spread(), (mark, distance), |slot| slot.0.spread());
        true
    }
}

impl Remembered {
    /// Remembers nothing yet, and later at least so many events.
    pub(super) fn new(at_least: usize) -> Self {
        // Ten generations that are full, an eleventh that fills.
        Self { generations: VecDeque::new(), at_least, of_each: at_least.div_ceil(10).max(1) }
    }

    /// The positions at which an event with that mark stands, among the remembered ones.
    pub(super) fn find(&self, mark: Mark) -> impl Iterator<Item = Position> {
        self.generations.iter().rev().flat_map(move |generation| generation.find(mark))
    }

    /// Adds an event that is newer than all others.
    pub(super) fn insert(&mut self, marked: Marked) {
        let newest = self.generations.back_mut();
        let newest = newest.filter(|generation| generation.slots.len() < self.of_each);
        if newest.is_some_and(|generation| generation.insert(marked)) {
            return;
        }
        let mut generation = Generation::new(marked.1, self.of_each);
        generation.insert(marked);
        self.generations.push_back(generation);
        self.forget();
    }

    fn forget(&mut self) {
        let mut held: usize = self.generations.iter().map(|g| g.slots.len()).sum();
        while let Some(oldest) = self.generations.front() {
            held -= oldest.slots.len();
            if held < self.at_least {
                break;
            }
            self.generations.pop_front();
        }
    }

    /// The oldest position that must still be known after a restart.
    pub(super) fn oldest(&self) -> Position {
        self.generations.front().map_or(Position(0), |generation| generation.first)
    }
}

/// The length of an encoded mark and position.
const ENCODED: usize = 12;

/// Marks as they are stored.
pub(super) fn encode(marks: &[Marked]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(marks.len() * ENCODED);
    for (mark, position) in marks {
        bytes.extend_from_slice(&mark.0.to_le_bytes());
        bytes.extend_from_slice(&position.0.to_le_bytes());
    }
    bytes
}

/// Reads them back; `None` where the bytes are no whole number of marks.
pub(super) fn decode(bytes: &[u8]) -> Option<Vec<Marked>> {
    let (chunks, rest) = bytes.as_chunks::<ENCODED>();
    let decoded = chunks.iter().map(|[a, b, c, d, position @ ..]| {
        (Mark(u32::from_le_bytes([*a, *b, *c, *d])), Position(u64::from_le_bytes(*position)))
    });
    rest.is_empty().then(|| decoded.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: MarkKey = MarkKey([7; 16]);

    fn fill(remembered: &mut Remembered, positions: std::ops::RangeInclusive<u64>) {
        for position in positions {
            remembered.insert((KEY.mark("p", "u", &position.to_string()), Position(position)));
        }
    }

    fn knows(remembered: &Remembered, position: u64) -> bool {
        let mark = KEY.mark("p", "u", &position.to_string());
        remembered.find(mark).any(|found| found == Position(position))
    }

    #[test]
    fn at_least_the_newest_are_known_and_not_many_more() {
        for at_least in [1, 7, 100, 1_000] {
            let mut remembered = Remembered::new(at_least);
            fill(&mut remembered, 1..=5_000);
            let newest = 5_001 - at_least as u64;
            assert!((newest..=5_000).all(|position| knows(&remembered, position)));
            let held = (1..=5_000).filter(|position| knows(&remembered, *position)).count();
            assert!(held <= at_least + 2 * at_least.div_ceil(10), "{held} of {at_least}");
        }
    }

    #[test]
    fn a_far_position_begins_a_generation() {
        let mut remembered = Remembered::new(1_000);
        let far = (1 << 40) + 5;
        fill(&mut remembered, 1..=1);
        fill(&mut remembered, far..=far);
        assert!(knows(&remembered, 1) && knows(&remembered, far));
    }

    #[test]
    fn one_mark_may_stand_for_many_events() {
        let mut remembered = Remembered::new(100);
        for position in [3, 9, 27] {
            remembered.insert((Mark(1), Position(position)));
        }
        let mut found: Vec<_> = remembered.find(Mark(1)).collect();
        found.sort_unstable();
        assert_eq!(found, [Position(3), Position(9), Position(27)]);
    }

    #[test]
    fn the_parts_of_a_name_do_not_run_together() {
        assert_ne!(KEY.mark("p", "ab", "c"), KEY.mark("p", "a", "bc"));
        assert_ne!(KEY.mark("p", "a", "b"), MarkKey([8; 16]).mark("p", "a", "b"));
    }

    #[test]
    fn marks_read_back_what_was_stored() {
        let marks = [(Mark(1), Position(2)), (Mark(u32::MAX), Position(u64::MAX))];
        assert_eq!(decode(&encode(&marks)).as_deref(), Some(&marks[..]));
        assert_eq!(decode(&[0; 13]), None);
    }
}
