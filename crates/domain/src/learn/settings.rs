//! How the learner learns and chooses: the numbers that a product or an operator may set. Must not hold what was learnt.

use super::fit::{Advice, Between, Crosses, Prior};
use super::lesson::{Stage, Windows};
use super::space::Space;
use super::track::Credit;
use crate::definition::Definition;
use crate::number::Probability;
use crate::time::Millis;

/// What who runs a product may set beside its definition.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tuning {
    /// Whose merit an activation is. Another one is another state: the log is folded again.
    pub credit: Credit,
    /// How wide the scores count for the draw, in (0, 1].
    pub scale: f64,
}

impl Default for Tuning {
    fn default() -> Self {
        Self { credit: Credit::Last, scale: 0.25 }
    }
}

/// All of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Within which times outcomes count.
    pub windows: Windows,
    /// Whose merit an activation is.
    pub credit: Credit,
    /// The share of weight that a row loses in a day, in [0, 1).
    pub forget: f64,
    /// How wide the scores count for the draw, as a share of what is unknown of them: below 1 it explores less than
    /// Thompson sampling does.
    pub scale: f64,
    /// The share that is spread evenly over all eligible arms and no guide.
    pub explore: Probability,
    /// How new arms come in.
    pub nursery: Nursery,
    /// What may be risked against the first eligible arm in file order; no bound where `None`.
    pub budget: Option<Budget>,
    /// An arm that is proven to be dismissed more often is not drawn; no bound where `None`.
    pub guard: Option<Probability>,
}

/// How new arms come in beside known ones.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Nursery {
    /// An arm is new until it was exposed this often.
    pub exposures: i64,
    /// The chance to beat the best known arm that an arm begins with.
    pub chance: f64,
    /// How many new arms are drawn from at a time.
    pub most: usize,
}

/// What may be risked against the default arm.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Budget {
    /// The share of the default arm's reward that may be lost.
    pub share: f64,
    /// How many standard deviations below its mean an arm is taken to be.
    pub caution: f64,
}

/// What is believed of an arm's clicks, and of its activations after one, counts for as many rows of its own: its offset begins
/// with so small a part of the noise's variance.
const OWN_ROWS: u8 = 10;

/// How long after an exposure a click counts.
pub const CLICK_WINDOW: Millis = Millis::minutes(30);

impl Settings {
    /// What the definition says, and the defaults for the rest.
    pub fn of(definition: &Definition) -> Self {
        let Tuning { credit, scale } = definition.tuning();
        let windows = Windows { goal: definition.goal_window, click: CLICK_WINDOW };
        Self { credit, scale, ..Self::new(windows, definition.guard_dismiss) }
    }

    /// The defaults.
    pub fn new(windows: Windows, guard: Option<Probability>) -> Self {
        let Tuning { credit, scale } = Tuning::default();
        Self {
            windows,
            credit,
            forget: 0.05,
            scale,
            explore: Probability::new(0.03).unwrap_or(Probability::ZERO),
            // Until an arm's own rows weigh as much as what is believed before them.
            nursery: Nursery { exposures: i64::from(OWN_ROWS), chance: 0.05, most: 2 },
            budget: Some(Budget { share: 0.05, caution: 0.5 }),
            guard,
        }
    }
}

/// Whether a stage may learn from advice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hearing {
    /// It may, where it is about clicks or about activation after one.
    Open,
    /// Rewards spoke against it.
    Closed,
}

/// What is believed of a stage before any row.
///
/// The rates are rough; they count for one row. Variances are shares of the noise's: with a rate of 10 % an offset's
/// standard deviation of √0.1 of the noise's is 9 percentage points.
pub(super) fn prior(stage: Stage, space: &Space, hearing: Hearing) -> Prior {
    let own = 1.0 / f64::from(OWN_ROWS);
    let (rate, offset) = match stage {
        Stage::Click => (0.1, own),
        Stage::Step => (0.3, own),
        Stage::Goal => (0.1, own),
        Stage::Base => (0.05, 0.02),
        Stage::Onward => (0.1, 0.5),
    };
    let coordinates = space.own(stage).len();
    // A kind of guide differs from kind to kind of user as much as a guide does.
    let variance = offset / 2.0;
    let shared = space.shape(stage).size;
    let crosses = space.crossings.ranges().filter(|places| places.end <= shared);
    // At most ten exposures' worth of trust; where it is not heard, so many rows against it that it stays 0.
    let (effect, rows) = match (stage, hearing) {
        (Stage::Click | Stage::Goal, Hearing::Open) => (0.25, 10.0),
        _ => (0.0, 1e9),
    };
    Prior {
        rate,
        ridge: 4.0,
        shock: 0.25,
        own: std::iter::once(offset).chain(std::iter::repeat(variance)).take(coordinates).collect(),
        crosses: crosses.map(|places| Crosses { places, variance }).collect(),
        between: Between::Learnt,
        advice: Some(Advice { place: space.advice(), effect, rows }),
    }
}
