//! Arms with features that come and go: one of ten films for somebody, again and again. Must learn only of the film that it
//! chose.

use std::collections::BTreeMap;
use std::path::Path;

use pilotage_domain::learn::{Arm, Features, Settings, Space};

use crate::common::{AT_ONCE, Dice, arm, on_core, spread};
use crate::player::Player;

/// The coordinates of somebody: 1, sex, age, occupation.
const SEXES: u16 = 2;
const AGES: u16 = 6;

/// The films, and the slates in the order of time.
struct Films {
    genres: u16,
    jobs: u16,
    years: u16,
    known: BTreeMap<usize, (Arm, Vec<u16>)>,
    slates: Vec<Slate>,
}

struct Slate {
    sex: u16,
    age: u16,
    job: u16,
    /// Each with whether it was liked.
    films: Vec<(usize, bool)>,
}

pub(crate) fn run(folder: &Path, seeds: u64) {
    println!("mean reward over all slates, the first and the last 2,000; {seeds} seeds");
    let plain = Settings { budget: None, ..Settings::new(AT_ONCE, None) };
    let mut none_new = plain.clone();
    none_new.nursery.exposures = 0;
    for (name, settings) in [
        ("no default film, none is new", &none_new),
        ("no default film, new films two at a time", &plain),
        ("as shipped, the first of the slate as default", &Settings::new(AT_ONCE, None)),
    ] {
        let start = on_core();
        let seeds = (0..seeds).map(|seed| played(&read(folder, seed), seed, settings.clone()));
        let all: Vec<[f64; 3]> = seeds.collect();
        let column = |n: usize| spread(&all.iter().map(|row| row[n]).collect::<Vec<_>>());
        let ((mean, sd), (first, _), (last, _)) = (column(0), column(1), column(2));
        println!(
            "{mean:.4} ± {sd:.4}  ({first:.3} / {last:.3})  {:>5.0} s  {name}",
            on_core() - start
        );
    }
}

/// The mean reward: of all slates, the first 2,000 and the last.
fn played(films: &Films, seed: u64, settings: Settings) -> [f64; 3] {
    let ground = 1 + SEXES + AGES + films.jobs;
    // Arms differ by sex, as those of a product do by the first feature of its file.
    let space = Space::plain(ground, films.genres + films.years, (0..=SEXES).collect());
    let looks = films.known.iter().map(|(number, (_, places))| {
        (*number, Features::indicators(places.iter().map(|place| ground + 1 + place)))
    });
    let looks: BTreeMap<usize, Features> = looks.collect();
    let (mut player, mut dice) = (Player::new(space, settings), Dice::new(1 + seed));
    let mut rewards = Vec::with_capacity(films.slates.len());
    for slate in &films.slates {
        let places = [0, 1 + slate.sex, 1 + SEXES + slate.age, 1 + SEXES + AGES + slate.job];
        let context = Features::indicators(places);
        let film = |(number, _): &(usize, bool)| (&films.known[number].0, &looks[number]);
        let arms: Vec<(&Arm, &Features)> = slate.films.iter().map(film).collect();
        let drawn = player.draw(&context, &arms, &mut dice);
        let ((arm, features), (_, liked)) = (arms[drawn.place], slate.films[drawn.place]);
        player.learn(arm, context.join(features), drawn.propensity, liked);
        rewards.push(f64::from(u8::from(liked)));
    }
    let count = rewards.len().min(2_000);
    let last = &rewards[rewards.len() - count..];
    [spread(&rewards).0, spread(&rewards[..count]).0, spread(last).0]
}

/// `films.csv` has `number,year,genre,…` on each line, `SEED.csv` `sex,age,job,number,liked,number,liked,…`.
fn read(folder: &Path, seed: u64) -> Films {
    let lines = |name: String| -> Vec<Vec<u16>> {
        let path = folder.join(name);
        let text = std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let numbers = |line: &str| line.split(',').map(|n| n.parse().expect("a number")).collect();
        text.lines().map(numbers).collect()
    };
    let (films, slates) = (lines("films.csv".into()), lines(format!("{seed}.csv")));
    let most = |values: &mut dyn Iterator<Item = u16>| 1 + values.max().unwrap_or(0);
    let genres = most(&mut films.iter().flat_map(|film| film[2..].iter().copied()));
    let places = |film: &[u16]| film[2..].iter().copied().chain([genres + film[1]]).collect();
    let number = |film: &[u16]| usize::from(film[0]);
    let slate = |row: &Vec<u16>| Slate {
        sex: row[0],
        age: row[1],
        job: row[2],
        films: row[3..].chunks(2).map(|film| (number(film), film[1] == 1)).collect(),
    };
    Films {
        genres,
        jobs: most(&mut slates.iter().map(|row| row[2])),
        years: most(&mut films.iter().map(|film| film[1])),
        known: films.iter().map(|f| (number(f), (arm(number(f)), places(f)))).collect(),
        slates: slates.iter().map(slate).collect(),
    }
}
