//! What the learner believes now, and how it weighs the arms of a situation. Must not change what was learnt, nor draw.
//!
//! A guide's score is the chance of activation after it: m₁·m₂ + (1 - m₁)·b, with m₁ the chance of a click, m₂ that of
//! activation after one, and b that of activation without. Its variance follows by the delta method. Where the guide serves a
//! milestone before activation, m₂ is also estimated on the way round over that milestone, which is reached sooner and more
//! often; the two are weighed by their precision, and by how far the way round was found to lead astray.

use super::cross::Crossings;
use super::delay::Curve;
use super::features::{Features, LARGEST, ONE, real};
use super::fit::{Ageing, Fit, Ground, Parts, Residual, Score, Scores, between, cohorts};
use super::key::{Arm, Key, KeyRef};
use super::law::{self, Law, Standing};
use super::learner::Learner;
use super::lesson::Stage;
use super::settings::{Hearing, Settings, prior};
use super::sums::Sums;
use super::tally::Tally;
use crate::id::MilestoneId;
use crate::policy::ArmView;
use crate::time::Timestamp;

/// How far the way round over a milestone is believed to lead astray, before any row: a share of the noise of activation.
const ASTRAY: f64 = 0.02;

/// What a learner believes at a moment; readers share it, it never changes.
#[derive(Debug, Clone, PartialEq)]
pub struct Posterior {
    settings: Settings,
    crossings: Crossings,
    click: Fit,
    step: Fit,
    goal: Fit,
    base: Fit,
    onward: Fit,
    /// The variance of what the way round over a milestone gets wrong.
    astray: f64,
    /// By arm.
    arms: Vec<(Arm, Known)>,
}

/// What is known of an arm for ever.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Known {
    exposures: i64,
    barred: bool,
}

/// An arm that may be shown.
#[derive(Debug, Clone, Copy)]
pub struct Eligible<'a> {
    /// Which.
    pub arm: ArmView<'a>,
    /// The milestone that it serves, where that is not activation itself.
    pub milestone: Option<&'a MilestoneId>,
    /// Its features (`Space::arm`).
    pub features: &'a Features,
}

/// An estimate of activation after a click.
#[derive(Debug, Clone, Copy)]
struct Estimate {
    mean: f64,
    /// Its variance.
    whole: f64,
    /// The part of it that the arms don't share.
    apart: f64,
}

impl Posterior {
    /// What the learner believes at that moment.
    pub fn new(learner: &Learner, settings: &Settings, at: Timestamp) -> Self {
        let fits = Fits { learner, forget: settings.forget, at };
        let [clicks, steps, goals] = fits.curves();
        let heard = |hearing| {
            (fits.solve(Stage::Click, &clicks, hearing), fits.solve(Stage::Goal, &goals, hearing))
        };
        let advice = learner.frame.space.advice();
        let helps = |fit: &Fit| fit.coefficient(advice) > 0.0;
        let (click, goal) = match heard(Hearing::Open) {
            (click, goal) if helps(&click) && helps(&goal) => (click, goal),
            _ => heard(Hearing::Closed),
        };
        let mut posterior = Self {
            settings: settings.clone(),
            crossings: learner.frame.space.crossings.clone(),
            click,
            goal,
            step: fits.solve(Stage::Step, &steps, Hearing::Closed),
            base: fits.solve(Stage::Base, &goals, Hearing::Closed),
            onward: fits.solve(Stage::Onward, &goals, Hearing::Closed),
            astray: 0.0,
            arms: known_arms(learner, settings),
        };
        posterior.astray = posterior.estimate_astray(learner);
        posterior
    }

    /// The law over these arms, given in file order, in that situation (`Space::context`).
    ///
    /// But for the budget, whose default is the first arm of the file, it does not depend on that order to the last bit.
    pub fn law(&self, context: &Features, arms: &[Eligible<'_>]) -> Law {
        let mut order: Vec<usize> = (0..arms.len()).collect();
        order.sort_by_key(|place| arms.get(*place).map(|eligible| eligible.arm));
        let sorted: Vec<Eligible<'_>> =
            order.iter().filter_map(|place| arms.get(*place)).copied().collect();
        let (weighed, silence) = self.weigh(context, &sorted);
        let mut standings = weighed.clone();
        for (place, standing) in order.iter().zip(weighed) {
            standings.get_mut(*place).into_iter().for_each(|entry| *entry = standing);
        }
        let views: Vec<ArmView<'_>> = arms.iter().map(|eligible| eligible.arm).collect();
        law::law(&views, standings, silence, &self.settings)
    }

    /// Arms that are proven to be dismissed more often than they may be.
    pub fn barred(&self) -> impl Iterator<Item = &Arm> {
        self.arms.iter().filter(|(_, known)| known.barred).map(|(arm, _)| arm)
    }

    /// Whether the arm is one of those.
    pub fn is_barred(&self, arm: ArmView<'_>) -> bool {
        self.known(arm).is_some_and(|known| known.barred)
    }

    fn known(&self, arm: ArmView<'_>) -> Option<&Known> {
        let place = self.arms.binary_search_by(|(known, _)| known.view().cmp(&arm)).ok()?;
        self.arms.get(place).map(|(_, known)| known)
    }

    /// What is expected of each arm and of silence: the chance of activation.
    pub fn weigh(&self, context: &Features, arms: &[Eligible<'_>]) -> (Vec<Standing>, Standing) {
        let looks = Looks::of(&self.crossings, context, arms);
        let context: Vec<(u16, f64)> = context.values().collect();
        let clicks = scores(&self.click, &context, arms, &looks, &[]);
        let goals = self.goals(&context, arms, &looks);
        let bases = scores(&self.base, &context, arms, &looks, &[KeyRef::Silence]);
        let mut standings = Vec::with_capacity(arms.len());
        let mut shared = 0.0;
        let each = clicks.each.iter().zip(&goals).zip(&bases.each);
        for (eligible, ((click, goal), base)) in arms.iter().zip(each) {
            let (m1, m2, b) = (chance(click.mean), chance(goal.mean), chance(base.mean));
            let variance = |click: f64, goal: f64, base: f64| {
                (m2 - b) * (m2 - b) * click + m1 * m1 * goal + (1.0 - m1) * (1.0 - m1) * base
            };
            let (clicks_share, bases_share) = (clicks.common(), bases.common());
            shared += variance(clicks_share, goal.whole - goal.apart, 0.0) + m1 * m1 * bases_share;
            let apart = variance(clicks.apart(click), goal.apart, bases.apart(base));
            standings.push(self.standing(eligible.arm, m1 * m2 + (1.0 - m1) * b, apart));
        }
        let silence = bases.each.last();
        // What the guides have in common is not between them, but between them and silence.
        let apart =
            silence.map_or(0.0, |score| bases.apart(score)) + shared / (arms.len() as f64).max(1.0);
        let mean = silence.map_or(0.0, |score| chance(score.mean));
        (standings, Standing { mean, sd: apart.sqrt(), exposures: 0, barred: false })
    }

    fn standing(&self, arm: ArmView<'_>, mean: f64, variance: f64) -> Standing {
        let known = self.known(arm);
        Standing {
            mean,
            sd: variance.max(0.0).sqrt(),
            exposures: known.map_or(0, |known| known.exposures),
            barred: known.is_some_and(|known| known.barred),
        }
    }

    /// Activation after a click, for each arm: directly, and where it can be the way round as well.
    fn goals(&self, context: &Parts, arms: &[Eligible<'_>], looks: &Looks) -> Vec<Estimate> {
        let goals = scores(&self.goal, context, arms, looks, &[]);
        let direct = goals.each.iter().map(|score| Estimate {
            mean: chance(score.mean),
            whole: score.variance(),
            apart: goals.apart(score),
        });
        if arms.iter().all(|eligible| eligible.milestone.is_none()) {
            return direct.collect();
        }
        let onward = self.onward.ground(context);
        let step = self.step.ground(context);
        let round = |(eligible, parts): (&Eligible<'_>, &Parts)| {
            let key = KeyRef::Step(eligible.arm, eligible.milestone?);
            Some(self.way_round(self.step.score(&step, parts, key), &onward, eligible.milestone?))
        };
        let rounds: Vec<Option<Estimate>> = arms.iter().zip(looks.each()).map(round).collect();
        // One doubt for all: the more an arm promises, the less sure the promise, and it is not to be heard less for that.
        let count = rounds.iter().flatten().count().max(1) as f64;
        let doubt = rounds.iter().flatten().fold(0.0, |sum, round| sum + round.whole) / count;
        let both = direct.zip(&rounds);
        both.map(|(direct, round)| match round {
            Some(round) => self.weighed(direct, *round, doubt),
            None => direct,
        })
        .collect()
    }

    /// Activation after a click over the milestone: g·h₁ + (1 - g)·h₀, with g the chance to reach it, and h₁ and h₀ those of
    /// activation with and without it, whatever the guide.
    fn way_round(&self, step: Score, onward: &Ground, milestone: &MilestoneId) -> Estimate {
        let reached = self.onward.score(onward, &[], KeyRef::Reached(milestone));
        let ahead = self.onward.score(onward, &[], KeyRef::Ahead(milestone));
        let (g, h1, h0) = (chance(step.mean), chance(reached.mean), chance(ahead.mean));
        let whole = (h1 - h0) * (h1 - h0) * step.variance()
            + g * g * reached.variance()
            + (1.0 - g) * (1.0 - g) * ahead.variance();
        Estimate { mean: g * h1 + (1.0 - g) * h0, whole, apart: whole }
    }

    fn weighed(&self, direct: Estimate, round: Estimate, doubt: f64) -> Estimate {
        let doubt = doubt + self.astray;
        let share = direct.whole / (direct.whole + doubt).max(f64::MIN_POSITIVE);
        let both = |direct: f64, round: f64| {
            (1.0 - share) * (1.0 - share) * direct + share * share * (round + self.astray)
        };
        Estimate {
            mean: direct.mean + share * (round.mean - direct.mean),
            whole: both(direct.whole, round.whole),
            apart: both(direct.apart, round.apart),
        }
    }

    /// How far apart the two ways are, beyond chance, over all arms that have rows for both.
    fn estimate_astray(&self, learner: &Learner) -> f64 {
        let guess = ASTRAY * self.goal.noise();
        let (steps, space) = (learner.sums(Stage::Step), &learner.frame.space);
        let residual = |key: &Key| {
            let Key::Step(arm, milestone) = key else { return None };
            // With what its pairs were on average: they are in its sums.
            let mean = mean_row(steps, key);
            let (context, features) = mean.split(space.ground);
            let direct = KeyRef::Arm(arm.view());
            if self.goal.rows(direct) < 1.0 {
                return None;
            }
            let [context, parts] =
                [context, features].map(|part| part.values().collect::<Vec<(u16, f64)>>());
            let direct = self.goal.score(&self.goal.ground(&context), &parts, direct);
            let step = self.step.score(&self.step.ground(&context), &parts, key.as_ref());
            let round = self.way_round(step, &self.onward.ground(&context), milestone);
            let apart = chance(direct.mean) - round.mean;
            Some(Residual { square: apart * apart, chance: direct.variance() + round.whole })
        };
        let keys = self.step.keys();
        between(&keys.filter_map(residual).collect::<Vec<_>>(), guess)
    }
}

/// What the regressions are solved from.
struct Fits<'a> {
    learner: &'a Learner,
    forget: f64,
    at: Timestamp,
}

impl Fits<'_> {
    /// The delays of clicks, of milestones and of activation, the latter whether or not a click came first.
    fn curves(&self) -> [Curve; 3] {
        let curve = |stages: &[Stage], window| {
            let sums = stages.iter().map(|stage| self.learner.sums(*stage));
            let all: Vec<_> = sums.flat_map(|sums| cohorts(sums, self.forget, self.at)).collect();
            Curve::of(&all, window)
        };
        let windows = &self.learner.frame.windows;
        [
            curve(&[Stage::Click], windows.click),
            curve(&[Stage::Step], windows.goal),
            curve(&[Stage::Goal, Stage::Base], windows.goal),
        ]
    }

    fn solve(&self, stage: Stage, curve: &Curve, hearing: Hearing) -> Fit {
        let space = &self.learner.frame.space;
        let ageing = Ageing { forget: self.forget, at: self.at, curve };
        let prior = prior(stage, space, hearing);
        Fit::new(self.learner.sums(stage), &space.shape(stage), &prior, ageing)
    }
}

fn known_arms(learner: &Learner, settings: &Settings) -> Vec<(Arm, Known)> {
    let known = |(arm, tally): (&Arm, &Tally)| {
        let barred = settings.guard.is_some_and(|limit| tally.annoys(limit));
        (arm.clone(), Known { exposures: tally.shown, barred })
    };
    learner.arms.iter().map(known).collect()
}

/// What arms look like in a situation: their features, and the pairs that these make there.
struct Looks {
    /// Arm by arm.
    parts: Vec<(u16, f64)>,
    /// Where each arm's end.
    ends: Vec<usize>,
}

impl Looks {
    fn of(crossings: &Crossings, context: &Features, arms: &[Eligible<'_>]) -> Self {
        let (mut parts, mut ends) = (Vec::with_capacity(16 * arms.len()), Vec::new());
        for arm in arms {
            parts.extend(arm.features.values());
            crossings.each_pair(context, arm.features, |place, value| {
                parts.push((place, real(value)));
            });
            ends.push(parts.len());
        }
        Self { parts, ends }
    }

    fn each(&self) -> impl Iterator<Item = &Parts> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(from, to)| self.parts.get(from..*to).unwrap_or(&[]))
    }
}

/// The scores of the arms, and then of keys without features.
fn scores(
    fit: &Fit,
    context: &Parts,
    arms: &[Eligible<'_>],
    looks: &Looks,
    others: &[KeyRef<'_>],
) -> Scores {
    let arms = looks.each().zip(arms).map(|(parts, arm)| (parts, KeyRef::Arm(arm.arm)));
    let others = others.iter().map(|key| (&[][..], *key));
    fit.scores(&fit.ground(context), arms.chain(others))
}

/// What the key's rows look like on average.
fn mean_row(sums: &Sums, key: &Key) -> Features {
    let own = sums.slots.values().filter_map(|cell| cell.own.get(key));
    let (mut rows, mut total): (i64, Vec<f64>) = (0, Vec::new());
    for own in own {
        rows += own.rows;
        // The first own coordinate is 1 in every row, so its products are the values themselves.
        let width = own.cross.len() / own.hits.len().max(1);
        total.resize(total.len().max(width), 0.0);
        for (entry, sum) in total.iter_mut().zip(own.cross.iter().take(width)) {
            *entry += *sum as f64;
        }
    }
    let scale = rows as f64 * f64::from(ONE) * f64::from(ONE);
    Features::new(
        (0u16..).zip(total).map(|(place, sum)| (place, (sum / scale).clamp(-LARGEST, LARGEST))),
    )
}

/// What a linear model says, as a chance.
fn chance(mean: f64) -> f64 {
    mean.clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests;
