//! What is true of a visitor, kept from what the visitor did, to judge what the engine shows. Must not ask the engine.

use std::collections::BTreeMap;

use pilotage_domain::time::{Millis, Timestamp};
use pilotage_wire::guide::GuideBody;
use serde::Serialize;

use crate::product::{App, Page, Purpose, Sample, Step};

/// Failures count for this long.
const WEEK: Millis = Millis::days(7);
const DAY: Millis = Millis::days(1);
const LONGEST_SILENCE: Millis = Millis::days(14);

/// Why a guide should not have been shown to this visitor then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Invalid {
    /// The visitor is in the holdout.
    HeldOut,
    /// The catalogue has no such guide.
    UnknownGuide,
    /// It serves a step that is taken.
    Reached,
    /// It serves a step that can't be taken yet: importing before there is a project.
    Locked,
    /// It urges to try again what failed twice in seven days.
    Blocked,
    /// It asks for a card that was declined twice in seven days.
    CardAgain,
    /// It offers a way out of nothing.
    NothingInTheWay,
    /// It offers the retry after four declines in seven days.
    PastHelp,
    /// It leads to a page that the visitor's app does not have.
    DeadLink,
    /// It points to something that is not on the page.
    NothingThere,
    /// It points at nothing and leads to the page that the visitor is on.
    AlreadyThere,
    /// It breaks the contact rules of session, day or gap.
    TooOften,
    /// Its step is to be left alone after a dismissal.
    Silenced,
}

/// What is true of one visitor.
#[derive(Debug)]
pub(crate) struct Truth {
    pub(crate) held_out: bool,
    pub(crate) app: App,
    reached: BTreeMap<Step, Timestamp>,
    failures: BTreeMap<Step, Vec<Timestamp>>,
    exposures: Vec<(Timestamp, u32)>,
    dismissals: BTreeMap<Step, (u64, Timestamp)>,
}

impl Truth {
    pub(crate) fn new(app: App, held_out: bool) -> Self {
        Self {
            held_out,
            app,
            reached: BTreeMap::new(),
            failures: BTreeMap::new(),
            exposures: Vec::new(),
            dismissals: BTreeMap::new(),
        }
    }

    pub(crate) fn reached(&self, step: Step) -> Option<Timestamp> {
        self.reached.get(&step).copied()
    }

    /// Whether it is not taken, and nothing that it needs is missing.
    pub(crate) fn can_take(&self, step: Step) -> bool {
        self.reached(step).is_none()
            && step.needs().is_none_or(|first| self.reached(first).is_some())
    }

    /// How often the step failed in the last seven days.
    pub(crate) fn failures(&self, step: Step, now: Timestamp) -> usize {
        let times = self.failures.get(&step).map(Vec::as_slice).unwrap_or_default();
        times.iter().filter(|at| now.since(**at) <= WEEK).count()
    }

    /// How many guides were seen so far.
    pub(crate) fn exposures(&self) -> usize {
        self.exposures.len()
    }

    pub(crate) fn take(&mut self, step: Step, at: Timestamp) {
        self.reached.entry(step).or_insert(at);
    }

    pub(crate) fn fail(&mut self, step: Step, at: Timestamp) {
        self.failures.entry(step).or_default().push(at);
    }

    pub(crate) fn expose(&mut self, at: Timestamp, session: u32) {
        self.exposures.push((at, session));
    }

    pub(crate) fn dismiss(&mut self, step: Step, at: Timestamp) {
        let (count, last) = self.dismissals.entry(step).or_insert((0, at));
        *count += 1;
        *last = at;
    }

    /// Everything that speaks against showing the guide to the visitor on this page, now.
    pub(crate) fn faults(
        &self,
        sample: &Sample,
        guide: &GuideBody,
        page: Page,
        session: u32,
        now: Timestamp,
    ) -> Vec<Invalid> {
        let Some(purpose) = sample.purposes.get(&guide.id) else {
            return vec![Invalid::UnknownGuide];
        };
        let faults = [
            self.held_out.then_some(Invalid::HeldOut),
            self.against_step(*purpose, now),
            (self.failures(Step::Billing, now) >= 2 && asks_for_card(guide))
                .then_some(Invalid::CardAgain),
            self.against_place(guide, page),
            self.too_often(sample, session, now).then_some(Invalid::TooOften),
            self.silenced(sample, purpose.step, now).then_some(Invalid::Silenced),
        ];
        faults.into_iter().flatten().collect()
    }

    fn against_step(&self, Purpose { step, way_out }: Purpose, now: Timestamp) -> Option<Invalid> {
        let failures = self.failures(step, now);
        let blocked = failures >= 2 && matches!(step, Step::Data | Step::Billing);
        if self.reached(step).is_some() {
            return Some(Invalid::Reached);
        }
        if !self.can_take(step) {
            return Some(Invalid::Locked);
        }
        match (way_out, blocked) {
            (false, true) => Some(Invalid::Blocked),
            (true, false) => Some(Invalid::NothingInTheWay),
            (true, true) if step == Step::Billing && failures >= 4 => Some(Invalid::PastHelp),
            _ => None,
        }
    }

    fn against_place(&self, guide: &GuideBody, page: Page) -> Option<Invalid> {
        let there = |path: &str| Page::at(path, self.app);
        let action = guide.action.as_ref().map(|action| &*action.path);
        let dead = [action, guide.target.path.as_deref()];
        if dead.into_iter().flatten().any(|path| there(path).is_none()) {
            return Some(Invalid::DeadLink);
        }
        let elsewhere = guide.target.path.as_deref().is_some_and(|path| there(path) != Some(page));
        let missing =
            guide.target.anchor.as_deref().is_some_and(|anchor| !page.has(anchor, self.app));
        if elsewhere || missing {
            return Some(Invalid::NothingThere);
        }
        let here = action.is_some_and(|path| there(path) == Some(page));
        (here && guide.target.anchor.is_none()).then_some(Invalid::AlreadyThere)
    }

    fn too_often(&self, sample: &Sample, session: u32, now: Timestamp) -> bool {
        let contact = &sample.contact;
        let count = |counts: &dyn Fn(&&(Timestamp, u32)) -> bool| {
            u32::try_from(self.exposures.iter().filter(counts).count()).unwrap_or(u32::MAX)
        };
        let full = |most: Option<u32>, so_far: u32| most.is_some_and(|most| so_far >= most);
        full(contact.session, count(&|(_, of)| *of == session))
            || full(contact.day, count(&|(at, _)| now.since(*at) < DAY))
            || self.exposures.last().is_some_and(|(at, _)| now.since(*at) < contact.gap)
    }

    fn silenced(&self, sample: &Sample, step: Step, now: Timestamp) -> bool {
        self.dismissals.get(&step).is_some_and(|(count, last)| {
            let doubled = 1_u64.checked_shl((*count - 1) as u32).unwrap_or(u64::MAX);
            now.since(*last) < sample.contact.dismissed.times(doubled, LONGEST_SILENCE)
        })
    }
}

fn asks_for_card(guide: &GuideBody) -> bool {
    let form = Some(Page::Billing.path());
    guide.action.as_ref().map(|action| &*action.path) == form
        || guide.target.path.as_deref() == form
}

#[cfg(test)]
mod tests;
