//! Classification sets played as bandits: guess the class, learn only whether it was right. Must go through the rows that the
//! peers go through, in their order.

use std::path::Path;

use pilotage_domain::learn::{Arm, Features, Settings, Space};

use crate::common::{AT_ONCE, Dice, arm, on_core, situation, spread};
use crate::player::Player;

const SETS: [&str; 11] = [
    "breast_cancer",
    "mushroom",
    "german",
    "spambase",
    "contraceptive",
    "satimage",
    "marketing",
    "digits",
    "penbased",
    "vowel",
    "letter",
];

struct Set {
    rows: Vec<(usize, Features)>,
    /// The rows of each seed, in turn.
    orders: Vec<Vec<usize>>,
    classes: usize,
    width: u16,
}

/// How the settings differ from those that a product has.
#[derive(Clone, Copy)]
enum Setting {
    /// Not at all.
    Shipped,
    /// There is no default arm to protect, and no arm that joins later: all are there from the first round on.
    NoneIsNew,
}

impl Setting {
    fn settings(self) -> Settings {
        let mut settings = Settings::new(AT_ONCE, None);
        if let Self::NoneIsNew = self {
            settings.budget = None;
            settings.nursery.exposures = 0;
        }
        settings
    }
}

pub(crate) fn run(folder: &Path, seeds: u64) {
    println!(
        "mean share of wrong guesses over all rounds, {seeds} seeds; arms have own effects in every coordinate"
    );
    for (name, setting) in [
        ("no default arm, none is new", Setting::NoneIsNew),
        ("as shipped, the first class as default", Setting::Shipped),
    ] {
        println!("{name}");
        let mut means = Vec::new();
        for set in SETS {
            let start = on_core();
            let known = read(folder, set);
            let losses: Vec<f64> =
                (0..seeds).map(|seed| lost(&known, seed, setting.settings())).collect();
            let (mean, sd) = spread(&losses);
            println!("{set:>14}  {mean:.3} ± {sd:.3}  {:>5.0} s", on_core() - start);
            means.push(mean);
        }
        println!("{:>14}  {:.4}", "mean", spread(&means).0);
    }
}

fn lost(set: &Set, seed: u64, settings: Settings) -> f64 {
    let arms: Vec<Arm> = (0..set.classes).map(arm).collect();
    let none = Features::default();
    let eligible: Vec<(&Arm, &Features)> = arms.iter().map(|arm| (arm, &none)).collect();
    let space = Space::plain(set.width, 0, (0..set.width).collect());
    let (mut player, mut dice) = (Player::new(space, settings), Dice::new(1 + seed));
    let order = &set.orders[seed as usize];
    let mut wrong = 0;
    for row in order {
        let (class, context) = &set.rows[*row];
        let drawn = player.draw(context, &eligible, &mut dice);
        let right = drawn.place == *class;
        wrong += u64::from(!right);
        player.learn(&arms[drawn.place], context.clone(), drawn.propensity, right);
    }
    wrong as f64 / order.len() as f64
}

/// `NAME.csv` has a row a line, its class first; `NAME.orders` the numbers of a seed's rows on each line.
fn read(folder: &Path, name: &str) -> Set {
    let text = |ending: &str| {
        let path = folder.join(format!("{name}.{ending}"));
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    let numbers = |line: &str| -> Vec<f64> {
        line.split(',').map(|word| word.parse().expect("a number")).collect()
    };
    let lines: Vec<Vec<f64>> = text("csv").lines().map(numbers).collect();
    let rows: Vec<(usize, Features)> =
        lines.iter().map(|values| (values[0] as usize, situation(&values[1..]))).collect();
    let orders = text("orders");
    let order = |line: &str| numbers(line).into_iter().map(|n| n as usize).collect();
    Set {
        classes: 1 + rows.iter().map(|(class, _)| *class).max().expect("a row"),
        width: lines[0].len() as u16,
        orders: orders.lines().map(order).collect(),
        rows,
    }
}
