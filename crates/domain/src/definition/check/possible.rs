//! Whether conditions can hold together for some user at some moment. Must never say that they can't where they can:
//! where it does not see through them, it says that they can.
//!
//! The search takes conditions apart into single facts, one alternative after the other, and drops an alternative as soon
//! as two facts rule each other out. What it knows:
//! - an attribute has one value (of its form; never none where it has a default);
//! - n events within a time are also fewer, within a longer time, with a part of the filter;
//! - a milestone has one status; `locked` needs something required, `blocked` a condition that holds, `open` one that does
//!   not, and for both everything required is reached;
//! - the time since something is one number, and there is one last error.

use std::cell::Cell;

use super::names::Names;
use super::values;
use crate::definition::condition::{Anchor, Condition, Counter, Status, Test};
use crate::definition::table::{Ix, Table};
use crate::definition::{Attribute, Milestone};
use crate::id::ErrorName;
use crate::time::Millis;

/// How many steps one search takes before it gives up and says that the conditions can hold.
const PATIENCE: usize = 1_000;
/// How many steps all searches of one file take together.
pub(super) const PATIENCE_OF_ALL: usize = 200_000;

/// What a definition declares, as far as conditions ask for it.
#[derive(Clone, Copy)]
pub(super) struct World<'a> {
    pub(super) milestones: &'a [&'a Milestone],
    pub(super) attributes: &'a Names<Attribute>,
    pub(super) counters: &'a Table<Counter>,
    /// By milestone: whether it can be reached at all.
    pub(super) reachable: &'a [bool],
    /// How many steps are left for all searches.
    pub(super) patience: &'a Cell<usize>,
}

/// Something that must be so.
#[derive(Clone, Copy)]
pub(super) enum Goal<'a> {
    /// The condition holds, or does not.
    Condition(&'a Condition, bool),
    /// The milestone has the status, or has it not.
    Status(Ix<Milestone>, Status, bool),
    /// One of the milestones is not reached.
    Unreached(&'a [Ix<Milestone>]),
}

/// Whether all of it can be so together.
pub(super) fn possible(world: World<'_>, goals: &[Goal<'_>]) -> bool {
    let granted = PATIENCE.min(world.patience.get());
    let mut search = Search { world, facts: Vec::new(), patience: granted };
    let possible = search.meets(goals.to_vec());
    let taken = granted.saturating_sub(search.patience);
    world.patience.set(world.patience.get().saturating_sub(taken));
    possible
}

/// What can be known of a user without taking it apart.
#[derive(Clone, Copy, PartialEq)]
enum Fact<'a> {
    Event(Ix<Counter>, bool),
    Attribute(Ix<Attribute>, &'a Test, bool),
    Status(Ix<Milestone>, Status, bool),
    Since(Anchor, Bounds, bool),
    Error(&'a ErrorName, Millis, bool),
}

/// At least and at most so long.
type Bounds = (Option<Millis>, Option<Millis>);

/// What became of a goal.
enum Step<'a> {
    /// It is among the facts now, or among the goals in parts.
    Taken,
    /// It contradicts the facts.
    Impossible,
    /// One of these will do.
    Either(Vec<Goal<'a>>),
}

struct Search<'a> {
    world: World<'a>,
    facts: Vec<Fact<'a>>,
    patience: usize,
}

impl<'a> Search<'a> {
    /// Whether all goals can be met together with the facts; leaves the facts as they were.
    fn meets(&mut self, mut goals: Vec<Goal<'a>>) -> bool {
        let known = self.facts.len();
        let mut possible = true;
        while let Some(goal) = goals.pop() {
            self.patience = self.patience.saturating_sub(1);
            match self.step(goal, &mut goals) {
                _ if self.patience == 0 => break,
                Step::Taken => {}
                Step::Impossible => {
                    possible = false;
                    break;
                }
                Step::Either(options) => {
                    let with = |option| goals.iter().copied().chain([option]).collect();
                    possible = options.into_iter().any(|option| self.meets(with(option)));
                    break;
                }
            }
        }
        self.facts.truncate(known);
        possible
    }

    fn step(&mut self, goal: Goal<'a>, goals: &mut Vec<Goal<'a>>) -> Step<'a> {
        let (condition, wanted) = match goal {
            Goal::Condition(condition, wanted) => (condition, wanted),
            Goal::Status(milestone, status, wanted) => {
                return self.status(milestone, status, wanted, goals);
            }
            Goal::Unreached(milestones) => {
                let unreached = |m: &Ix<Milestone>| Goal::Status(*m, Status::Reached, false);
                return Step::Either(milestones.iter().map(unreached).collect());
            }
        };
        match condition {
            Condition::All(parts) | Condition::Any(parts) => {
                let parts = parts.iter().map(|part| Goal::Condition(part, wanted));
                if matches!(condition, Condition::All(_)) != wanted {
                    return Step::Either(parts.collect());
                }
                goals.extend(parts);
                Step::Taken
            }
            Condition::Not(part) => {
                goals.push(Goal::Condition(part, !wanted));
                Step::Taken
            }
            Condition::Event(counter) => self.learn(Fact::Event(*counter, wanted)),
            Condition::Attribute { attribute, test } => {
                self.learn(Fact::Attribute(*attribute, test, wanted))
            }
            Condition::Milestone { milestone, status } => {
                self.status(*milestone, *status, wanted, goals)
            }
            Condition::Since { anchor, gte, lte } => {
                self.learn(Fact::Since(*anchor, (*gte, *lte), wanted))
            }
            Condition::Error { name, within } => self.learn(Fact::Error(name, *within, wanted)),
        }
    }

    /// A status, and what it says of other milestones and of the blocked condition.
    fn status(
        &mut self,
        ix: Ix<Milestone>,
        status: Status,
        wanted: bool,
        goals: &mut Vec<Goal<'a>>,
    ) -> Step<'a> {
        let fact = Fact::Status(ix, status, wanted);
        if self.facts.contains(&fact) {
            return Step::Taken;
        }
        if let (true, Some(milestone)) = (wanted, self.world.milestones.get(ix.place())) {
            let reached =
                milestone.requires.iter().map(|m| Goal::Status(*m, Status::Reached, true));
            let blocked = milestone.blocked.as_ref();
            match status {
                Status::Reached => {}
                Status::Locked => goals.push(Goal::Unreached(&milestone.requires)),
                Status::Open | Status::Blocked => {
                    goals.extend(reached);
                    goals.extend(blocked.map(|c| Goal::Condition(c, status == Status::Blocked)));
                }
            }
        }
        self.learn(fact)
    }

    fn learn(&mut self, fact: Fact<'a>) -> Step<'a> {
        self.facts.push(fact);
        if self.fits(fact) { Step::Taken } else { Step::Impossible }
    }

    /// Whether the newest fact goes together with the others.
    fn fits(&self, fact: Fact<'a>) -> bool {
        match fact {
            Fact::Event(..) => !self.facts.iter().any(|other| self.events_clash(fact, *other)),
            Fact::Attribute(attribute, ..) => self.attribute_fits(attribute),
            Fact::Status(milestone, ..) | Fact::Since(Anchor::Milestone(milestone), ..) => {
                self.milestone_fits(milestone)
            }
            Fact::Since(anchor, ..) => {
                self.time_fits(anchor, true) || self.time_fits(anchor, false)
            }
            Fact::Error(..) => !self.facts.iter().any(|other| errors_clash(fact, *other)),
        }
    }

    fn events_clash(&self, a: Fact<'_>, b: Fact<'_>) -> bool {
        match (a, b) {
            (Fact::Event(holds, true), Fact::Event(fails, false))
            | (Fact::Event(fails, false), Fact::Event(holds, true)) => {
                entails(&self.world.counters[holds], &self.world.counters[fails])
            }
            _ => false,
        }
    }

    fn attribute_fits(&self, attribute: Ix<Attribute>) -> bool {
        let test = |fact: &Fact<'a>| match fact {
            Fact::Attribute(of, test, wanted) if *of == attribute => Some((*test, *wanted)),
            _ => None,
        };
        let tests: Vec<_> = self.facts.iter().filter_map(test).collect();
        values::can_pass(&tests, self.world.attributes.get(attribute))
    }

    /// Whether the milestone can have one status, and have been reached at one time or not at all.
    fn milestone_fits(&self, ix: Ix<Milestone>) -> bool {
        let has = |status: Status| match self.world.milestones.get(ix.place()) {
            None => true,
            Some(milestone) => match status {
                Status::Locked => !milestone.requires.is_empty(),
                Status::Blocked => milestone.blocked.is_some(),
                Status::Open => true,
                Status::Reached => {
                    self.world.reachable.get(ix.place()).is_none_or(|reachable| *reachable)
                }
            },
        };
        let agrees = |status: Status| {
            self.facts.iter().all(|fact| match fact {
                Fact::Status(of, asked, wanted) if *of == ix => (*asked == status) == *wanted,
                _ => true,
            })
        };
        let all = [Status::Locked, Status::Open, Status::Blocked, Status::Reached];
        all.into_iter().any(|status| {
            let been = status == Status::Reached;
            has(status) && agrees(status) && self.time_fits(Anchor::Milestone(ix), been)
        })
    }

    /// Whether some time since the anchor agrees with the facts, where it has been; or, where it has not, that.
    fn time_fits(&self, anchor: Anchor, been: bool) -> bool {
        let asked = |fact: &Fact<'_>| match fact {
            Fact::Since(of, bounds, wanted) if *of == anchor => Some((*bounds, *wanted)),
            _ => None,
        };
        let asked: Vec<_> = self.facts.iter().filter_map(asked).collect();
        if !been {
            return asked.iter().all(|(_, wanted)| !wanted);
        }
        let ends =
            asked.iter().flat_map(|((least, most), _)| [*least, *most]).flatten().map(Millis::get);
        let mut tried =
            ends.flat_map(|end| [end.saturating_sub(1), end, end.saturating_add(1)]).chain([0]);
        tried
            .any(|elapsed| asked.iter().all(|(bounds, wanted)| inside(elapsed, *bounds) == *wanted))
    }
}

fn inside(elapsed: u64, (least, most): Bounds) -> bool {
    least.is_none_or(|least| elapsed >= least.get())
        && most.is_none_or(|most| elapsed <= most.get())
}

/// Whether the second counter is at its count wherever the first is.
fn entails(first: &Counter, second: &Counter) -> bool {
    let within = |counter: &Counter| counter.within.map_or(u64::MAX, Millis::get);
    first.event == second.event
        && first.count >= second.count
        && within(first) <= within(second)
        && second.filter.iter().all(|part| first.filter.contains(part))
}

fn errors_clash(a: Fact<'_>, b: Fact<'_>) -> bool {
    match (a, b) {
        (Fact::Error(a, _, true), Fact::Error(b, _, true)) => a != b,
        (Fact::Error(a, held, true), Fact::Error(b, failed, false))
        | (Fact::Error(b, failed, false), Fact::Error(a, held, true)) => a == b && held <= failed,
        _ => false,
    }
}
