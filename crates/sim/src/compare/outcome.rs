//! What came of a comparison, as numbers. Must follow everybody for the same time: nobody is left out who was slow.

use std::collections::BTreeMap;

use pilotage_domain::decide::Reason;
use pilotage_domain::time::Millis;
use serde::Serialize;

use super::baseline::{CALL_MICRO_USD, CALL_MS};
use super::method::Method;
use super::trial::FOLLOWED;
use super::worlds::World;
use crate::visited::{Fate, Tally};

/// At how many moments of the followed time the activated are counted, for pictures.
const MOMENTS: u64 = 28;

/// One world under several ways to guide.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Compared {
    /// The world.
    pub world: &'static str,
    /// What it is about.
    pub about: &'static str,
    /// The seed of its visitors.
    pub seed: u64,
    /// How many there were.
    pub visitors: u32,
    /// For how many days each is followed after signing up.
    pub followed_days: u64,
    /// What came of each way to guide.
    pub outcomes: Vec<Outcome>,
}

/// What came of one way to guide.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// The way.
    pub method: Method,
    /// The share of visitors who were activated within the followed time.
    pub activation_rate: f64,
    /// The median time to activation in hours, of all visitors; absent where less than half were activated.
    pub median_hours: Option<f64>,
    /// The mean time to activation in hours, where whoever was not activated counts with all of the followed time.
    pub restricted_mean_hours: f64,
    /// The restricted mean against the static sequence: -0.78 is 78 % less; absent where there was none.
    pub against_sequence: Option<f64>,
    /// The median against the static sequence's; absent where one of the two is.
    pub median_against_sequence: Option<f64>,
    /// Guides that were seen.
    pub shown: u64,
    /// Guides that were clicked.
    pub clicked: u64,
    /// Guides that were closed.
    pub dismissed: u64,
    /// What spoke against guides that were shown, by the simulator's own books; several things may speak against one.
    pub invalid: u64,
    /// Why the engine answered that nothing is to be shown, and how often; empty for what is no engine.
    pub withheld: BTreeMap<Reason, u64>,
    /// Calls of a model.
    pub model_calls: u64,
    /// Answers of a model that named no guide of the catalogue.
    pub invalid_answers: u64,
    /// What the calls cost at the price that is set, in dollars.
    pub cost_usd: f64,
    /// How long a decision waits for a model, by the time that is set, in milliseconds.
    pub waits_ms: u64,
    /// The share of the activated by time since signing up, at equal steps to the end of the followed time.
    pub curve: Vec<f64>,
}

/// What a baseline's model did.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Spent {
    pub(super) calls: u64,
    pub(super) invalid_answers: u64,
}

impl Compared {
    pub(super) fn of(world: &World, seed: u64, mut outcomes: Vec<Outcome>) -> Self {
        let sequence = outcomes.iter().find(|o| o.method == Method::Sequence);
        let sequence = sequence.map(|o| (o.restricted_mean_hours, o.median_hours));
        for outcome in &mut outcomes {
            let Some((mean, median)) = sequence else { break };
            outcome.against_sequence = relative(outcome.restricted_mean_hours, mean);
            let both = outcome.median_hours.zip(median);
            outcome.median_against_sequence =
                both.and_then(|(ours, theirs)| relative(ours, theirs));
        }
        let followed_days = FOLLOWED.get() / Millis::days(1).get();
        let World { name, about, visitors, .. } = *world;
        Self { world: name, about, seed, visitors, followed_days, outcomes }
    }
}

fn relative(ours: f64, theirs: f64) -> Option<f64> {
    (theirs > 0.0).then(|| ours / theirs - 1.0)
}

impl Outcome {
    pub(super) fn of<'a>(
        method: Method,
        fates: impl Iterator<Item = Fate<'a>>,
        spent: Spent,
    ) -> Self {
        let (mut tally, mut times) = (Tally::default(), Vec::new());
        for (_, one, activated) in fates {
            tally.guides.shown += one.guides.shown;
            tally.guides.clicked += one.guides.clicked;
            tally.guides.dismissed += one.guides.dismissed;
            one.withheld.iter().for_each(|(why, n)| *tally.withheld.entry(*why).or_default() += n);
            one.invalid
                .iter()
                .for_each(|(fault, n)| *tally.invalid.entry(*fault).or_default() += n);
            times.push(activated.filter(|time| *time <= FOLLOWED).map(Millis::get));
        }
        let visitors = times.len().max(1) as f64;
        let by = |ms: u64| times.iter().flatten().filter(|time| **time <= ms).count() as f64;
        let lived: u64 = times.iter().map(|time| time.unwrap_or(FOLLOWED.get())).sum();
        let curve = (1..=MOMENTS).map(|n| by(FOLLOWED.get() * n / MOMENTS) / visitors).collect();
        Self {
            method,
            activation_rate: by(FOLLOWED.get()) / visitors,
            median_hours: median(&times).map(hours),
            restricted_mean_hours: hours(lived) / visitors,
            against_sequence: None,
            median_against_sequence: None,
            shown: tally.guides.shown,
            clicked: tally.guides.clicked,
            dismissed: tally.guides.dismissed,
            invalid: tally.invalid.values().sum(),
            withheld: tally.withheld,
            model_calls: spent.calls,
            invalid_answers: spent.invalid_answers,
            cost_usd: (spent.calls * CALL_MICRO_USD) as f64 / 1e6,
            waits_ms: if spent.calls > 0 { CALL_MS } else { 0 },
            curve,
        }
    }
}

/// The middle one of all, with those who were not activated at the end.
fn median(times: &[Option<u64>]) -> Option<u64> {
    let mut sorted: Vec<u64> = times.iter().map(|time| time.unwrap_or(u64::MAX)).collect();
    sorted.sort_unstable();
    sorted.get(sorted.len().checked_sub(1)? / 2).copied().filter(|time| *time != u64::MAX)
}

fn hours(ms: u64) -> f64 {
    ms as f64 / Millis::hours(1).get() as f64
}

#[cfg(test)]
mod tests {
    use pilotage_domain::decide::Group;

    use super::*;

    #[test]
    fn whoever_is_not_activated_counts_with_all_of_the_time() {
        let tally = Tally::default();
        let fates = [Some(2), Some(4), None, Some(24 * 20)];
        let fates = fates.map(|h| (Group::Guided, &tally, h.map(Millis::hours)));
        let outcome = Outcome::of(Method::Learner, fates.into_iter(), Spent::default());
        assert_eq!(outcome.activation_rate, 0.5);
        assert_eq!(outcome.median_hours, Some(4.0));
        assert_eq!(outcome.restricted_mean_hours, (2.0 + 4.0 + 336.0 + 336.0) / 4.0);
        assert_eq!(outcome.curve.last(), Some(&0.5));
        let slower = Outcome::of(Method::Sequence, fates[2..].iter().copied(), Spent::default());
        assert_eq!(slower.median_hours, None);
        let world = super::super::worlds()[0];
        let compared = Compared::of(&world, 1, vec![slower, outcome]);
        let against = compared.outcomes[1].against_sequence.expect("there is a sequence");
        assert!((against - (169.5 / 336.0 - 1.0)).abs() < 1e-12);
        assert_eq!(compared.outcomes[1].median_against_sequence, None);
    }
}
