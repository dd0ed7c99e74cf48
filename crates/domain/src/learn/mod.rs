//! The learner: which of the eligible guides leads to activation, learnt from what became of earlier ones. Must not know a
//! rule (every arm that it sees may be shown), read a clock or draw: it gives the law of the draw.
//!
//! `docs/learning.md` says why it is as it is. Data flows one way:
//!
//! ```text
//! facts of a user ─▶ track ─▶ lessons ─▶ learner (sums of whole numbers) ─▶ fit, five times ─▶ posterior ─▶ law ─▶ policy::weights
//! ```
//!
//! - `space` numbers what a situation and an arm look like, `cross` their pairs; `features` is such a list of numbers.
//! - `track` holds one user's facts and says whose merit an activation is; a `lesson` is what became of one exposure.
//! - `learner` is the state: `sums` by `calendar` slot, a `tally` for each arm. It merges and is stored.
//! - `fit` solves one regression, with `delay` for outcomes that are still to come. `posterior` joins five of them to the
//!   chance of activation after each arm.
//! - `law` turns that into shares: `best` (the chance to be the best), nursery, budget, `guard`.
//! - `beliefs` is a posterior of a fixed log position, as decisions ask it; `weighing` what they note of it; `follow` folds
//!   log records into tracks.
//! - `math` and `matrix` are what all of it is worked out with: the same bits everywhere.

pub mod beliefs;
pub mod best;
pub mod calendar;
pub mod cross;
pub mod delay;
pub mod features;
pub mod fit;
#[cfg(test)]
mod fixture;
pub mod follow;
pub mod guard;
pub mod key;
pub mod law;
pub mod learner;
pub mod lesson;
pub mod math;
mod matrix;
pub mod posterior;
#[cfg(test)]
mod properties;
pub mod settings;
pub mod space;
pub mod sums;
pub mod tally;
pub mod track;
pub mod weighing;
#[cfg(test)]
mod world;

pub use beliefs::{Beliefs, Ground};
pub use cross::{Crossing, Span};
pub use features::Features;
pub use key::Arm;
pub use law::{Law, Standing};
pub use learner::{Frame, Learner};
pub use lesson::{Goal, Lesson, Windows};
pub use posterior::{Eligible, Posterior};
pub use settings::{Settings, Tuning};
pub use space::Space;
pub use track::{Credit, Mark, Touch, Track};
pub use weighing::Weighing;

/// The name and version under which decisions record this policy, and a key of its draws: a change that alters the law
/// has another one.
pub const NAME: &str = "learner-3";
