//! What was learnt before spaces had crossings, as stores still hold it. Must not be written.

use std::collections::BTreeMap;

use pilotage_domain::learn::cross::Crossings;
use pilotage_domain::learn::sums::Sums;
use pilotage_domain::learn::tally::Tally;
use pilotage_domain::learn::{self, Arm, Windows};
use pilotage_domain::time::Timestamp;
use serde::Deserialize;

#[derive(Deserialize)]
struct Space {
    places: BTreeMap<Box<str>, u16>,
    folded: BTreeMap<Box<str>, u16>,
    ground: u16,
    segments: Vec<u16>,
}

#[derive(Deserialize)]
struct Frame {
    space: Space,
    windows: Windows,
}

/// The state of a learner.
#[derive(Deserialize)]
pub(super) struct Learner {
    frame: Frame,
    newest: Timestamp,
    stages: [Sums; 5],
    arms: BTreeMap<Arm, Tally>,
}

/// The state from which decisions draw.
#[derive(Deserialize)]
pub(super) struct Published {
    version: u64,
    at: Timestamp,
    learner: Learner,
}

impl From<Learner> for learn::Learner {
    fn from(earlier: Learner) -> Self {
        let Learner { frame: Frame { space, windows }, newest, stages, arms } = earlier;
        let Space { places, folded, ground, segments } = space;
        let crossings = Crossings::default();
        let space = learn::Space { places, folded, ground, segments, crossings };
        Self { frame: learn::Frame::new(space, windows), newest, stages, arms }
    }
}

impl From<Published> for super::Published {
    fn from(earlier: Published) -> Self {
        let Published { version, at, learner } = earlier;
        Self { version, at, learner: learner.into() }
    }
}
