//! The same visitors under several ways to guide them, in several worlds. Must not favour one: visitors' numbers do not depend
//! on who guides them, and no number of a world was chosen by what came of it.

mod baseline;
mod method;
mod outcome;
mod report;
mod trial;
mod worlds;

pub use method::Method;
pub use outcome::{Compared, Outcome};
pub use report::{html, table};
pub use trial::{CompareError, compare};
pub use worlds::{World, worlds};
