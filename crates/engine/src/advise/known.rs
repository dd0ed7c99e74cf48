//! The book as decisions need it: what was advised about each situation, and how much say it has. Must be nothing but a fold
//! of pages, so that every process comes to the same.

use std::collections::BTreeMap;

use pilotage_domain::advise::history::{History, OUT_OF_DATE, Review};
use pilotage_domain::advise::mode::{self, Cause, Command, Effect, Mode, Say};
use pilotage_domain::hash::ContentHash;
use pilotage_domain::id::{GuideId, ProductId, PromptId};
use pilotage_domain::time::Timestamp;
use pilotage_wire::model::book::PageBody;
use pilotage_wire::model::record::AnswerRecord;
use pilotage_wire::record::RecordError;

use crate::port::book::Page;

/// The most answers that are kept in mind, of one product: the oldest go first.
const MOST_ANSWERS: usize = 100_000;

/// What is known of all products.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// The last page that is in here.
    pub(super) read: u64,
    products: BTreeMap<ProductId, OfProduct>,
}

/// What is known of a product.
#[derive(Debug, Default)]
pub(crate) struct OfProduct {
    /// What was advised, by situation.
    own: BTreeMap<ContentHash, History>,
    /// The same, by the wider situation around each.
    kin: BTreeMap<ContentHash, History>,
    /// Situation and wider situation of each answer.
    answers: BTreeMap<u64, (ContentHash, ContentHash)>,
    say: Say,
    /// The mode that the settings gave last.
    configured: Option<Mode>,
    guides: BTreeMap<GuideId, Say>,
}

/// What a product's advice is in force for.
pub(crate) struct Subject<'a> {
    pub(crate) product: &'a ProductId,
    pub(crate) catalogue: ContentHash,
    pub(crate) prompt: &'a PromptId,
}

/// Advice that has lost its say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Demotion {
    pub(crate) product: ProductId,
    pub(crate) lost: Lost,
}

/// Whose say was lost, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lost {
    /// The product's where `None`.
    pub(crate) guide: Option<GuideId>,
    pub(crate) from: Mode,
    pub(crate) cause: Cause,
}

impl Known {
    pub(crate) fn product(&self, product: &ProductId) -> Option<&OfProduct> {
        self.products.get(product)
    }

    /// Takes note of a page; who has lost its say by it. Pages of products that are not served are passed over.
    pub(super) fn take(
        &mut self,
        page: &Page,
        body: &PageBody,
        subject: Option<&Subject<'_>>,
    ) -> Result<Vec<Demotion>, RecordError> {
        self.read = self.read.max(page.number);
        let Some(subject) = subject else { return Ok(Vec::new()) };
        let of = self.products.entry(subject.product.clone()).or_default();
        let lost = match body {
            PageBody::Answer(record) => {
                of.answered(page.number, record, subject)?;
                of.judged(record)
            }
            PageBody::Review { answer, review, .. } => {
                of.reviewed(*answer, (*review).into());
                Vec::new()
            }
            PageBody::Configured { mode } => {
                of.configured = Some(*mode);
                of.tell(None, Command::Set(*mode))
            }
            PageBody::Mode { guide, mode, .. } => of.tell(guide.as_ref(), Command::Set(*mode)),
            PageBody::Demoted { guide, .. } if of.mode_of(guide.as_ref()) > Mode::Shadow => {
                of.tell(guide.as_ref(), Command::Set(Mode::Shadow))
            }
            PageBody::Demoted { .. } => Vec::new(),
        };
        Ok(demotions(subject.product, lost))
    }

    /// What became of a guide that advice helped to choose; who has lost its say by it.
    pub(super) fn fared(
        &mut self,
        product: &ProductId,
        guide: &GuideId,
        command: Command,
    ) -> Vec<Demotion> {
        let of = self.products.entry(product.clone()).or_default();
        let mut lost = of.tell(None, command);
        lost.extend(of.tell(Some(guide), command));
        demotions(product, lost)
    }

    /// Drops what no decision can take any more.
    pub(super) fn forget(&mut self, now: Timestamp) {
        let oldest = now - OUT_OF_DATE;
        for of in self.products.values_mut() {
            for histories in [&mut of.own, &mut of.kin] {
                histories.values_mut().for_each(|history| history.forget_before(oldest));
                histories.retain(|_, history| !history.entries().is_empty());
            }
            let own = &of.own;
            of.answers.retain(|_, (signature, _)| own.contains_key(signature));
        }
    }
}

impl OfProduct {
    /// What was advised about that situation.
    pub(crate) fn own(&self, signature: &ContentHash) -> Option<&History> {
        self.own.get(signature)
    }

    /// What was advised about situations with that wider one.
    pub(crate) fn kin(&self, parent: &ContentHash) -> Option<&History> {
        self.kin.get(parent)
    }

    /// How much say advice has for the product.
    pub(crate) fn mode(&self) -> Mode {
        self.say.mode()
    }

    /// The mode that the settings gave last.
    pub(crate) fn configured(&self) -> Option<Mode> {
        self.configured
    }

    /// A guide's own mode; all say where nobody took any.
    pub(crate) fn guide_mode(&self, guide: &GuideId) -> Mode {
        self.guides.get(guide).map_or(Mode::Live, Say::mode)
    }

    /// The guides whose mode was ever set or counted for, each with it.
    pub(crate) fn guide_modes(&self) -> impl Iterator<Item = (&GuideId, Mode)> {
        self.guides.iter().map(|(guide, say)| (guide, say.mode()))
    }

    fn mode_of(&self, guide: Option<&GuideId>) -> Mode {
        guide.map_or(self.say.mode(), |guide| self.guide_mode(guide))
    }

    fn answered(
        &mut self,
        number: u64,
        record: &AnswerRecord,
        subject: &Subject<'_>,
    ) -> Result<(), RecordError> {
        let Some(entry) = record.entry(number)? else { return Ok(()) };
        let advice = &entry.advice;
        if advice.catalogue() != subject.catalogue || advice.prompt() != subject.prompt {
            return Ok(());
        }
        let (signature, parent) = (advice.signature(), advice.parent());
        self.answers.insert(number, (signature, parent));
        self.kin.entry(parent).or_default().insert(entry.clone());
        self.own.entry(signature).or_default().insert(entry);
        while self.answers.len() > MOST_ANSWERS
            && let Some((_, (signature, parent))) = self.answers.pop_first()
        {
            self.own.remove(&signature);
            self.kin.remove(&parent);
        }
        Ok(())
    }

    fn reviewed(&mut self, answer: u64, review: Review) {
        let Some((signature, parent)) = self.answers.get(&answer) else { return };
        for history in [self.own.get_mut(signature), self.kin.get_mut(parent)].into_iter().flatten()
        {
            history.review_answer(answer, review);
        }
    }

    /// Counts an answer for the product, and for each guide that it is about. What never arrived (L0) is nobody's doing.
    fn judged(&mut self, record: &AnswerRecord) -> Vec<Lost> {
        let whole = match (&record.advice, &record.refusal) {
            (Some(_), _) => Command::Passed,
            (None, Some(refusal)) if refusal.rung > 0 => Command::Refused,
            _ => return Vec::new(),
        };
        let mut lost = self.tell(None, whole);
        let options = record.advice.iter().flatten().map(|share| (&share.option, Command::Passed));
        let refusals = record.refusal.iter().chain(&record.passed_over);
        let refused = refusals.filter_map(|r| Some((r.option.as_ref()?, Command::Refused)));
        for (option, command) in options.chain(refused) {
            if let Ok(guide) = GuideId::new(option)
                && record.brief.options.iter().any(|offered| offered.id == guide)
            {
                lost.extend(self.tell(Some(&guide), command));
            }
        }
        lost
    }

    fn tell(&mut self, guide: Option<&GuideId>, command: Command) -> Vec<Lost> {
        let full = || mode::step(Say::default(), Command::Set(Mode::Live)).0;
        let say = match guide {
            None => &mut self.say,
            Some(guide) => self.guides.entry(guide.clone()).or_insert_with(full),
        };
        let (next, effects) = mode::step(*say, command);
        *say = next;
        let lost =
            |Effect::Demoted { from, cause }: Effect| Lost { guide: guide.cloned(), from, cause };
        effects.into_iter().map(lost).collect()
    }
}

fn demotions(product: &ProductId, lost: Vec<Lost>) -> Vec<Demotion> {
    lost.into_iter().map(|lost| Demotion { product: product.clone(), lost }).collect()
}
