//! Small seeded worlds, lived day by day: what the learner comes to where something matters, where nothing does, and where
//! the default is hard to beat. Facts come when they happen, through tracks, as they would in the engine.

use std::collections::BTreeMap;

use super::features::Features;
use super::fixture::{Dice, START, WINDOWS, arm, frame, settings, situation};
use super::key::Arm;
use super::law::Standing;
use super::learner::Learner;
use super::lesson::Lesson;
use super::posterior::{Eligible, Posterior};
use super::settings::Settings;
use super::track::{Mark, Touch, Track};
use crate::id::DecisionId;
use crate::number::Propensity;
use crate::policy::{Choice, Distribution};
use crate::time::{Millis, Timestamp};

/// What a guide does in the two kinds of situation.
#[derive(Debug, Clone, Copy)]
struct Effect {
    click: [f64; 2],
    goal: [f64; 2],
}

const fn effect(click: f64, goal: f64) -> Effect {
    Effect { click: [click; 2], goal: [goal; 2] }
}

struct World {
    arms: Vec<Effect>,
    /// Activation without a click.
    base: f64,
    /// Users a day.
    users: usize,
    days: u64,
}

/// What a life in a world came to.
#[derive(Debug)]
struct Life {
    /// The mean share of each arm, and of silence last, over the last ten days; by situation.
    shares: [Vec<f64>; 2],
    /// Expected activations, over all days: as it chose, and as the first arm would have had it.
    won: f64,
    first: f64,
    /// The learner in the end.
    learner: Learner,
}

impl World {
    /// The chance of activation after that choice.
    fn value(&self, choice: usize, kind: usize) -> f64 {
        self.arms.get(choice).map_or(self.base, |effect| {
            let click = effect.click[kind];
            click * effect.goal[kind] + (1.0 - click) * self.base
        })
    }

    fn best(&self, kind: usize) -> f64 {
        (0..=self.arms.len()).map(|choice| self.value(choice, kind)).fold(0.0, f64::max)
    }
}

/// Something that will happen.
enum Fact {
    Mark(u64, Mark),
    Activate(u64),
}

struct Living<'a> {
    world: &'a World,
    set: &'a Settings,
    dice: Dice,
    arms: Vec<Arm>,
    learner: Learner,
    tracks: BTreeMap<u64, (Track, Vec<Lesson>)>,
    to_come: BTreeMap<(Timestamp, u64, u8), Fact>,
}

/// Lives through the world.
fn live(world: &World, set: &Settings, seed: u64) -> Life {
    let mut living = Living {
        world,
        set,
        dice: Dice::new(seed),
        arms: (0..world.arms.len()).map(arm).collect(),
        learner: Learner::new(frame()),
        tracks: BTreeMap::new(),
        to_come: BTreeMap::new(),
    };
    let choices = world.arms.len() + 1;
    let (mut shares, mut won, mut first) = ([vec![0.0; choices], vec![0.0; choices]], 0.0, 0.0);
    for day in 0..world.days {
        let now = START + Millis::days(day);
        living.learner.advance(now);
        let posterior = Posterior::new(&living.learner, living.set, now);
        let laws = [0, 1].map(|kind| living.law(&posterior, kind));
        for kind in [0, 1] {
            for (choice, share) in living.chances(&laws[kind]).into_iter().enumerate() {
                won += share * world.value(choice, kind);
                if day + 10 >= world.days {
                    shares[kind][choice] += share / 10.0;
                }
            }
            first += world.value(0, kind);
        }
        (0..world.users).for_each(|n| living.visit(day * 100_000 + n as u64, now, &laws));
        living.come_to_pass(now + Millis::days(1));
    }
    let users = world.users as f64 / 2.0;
    Life { shares, won: won * users, first: first * users, learner: living.learner }
}

impl Living<'_> {
    fn law(&self, posterior: &Posterior, kind: u16) -> Distribution {
        let none = Features::default();
        let eligible: Vec<Eligible<'_>> = self
            .arms
            .iter()
            .map(|arm| Eligible { arm: arm.view(), milestone: None, features: &none })
            .collect();
        posterior.law(&context(kind), &eligible).distribution
    }

    fn chances(&self, law: &Distribution) -> Vec<f64> {
        let choices = (0..self.arms.len()).map(Choice::Arm).chain([Choice::NoGuide]);
        choices.map(|choice| law.propensity(choice).map_or(0.0, Propensity::get)).collect()
    }

    /// One user comes, is drawn for, and does something of it in the days to come.
    fn visit(&mut self, user: u64, day: Timestamp, laws: &[Distribution; 2]) {
        let kind = self.dice.below(2);
        let at = day + Millis::minutes(self.dice.below(1_440) as u64);
        let choice = laws[kind].draw((self.dice.throw() * 4_294_967_296.0) as u32);
        let place = if let Choice::Arm(place) = choice { place } else { self.arms.len() };
        let touch = Touch {
            arm: self.arms.get(place).cloned(),
            milestone: None,
            features: context(kind as u16),
            propensity: laws[kind].propensity(choice).expect("what was drawn could be"),
            number: user as u32,
            at,
            shown: None,
            clicked: None,
            dismissed: None,
        };
        let (clicks, goals) = self
            .world
            .arms
            .get(place)
            .map_or((0.0, 0.0), |effect| (effect.click[kind], effect.goal[kind]));
        let clicked = self.dice.hits(clicks);
        self.to_come.insert((at, user, 0), Fact::Mark(user, Mark::Shown));
        if clicked {
            let seen = at + Millis::minutes(2);
            self.to_come.insert((seen, user, 1), Fact::Mark(user, Mark::Clicked));
        }
        if self.dice.hits(if clicked { goals } else { self.world.base }) {
            // Most within two days, some at the window's end.
            let share = self.dice.throw();
            let delay = Millis::minutes(3 + (10_000.0 * share * share) as u64);
            self.to_come.insert((at + delay, user, 2), Fact::Activate(user));
        }
        let mut track = Track::default();
        track.drawn(DecisionId::from_bits(u128::from(user)), touch);
        let lessons = track.lessons(&WINDOWS, self.set.credit);
        self.learner.revise(&[], &lessons);
        self.tracks.insert(user, (track, lessons));
    }

    fn come_to_pass(&mut self, until: Timestamp) {
        let later = self.to_come.split_off(&(until, 0, 0));
        for ((at, ..), fact) in std::mem::replace(&mut self.to_come, later) {
            let user = match fact {
                Fact::Mark(user, _) | Fact::Activate(user) => user,
            };
            let Some((track, lessons)) = self.tracks.get_mut(&user) else { continue };
            match fact {
                Fact::Mark(user, mark) => {
                    track.mark(DecisionId::from_bits(u128::from(user)), mark, at);
                }
                Fact::Activate(_) => track.activate(at),
            }
            let now = track.lessons(&WINDOWS, self.set.credit);
            self.learner.revise(lessons, &now);
            *lessons = now;
        }
    }
}

fn weighed(posterior: &Posterior, arms: usize) -> (Vec<Standing>, Standing) {
    let (none, arms): (Features, Vec<Arm>) = (Features::default(), (0..arms).map(arm).collect());
    let eligible: Vec<Eligible<'_>> = arms
        .iter()
        .map(|arm| Eligible { arm: arm.view(), milestone: None, features: &none })
        .collect();
    posterior.weigh(&context(0), &eligible)
}

fn context(kind: u16) -> Features {
    situation(if kind == 0 { &[] } else { &[1] })
}

fn mean(lives: &[Life], of: impl Fn(&Life) -> f64) -> f64 {
    lives.iter().map(of).sum::<f64>() / lives.len() as f64
}

#[test]
fn the_right_arm_wins_and_clickbait_does_not() {
    // The last arm wins the most clicks and the fewest activations; which one is right depends on the situation.
    let one = Effect { click: [0.25, 0.25], goal: [0.45, 0.15] };
    let two = Effect { click: [0.25, 0.25], goal: [0.15, 0.45] };
    let world = World {
        arms: vec![effect(0.2, 0.2), one, two, effect(0.5, 0.06)],
        base: 0.04,
        users: 120,
        days: 50,
    };
    let lives: Vec<Life> = (0..4).map(|seed| live(&world, &settings(), seed)).collect();
    let share = |kind: usize, choice: usize| mean(&lives, |life| life.shares[kind][choice]);
    assert!(share(0, 1) > 0.7 && share(1, 2) > 0.7, "{} {}", share(0, 1), share(1, 2));
    assert!(share(0, 3) < 0.05 && share(1, 3) < 0.05, "{} {}", share(0, 3), share(1, 3));
    let random = |kind| (0..5).map(|choice| world.value(choice, kind)).sum::<f64>() / 5.0;
    let at_random = (random(0) + random(1)) * 60.0 * 50.0;
    let at_best = (world.best(0) + world.best(1)) * 60.0 * 50.0;
    let closed = (mean(&lives, |life| life.won) - at_random) / (at_best - at_random);
    assert!(
        closed > 0.6,
        "{closed} of the way from random to the best, the time of learning included"
    );
}

#[test]
fn where_nothing_matters_nobody_runs_away() {
    // One life drifts to some arm or other, which costs nothing. But no arm is led to in general, each stays in the game,
    // and none is believed to be better.
    let world = World { arms: vec![effect(0.2, 0.05); 4], base: 0.05, users: 80, days: 40 };
    let lives: Vec<Life> = (10..20).map(|seed| live(&world, &settings(), seed)).collect();
    for choice in 0..5 {
        let share =
            mean(&lives, |life| life.shares[0][choice] / 2.0 + life.shares[1][choice] / 2.0);
        assert!((0.02..0.55).contains(&share), "{choice}: {share}");
    }
    let at = START + Millis::days(world.days);
    for life in &lives {
        assert!(life.shares.iter().flatten().all(|share| *share > 0.0059), "{:?}", life.shares);
        let posterior = Posterior::new(&life.learner, &settings(), at);
        let (standings, silence) = weighed(&posterior, world.arms.len());
        for standing in standings {
            let apart = (standing.sd * standing.sd + silence.sd * silence.sd).sqrt();
            let belief = (standing.mean - silence.mean) / apart;
            assert!(belief.abs() < 3.5, "{belief}: {standing:?} {silence:?}");
        }
    }
}

#[test]
fn the_default_is_not_risked() {
    // The first arm of the file is good; the others win more clicks and nothing else.
    let bad = effect(0.4, 0.0);
    let world =
        World { arms: vec![effect(0.3, 0.4), bad, bad, bad], base: 0.0, users: 60, days: 30 };
    for seed in 20..26 {
        let life = live(&world, &Settings::new(WINDOWS, None), seed);
        // The floor's three hundredths come on top.
        assert!(life.won > 0.92 * life.first, "{} of {}", life.won, life.first);
        let free = live(&world, &settings(), seed);
        assert!(free.won < life.won, "{} of {}", free.won, life.first);
    }
}

#[test]
fn a_life_is_the_same_twice() {
    let world = World { arms: vec![effect(0.3, 0.3); 2], base: 0.05, users: 20, days: 15 };
    let (one, two) = (live(&world, &settings(), 7), live(&world, &settings(), 7));
    assert_eq!(one.learner, two.learner);
    assert_eq!(one.shares, two.shares);
    assert_ne!(one.learner, live(&world, &settings(), 8).learner);
}
