//! One user in memory: the record, what is not folded yet, what is not stored yet. Must not lock or await.

use bytes::Bytes;
use pilotage_domain::decide::Group;
use pilotage_domain::definition::Definition;
use pilotage_domain::event::Position;
use pilotage_domain::id::UserId;
use pilotage_domain::kin::fold_named;
use pilotage_domain::learn::lesson::beyond;
use pilotage_domain::learn::{Lesson, Settings, Track};
use pilotage_domain::profile::Profile;
use pilotage_domain::profile::contact::Offer;
use pilotage_domain::profile::fold::FoldOutcome;
use pilotage_domain::time::Timestamp;
use pilotage_wire::record::RecordError;
use pilotage_wire::record::user::{self, UserRecord};

use super::group_in;
use crate::learn::Revision;
use crate::port::store::{Cohort, Counting, RowId, StoredUser, UserKey, UserWrite};

/// So many positions stay with the record; then they are spilled as one run.
const RUN: usize = 256;
/// What a user costs beside the encoded record, roughly: the map's entry, the key, allocations.
const OVERHEAD: usize = 500;

/// So many write-backs after a user was last used, nothing of the user is on its way anywhere.
const LONG_AGO: u32 = 24;

pub(crate) struct User {
    pub(crate) record: UserRecord,
    pub(crate) row: Option<RowId>,
    pub(crate) group: Group,
    /// Offers that are made and on their way into the log.
    pub(crate) pending: Vec<Offer>,
    /// Runs of positions that are on their way into the store.
    spilled: Vec<(Position, Bytes)>,
    /// `applied` as the store has it; 0 where it has nothing.
    stored: Position,
    /// The cohort as the store has it.
    cohort: Option<Cohort>,
    /// The cohort as it is counted.
    counted: Option<Cohort>,
    /// What the user taught as the store has it, where that may have changed.
    taught: Option<Vec<Lesson>>,
    /// Lessons that stay learnt and are on their way into the store, though what they came from is let go.
    gone: Vec<Lesson>,
    /// Size of the record when it was last encoded.
    encoded: usize,
    pub(crate) touched: u32,
}

/// What to note once a user's write is durable.
pub(crate) struct Writing {
    pub(crate) key: UserKey,
    applied: Position,
    runs: usize,
    cohort: Option<Cohort>,
    /// What the user teaches in the place of what the store has.
    pub(crate) taught: Option<Revision>,
    /// How many of `taught.after` are gone.
    gone: usize,
}

impl User {
    pub(crate) fn new(group: Group) -> Self {
        Self {
            record: UserRecord::default(),
            row: None,
            group,
            pending: Vec::new(),
            spilled: Vec::new(),
            stored: Position(0),
            cohort: None,
            counted: None,
            taught: None,
            gone: Vec::new(),
            encoded: 64,
            touched: 0,
        }
    }

    pub(crate) fn stored(
        definition: &Definition,
        id: &UserId,
        stored: &StoredUser,
    ) -> Result<Self, RecordError> {
        let record = user::decode(&stored.body)?;
        let group = group_in(definition, &record, id);
        let cohort = Cohort::of(&record.profile, &record.kin, definition, group);
        Ok(Self {
            row: Some(stored.row),
            stored: record.profile.applied,
            cohort,
            counted: cohort,
            encoded: stored.body.len(),
            record,
            ..Self::new(group)
        })
    }

    pub(crate) fn profile(&self) -> &Profile {
        &self.record.profile
    }

    /// About how many bytes it takes in memory.
    pub(crate) fn weight(&self) -> usize {
        // In memory a record takes about twice its encoded size: pointers, capacities, allocation classes.
        OVERHEAD + 2 * self.encoded + 8 * self.record.run.len() + 160 * self.pending.len()
    }

    /// Lets the track change, and says what the user teaches then.
    pub(crate) fn relearn(
        &mut self,
        definition: &Definition,
        change: impl FnOnce(&mut Track, &Profile),
    ) -> Revision {
        let settings = Settings::of(definition);
        let UserRecord { profile, track, .. } = &mut self.record;
        let track = track.get_or_insert_default();
        let before = track.lessons(&settings.windows, settings.credit);
        change(track, profile);
        let after = track.lessons(&settings.windows, settings.credit);
        if before != after {
            self.taught.get_or_insert_with(|| before.clone());
        }
        Revision { before, after }
    }

    /// Folds that the user is one person with that known one: from here on it counts for nothing, teaches nothing, and is
    /// offered nothing. What it teaches then, where that is something else than before.
    pub(crate) fn be_merged(
        &mut self,
        definition: &Definition,
        into: &UserId,
        at: Position,
    ) -> (FoldOutcome, Option<Revision>) {
        let before = self.lessons(definition);
        let UserRecord { profile, kin, .. } = &mut self.record;
        let outcome = fold_named(profile, kin, into, at);
        if outcome != FoldOutcome::New {
            return (outcome, None);
        }
        self.pending.clear();
        if before.is_empty() {
            return (outcome, None);
        }
        self.taught.get_or_insert_with(|| before.clone());
        (outcome, Some(Revision { before, after: Vec::new() }))
    }

    /// Lets go of draws from before then; what they taught stays learnt.
    pub(crate) fn let_go(&mut self, definition: &Definition, before: Timestamp) {
        let settings = Settings::of(definition);
        let Some(track) = &mut self.record.track else { return };
        if track.touches.values().all(|touch| touch.at >= before) {
            return;
        }
        let all = track.lessons(&settings.windows, settings.credit);
        track.let_go(before, settings.windows.goal);
        let left = track.lessons(&settings.windows, settings.credit);
        self.gone.extend(beyond(&all, &left).cloned());
        self.taught.get_or_insert(all);
    }

    /// What the user was counted as, and is to be counted as from now on, where that has changed.
    pub(crate) fn recount(
        &mut self,
        definition: &Definition,
    ) -> Option<(Option<Cohort>, Option<Cohort>)> {
        let UserRecord { profile, kin, .. } = &self.record;
        let activation = &definition.milestones[definition.activation].id;
        // No milestone is ever taken back, so this tells whether there is anything new.
        let is_as_counted = self.counted.as_ref().is_some_and(|counted| {
            counted.signup == profile.signup
                && counted.reached.count() == profile.reached.len()
                && counted.group == self.group
                && counted.activated == profile.reached_at(activation)
        });
        if is_as_counted && !kin.is_merged() {
            return None;
        }
        let now = Cohort::of(profile, kin, definition, self.group);
        let before = std::mem::replace(&mut self.counted, now);
        (before.is_some() || now.is_some()).then_some((before, now))
    }

    /// Notes that a record about the user stands at this position.
    pub(crate) fn note_place(&mut self, position: Position) {
        if self.record.run.len() >= RUN
            && let Some(first) = self.record.run.first().copied()
        {
            let mut bytes = Vec::with_capacity(RUN * 2);
            user::encode_run(&self.record.run, &mut bytes);
            self.spilled.push((first, bytes.into()));
            self.record.run.clear();
        }
        self.record.run.push(position);
    }

    /// Whether the store lacks something of it.
    pub(crate) fn is_dirty(&self) -> bool {
        self.record.profile.applied != self.stored
    }

    /// Whether it can be let go and loaded again as it is. An offer that is still on its way into the log after many
    /// write-backs never got there: the log failed.
    pub(crate) fn is_clean(&self, epoch: u32) -> bool {
        let on_its_way = !self.pending.is_empty() && self.touched + LONG_AGO >= epoch;
        !self.is_dirty() && !on_its_way
    }

    /// What is to be written, and what to note afterwards; `None` where the store has it all.
    pub(crate) fn writing(
        &mut self,
        key: &UserKey,
        definition: &Definition,
    ) -> Option<(UserWrite, Writing)> {
        if !self.is_dirty() {
            return None;
        }
        let body = user::encode(&self.record);
        self.encoded = body.len();
        let UserRecord { profile, kin, .. } = &self.record;
        let cohort = Cohort::of(profile, kin, definition, self.group);
        let counting = match cohort {
            _ if cohort == self.cohort => Counting::Unchanged,
            Some(cohort) => Counting::As(cohort),
            None => Counting::Not,
        };
        let applied = self.record.profile.applied;
        let write = UserWrite {
            key: key.clone(),
            row: self.row,
            body: body.into(),
            applied,
            spilled: self.spilled.clone(),
            counting,
        };
        let (runs, gone) = (self.spilled.len(), self.gone.len());
        let taught = self.taught.as_ref().map(|before| {
            let after = self.gone.iter().cloned().chain(self.lessons(definition)).collect();
            Revision { before: before.clone(), after }
        });
        Some((write, Writing { key: key.clone(), applied, runs, cohort, taught, gone }))
    }

    /// What the user teaches; nothing where another one has the same draws.
    fn lessons(&self, definition: &Definition) -> Vec<Lesson> {
        let settings = Settings::of(definition);
        let track = self.record.track.as_ref().filter(|_| !self.record.kin.is_merged());
        track.map_or_else(Vec::new, |track| track.lessons(&settings.windows, settings.credit))
    }

    /// What was to be written is durable.
    pub(crate) fn written(&mut self, what: &Writing, row: RowId) {
        self.row = Some(row);
        self.stored = what.applied;
        self.cohort = what.cohort;
        self.spilled.drain(..what.runs.min(self.spilled.len()));
        self.gone.drain(..what.gone.min(self.gone.len()));
        if let Some(Revision { after, .. }) = &what.taught {
            let changed = self.record.profile.applied != what.applied;
            self.taught = changed.then(|| after.iter().skip(what.gone).cloned().collect());
        }
    }

    /// Every run that the store does not hold yet, decoded, then the positions that stay with the record.
    pub(crate) fn unspilled(&self) -> Vec<Position> {
        let mut positions: Vec<Position> = self
            .spilled
            .iter()
            .filter_map(|(_, bytes)| user::decode_run(bytes))
            .flat_map(|(run, _)| run)
            .collect();
        positions.extend_from_slice(&self.record.run);
        positions
    }
}
