//! How well and how fast the learner learns, on the yardsticks of other bandit libraries. Must ask the product's learner,
//! with the settings it ships, and say where a task needs others.

mod common;
mod delayed;
mod nature;
mod peeking;
mod peer;
mod player;
mod propensity;
mod sets;
mod slates;
mod speed;

use std::path::PathBuf;

// For its allocator, which is the product's.
use pilotage_bench as _;

const USAGE: &str = "learn speed | propensity | peeking RUNS | delayed SEEDS [FIRST [COMMAND…]] | sets FOLDER SEEDS | slates FOLDER SEEDS";

fn main() {
    let mut words = std::env::args().skip(1);
    let task = words.next().expect(USAGE);
    let number = |word: String| word.parse::<u64>().expect(USAGE);
    let mut next = || words.next().expect(USAGE);
    match task.as_str() {
        "speed" => speed::run(),
        "propensity" => propensity::run(),
        "peeking" => peeking::run(number(next())),
        "delayed" => {
            let (seeds, first) = (number(next()), words.next().map_or(0, number));
            delayed::run(seeds, first, words.collect());
        }
        "sets" => sets::run(&PathBuf::from(next()), number(next())),
        "slates" => slates::run(&PathBuf::from(next()), number(next())),
        _ => panic!("{USAGE}"),
    }
}
