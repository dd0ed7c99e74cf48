//! What the report says of users by group: how many, how fast, what guiding them changed, and how sure that is. Must not read
//! a store or a clock: it works on counts, as of a moment that it is told.
//!
//! `docs/report.md` says what each number means and where its method comes from. Data flows one way:
//!
//! ```text
//! cohort of each user ─▶ cohorts (counts by group, day of signup and time to activation) ─▶ curve, lift, ratio ─▶ report
//! ```
//!
//! - `grid` cuts the time after signup into bins; `cohort` counts users in them.
//! - `curve` is the Kaplan–Meier estimate of one group. `contrast` compares two groups, day by day: a `sequence` of intervals and
//!   an e-value, both valid however often one looks. `ratio` asks whether groups are as large as the settings say.
//! - `summary` puts them together.

pub mod cohort;
pub mod contrast;
pub mod curve;
pub mod evidence;
pub mod grid;
pub mod ratio;
pub mod sequence;
#[cfg(test)]
pub(crate) mod simulated;
pub mod summary;

pub use cohort::{Cell, Cohort, Cohorts, Day, GroupCount, Reached};
pub use contrast::{Lift, Side, Verdict};
pub use curve::{Curve, Restricted};
pub use grid::Grid;
pub use ratio::Ratio;
pub use sequence::Interval;
pub use summary::{OfGroup, Summary};
