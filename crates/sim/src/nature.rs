//! What the world is like that visitors live in, in numbers: what wordings do, who comes, what changes on the way. Must not act.

use pilotage_domain::id::VariantId;
use pilotage_domain::time::Timestamp;

use crate::persona::Persona;
use crate::product::App;

/// What a wording does, in percent of what a plain one does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Effect {
    /// Of the clicks that the visitor's persona gives to any guide.
    pub(crate) follows: u32,
    /// How often a click brings the visitor to take the step.
    pub(crate) leads: u32,
}

/// A wording does all that a guide can.
const PLAIN: Effect = Effect { follows: 100, leads: 100 };

/// Effects by wording; wordings that are not named are plain.
pub(crate) type Effects = &'static [(&'static str, Effect)];

/// A world. `Nature::default()` is the one of the demo's visitors.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Nature {
    /// Who comes.
    pub(crate) personas: &'static [(u32, Persona)],
    pub(crate) effects: Effects,
    /// From `turn` on.
    pub(crate) later: Effects,
    /// Everybody has at least this version from `turn` on.
    pub(crate) release: Option<App>,
    pub(crate) turn: Timestamp,
    /// How much each guide that is seen adds to the wish to leave, in percent of the persona's.
    pub(crate) tires: u32,
}

impl Default for Nature {
    fn default() -> Self {
        Self {
            personas: &Persona::MIX,
            effects: &[],
            later: &[],
            release: None,
            turn: Timestamp::from_millis(i64::MAX),
            tires: 100,
        }
    }
}

impl Nature {
    /// What the wording does at that moment.
    pub(crate) fn effect(&self, variant: &VariantId, now: Timestamp) -> Effect {
        let effects = if now < self.turn { self.effects } else { self.later };
        let found = effects.iter().find(|(name, _)| *name == variant.as_str());
        found.map_or(PLAIN, |(_, effect)| *effect)
    }

    /// The version that somebody with this one uses at that moment.
    pub(crate) fn app(&self, app: App, now: Timestamp) -> App {
        let newest = self.release.filter(|_| now >= self.turn);
        newest.map_or(app, |newest| app.max(newest))
    }
}
