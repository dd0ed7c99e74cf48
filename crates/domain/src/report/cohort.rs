//! Users counted by group, day of signup and time to activation. Must come to the same in whatever order users are counted.

use std::collections::BTreeMap;

use super::grid::Grid;
use crate::decide::Group;
use crate::definition::Definition;
use crate::kin::Kin;
use crate::profile::Profile;
use crate::time::{Millis, Timestamp};

/// All groups, in the order in which reports name them.
pub const GROUPS: [Group; 4] = [Group::Guided, Group::Holdout, Group::Random, Group::Static];

/// So many milestones a definition has at most, by its grammar.
pub const MOST_MILESTONES: usize = 200;

const BYTES: usize = MOST_MILESTONES / 8;
const DAY_MS: i64 = 86_400_000;

/// Milestones that a user has reached, by their numbers in the definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reached([u8; BYTES]);

impl Reached {
    /// Those of a profile.
    pub fn of(profile: &Profile, definition: &Definition) -> Self {
        let mut reached = Self::default();
        for (id, _) in &profile.reached {
            let place = definition.milestones.iter().position(|milestone| milestone.id == *id);
            place.into_iter().for_each(|place| reached.insert(place));
        }
        reached
    }

    /// Adds a milestone; nothing where the number is beyond all.
    pub fn insert(&mut self, milestone: usize) {
        if let Some(byte) = self.0.get_mut(milestone / 8) {
            *byte |= 1 << (milestone % 8);
        }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.iter().map(|byte| byte.count_ones() as usize).sum()
    }

    /// Their numbers, ascending.
    pub fn iter(&self) -> impl Iterator<Item = u16> {
        let bytes = (0u16..).zip(self.0);
        bytes.flat_map(|(n, byte)| {
            (0..8).filter(move |bit| byte >> bit & 1 == 1).map(move |bit| n * 8 + bit)
        })
    }

    /// As a store keeps it: a bit for each milestone, the lowest first, without zero bytes at the end.
    pub fn bytes(&self) -> &[u8] {
        let length = self.0.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        self.0.get(..length).unwrap_or(&self.0)
    }

    /// What `bytes` has given; `None` for what it can't have.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut all = [0; BYTES];
        all.get_mut(..bytes.len())?.copy_from_slice(bytes);
        Some(Self(all))
    }
}

impl FromIterator<u16> for Reached {
    fn from_iter<I: IntoIterator<Item = u16>>(numbers: I) -> Self {
        let mut all = Self::default();
        numbers.into_iter().for_each(|n| all.insert(usize::from(n)));
        all
    }
}

/// What reports count of one user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cohort {
    /// The group that the user is in.
    pub group: Group,
    /// The earliest event.
    pub first_seen: Timestamp,
    /// When the user's clock started.
    pub signup: Option<Timestamp>,
    /// When the activation milestone was reached.
    pub activated: Option<Timestamp>,
    /// Which milestones were.
    pub reached: Reached,
}

impl Cohort {
    /// Of a user in that group; `None` before the first event, and for who is merged into another.
    pub fn of(profile: &Profile, kin: &Kin, definition: &Definition, group: Group) -> Option<Self> {
        if kin.is_merged() {
            return None;
        }
        Some(Self {
            group,
            first_seen: profile.first_seen?,
            signup: profile.signup,
            activated: profile.reached_at(&definition.milestones[definition.activation].id),
            reached: Reached::of(profile, definition),
        })
    }

    /// Where the user is counted.
    pub fn cell(&self, grid: &Grid) -> Cell {
        // Whose clock has not started has no time to activation.
        let after =
            |at: Timestamp| self.signup.map_or(grid.bins(), |signup| grid.bin(at.since(signup)));
        Cell {
            group: self.group,
            day: self.signup.map(Day::of),
            activated: self.activated.map(after),
        }
    }
}

/// A day of UTC, counted from 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(pub i64);

impl Day {
    /// The day of that instant.
    pub const fn of(at: Timestamp) -> Self {
        Self(at.as_millis().div_euclid(DAY_MS))
    }

    /// How long it has been over for; `None` while it is not.
    pub fn over_for(self, now: Timestamp) -> Option<Millis> {
        let end = Timestamp::from_millis((self.0 + 1).saturating_mul(DAY_MS));
        (end <= now).then(|| now.since(end))
    }
}

/// Users who are alike to the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cell {
    /// Their group.
    pub group: Group,
    /// The day on which their clocks started; `None` where they have not.
    pub day: Option<Day>,
    /// The bin of the time from signup to activation; the grid's `bins` where that is later than its window, or has no
    /// beginning; `None` before activation.
    pub activated: Option<u8>,
}

/// Users by what they are counted as.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cohorts {
    /// All users with at least one event.
    pub cells: BTreeMap<Cell, u64>,
    /// Of those whose clock has started, those who reached a milestone, by its number.
    pub reached: BTreeMap<(Group, u16), u64>,
}

/// Users of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GroupCount {
    /// Users with at least one event.
    pub users: u64,
    /// Of these, those whose clock has started.
    pub signed_up: u64,
    /// Of these, those who reached activation.
    pub activated: u64,
}

impl Cohorts {
    /// Counts a user.
    pub fn add(&mut self, cohort: &Cohort, grid: &Grid) {
        *self.cells.entry(cohort.cell(grid)).or_default() += 1;
        for milestone in cohort.milestones() {
            *self.reached.entry((cohort.group, milestone)).or_default() += 1;
        }
    }

    /// Counts a user no more who was counted so.
    pub fn take(&mut self, cohort: &Cohort, grid: &Grid) {
        less(&mut self.cells, cohort.cell(grid));
        cohort
            .milestones()
            .for_each(|milestone| less(&mut self.reached, (cohort.group, milestone)));
    }

    /// How many users of a group there are.
    pub fn count(&self, group: Group) -> GroupCount {
        let mut count = GroupCount::default();
        for (cell, users) in self.cells.iter().filter(|(cell, _)| cell.group == group) {
            count.users += users;
            if cell.day.is_some() {
                count.signed_up += users;
                count.activated += cell.activated.map_or(0, |_| *users);
            }
        }
        count
    }
}

impl Cohort {
    fn milestones(&self) -> impl Iterator<Item = u16> {
        self.reached.iter().filter(|_| self.signup.is_some())
    }
}

fn less<K: Ord>(counts: &mut BTreeMap<K, u64>, key: K) {
    if let Some(count) = counts.get_mut(&key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Position;
    use crate::kin::{ALONE, Merged};
    use crate::rules::fixture::{Product, User, t, user_id};
    use proptest::prelude::*;

    fn cohort() -> impl Strategy<Value = Cohort> {
        let moment =
            || prop::option::of((-400_000_000i64..2_000_000_000).prop_map(Timestamp::from_millis));
        let reached = prop::collection::vec(0u16..200, 0..5);
        (0..4usize, moment(), moment(), reached).prop_map(|(group, signup, activated, reached)| {
            Cohort {
                group: GROUPS[group],
                first_seen: Timestamp::from_millis(0),
                signup,
                activated,
                reached: reached.into_iter().collect(),
            }
        })
    }

    proptest! {
        #[test]
        fn whoever_is_taken_leaves_nothing(users in prop::collection::vec(cohort(), 0..30), stay in 0..30usize) {
            let grid = Grid::new(Millis::days(7));
            let mut all = Cohorts::default();
            users.iter().for_each(|user| all.add(user, &grid));
            users.iter().skip(stay).for_each(|user| all.take(user, &grid));
            let mut alone = Cohorts::default();
            users.iter().take(stay).rev().for_each(|user| alone.add(user, &grid));
            prop_assert_eq!(all, alone);
        }

        #[test]
        fn milestones_read_back(numbers in prop::collection::btree_set(0u16..200, 0..9)) {
            let reached: Reached = numbers.iter().copied().collect();
            prop_assert_eq!(Reached::from_bytes(reached.bytes()), Some(reached));
            prop_assert_eq!(reached.iter().collect::<std::collections::BTreeSet<u16>>(), numbers);
        }
    }

    #[test]
    fn users_are_counted_once_where_they_stand() {
        let grid = Grid::new(Millis::days(7));
        let at = Timestamp::from_millis;
        let user = |signup: Option<i64>, activated: Option<i64>| Cohort {
            group: Group::Guided,
            first_seen: at(0),
            signup: signup.map(at),
            activated: activated.map(at),
            reached: [0, 9].into_iter().collect(),
        };
        let week = 7 * DAY_MS;
        let table = [
            (user(None, None), None, None),
            (user(None, Some(5)), None, Some(grid.bins())),
            (user(Some(-1), None), Some(Day(-1)), None),
            (user(Some(0), Some(60_000)), Some(Day(0)), Some(0)),
            (user(Some(0), Some(60_001)), Some(Day(0)), Some(1)),
            (user(Some(DAY_MS), Some(5)), Some(Day(1)), Some(0)),
            (user(Some(0), Some(week)), Some(Day(0)), Some(grid.bins() - 1)),
            (user(Some(0), Some(week + 1)), Some(Day(0)), Some(grid.bins())),
        ];
        let mut all = Cohorts::default();
        for (user, day, activated) in table {
            assert_eq!(user.cell(&grid), Cell { group: Group::Guided, day, activated });
            all.add(&user, &grid);
        }
        let count = GroupCount { users: 8, signed_up: 6, activated: 5 };
        assert_eq!(
            (all.count(Group::Guided), all.count(Group::Static)),
            (count, GroupCount::default())
        );
        assert_eq!(
            all.reached[&(Group::Guided, 9)],
            6,
            "whose clock has not started counts for no milestone"
        );
    }

    #[test]
    fn who_is_merged_into_another_is_not_counted() {
        let definition = Product::small().definition();
        let profile = User::signed_up(&definition).profile;
        let counted = |kin: &Kin| Cohort::of(&profile, kin, &definition, Group::Guided);
        let cohort = counted(&ALONE).expect("one event");
        assert_eq!((cohort.first_seen, cohort.signup), (t(0), Some(t(0))));
        let merged = Merged { into: user_id("u"), at: Position(9) };
        assert_eq!(counted(&Kin { merged: Some(merged), ..Kin::default() }), None);
        let absorbed = vec![user_id("anon-1")];
        assert_eq!(counted(&Kin { absorbed, ..Kin::default() }), Some(cohort));
    }

    #[test]
    fn what_is_longer_than_all_milestones_is_none() {
        assert_eq!(Reached::from_bytes(&[0; 26]), None);
        let mut reached = Reached::default();
        reached.insert(MOST_MILESTONES);
        assert_eq!(reached, Reached::default());
    }

    #[test]
    fn a_day_is_over_when_it_is() {
        let at = Timestamp::from_millis;
        assert_eq!(Day(0).over_for(at(DAY_MS - 1)), None);
        assert_eq!(Day(0).over_for(at(DAY_MS)), Some(Millis::ZERO));
        assert_eq!(Day::of(at(-1)).over_for(at(5)), Some(Millis::new(5)));
    }
}
