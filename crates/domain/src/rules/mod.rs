//! The gates that a guide must pass before a user may see it. Must not choose among those that pass.
//!
//! `judge` asks every guide at every gate in the order of `Gate`; the first gate that does not open stops it, with the
//! nearest fact that would. What passes all of them is a `Candidate`, and nothing else can become a `ValidGuide`.

pub mod copy;
pub mod fact;
#[cfg(test)]
pub(crate) mod fixture;
mod gate;
mod link;
mod near;
mod nearest;
mod opening;
pub mod path;
mod sentence;
mod situation;
pub mod text;
mod valid;
pub mod version;

use crate::decide::{Gate, GuideTrace, Near};
use crate::definition::{Copy, Guide, Parts, Variant};
use crate::id::GuideId;

pub(crate) use near::{STATUSES, status_name};
pub use situation::Situation;
pub use valid::{Rendered, ValidGuide};

/// How the guides of a definition fared, in file order.
#[derive(Debug)]
pub struct Judged<'a> {
    /// Per guide what stopped it, if anything. The arms are for those to fill in who weigh the candidates.
    pub guides: Vec<GuideTrace>,
    /// The wordings that may be shown: by guide, then by variant, both in file order.
    pub candidates: Vec<Candidate<'a>>,
    /// The guides that pass state, when, never, lifecycle and the app version: the user's situation, not the moment's.
    pub situational: Vec<&'a GuideId>,
}

/// A wording of a guide that passed every gate. Only the rules can make one.
#[derive(Debug)]
pub struct Candidate<'a> {
    situation: &'a Situation<'a>,
    place: usize,
    guide: &'a Guide,
    variant: &'a Variant,
    words: Words<'a>,
}

/// Copy that is the same for everyone is put together only when it is shown.
#[derive(Debug)]
enum Words<'a> {
    Fixed(&'a str, &'a Copy),
    Filled(Rendered),
}

impl<'a> Candidate<'a> {
    /// The guide's place in the file, counted from 0.
    pub fn place(&self) -> usize {
        self.place
    }

    /// The guide.
    pub fn guide(&self) -> &'a Guide {
        self.guide
    }

    /// The wording.
    pub fn variant(&self) -> &'a Variant {
        self.variant
    }

    /// The guide as the user may see it.
    pub fn into_guide(self) -> ValidGuide {
        let definition = self.situation.view.definition;
        let target = &definition.targets[self.guide.target];
        let page = |route| definition.routes[route].path.clone();
        ValidGuide {
            id: self.guide.id.clone(),
            variant: self.variant.id.clone(),
            component: gate::component_name(self.guide.component),
            target_path: target.route.map(page),
            anchor: target.anchor.clone(),
            copy: match self.words {
                Words::Filled(copy) => copy,
                Words::Fixed(locale, copy) => copy::fixed(locale, copy),
            },
            action_path: self.guide.action.map(page),
            milestone: definition.milestones[self.guide.serves].id.clone(),
        }
    }
}

/// Asks every guide at every gate.
pub fn judge<'a>(situation: &'a Situation<'a>) -> Judged<'a> {
    let guides = &situation.view.definition.guides;
    let mut judged = Judged {
        guides: Vec::with_capacity(guides.len()),
        candidates: Vec::new(),
        situational: Vec::new(),
    };
    for (place, guide) in guides.iter().enumerate() {
        let known = judged.candidates.len();
        let stopped = judge_one(situation, place, guide, &mut judged).err();
        if stopped.is_some() {
            judged.candidates.truncate(known);
        }
        judged.guides.push(GuideTrace { id: guide.id.clone(), stopped, arms: Vec::new() });
    }
    judged
}

/// The guides that fit the user's situation, whatever the moment and the page: `Judged::situational`, without judging more.
pub fn situational<'a>(situation: &Situation<'a>) -> Vec<&'a GuideId> {
    let definition: &'a Parts = situation.view.definition;
    let fits = |guide: &&Guide| {
        gate::merged(situation).is_none()
            && gate::state(situation, guide).is_none()
            && gate::when(situation, guide).is_none()
            && gate::never(situation, guide).is_none()
            && gate::lifecycle(situation, guide).is_none()
            && gate::app_version(situation, guide).is_none()
    };
    definition.guides.iter().filter(fits).map(|guide| &guide.id).collect()
}

fn judge_one<'a>(
    situation: &'a Situation<'a>,
    place: usize,
    guide: &'a Guide,
    judged: &mut Judged<'a>,
) -> Result<(), (Gate, Near)> {
    let at = |gate: Gate, near: Option<Near>| near.map_or(Ok(()), |near| Err((gate, near)));
    at(Gate::State, gate::merged(situation))?;
    at(Gate::State, gate::state(situation, guide))?;
    at(Gate::When, gate::when(situation, guide))?;
    at(Gate::Never, gate::never(situation, guide))?;
    at(Gate::Lifecycle, gate::lifecycle(situation, guide))?;
    if gate::app_version(situation, guide).is_none() {
        judged.situational.push(&guide.id);
    }
    at(Gate::Surface, gate::surface(situation, guide))?;
    let (mut unfilled, mut unfit) = (None, None);
    for variant in gate::live(guide) {
        match gate::words(situation, variant) {
            Ok(words) => {
                judged.candidates.push(Candidate { situation, place, guide, variant, words })
            }
            Err((Gate::Copy, near)) => unfilled = unfilled.or(Some((Gate::Copy, near))),
            Err(stopped) => unfit = unfit.or(Some(stopped)),
        }
    }
    let spoken = judged.candidates.last().is_some_and(|last| last.place == place);
    // One wording that gets as far as the text rules carries the guide past the gate `copy`.
    if let (false, Some(stopped)) = (spoken, unfit.or(unfilled)) {
        return Err(stopped);
    }
    at(Gate::Limits, gate::limits(situation, guide))?;
    at(Gate::Contact, gate::contact(situation, guide))
}

#[cfg(test)]
mod tests;
