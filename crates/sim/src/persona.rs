//! What keeps a visitor from the first report, in numbers. Must not act: the visitor does.

use crate::draw::Draws;
use crate::product::App;

/// What a visitor is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Persona {
    /// Finds the way alone.
    Sure,
    /// Doesn't see the next step.
    Lost,
    /// Brings files that the import does not take.
    ImportTrouble,
    /// Has a card that the bank declines.
    CardDeclined,
    /// Came to work, not to be guided.
    Annoyed,
}

/// Chances in percent, at each move.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Traits {
    /// Takes the next step unaided.
    pub(crate) knows: u32,
    /// Clicks a guide on the screen.
    pub(crate) follows: u32,
    /// Closes a guide that is not clicked.
    pub(crate) closes: u32,
    /// Leaves, for each guide seen so far.
    pub(crate) tires: u32,
}

impl Persona {
    /// Who comes to the demo, by weight.
    pub(crate) const MIX: [(u32, Self); 5] = [
        (22, Self::Sure),
        (33, Self::Lost),
        (18, Self::ImportTrouble),
        (14, Self::CardDeclined),
        (13, Self::Annoyed),
    ];

    pub(crate) fn draw(draws: &mut Draws, mix: &[(u32, Self)]) -> Self {
        draws.pick(mix)
    }

    pub(crate) const fn traits(self) -> Traits {
        let (knows, follows, closes, tires) = match self {
            Self::Sure => (45, 25, 25, 1),
            Self::Lost => (6, 55, 12, 1),
            Self::ImportTrouble | Self::CardDeclined => (30, 50, 15, 1),
            Self::Annoyed => (18, 8, 70, 7),
        };
        Traits { knows, follows, closes, tires }
    }
}

/// What a visitor comes with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Baggage {
    pub(crate) app: App,
    pub(crate) locale: &'static str,
    pub(crate) tier: &'static str,
    pub(crate) first_name: Option<&'static str>,
    /// Means to pay one day, whatever the tier.
    pub(crate) pays: bool,
}

impl Baggage {
    pub(crate) fn draw(draws: &mut Draws) -> Self {
        let apps = [(1, (1, 3)), (3, (2, 1)), (4, (3, 2)), (2, (4, 0))];
        let (major, minor) = draws.pick(&apps);
        let names = [(5, None), (2, Some("Ada")), (2, Some("Noor")), (1, Some("Jun"))];
        Self {
            app: App::new(major, minor),
            locale: draws.pick(&[(6, "en"), (3, "de-AT"), (1, "fr")]),
            tier: draws.pick(&[(3, "free"), (5, "trial"), (2, "pro")]),
            first_name: draws.pick(&names),
            pays: draws.chance(30),
        }
    }
}
