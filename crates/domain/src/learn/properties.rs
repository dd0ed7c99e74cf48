//! What holds of every state: lessons commute, can be taken back and add up from several nodes; and of every law.

use proptest::prelude::*;

use super::cross::{Crossing, Span};
use super::fixture::{WINDOWS, arm, chances, frame, hours, milestone, settings, situation};
use super::key::Arm;
use super::learner::{Frame, FrameMismatch, Learner};
use super::lesson::{Goal, Lesson};
use super::posterior::Posterior;
use super::settings::Settings;
use super::space::Space;
use crate::number::Propensity;
use crate::time::Millis;

fn lesson() -> impl Strategy<Value = Lesson> {
    let facts = (0usize..5, 0u64..3_000, prop::collection::vec(1u16..7, 0..4), 1u64..=1 << 32);
    let outcomes = (
        prop::option::of(0u64..30),
        any::<bool>(),
        prop::option::of(0u64..168),
        prop::option::of(prop::option::of(0u64..168)),
        any::<bool>(),
    );
    (facts, outcomes).prop_map(
        |((of, hour, places, parts), (click, dismissed, step, goal, served))| {
            let goal = match goal {
                None => Goal::Over,
                Some(None) => Goal::Open,
                Some(Some(after)) => Goal::Reached(Millis::hours(after)),
            };
            Lesson {
                arm: (of > 0).then(|| arm(of)),
                milestone: (of > 0 && served).then(|| milestone("project")),
                features: situation(&places),
                at: hours(hour),
                propensity: Propensity::from_parts(parts).expect("a propensity"),
                click: click.filter(|_| of > 0).map(Millis::minutes),
                dismissed,
                step: step.filter(|_| served).map(Millis::hours),
                goal,
                activation: goal,
            }
        },
    )
}

fn lessons() -> impl Strategy<Value = Vec<Lesson>> {
    prop::collection::vec(lesson(), 0..30)
}

/// Situations' coordinates 1 to 3 with those of arms.
fn crossed(space: Space, arms: Span) -> Space {
    space.with_crossings(vec![Crossing { context: Span { from: 1, to: 4 }, arms }])
}

/// Learns all of it, told of the time now and then.
fn taught(lessons: &[Lesson], told: u64) -> Learner {
    let space = crossed(frame().space, Span { from: 5, to: 7 });
    let mut learner = Learner::new(Frame::new(space, WINDOWS));
    for (n, lesson) in (0u64..).zip(lessons) {
        learner.learn(lesson);
        if n % 3 == 0 {
            learner.advance(hours((told * (n + 1)) % 3_000));
        }
    }
    learner.advance(hours(3_000));
    learner
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn lessons_come_in_any_order(
        (plain, mixed) in lessons().prop_flat_map(|l| (Just(l.clone()), Just(l).prop_shuffle())),
        told in 1u64..900,
    ) {
        prop_assert_eq!(taught(&plain, told), taught(&mixed, 1));
    }

    /// What users teach more than they did is a state of its own, which may hold less than nothing, and adds up.
    #[test]
    fn changes_add_up_wherever_they_were_made(
        users in prop::collection::vec((lessons(), lessons(), lessons()), 0..4),
        early in 0u64..3_000,
    ) {
        let (mut whole, mut base) = (Learner::new(frame()), Learner::new(frame()));
        let mut changes = [Learner::new(frame()), Learner::new(frame())];
        changes[0].advance(hours(early));
        for (first, second, third) in &users {
            whole.revise(&[], third);
            base.revise(&[], first);
            changes[0].revise(first, second);
            changes[1].revise(second, third);
        }
        let [mut earlier, later] = changes;
        earlier.merge(&later).expect("one frame");
        base.merge(&earlier).expect("one frame");
        base.advance(hours(3_000));
        whole.advance(hours(3_000));
        prop_assert_eq!(base, whole);
    }

    #[test]
    fn what_is_taken_back_was_never_learnt(kept in lessons(), gone in lessons(), late in 0u64..3_000) {
        let mut learner = taught(&kept, 7);
        gone.iter().for_each(|lesson| learner.learn(lesson));
        learner.advance(hours(3_000 + late));
        gone.iter().for_each(|lesson| learner.unlearn(lesson));
        let mut plain = taught(&kept, 7);
        plain.advance(hours(3_000 + late));
        prop_assert_eq!(learner, plain);
    }

    #[test]
    fn states_add_up_however_they_are_grouped(a in lessons(), b in lessons(), c in lessons(), late in 0u64..900) {
        let (x, y, mut z) = (taught(&a, 5), taught(&b, 11), taught(&c, 3));
        z.advance(hours(3_000 + late));
        let merged = |one: &Learner, other: &Learner| {
            let mut both = one.clone();
            both.merge(other).expect("one frame");
            both
        };
        let left = merged(&merged(&x, &y), &z);
        prop_assert_eq!(&left, &merged(&x, &merged(&y, &z)));
        prop_assert_eq!(&left, &merged(&z, &merged(&y, &x)));
        let all: Vec<Lesson> = a.into_iter().chain(b).chain(c).collect();
        let mut at_once = taught(&all, 1);
        at_once.advance(hours(3_000 + late));
        prop_assert_eq!(&left, &at_once);
    }

    #[test]
    fn a_state_survives_being_stored(lessons in lessons()) {
        let learner = taught(&lessons, 7);
        let bytes = postcard::to_allocvec(&learner).expect("plain data");
        let read: Learner = postcard::from_bytes(&bytes).expect("what was written");
        prop_assert_eq!(&read, &learner);
        let same = postcard::to_allocvec(&taught(&lessons, 1)).expect("plain data");
        prop_assert_eq!(bytes, same, "one state, one form");
    }

    #[test]
    fn renumbering_there_and_back_changes_nothing(lessons in lessons()) {
        let learner = taught(&lessons, 7);
        let mut other = learner.frame.space.clone();
        // The last coordinates of situations and arms change places, and a new one comes in between.
        let moves = [("x2", 3), ("x3", 2), ("a0", 7), ("new", 5)];
        other.places.extend(moves.map(|(name, to)| (name.into(), to)));
        let other = crossed(other, Span { from: 6, to: 8 });
        let there = learner.renumbered(&other);
        prop_assert_eq!(there.stages[0].rows(), learner.stages[0].rows());
        prop_assert_eq!(there.renumbered(&learner.frame.space), learner);
    }

    #[test]
    fn the_law_is_exact_and_closed_to_sleepers(lessons in lessons(), places in prop::collection::vec(1u16..4, 0..3), budget: bool) {
        let learner = taught(&lessons, 7);
        let set = Settings { budget: Settings::new(learner.frame.windows, None).budget.filter(|_| budget), ..settings() };
        let posterior = Posterior::new(&learner, &set, hours(3_001));
        prop_assert_eq!(&posterior, &Posterior::new(&learner.clone(), &set, hours(3_001)));
        let arms: Vec<Arm> = (1..5).map(arm).collect();
        let all = chances(&posterior, &situation(&places), &arms);
        prop_assert_eq!(all.iter().sum::<f64>(), 1.0, "exact: parts of two to the power of 32");
        let floor = 0.03 / 5.0 - 1e-9;
        prop_assert!(all.iter().all(|share| *share >= floor || *share == 0.0));
        let awake = chances(&posterior, &situation(&places), &arms[..2]);
        prop_assert_eq!(awake.len(), 3);
        prop_assert_eq!(awake.iter().sum::<f64>(), 1.0);
    }
}

#[test]
fn states_that_mean_something_else_are_not_added() {
    let other = Frame { space: Space::plain(3, 3, vec![0]), ..frame() };
    let mut learner = Learner::new(frame());
    assert_eq!(learner.merge(&Learner::new(other)), Err(FrameMismatch));
    assert_eq!(learner, Learner::new(frame()));
}
