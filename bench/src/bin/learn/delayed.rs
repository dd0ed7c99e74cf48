//! Rare and late activations, guides that come and go, users that change: which share of the way from a random choice to the
//! best one is won. Must count what choices are worth in truth, not what they happened to bring.

use std::collections::BTreeMap;
use std::rc::Rc;

use pilotage_domain::id::DecisionId;
use pilotage_domain::learn::{
    Arm, Eligible, Frame, Learner, Lesson, Mark, Posterior, Settings, Touch, Track, Windows,
};
use pilotage_domain::policy::Choice;
use pilotage_domain::time::{Millis, Timestamp};

use crate::common::{Dice, START, spread};
use crate::nature::{DAYS, Guide, Nature, VISITS, Visitor, delay, space};
use crate::peer::Peer;

const WINDOWS: Windows = Windows { goal: Millis::days(7), click: Millis::minutes(30) };
/// How long a click takes.
const CLICK: Millis = Millis::minutes(2);
/// As many records of the log lie between two states of belief, as in the engine at first.
const RECORDS: u64 = 64;
const LAST_DAYS: u64 = 10;

/// Who chooses.
enum Policy {
    /// The product's learner with these settings.
    Learner(Box<Settings>),
    /// Beta(1, 1)-Thompson sampling on activation, which learns of a draw once its week is over.
    Waiting,
    /// The program that this command starts, anew in each world.
    Peer(String),
}

/// In so many worlds, from the world of the first number on: the commands of peers, or where there is none, the learner and
/// Beta-Thompson.
pub(crate) fn run(seeds: u64, first: u64, commands: Vec<String>) {
    println!(
        "{DAYS} days of {VISITS} visits, {seeds} worlds from number {first} on; share of the way from random to the best choice"
    );
    println!(
        "   all days          last {LAST_DAYS} days     random  best   (chance of activation)"
    );
    let peers = commands.into_iter().map(|command| (command.clone(), Policy::Peer(command)));
    let policies = if peers.len() == 0 { ours() } else { peers.collect() };
    for (name, policy) in policies {
        let worlds = first..first + seeds;
        let worths: Vec<Worth> = worlds.map(|seed| Life::new(seed, &policy).lived()).collect();
        let column = |of: fn(&Worth) -> f64| spread(&worths.iter().map(of).collect::<Vec<_>>());
        let (all, last) = (column(|w| w.all.closed()), column(|w| w.last.closed()));
        let (random, best) =
            (column(|w| w.all.mean(w.all.random)), column(|w| w.all.mean(w.all.best)));
        println!(
            "{:>6.3} ± {:.3}     {:>6.3} ± {:.3}      {:.3}   {:.3}  {name}",
            all.0, all.1, last.0, last.1, random.0, best.0
        );
    }
}

/// The learner as it is shipped and with parts taken away, and the peer that needs no program.
fn ours() -> Vec<(String, Policy)> {
    let settings = Settings::new(WINDOWS, None);
    let free = Settings { budget: None, ..settings.clone() };
    let mut open = free.clone();
    open.nursery.exposures = 0;
    let policies = [
        (
            "learner as shipped: budget of 5 % against the oldest guide",
            Policy::Learner(settings.into()),
        ),
        ("learner without the budget", Policy::Learner(free.into())),
        ("learner without budget and nursery", Policy::Learner(open.into())),
        ("Beta-Thompson that waits 7 days", Policy::Waiting),
    ];
    policies.map(|(name, policy)| (name.to_owned(), policy)).into()
}

/// What choices were worth in truth: sums over visits.
#[derive(Default)]
struct Sum {
    visits: f64,
    chosen: f64,
    random: f64,
    best: f64,
}

#[derive(Default)]
struct Worth {
    all: Sum,
    last: Sum,
}

impl Sum {
    fn add(&mut self, chosen: f64, open: &[f64]) {
        self.visits += 1.0;
        self.chosen += chosen;
        self.random += open.iter().sum::<f64>() / open.len() as f64;
        self.best += open.iter().copied().fold(0.0, f64::max);
    }

    fn closed(&self) -> f64 {
        (self.chosen - self.random) / (self.best - self.random)
    }

    fn mean(&self, sum: f64) -> f64 {
        sum / self.visits
    }
}

/// Something that will happen to a visitor.
enum Fact {
    Marked(Mark),
    Activated,
    /// The week is over: what was shown, and whether it led to activation.
    Over(Arm, bool),
    /// A peer learns whether this came of its choice.
    Told(&'static str, bool),
}

struct Life<'a> {
    nature: Rc<Nature>,
    policy: &'a Policy,
    dice: Dice,
    learner: Learner,
    posterior: Posterior,
    settings: Settings,
    records: u64,
    tracks: BTreeMap<u64, (Track, Vec<Lesson>)>,
    to_come: BTreeMap<(Timestamp, u64, u8), Fact>,
    /// Activations and failures of each arm, for who waits.
    counts: BTreeMap<Arm, (u32, u32)>,
    peer: Option<Peer>,
}

impl<'a> Life<'a> {
    fn new(seed: u64, policy: &'a Policy) -> Self {
        let learner = Learner::new(Frame::new(space(), WINDOWS));
        let settings = match policy {
            Policy::Learner(settings) => settings.as_ref().clone(),
            Policy::Waiting | Policy::Peer(_) => Settings::new(WINDOWS, None),
        };
        let peer =
            if let Policy::Peer(command) = policy { Some(Peer::start(command)) } else { None };
        Self {
            nature: Rc::new(Nature::new(seed)),
            policy,
            dice: Dice::new(1 + seed),
            posterior: Posterior::new(&learner, &settings, START),
            learner,
            settings,
            records: 0,
            tracks: BTreeMap::new(),
            to_come: BTreeMap::new(),
            counts: BTreeMap::new(),
            peer,
        }
    }

    fn lived(mut self) -> Worth {
        let mut worth = Worth::default();
        let nature = Rc::clone(&self.nature);
        for visit in 0..DAYS * VISITS {
            let day = visit / VISITS;
            let at = START + Millis::new(visit * Millis::days(1).get() / VISITS);
            self.come_to_pass(at);
            let (visitor, open) = (Visitor::by_chance(&mut self.dice), nature.open(day));
            let chosen = self.choose((visit, at), visitor, &open);
            self.follow((visit, at), (visitor, chosen, day));
            let values: Vec<f64> =
                open.iter().map(|guide| nature.value(visitor, Some(guide), day)).collect();
            let value = nature.value(visitor, chosen, day);
            worth.all.add(value, &values);
            if day + LAST_DAYS >= DAYS {
                worth.last.add(value, &values);
            }
        }
        if let Some(peer) = self.peer {
            peer.end();
        }
        worth
    }

    fn choose<'g>(
        &mut self,
        (visit, at): (u64, Timestamp),
        visitor: Visitor,
        open: &[&'g Guide],
    ) -> Option<&'g Guide> {
        if let Some(peer) = &mut self.peer {
            let place = peer.choose(visit, visitor, open, self.dice.number());
            return Some(open[place]);
        }
        if let Policy::Waiting = self.policy {
            let draws = open.iter().map(|guide| {
                let (won, lost) = self.counts.get(&guide.arm).copied().unwrap_or_default();
                beta(&mut self.dice, (won, lost))
            });
            let draws: Vec<f64> = draws.collect();
            let best = (0..open.len()).max_by(|a, b| draws[*a].total_cmp(&draws[*b]));
            return best.map(|place| open[place]);
        }
        let features = visitor.features();
        let eligible: Vec<Eligible<'_>> = open
            .iter()
            .map(|g| Eligible { arm: g.arm.view(), milestone: None, features: &g.features })
            .collect();
        let law = self.posterior.law(&features, &eligible).distribution;
        let choice = law.draw(self.dice.number());
        let chosen = if let Choice::Arm(place) = choice { open.get(place).copied() } else { None };
        let looks = chosen.map_or_else(|| features.clone(), |guide| features.join(&guide.features));
        let touch = Touch {
            arm: chosen.map(|guide| guide.arm.clone()),
            milestone: None,
            features: looks,
            propensity: law.propensity(choice).expect("it was drawn"),
            number: visit as u32,
            at,
            shown: None,
            clicked: None,
            dismissed: None,
        };
        self.tell(visit, at, |track, id| track.drawn(id, touch));
        chosen
    }

    /// What the visitor will do of it.
    fn follow(
        &mut self,
        (visit, at): (u64, Timestamp),
        (visitor, chosen, day): (Visitor, Option<&Guide>, u64),
    ) {
        let chances = chosen.map(|guide| self.nature.chances(visitor, guide, day));
        let (click, goal) = chances.unwrap_or((0.0, 0.0));
        let clicked = self.dice.hits(click);
        let came = self.dice.hits(if clicked { goal } else { self.nature.base(visitor) });
        let after = delay(&mut self.dice);
        let Some(guide) = chosen else {
            if came {
                self.to_come.insert((at + after, visit, 2), Fact::Activated);
            }
            return;
        };
        if let Policy::Waiting = self.policy {
            let over = Fact::Over(guide.arm.clone(), came);
            self.to_come.insert((at + WINDOWS.goal, visit, 3), over);
            return;
        }
        if self.peer.is_some() {
            let known = if clicked { CLICK } else { WINDOWS.click };
            self.to_come.insert((at + known, visit, 1), Fact::Told("click", clicked));
            self.to_come.insert((at + WINDOWS.goal, visit, 3), Fact::Told("activation", came));
            return;
        }
        self.to_come.insert((at, visit, 0), Fact::Marked(Mark::Shown));
        if clicked {
            self.to_come.insert((at + CLICK, visit, 1), Fact::Marked(Mark::Clicked));
        }
        if came {
            self.to_come.insert((at + after, visit, 2), Fact::Activated);
        }
    }

    fn come_to_pass(&mut self, until: Timestamp) {
        let later = self.to_come.split_off(&(until, 0, 0));
        for ((at, visit, _), fact) in std::mem::replace(&mut self.to_come, later) {
            match fact {
                Fact::Marked(mark) => self.tell(visit, at, |track, id| track.mark(id, mark, at)),
                Fact::Activated => self.tell(visit, at, |track, _| track.activate(at)),
                Fact::Over(arm, came) => {
                    let (won, lost) = self.counts.entry(arm).or_default();
                    *(if came { won } else { lost }) += 1;
                }
                Fact::Told(what, came) => {
                    if let Some(peer) = &mut self.peer {
                        peer.tell(visit, what, came);
                    }
                }
            }
        }
    }

    /// One record of the log: what it tells of the visitor is learnt in the place of what was known before.
    fn tell(&mut self, visit: u64, at: Timestamp, what: impl FnOnce(&mut Track, DecisionId)) {
        self.learner.advance(at);
        let (track, lessons) = self.tracks.entry(visit).or_default();
        what(track, DecisionId::from_bits(u128::from(visit)));
        let now = track.lessons(&WINDOWS, self.settings.credit);
        self.learner.revise(lessons, &now);
        *lessons = now;
        self.records += 1;
        if self.records.is_multiple_of(RECORDS) {
            self.posterior = Posterior::new(&self.learner, &self.settings, at);
        }
    }
}

/// A draw from Beta(1 + won, 1 + lost): of two sums of exponential numbers, the share of the first.
fn beta(dice: &mut Dice, (won, lost): (u32, u32)) -> f64 {
    let mut gamma = |count: u32| -> f64 { (0..=count).map(|_| -(1.0 - dice.unit()).ln()).sum() };
    let (a, b) = (gamma(won), gamma(lost));
    a / (a + b)
}
