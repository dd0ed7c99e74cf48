//! Lists whose places are typed, so that a milestone's place can't be used to look up a guide. Must not grow once checked.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Index;

/// The place of a `T` in its definition's table; made only by the table, and meaningless with another definition.
pub struct Ix<T> {
    place: u16,
    of: PhantomData<fn() -> T>,
}

impl<T> Ix<T> {
    pub(crate) const fn new(place: u16) -> Self {
        Self { place, of: PhantomData }
    }

    /// The place, counted from 0 in file order.
    pub const fn place(self) -> usize {
        self.place as usize
    }
}

impl<T> Clone for Ix<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Ix<T> {}
impl<T> PartialEq for Ix<T> {
    fn eq(&self, other: &Self) -> bool {
        self.place == other.place
    }
}
impl<T> Eq for Ix<T> {}
impl<T> PartialOrd for Ix<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<T> Ord for Ix<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.place.cmp(&other.place)
    }
}
impl<T> fmt::Debug for Ix<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.place)
    }
}

/// A list in file order with typed places; at most 65,536 entries.
#[derive(Debug, Clone, PartialEq)]
pub struct Table<T>(Vec<T>);

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Table<T> {
    /// Adds an entry and says its place; `None` when the table is full.
    pub(crate) fn push(&mut self, entry: T) -> Option<Ix<T>> {
        let place = u16::try_from(self.0.len()).ok()?;
        self.0.push(entry);
        Some(Ix::new(place))
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The entries in file order.
    pub fn iter(&self) -> std::slice::Iter<'_, T> {
        self.0.iter()
    }

    /// The entries with their places, in file order.
    pub fn entries(&self) -> impl Iterator<Item = (Ix<T>, &T)> {
        self.0.iter().enumerate().map(|(place, entry)| (Ix::new(place as u16), entry))
    }

    /// The place of the first entry that fits.
    pub fn find(&self, fits: impl Fn(&T) -> bool) -> Option<Ix<T>> {
        self.entries().find(|(_, entry)| fits(entry)).map(|(ix, _)| ix)
    }
}

impl<T> Index<Ix<T>> for Table<T> {
    type Output = T;
    #[expect(
        clippy::indexing_slicing,
        reason = "a place is made by `push` or `entries` of a table that never shrinks: it lies inside"
    )]
    fn index(&self, ix: Ix<T>) -> &T {
        &self.0[ix.place()]
    }
}
