//! Every order in which two workers may gain, lose, fold, store, crash and wake, checked on the functions that they call.

use pilotage_domain::event::Position;
use stateright::{Checker, Model, Property};

use super::first_of_each;
use crate::port::feed::Partition;
use crate::port::shared::{Claim, Day, Verdict};

/// The log: six records of one user, each with the day on which it was received. The fourth is the second one sent again, and
/// so is the last one, so late that it counts anew.
const LOG: [(u8, i32); 6] = [(1, 0), (2, 0), (3, 1), (2, 7), (4, 8), (2, 8)];
/// How often the partition may change hands: enough for a zombie of a zombie.
const TURNS: u64 = 3;

/// What took effect, in order: name and place. It stands for a profile, which is written whole.
type Effects = Vec<(u8, u64)>;

/// What is stored, in the one transaction or not at all.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Stored {
    epoch: u64,
    applied: u64,
    effects: Effects,
}

/// A transaction on its way.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Flying {
    epoch: u64,
    to: u64,
    effects: Effects,
}

/// A worker.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
struct Worker {
    /// Epoch and place of its claim.
    claim: Option<(u64, u64)>,
    /// The profile in memory, where it has been read.
    memory: Option<Effects>,
    flying: Option<Flying>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct State {
    stored: Stored,
    workers: Vec<Worker>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Action {
    /// The group gives the partition to this worker, whatever the other believes.
    Gain(usize),
    /// It reads and folds so many records after its claim.
    Fold(usize, u64),
    /// Its transaction reaches the store, and it hears the answer.
    Store(usize),
    /// Its transaction reaches the store, and it does not hear: it forgets what it had in memory and begins anew.
    StoreUnheard(usize),
    /// It is told to give the partition up.
    Lose(usize),
    /// It dies, with everything that it had in memory.
    Crash(usize),
}

struct HandOver;

/// The day of the record at that place, counted from 1.
fn day_at(place: u64) -> Day {
    Day::new(LOG[place as usize - 1].1)
}

/// Where a record of that name took effect last.
fn last_place(effects: &Effects, name: u8) -> Option<u64> {
    effects.iter().rev().find(|(known, _)| *known == name).map(|(_, place)| *place)
}

fn claim(epoch: u64, place: u64) -> Claim {
    let partition = Partition(0);
    let applied = place.checked_sub(1).and_then(|offset| partition.position(offset));
    Claim { partition, epoch, applied: applied.unwrap_or(partition.start()) }
}

impl Stored {
    /// The store's transaction, as every implementation makes it.
    fn take(&mut self, flying: &Flying) -> Verdict {
        let applied = claim(0, self.applied).applied;
        let verdict = claim(flying.epoch, flying.to).judge(self.epoch, applied);
        if verdict == Verdict::Store {
            self.effects.clone_from(&flying.effects);
            self.applied = flying.to;
        }
        verdict
    }

    fn place_of(&self, name: u8, day: Day) -> Option<Position> {
        let place = last_place(&self.effects, name).filter(|place| day_at(*place).knows(day))?;
        Some(claim(0, place).applied)
    }
}

impl Worker {
    /// Reads the profile where it is not in memory, asks which names are known, and folds those that are not.
    fn fold(&mut self, stored: &Stored, count: u64) -> Option<()> {
        let (epoch, at) = self.claim?;
        let to = at + count;
        let names = LOG.get(at as usize..to as usize)?.iter();
        let names: Vec<_> = names.map(|(name, day)| (*name, Day::new(*day))).collect();
        let known: Vec<_> = names.iter().map(|(name, day)| stored.place_of(*name, *day)).collect();
        let effects = self.memory.get_or_insert_with(|| stored.effects.clone());
        let fresh = first_of_each(&names, &known).into_iter();
        let places = names.iter().map(|(name, _)| *name).zip(at + 1..).zip(fresh);
        effects.extend(places.filter_map(|(record, fresh)| fresh.then_some(record)));
        self.flying = Some(Flying { epoch, to, effects: effects.clone() });
        Some(())
    }
}

impl Model for HandOver {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let stored = Stored { epoch: 0, applied: 0, effects: Vec::new() };
        vec![State { stored, workers: vec![Worker::default(); 2] }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for (who, worker) in state.workers.iter().enumerate() {
            if state.stored.epoch < TURNS && worker.flying.is_none() {
                actions.push(Action::Gain(who));
            }
            match (&worker.flying, worker.claim) {
                (Some(_), _) => actions.extend([Action::Store(who), Action::StoreUnheard(who)]),
                (None, Some((_, at))) => {
                    let left = LOG.len() as u64 - at;
                    actions.extend((1..=left.min(3)).map(|count| Action::Fold(who, count)));
                    actions.push(Action::Lose(who));
                }
                (None, None) => {}
            }
            if worker.claim.is_some() {
                actions.push(Action::Crash(who));
            }
        }
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let mut next = state.clone();
        let State { stored, workers } = &mut next;
        match action {
            Action::Gain(who) => {
                stored.epoch += 1;
                let claim = Some((stored.epoch, stored.applied));
                workers[who] = Worker { claim, ..Worker::default() };
            }
            Action::Fold(who, count) => workers[who].fold(stored, count)?,
            Action::Store(who) => {
                let flying = workers[who].flying.take()?;
                if stored.take(&flying) == Verdict::Store {
                    workers[who].claim = Some((flying.epoch, flying.to));
                } else {
                    workers[who] = Worker::default();
                }
            }
            Action::StoreUnheard(who) => {
                stored.take(&workers[who].flying.take()?);
                workers[who].memory = None;
            }
            Action::Lose(who) | Action::Crash(who) => workers[who] = Worker::default(),
        }
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(
                "what is applied took effect once and in order",
                |_, state: &State| {
                    // Only the fourth is a record that is known already.
                    let all = [(1, 1), (2, 2), (3, 3), (4, 5), (2, 6)];
                    let applied = all.into_iter().filter(|(_, at)| *at <= state.stored.applied);
                    state.stored.effects == applied.collect::<Effects>()
                },
            ),
            Property::always("nobody ever goes backwards", |_, state: &State| {
                let held = |worker: &Worker| {
                    worker
                        .claim
                        .is_none_or(|(e, at)| e != state.stored.epoch || at <= state.stored.applied)
                };
                state.workers.iter().all(held)
            }),
            Property::sometimes(
                "everything is applied after a change of hands",
                |_, state: &State| {
                    state.stored.applied == LOG.len() as u64 && state.stored.epoch > 1
                },
            ),
            Property::sometimes(
                "a zombie still holds an outdated transaction",
                |_, state: &State| {
                    let outdated = |worker: &Worker| {
                        worker
                            .flying
                            .as_ref()
                            .is_some_and(|flying| flying.epoch < state.stored.epoch)
                    };
                    state.workers.iter().any(outdated)
                },
            ),
        ]
    }
}

#[test]
fn no_order_of_events_doubles_loses_or_reorders_a_record() {
    let checked = HandOver.checker().threads(1).spawn_bfs().join();
    checked.assert_properties();
    assert!(checked.unique_state_count() > 500, "{}", checked.unique_state_count());
}

#[test]
fn a_name_counts_once_and_only_where_it_has_not_yet() {
    let known = [None, Some(Position(3)), None, None];
    let names = ["a", "b", "a", "c"].map(|name| (name, Day::new(5)));
    assert_eq!(first_of_each(&names, &known), [true, false, false, true]);
}

#[test]
fn a_name_counts_anew_once_its_days_are_over_and_is_known_from_then() {
    let days = [0, 7, 8, -3, 15, 16, 30];
    let names = days.map(|day| ("a", Day::new(day)));
    let expected = [true, false, true, false, false, true, true];
    assert_eq!(first_of_each(&names, &[None; 7]), expected);
}
