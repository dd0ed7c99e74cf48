//! How well and how fast the learner learns, on the yardsticks of other bandit libraries. Must ask the product's learner,
//! with the settings it ships, and say where a task needs others.

mod common;
mod delayed;
mod nature;
mod peeking;
mod player;
mod propensity;
mod sets;
mod slates;
mod speed;

use std::path::PathBuf;

// For its allocator, which is the product's.
use pilotage_bench as _;

const USAGE: &str = "learn speed | propensity | peeking RUNS | delayed SEEDS | sets FOLDER SEEDS | slates FOLDER SEEDS";

fn main() {
    let mut words = std::env::args().skip(1);
    let task = words.next().expect(USAGE);
    let mut rest: Vec<String> = words.collect();
    let mut count = || rest.pop().and_then(|word| word.parse::<u64>().ok()).expect(USAGE);
    match task.as_str() {
        "speed" => speed::run(),
        "propensity" => propensity::run(),
        "peeking" => peeking::run(count()),
        "delayed" => delayed::run(count()),
        "sets" | "slates" => {
            let seeds = count();
            let folder = PathBuf::from(rest.pop().expect(USAGE));
            if task == "sets" { sets::run(&folder, seeds) } else { slates::run(&folder, seeds) }
        }
        _ => panic!("{USAGE}"),
    }
}
