//! Decisions and updates a second on one core. Must time the law with its exact probabilities and the draw, not a part of
//! it, and say what a solution costs beside the updates.

use std::hint::black_box;

use pilotage_domain::learn::{
    Arm, Crossing, Eligible, Features, Frame, Learner, Lesson, Posterior, Settings, Space, Span,
};
use pilotage_domain::number::Propensity;
use pilotage_domain::time::Millis;

use crate::common::{AT_ONCE, Dice, START, arm, on_core, situation};
use crate::player::lesson;

/// Values of a situation, all of them different from 0.
const WIDTH: u16 = 50;
/// The intents and components that an arm may have; each of them has one of each.
const INTENTS: u16 = 3;
const COMPONENTS: u16 = 6;
const ROWS: usize = 1_000;
const ROUNDS: usize = 5;
/// How often a round goes through the rows, or solves: the kernel's clock of a thread moves in steps of a few milliseconds.
const PASSES: usize = 10;

pub(crate) fn run() {
    println!(
        "on one core, by its own time; {WIDTH} values that are not 0; median of {ROUNDS} rounds"
    );
    println!("arms  own effects in  decisions/s  updates/s  ms a solution");
    for arms in [5, 20] {
        // What a definition's arms have at most, and all there is: the former with pairs, as a definition's.
        for own in [7, WIDTH + 1] {
            let task = Task::new(arms, own);
            let (decisions, updates) = (median(|| task.decisions()), median(|| task.updates()));
            let solution = median(|| task.solution()) * 1e3;
            println!("{arms:>4}  {own:>14}  {decisions:>11.0}  {updates:>9.0}  {solution:>13.2}");
        }
    }
}

fn median(measure: impl Fn() -> f64) -> f64 {
    let mut all: Vec<f64> = (0..ROUNDS).map(|_| measure()).collect();
    all.sort_by(f64::total_cmp);
    all[ROUNDS / 2]
}

/// Situations and own effects alone.
fn plain(own: u16) -> Space {
    Space::plain(WIDTH + 1, 0, (0..own).collect())
}

/// As a definition has it: arms have an intent and a component, and four values are crossed with both.
fn crossed(own: u16) -> Space {
    let from = WIDTH + 2;
    let context = Span { from: 1, to: 5 };
    let intents = Span { from, to: from + INTENTS };
    let components = Span { from: intents.to, to: intents.to + COMPONENTS };
    let blocks = [intents, components].map(|arms| Crossing { context, arms });
    Space::plain(WIDTH + 1, INTENTS + COMPONENTS, (0..own).collect())
        .with_crossings(blocks.to_vec())
}

/// What the arm of that number looks like.
fn looks(space: &Space, n: u16) -> Features {
    let from = space.advice() + 1;
    let places = [from + n % INTENTS, from + INTENTS + n % COMPONENTS];
    Features::indicators(places.into_iter().filter(|place| usize::from(*place) < space.size()))
}

struct Task {
    arms: Vec<Arm>,
    /// What they look like.
    looks: Vec<Features>,
    contexts: Vec<Features>,
    lessons: Vec<Lesson>,
    numbers: Vec<u32>,
    learner: Learner,
    settings: Settings,
    posterior: Posterior,
}

impl Task {
    fn new(arms: usize, own: u16) -> Self {
        let mut dice = Dice::new(7);
        let space = if own <= WIDTH { crossed(own) } else { plain(own) };
        let arms: Vec<Arm> = (0..arms).map(arm).collect();
        let looks: Vec<Features> = (0u16..).zip(&arms).map(|(n, _)| looks(&space, n)).collect();
        let values = |dice: &mut Dice| (0..WIDTH).map(|_| 0.001 + dice.unit()).collect::<Vec<_>>();
        let contexts: Vec<Features> = (0..ROWS).map(|_| situation(&values(&mut dice))).collect();
        let even = Propensity::from_parts(Propensity::SCALE / arms.len() as u64).expect("a share");
        let lessons: Vec<Lesson> = (0u64..)
            .zip(&contexts)
            .map(|(n, context)| {
                let of = dice.below(arms.len());
                let at = START + Millis::minutes(n);
                lesson(&arms[of], context.join(&looks[of]), even, (at, dice.hits(0.1)))
            })
            .collect();
        let mut learner = Learner::new(Frame::new(space, AT_ONCE));
        for lesson in &lessons {
            learner.advance(lesson.at);
            learner.learn(lesson);
        }
        // No arm is new, so that every one of them is weighed.
        let mut settings = Settings::new(AT_ONCE, None);
        settings.nursery.exposures = 0;
        let posterior = Posterior::new(&learner, &settings, learner.newest);
        let numbers = (0..ROWS).map(|_| dice.number()).collect();
        Self { arms, looks, contexts, lessons, numbers, learner, settings, posterior }
    }

    /// Laws and draws a second.
    fn decisions(&self) -> f64 {
        let arms = self.arms.iter().zip(&self.looks);
        let eligible: Vec<Eligible<'_>> = arms
            .map(|(arm, features)| Eligible { arm: arm.view(), milestone: None, features })
            .collect();
        let start = on_core();
        let rows = || self.contexts.iter().zip(&self.numbers);
        for (context, number) in (0..PASSES).flat_map(|_| rows()) {
            let law = self.posterior.law(black_box(context), &eligible).distribution;
            let choice = law.draw(*number);
            black_box(law.propensity(choice));
        }
        (PASSES * ROWS) as f64 / (on_core() - start)
    }

    /// Lessons a second, each learnt into the sums and taken into account exactly.
    fn updates(&self) -> f64 {
        let mut learner = Learner::new(self.learner.frame.clone());
        let start = on_core();
        for lesson in (0..PASSES).flat_map(|_| &self.lessons) {
            learner.advance(lesson.at);
            learner.learn(black_box(lesson));
        }
        let taken = on_core() - start;
        black_box(learner);
        (PASSES * ROWS) as f64 / taken
    }

    /// Seconds that all regressions take to be solved.
    fn solution(&self) -> f64 {
        let start = on_core();
        for _ in 0..PASSES {
            black_box(Posterior::new(&self.learner, &self.settings, self.learner.newest));
        }
        (on_core() - start) / PASSES as f64
    }
}
