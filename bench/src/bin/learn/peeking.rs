//! How often somebody who looks every day is told of a difference that is not there. Must look at what the report says, while
//! the learner chooses.

use pilotage_domain::decide::Group;
use pilotage_domain::learn::{
    Arm, Eligible, Features, Frame, Learner, Posterior, Settings, Space, Windows,
};
use pilotage_domain::policy::Choice;
use pilotage_domain::report::contrast::{PROVEN_AT, lift};
use pilotage_domain::report::{Cell, Cohorts, Day, Grid, Lift, Verdict};
use pilotage_domain::time::{Millis, Timestamp};

use crate::common::{Dice, START, arm};
use crate::player::lesson;

const DAYS: u64 = 60;
const USERS: u64 = 400;
const ARMS: usize = 4;
const BASE: f64 = 0.05;
const WINDOW: Millis = Millis::days(1);

pub(crate) fn run(runs: u64) {
    println!("{runs} installations a line, {DAYS} days of {USERS} users, {ARMS} arms, base {BASE}");
    println!("share that is ever told of a difference, looking every day");
    println!("last arm  holdout  z-test  interval  e-value  verdict");
    for last in [1.0, 1.4] {
        for holdout in [0.1, 0.2] {
            let mut ever = [0u64; 4];
            for run in 0..runs {
                let found = Installation::new(run, last, holdout).life();
                ever.iter_mut().zip(found).for_each(|(count, found)| *count += u64::from(found));
            }
            let [plain, interval, evidence, verdict] = ever.map(|n| n as f64 / runs as f64);
            println!(
                "{last:>8}  {holdout:>7}  {plain:>6.3}  {interval:>8.3}  {evidence:>7.3}  {verdict:>7.3}"
            );
        }
    }
}

struct Installation {
    dice: Dice,
    /// The last arm's rate, in rates of the others.
    last: f64,
    holdout: f64,
    arms: Vec<Arm>,
    learner: Learner,
    settings: Settings,
    cohorts: Cohorts,
    grid: Grid,
}

impl Installation {
    fn new(run: u64, last: f64, holdout: f64) -> Self {
        let windows = Windows { goal: WINDOW, click: WINDOW };
        Self {
            dice: Dice::new(1 + run),
            last,
            holdout,
            arms: (0..ARMS).map(arm).collect(),
            learner: Learner::new(Frame::new(Space::plain(1, 0, vec![0]), windows)),
            settings: Settings::new(windows, None),
            cohorts: Cohorts::default(),
            grid: Grid::new(WINDOW),
        }
    }

    /// Whether any look told of a difference: the z-test, the interval, the e-value, the verdict.
    fn life(mut self) -> [bool; 4] {
        let mut found = [false; 4];
        for day in 0..DAYS {
            let morning = START + Millis::days(day);
            self.day(morning);
            // That day's users have had the whole window.
            let look = morning + WINDOW + Millis::days(1);
            let lift = lift(&self.cohorts, Group::Holdout, 1.0 - self.holdout, &self.grid, look);
            let apart = lift.difference.is_some_and(|i| i.low > 0.0 || i.high < 0.0);
            let proven = lift.e_value >= PROVEN_AT;
            let today = [plain_test(&lift), apart, proven, lift.verdict != Verdict::Open];
            found.iter_mut().zip(today).for_each(|(found, today)| *found |= today);
        }
        found
    }

    fn day(&mut self, morning: Timestamp) {
        self.learner.advance(morning);
        let posterior = Posterior::new(&self.learner, &self.settings, morning);
        let (context, none) = (Features::indicators([0]), Features::default());
        let eligible: Vec<Eligible<'_>> = self
            .arms
            .iter()
            .map(|arm| Eligible { arm: arm.view(), milestone: None, features: &none })
            .collect();
        let law = posterior.law(&context, &eligible).distribution;
        for _ in 0..USERS {
            let (mut group, mut rate, mut shown) = (Group::Holdout, BASE, None);
            if !self.dice.hits(self.holdout) {
                group = Group::Guided;
                let choice = law.draw(self.dice.number());
                if let Choice::Arm(place) = choice {
                    shown = Some((place, law.propensity(choice).expect("it was drawn")));
                    rate *= if place + 1 == ARMS { self.last } else { 1.0 };
                }
            }
            let came = self.dice.hits(rate);
            if let Some((place, propensity)) = shown {
                let row = lesson(&self.arms[place], context.clone(), propensity, (morning, came));
                self.learner.learn(&row);
            }
            let cell = Cell { group, day: Some(Day::of(morning)), activated: came.then_some(0) };
            *self.cohorts.cells.entry(cell).or_default() += 1;
        }
    }
}

/// The test that everybody knows, at 95 %, as if there were one look.
fn plain_test(lift: &Lift) -> bool {
    let (n, m) = (lift.guided.users as f64, lift.other.users as f64);
    let share = (lift.guided.activated + lift.other.activated) as f64 / (n + m);
    let spread = (share * (1.0 - share) * (1.0 / n + 1.0 / m)).sqrt();
    let rates = lift.guided.rate().zip(lift.other.rate());
    n >= 30.0 && m >= 30.0 && rates.is_some_and(|(a, b)| (a - b).abs() > 1.96 * spread)
}
