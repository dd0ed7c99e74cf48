//! Pure facts, rules and policy: what happened, what holds, what a user may see and what is chosen.
//! Never reads a clock, draws a random number, does I/O, awaits or panics: time and draws are arguments.

pub mod advise;
pub mod canonical;
pub mod decide;
pub mod definition;
pub mod event;
pub mod group;
pub mod hash;
pub mod id;
pub mod kin;
pub mod learn;
pub mod number;
pub mod policy;
pub mod profile;
pub mod report;
pub mod rules;
pub mod signature;

pub mod time;
pub mod value;
