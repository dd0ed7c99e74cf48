//! When a gate opens by time alone. Must not guess: an instant that is named has been tried.

use crate::definition::Milestone;
use crate::definition::condition::{Anchor, Condition, Status};
use crate::definition::table::Ix;
use crate::profile::Count;
use crate::profile::view::View;
use crate::time::{Millis, Timestamp};

/// Windows hold their ends: they let go this much later.
const INSTANT: Millis = Millis::new(1);

/// The first instant at which the milestone has that status, if nothing but time happens.
pub(super) fn status_opens(
    view: View<'_>,
    milestone: Ix<Milestone>,
    wanted: Status,
) -> Option<Timestamp> {
    let mut turns = Turns::new(view);
    turns.of_status(milestone);
    turns.first(|then| then.status(milestone) == wanted)
}

/// The first instant at which the condition is what it should be, if nothing but time happens.
pub(super) fn condition_opens(
    view: View<'_>,
    condition: &Condition,
    is_open: impl Fn(bool) -> bool,
) -> Option<Timestamp> {
    let mut turns = Turns::new(view);
    turns.of(condition);
    turns.first(|then| is_open(then.holds(condition)))
}

/// The instants at which some leaf may change by time alone.
struct Turns<'a> {
    view: View<'a>,
    found: Vec<Timestamp>,
    /// Milestones whose blocked condition has been looked into: conditions may lead to each other in circles.
    asked: Vec<Ix<Milestone>>,
}

impl<'a> Turns<'a> {
    fn new(view: View<'a>) -> Self {
        Self { view, found: Vec::new(), asked: Vec::new() }
    }

    /// What holds changes only at turns: the first at which the gate is open is the instant that it opens.
    fn first(mut self, is_open: impl Fn(View<'a>) -> bool) -> Option<Timestamp> {
        let view = self.view;
        self.found.sort_unstable();
        let ahead = self.found.into_iter().filter(|turn| *turn > view.now);
        ahead.into_iter().find(|turn| is_open(View { now: *turn, ..view }))
    }

    fn of_status(&mut self, milestone: Ix<Milestone>) {
        if self.asked.contains(&milestone) {
            return;
        }
        self.asked.push(milestone);
        if let Some(blocked) = &self.view.definition.milestones[milestone].blocked {
            self.of(blocked);
        }
    }

    fn of(&mut self, condition: &'a Condition) {
        match condition {
            Condition::All(parts) | Condition::Any(parts) => {
                parts.iter().for_each(|part| self.of(part));
            }
            Condition::Not(part) => self.of(part),
            Condition::Event(ix) => {
                let counter = &self.view.definition.counters[*ix];
                let seen = self.view.profile.counter(counter.key);
                if let (Some(Count::Newest(times)), Some(within)) = (seen, counter.within) {
                    self.found.extend(times.iter().map(|at| *at + within + INSTANT));
                }
            }
            Condition::Since { anchor, gte, lte } => {
                if let Some(then) = self.anchored(*anchor) {
                    self.found.extend(gte.map(|least| then + least));
                    self.found.extend(lte.map(|most| then + most + INSTANT));
                }
            }
            Condition::Error { within, .. } => {
                let last = self.view.profile.last_error.as_ref();
                self.found.extend(last.map(|(_, at)| *at + *within + INSTANT));
            }
            Condition::Milestone { milestone, .. } => self.of_status(*milestone),
            Condition::Attribute { .. } => {}
        }
    }

    fn anchored(&self, anchor: Anchor) -> Option<Timestamp> {
        match anchor {
            Anchor::Signup => self.view.profile.signup,
            Anchor::LastEvent => self.view.profile.last_seen,
            Anchor::Milestone(milestone) => self.view.reached_at(milestone),
        }
    }
}
