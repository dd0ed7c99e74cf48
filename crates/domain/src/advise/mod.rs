//! The model as a policy engine, without the model: what it is asked, how its answer is judged, and what comes of it. Must
//! not call anything, nor let an answer choose: it becomes a bounded prior over guides that the rules have passed.
//!
//! A *situation* is asked about, never a user: `brief` lists the guides that fit it and its bucketed features. An answer is
//! a `proposal`, which anybody can make up; `ladder` alone turns one into `advice`. `history` keeps all of it, and `prior`
//! is what a decision takes from it, for as long as it is fresh and rewards don't speak against it.
//!
//! Around that stand machines, each a function from a state and a command to a state and effects that somebody else
//! performs: `asking` (tries, repair, fallback), `breaker`, `budget` and `mode`. `price` says what a call costs, `queue`
//! which situation is worth the next one.
//!
//! The ladder has ten rungs. L0 and L1 are read off an answer's bytes, in `wire`. L2, L3 and L9 are judged here when an
//! answer arrives. L3 to L9 are judged again in every decision, by code that was there before any model: only candidates of
//! the definition in force get a share of the law (L3, `policy::model`), `rules::judge` asks every gate on the profile as it
//! is now (L4 to L8, and of L9 that no guide is paused or expired), and `history` gives no advice that is out of force
//! (L9). `refusal::Rung::of_gate` says which gate is which rung.

pub mod asking;
pub mod breaker;
pub mod brief;
pub mod budget;
mod calendar;
#[cfg(test)]
pub(crate) mod fixture;
pub mod history;
pub mod ladder;
pub mod mode;
pub mod money;
pub mod price;
pub mod prior;
pub mod proposal;
mod provenance;
pub mod queue;
pub mod rate;
pub mod refusal;
mod rise;

pub use brief::{Brief, NoCall, Pick};
pub use history::{History, Source, Terms, advice_for};
pub use ladder::{Advice, Verdict, judge};
pub use money::MicroUsd;
pub use prior::Prior;
pub use proposal::Proposal;
pub use refusal::{Refusal, Rung};
