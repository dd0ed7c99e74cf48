//! Whose merit an activation is, in tables; and that facts may come late, doubled and in any order.

use super::*;
use crate::learn::fixture::{START, WINDOWS, arm, frame, hours, milestone, situation};
use crate::learn::learner::Learner;
use proptest::prelude::*;

fn id(n: u64) -> DecisionId {
    DecisionId::from_bits(u128::from(n))
}

fn touch(of: Option<usize>, at: Timestamp) -> Touch {
    Touch {
        arm: of.map(arm),
        milestone: of.map(|_| milestone("project")),
        features: situation(&[1]),
        propensity: Propensity::ONE,
        number: at.as_millis() as u32,
        at,
        shown: None,
        clicked: None,
        dismissed: None,
    }
}

/// A user who saw these arms (or silence) after so many hours each, and was activated then.
fn way(seen: &[(Option<usize>, u64)], activated: Option<u64>) -> Track {
    let mut track = Track::default();
    for (n, (of, hour)) in (0u64..).zip(seen) {
        track.drawn(id(n), touch(*of, hours(*hour)));
        track.mark(id(n), Mark::Shown, hours(*hour));
    }
    activated.into_iter().for_each(|hour| track.activate(hours(hour)));
    track
}

fn goals(track: &Track, credit: Credit) -> Vec<Goal> {
    track.lessons(&WINDOWS, credit).into_iter().map(|lesson| lesson.goal).collect()
}

const fn after(hours: u64) -> Goal {
    Goal::Reached(Millis::hours(hours))
}

#[test]
fn two_guides_before_one_activation() {
    let track = way(&[(Some(0), 0), (Some(1), 24)], Some(30));
    assert_eq!(goals(&track, Credit::Last), [Goal::Open, after(6)]);
    assert_eq!(goals(&track, Credit::First), [after(30), Goal::Open]);
    assert_eq!(goals(&track, Credit::All), [after(30), after(6)]);
}

#[test]
fn steps_of_one_way_take_no_merit_from_each_other() {
    let mut track = way(&[(Some(0), 0), (Some(0), 2), (Some(1), 24), (Some(2), 26)], Some(30));
    let mut serves = |n, of: Option<&str>| {
        track.touches.get_mut(&id(n)).expect("drawn").milestone = of.map(milestone);
    };
    serves(2, Some("import"));
    serves(3, None);
    assert_eq!(goals(&track, Credit::Last), [Goal::Open, after(28), after(6), after(4)]);
    assert_eq!(goals(&track, Credit::First), [after(30), Goal::Open, after(6), after(4)]);
    let lessons = track.lessons(&WINDOWS, Credit::Last);
    let came: Vec<Goal> = lessons.iter().map(|lesson| lesson.activation).collect();
    assert_eq!(came, [after(30), after(28), after(6), after(4)], "whoever's merit it is");
    let silent = way(&[(None, 0), (Some(1), 24)], Some(30));
    assert_eq!(goals(&silent, Credit::Last), [Goal::Open, after(6)]);
}

#[test]
fn only_the_window_counts() {
    let track = way(&[(Some(0), 0), (Some(1), 24)], Some(24 * 8 + 1));
    assert_eq!(goals(&track, Credit::Last), [Goal::Open, Goal::Open]);
    let track = way(&[(Some(0), 0), (Some(1), 24)], Some(24 * 8));
    assert_eq!(goals(&track, Credit::First), [Goal::Open, after(24 * 7)], "the first is too old");
}

#[test]
fn what_begins_after_activation_had_nothing_to_win() {
    let track = way(&[(Some(0), 0), (Some(1), 5), (None, 9)], Some(5));
    assert_eq!(goals(&track, Credit::Last), [after(5), Goal::Over, Goal::Over]);
}

#[test]
fn silence_takes_no_credit_from_a_guide() {
    let track = way(&[(None, 0), (Some(0), 10), (None, 20)], Some(30));
    for credit in [Credit::Last, Credit::First] {
        assert_eq!(goals(&track, credit), [Goal::Open, after(20), after(10)]);
    }
}

#[test]
fn without_any_guide_silence_has_it() {
    assert_eq!(goals(&way(&[(None, 0), (None, 5)], Some(6)), Credit::Last), [after(6), after(1)]);
    assert_eq!(goals(&way(&[], Some(6)), Credit::Last), []);
}

#[test]
fn an_offer_that_nobody_saw_teaches_nothing() {
    let mut track = Track::default();
    track.drawn(id(1), touch(Some(0), START));
    track.mark(id(1), Mark::Clicked, hours(1));
    track.mark(id(2), Mark::Shown, hours(1));
    assert_eq!(track.lessons(&WINDOWS, Credit::Last), []);
    track.mark(id(1), Mark::Shown, START - Millis::hours(9));
    let lessons = track.lessons(&WINDOWS, Credit::Last);
    assert_eq!((lessons.len(), lessons[0].at), (1, START), "not before the offer");
}

#[test]
fn clicks_and_milestones_count_in_their_windows() {
    let mut track = way(&[(Some(0), 0), (Some(1), 100)], None);
    track.mark(id(0), Mark::Clicked, START + Millis::minutes(30));
    track.mark(id(1), Mark::Clicked, hours(101));
    track.mark(id(1), Mark::Dismissed, hours(101));
    track.reach(milestone("project"), hours(90));
    let lessons = track.lessons(&WINDOWS, Credit::Last);
    assert_eq!(lessons[0].click, Some(Millis::minutes(30)));
    assert_eq!(lessons[0].step, Some(Millis::hours(90)));
    assert_eq!((lessons[1].click, lessons[1].step), (None, None), "too late; too early");
    assert_eq!((lessons[0].dismissed, lessons[1].dismissed), (false, true));
}

/// Something that is told of a user.
#[derive(Debug, Clone)]
enum Fact {
    Mark(u64, Mark, u64),
    Reach(u64),
    Activate(u64),
}

fn tell(track: &mut Track, fact: &Fact) {
    match fact {
        Fact::Mark(n, mark, hour) => track.mark(id(*n), *mark, hours(*hour)),
        Fact::Reach(hour) => track.reach(milestone("project"), hours(*hour)),
        Fact::Activate(hour) => track.activate(hours(*hour)),
    }
}

fn fact() -> impl Strategy<Value = Fact> {
    let mark = prop_oneof![Just(Mark::Shown), Just(Mark::Clicked), Just(Mark::Dismissed)];
    prop_oneof![
        6 => (0u64..6, mark, 0u64..400).prop_map(|(n, mark, hour)| Fact::Mark(n, mark, hour)),
        1 => (0u64..400).prop_map(Fact::Reach),
        1 => (0u64..400).prop_map(Fact::Activate),
    ]
}

/// Six draws, every third of them silence.
fn draws() -> Track {
    let mut track = Track::default();
    for n in 0..6 {
        track.drawn(id(n), touch((n % 3 != 0).then_some(n as usize), hours(40 * n)));
    }
    track
}

fn credit() -> impl Strategy<Value = Credit> {
    prop_oneof![Just(Credit::Last), Just(Credit::First), Just(Credit::All)]
}

/// A learner that is told of each fact as it comes.
fn taught(facts: &[Fact], credit: Credit) -> Learner {
    let (mut learner, mut track) = (Learner::new(frame()), draws());
    learner.advance(hours(100));
    let mut before = track.lessons(&WINDOWS, credit);
    learner.revise(&[], &before);
    for (n, fact) in (0u64..).zip(facts) {
        tell(&mut track, fact);
        let now = track.lessons(&WINDOWS, credit);
        learner.revise(&before, &now);
        learner.advance(hours(100 + n));
        before = now;
    }
    learner.advance(hours(600));
    learner
}

proptest! {
    #[test]
    fn late_doubled_and_reordered_facts_teach_the_same(
        facts in prop::collection::vec(fact(), 0..25), credit in credit(), seed: u64,
    ) {
        let plain = taught(&facts, credit);
        let mut mixed: Vec<Fact> = facts.iter().chain(&facts).cloned().collect();
        mixed.sort_by_cached_key(|fact| {
            crate::hash::uniform(&format!("{fact:?}"), &[&seed.to_be_bytes()])
        });
        prop_assert_eq!(&plain, &taught(&mixed, credit));
    }

    #[test]
    fn two_users_that_are_one_teach_what_one_would(
        facts in prop::collection::vec((any::<bool>(), fact()), 0..25), credit in credit(),
    ) {
        let (mut one, mut left, mut right) = (draws(), draws(), draws());
        for (is_left, fact) in &facts {
            tell(&mut one, fact);
            tell(if *is_left { &mut left } else { &mut right }, fact);
        }
        left.merge(right);
        prop_assert_eq!(left.lessons(&WINDOWS, credit), one.lessons(&WINDOWS, credit));
    }

    #[test]
    fn an_activation_has_one_guide_to_thank(facts in prop::collection::vec(fact(), 0..25)) {
        let mut track = draws();
        facts.iter().for_each(|fact| tell(&mut track, fact));
        let thanked = |credit| {
            let lessons = track.lessons(&WINDOWS, credit);
            let goal = |lesson: &&Lesson| {
                lesson.arm.is_some() && matches!(lesson.goal, Goal::Reached(_))
            };
            lessons.iter().filter(goal).count()
        };
        let all = thanked(Credit::All);
        prop_assert_eq!(thanked(Credit::Last), all.min(1));
        prop_assert_eq!(thanked(Credit::First), all.min(1));
    }
}

#[test]
fn a_page_that_asks_again_is_silent_once() {
    let asked = |order: [u64; 3]| {
        let mut track = Track::default();
        for n in order {
            track.drawn(id(n), Touch { number: 5, ..touch(None, hours(n)) });
        }
        track.drawn(id(9), Touch { number: 6, ..touch(None, hours(2)) });
        track
    };
    let track = asked([0, 1, 2]);
    assert_eq!(track.touches.keys().copied().collect::<Vec<_>>(), [id(0), id(9)]);
    assert_eq!(track, asked([2, 1, 0]), "whatever comes first");
}

proptest! {
    #[test]
    fn what_is_let_go_changes_nothing_that_is_left(
        seen in prop::collection::vec((prop::option::of(0usize..3), 0u64..900), 0..12),
        activated in prop::option::of(0u64..900), before in 0u64..1_200, first: bool,
    ) {
        let credit = if first { Credit::First } else { Credit::Last };
        let track = way(&seen, activated);
        let mut kept = track.clone();
        kept.let_go(hours(before), WINDOWS.goal);
        let all = track.lessons(&WINDOWS, credit);
        let left = kept.lessons(&WINDOWS, credit);
        prop_assert!(left.iter().all(|lesson| all.contains(lesson)), "{left:?} of {all:?}");
        let gone = all.iter().filter(|lesson| !left.contains(lesson));
        let bound = hours(before);
        prop_assert!(gone.into_iter().all(|lesson| lesson.at < bound));
    }
}
