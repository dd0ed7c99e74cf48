//! What guiding users changed, against another group: day by day, with an interval and evidence that hold at every look. Must
//! look at users only once all of their day have had the whole window.
//!
//! Groups are drawn by a hash with known shares, so a user's term is
//!
//! > ψ = (y - m)/π for a guided user, -(y - m)/(1 - π) for one of the other group
//!
//! with y the outcome, π the guided share of the two, and m the mean outcome of both groups over *earlier* days. Its mean is
//! the effect, whatever m is: the augmented inverse propensity estimator (Robins, Rotnitzky and Zhao 1994) with a common outcome
//! model. A good m makes it narrow; that m is known before the day makes it valid at every look. Users are independent, though
//! what guided ones are shown is learnt from others: a user's group is drawn before, and by no outcome.

use std::collections::BTreeMap;

use super::cohort::{Cohorts, Day};
use super::evidence::{Outcomes, log_bet};
use super::grid::Grid;
use super::sequence::{Interval, Terms};
use crate::decide::Group;
use crate::learn::math::exp;
use crate::time::Timestamp;

/// The evidence from which on a difference counts as proven.
pub const PROVEN_AT: f64 = 20.0;

/// An interval that leans on large numbers is given once each group has so many users with the outcome, and so many without.
const LEAST: f64 = 10.0;

/// Whether guiding made a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Not proven.
    Open,
    /// More users are activated.
    Better,
    /// Fewer are.
    Worse,
}

/// The guided group against another.
#[derive(Debug, Clone, PartialEq)]
pub struct Lift {
    /// The other group.
    pub against: Group,
    /// Days of signup that are looked at.
    pub days: usize,
    /// Guided users of these days.
    pub guided: Side,
    /// Those of the other group.
    pub other: Side,
    /// The difference of the shares that are activated inside the window; `None` while there are too few.
    pub difference: Option<Interval>,
    /// The difference of the restricted mean times in milliseconds: below 0 where guided users are faster.
    pub time_ms: Option<Interval>,
    /// Evidence that there is a difference; 1 to begin with.
    pub e_value: f64,
    /// What follows: the evidence is enough, and the interval says which way.
    pub verdict: Verdict,
}

/// One of the two groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Side {
    /// Users who have had the whole window.
    pub users: u64,
    /// Of these, those who were activated in it.
    pub activated: u64,
}

impl Side {
    /// Their share; `None` of nobody.
    pub fn rate(self) -> Option<f64> {
        (self.users > 0).then(|| self.activated as f64 / self.users as f64)
    }

    const fn outcomes(self) -> Outcomes {
        Outcomes { users: self.users as f64, activated: self.activated as f64 }
    }
}

/// What a day's users of one group came to.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Came {
    pub(super) side: Side,
    /// Of the window, the share that each user was activated before its end: the sum over users.
    pub(super) saved: f64,
    /// The sum of its squares.
    pub(super) saved_square: f64,
}

impl Came {
    fn add(&mut self, users: u64, saved: Option<f64>) {
        self.side.users += users;
        if let Some(saved) = saved {
            self.side.activated += users;
            self.saved += users as f64 * saved;
            self.saved_square += users as f64 * saved * saved;
        }
    }

    const fn activation(&self) -> Terms {
        let activated = self.side.activated as f64;
        Terms { n: self.side.users as f64, sum: activated, square: activated }
    }

    const fn time(&self) -> Terms {
        Terms { n: self.side.users as f64, sum: self.saved, square: self.saved_square }
    }
}

/// The comparison as of some day.
#[derive(Debug, Clone, Default)]
pub(super) struct Contrast {
    guided: Side,
    other: Side,
    activation: Effect,
    time: Effect,
    log_e: f64,
    days: usize,
}

/// One outcome's terms.
#[derive(Debug, Clone, Copy, Default)]
struct Effect {
    /// The outcomes of earlier days, of both groups.
    seen: Terms,
    /// ψ of each user.
    terms: Terms,
}

impl Effect {
    fn add(&mut self, share: f64, guided: &Terms, other: &Terms) {
        // Towards 0 while nobody was seen.
        let mean = self.seen.sum / (self.seen.n + 1.0);
        self.terms.add(&guided.shifted(mean, 1.0 / share));
        self.terms.add(&other.shifted(mean, -1.0 / (1.0 - share)));
        self.seen.add(guided);
        self.seen.add(other);
    }
}

impl Contrast {
    /// Adds the next day, of which all users have had the whole window.
    pub(super) fn add(&mut self, share: f64, guided: &Came, other: &Came) {
        let before = (self.guided.outcomes(), self.other.outcomes());
        self.log_e += log_bet(before, (guided.side.outcomes(), other.side.outcomes()));
        self.activation.add(share, &guided.activation(), &other.activation());
        self.time.add(share, &guided.time(), &other.time());
        for (side, came) in [(&mut self.guided, guided), (&mut self.other, other)] {
            side.users += came.side.users;
            side.activated += came.side.activated;
        }
        self.days += 1;
    }

    /// What it comes to.
    pub(super) fn lift(&self, against: Group, window_ms: f64) -> Lift {
        let enough = [self.guided, self.other].iter().all(|side| {
            side.activated as f64 >= LEAST && (side.users - side.activated) as f64 >= LEAST
        });
        let of =
            |effect: &Effect| effect.terms.mean().filter(|_| enough).map(|i| i.within(-1.0, 1.0));
        let difference = of(&self.activation);
        let e_value = exp(self.log_e);
        let verdict = match difference {
            Some(interval) if e_value >= PROVEN_AT && interval.low > 0.0 => Verdict::Better,
            Some(interval) if e_value >= PROVEN_AT && interval.high < 0.0 => Verdict::Worse,
            _ => Verdict::Open,
        };
        let time_ms = of(&self.time).map(|saved| saved.times(-window_ms));
        let (guided, other, days) = (self.guided, self.other, self.days);
        Lift { against, days, guided, other, difference, time_ms, e_value, verdict }
    }
}

/// The guided group against another, as of that moment; `share` is the guided share of the two, by the settings.
pub fn lift(cohorts: &Cohorts, against: Group, share: f64, grid: &Grid, now: Timestamp) -> Lift {
    let mut contrast = Contrast::default();
    for (guided, other) in days(cohorts, against, grid, now).values() {
        contrast.add(share, guided, other);
    }
    contrast.lift(against, grid.window().get() as f64)
}

fn days(
    cohorts: &Cohorts,
    against: Group,
    grid: &Grid,
    now: Timestamp,
) -> BTreeMap<Day, (Came, Came)> {
    let mut days: BTreeMap<Day, (Came, Came)> = BTreeMap::new();
    let saved = saved_by_bin(grid);
    let ripe = |day: &Day| day.over_for(now).is_some_and(|age| age >= grid.window());
    for (cell, users) in &cohorts.cells {
        let Some(day) = cell.day.filter(ripe) else { continue };
        // Later than the window is not in it.
        let saved = cell.activated.and_then(|bin| saved.get(usize::from(bin)).copied());
        if cell.group == Group::Guided {
            days.entry(day).or_default().0.add(*users, saved);
        } else if cell.group == against {
            days.entry(day).or_default().1.add(*users, saved);
        }
    }
    days
}

/// The share of the window that is left in the middle of each bin.
fn saved_by_bin(grid: &Grid) -> Vec<f64> {
    let window = grid.window().get().max(1) as f64;
    grid.spans()
        .map(|(from, to)| 1.0 - (from.get() as f64 + to.get() as f64) / 2.0 / window)
        .collect()
}

#[cfg(test)]
mod tests;
