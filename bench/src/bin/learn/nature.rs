//! A product whose activations are rare and late, whose guides come and go, and whose users change half-way: what is true in
//! it. Must not be of the learner's form: chances are logistic. Its numbers were written down before anything was run in it,
//! and before the learner had crosses.

use pilotage_domain::learn::{Arm, Crossing, Features, Space, Span};
use pilotage_domain::time::Millis;
use serde_json::{Value, json};

use crate::common::{Dice, arm};

pub(crate) const DAYS: u64 = 60;
pub(crate) const VISITS: u64 = 300;
const DRIFT: u64 = 30;
/// A guide comes every other day and stays for twenty.
const EVERY: u64 = 2;
const STAYS: u64 = 20;
const GUIDES: u64 = (DAYS + STAYS) / EVERY;
const PLANS: usize = 3;
const NEEDS: usize = 4;
const COMPONENTS: usize = 4;
const INTENTS: usize = 3;
/// The coordinate of the first need, component and intent; between the former two is that of advice.
const FIRST_NEED: u16 = 1 + PLANS as u16;
const GROUND: u16 = FIRST_NEED + NEEDS as u16;
const FIRST_COMPONENT: u16 = GROUND + 1;
const FIRST_INTENT: u16 = FIRST_COMPONENT + COMPONENTS as u16;

/// What is true.
pub(crate) struct Nature {
    clicks: [[f64; COMPONENTS]; NEEDS],
    /// What an intent does for a need, before the drift and after it.
    helps: [[[f64; INTENTS]; NEEDS]; 2],
    plans: [f64; PLANS],
    guides: Vec<Guide>,
}

/// A guide, and what its wording does on its own.
pub(crate) struct Guide {
    pub(crate) arm: Arm,
    pub(crate) features: Features,
    component: usize,
    intent: usize,
    click: f64,
    goal: f64,
}

/// Somebody who comes.
#[derive(Clone, Copy)]
pub(crate) struct Visitor {
    plan: usize,
    need: usize,
}

impl Visitor {
    pub(crate) fn by_chance(dice: &mut Dice) -> Self {
        Self { plan: dice.below(PLANS), need: dice.below(NEEDS) }
    }

    pub(crate) fn features(self) -> Features {
        Features::indicators([0, 1 + self.plan as u16, FIRST_NEED + self.need as u16])
    }

    /// The same for a peer.
    pub(crate) fn told(self) -> Value {
        json!({ "plan": self.plan, "need": self.need })
    }
}

/// The coordinates as a product's with these two features: guides have effects of their own by plan, the first of them, and
/// each feature is crossed with intent and component.
pub(crate) fn space() -> Space {
    let segments = (0..FIRST_NEED).collect();
    let span = |from: u16, count: usize| Span { from, to: from + count as u16 };
    let looks = [span(FIRST_INTENT, INTENTS), span(FIRST_COMPONENT, COMPONENTS)];
    let features = [span(1, PLANS), span(FIRST_NEED, NEEDS)];
    let crossings = features.map(|context| looks.map(|arms| Crossing { context, arms }));
    Space::plain(GROUND, (COMPONENTS + INTENTS) as u16, segments).with_crossings(crossings.concat())
}

impl Nature {
    pub(crate) fn new(seed: u64) -> Self {
        let mut dice = Dice::new(1_000 + seed);
        let mut table = |sd: f64| [(); NEEDS].map(|()| [(); 4].map(|()| sd * dice.normal()));
        let (clicks, before, after) = (table(0.6), table(0.9), table(0.9));
        let intents = |all: [[f64; 4]; NEEDS]| all.map(|row| [row[0], row[1], row[2]]);
        let plans = [(); PLANS].map(|()| 0.3 * dice.normal());
        let guides = (0..GUIDES as usize).map(|n| Guide::by_chance(n, &mut dice)).collect();
        Self { clicks, helps: [intents(before), intents(after)], plans, guides }
    }

    /// The guides of that day, the oldest first.
    pub(crate) fn open(&self, day: u64) -> Vec<&Guide> {
        // The first ten are there on the first day already, the oldest for eighteen days.
        let (first, last) = (day / EVERY, (day + STAYS) / EVERY);
        self.guides.iter().skip(first as usize).take((last - first) as usize).collect()
    }

    /// The chance that the visitor clicks, and that of activation after a click.
    pub(crate) fn chances(&self, visitor: Visitor, guide: &Guide, day: u64) -> (f64, f64) {
        let helps = self.helps[usize::from(day >= DRIFT)][visitor.need][guide.intent];
        let click = self.clicks[visitor.need][guide.component] + guide.click - 1.4;
        let goal = helps + self.plans[visitor.plan] + guide.goal - 1.2;
        (logistic(click), logistic(goal))
    }

    /// The chance of activation without a click.
    pub(crate) fn base(&self, visitor: Visitor) -> f64 {
        logistic(self.plans[visitor.plan] - 3.2)
    }

    /// The chance of activation where the guide is shown, or none.
    pub(crate) fn value(&self, visitor: Visitor, guide: Option<&Guide>, day: u64) -> f64 {
        let base = self.base(visitor);
        guide.map_or(base, |guide| {
            let (click, goal) = self.chances(visitor, guide, day);
            click * goal + (1.0 - click) * base
        })
    }
}

impl Guide {
    /// Every fifth wins clicks and leads nowhere.
    fn by_chance(n: usize, dice: &mut Dice) -> Self {
        let (component, intent) = (dice.below(COMPONENTS), dice.below(INTENTS));
        let (bait, (click, goal)) = (dice.hits(0.2), dice.normals());
        let places = [FIRST_COMPONENT + component as u16, FIRST_INTENT + intent as u16];
        Self {
            arm: arm(n),
            features: Features::indicators(places),
            component,
            intent,
            click: 0.4 * click + if bait { 1.2 } else { 0.0 },
            goal: 0.5 * goal - if bait { 2.0 } else { 0.0 },
        }
    }

    /// Which guide it is, and its features, for a peer.
    pub(crate) fn told(&self) -> Value {
        let id = self.arm.guide.as_str();
        json!({ "id": id, "component": self.component, "intent": self.intent })
    }
}

/// How long activation takes: a quarter of an hour at least, half of it within 1.2 days, nothing beyond the window of a week.
pub(crate) fn delay(dice: &mut Dice) -> Millis {
    let days = (1.2 * dice.normal().exp()).clamp(0.01, 6.99);
    Millis::new((days * Millis::days(1).get() as f64) as u64)
}

fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}
