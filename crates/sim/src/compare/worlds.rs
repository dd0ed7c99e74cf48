//! The worlds: one list. Must say of each what it is about; what comes of it is for the comparison to say.

use pilotage_domain::time::{Millis, Timestamp};

use crate::nature::{Effect, Effects, Nature};
use crate::persona::Persona;
use crate::product::App;

/// A world that visitors live in.
#[derive(Debug, Clone, Copy)]
pub struct World {
    /// Its name, for the command line.
    pub name: &'static str,
    /// What it is about, in a sentence.
    pub about: &'static str,
    /// How many visitors come where nobody says another number.
    pub visitors: u32,
    /// Over how many days they sign up.
    pub days: u32,
    pub(crate) nature: Nature,
    /// Where in the days something changes, in percent.
    pub(crate) turn: u64,
}

const fn does(follows: u32, leads: u32) -> Effect {
    Effect { follows, leads }
}

/// One wording helps more than the plain one, one is clicked and leads nowhere.
const THREE: Effects = &[("plain", does(80, 60)), ("steps", does(100, 90)), ("bait", does(60, 20))];
/// The useless one is clicked most.
const CLICKBAIT: Effects =
    &[("plain", does(80, 60)), ("steps", does(90, 90)), ("bait", does(170, 4))];
/// The two are the other way round.
const TURNED: Effects =
    &[("plain", does(100, 90)), ("steps", does(80, 35)), ("bait", does(60, 20))];
/// A click leads nowhere, whatever is clicked.
const NOTHING: Effects = &[
    ("plain", does(100, 0)),
    ("steps", does(100, 0)),
    ("bait", does(100, 0)),
    ("calm", does(100, 0)),
];
const BLOCKED: &[(u32, Persona)] = &[
    (10, Persona::Sure),
    (15, Persona::Lost),
    (40, Persona::ImportTrouble),
    (30, Persona::CardDeclined),
    (5, Persona::Annoyed),
];
const ANNOYED: &[(u32, Persona)] = &[
    (15, Persona::Sure),
    (25, Persona::Lost),
    (10, Persona::ImportTrouble),
    (50, Persona::Annoyed),
];

impl World {
    /// The same with so many visitors.
    pub fn peopled(self, visitors: u32) -> Self {
        Self { visitors, ..self }
    }

    /// Its nature, where the days begin then.
    pub(crate) fn nature(&self, begin: Timestamp) -> Nature {
        let span = Millis::days(u64::from(self.days)).get();
        Nature { turn: begin + Millis::new(span * self.turn / 100), ..self.nature }
    }
}

/// All of them.
pub fn worlds() -> Vec<World> {
    let plain = Nature { effects: THREE, later: THREE, ..Nature::default() };
    let world =
        |name, about, nature| World { name, about, visitors: 1_500, days: 45, nature, turn: 50 };
    vec![
        world("mixed", "Some find the way, some need help; wordings differ.", plain),
        world(
            "blocked",
            "Most visitors get stuck: imports and cards fail.",
            Nature { personas: BLOCKED, ..plain },
        ),
        world(
            "clickbait",
            "One wording wins most clicks and leads nowhere.",
            Nature { effects: CLICKBAIT, later: CLICKBAIT, ..plain },
        ),
        world(
            "fatigue",
            "Half of the visitors hate guides, and each one seen makes leaving four times as likely as elsewhere.",
            Nature { personas: ANNOYED, tires: 400, ..plain },
        ),
        world(
            "drift",
            "Half-way, the better wording becomes the worse one.",
            Nature { later: TURNED, ..plain },
        ),
        world(
            "release",
            "Half-way, everybody gets a version in which a page is gone.",
            Nature { release: Some(App::new(4, 0)), ..plain },
        ),
        world(
            "null",
            "No guide helps anybody.",
            Nature { effects: NOTHING, later: NOTHING, ..plain },
        ),
        World {
            visitors: 60,
            days: 90,
            ..world("tiny", "A product for businesses: sixty visitors in a quarter.", plain)
        },
    ]
}
