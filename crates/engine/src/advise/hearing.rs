//! What a decision hears of models. Must answer from memory, and must not let advice do more than its mode allows.

use pilotage_domain::advise::history::{
    Approval, Entry, History, Review, Source, Terms, advice_for,
};
use pilotage_domain::advise::mode::Mode;
use pilotage_domain::advise::{Prior, queue::Knows};
use pilotage_domain::decide::{Advised, Counsel, Matter};
use pilotage_domain::hash::ContentHash;
use pilotage_domain::id::{GuideId, UserId};
use pilotage_domain::number::Probability;
use pilotage_domain::rules::Situation;
use pilotage_domain::signature::{parent, signature_for};

use super::advisor::Advisor;
use super::known::OfProduct;
use super::meet::Encounter;
use crate::product::Product;

/// One decision's ear.
pub(crate) struct Hearing<'a> {
    pub(crate) advisor: &'a Advisor,
    pub(crate) product: &'a Product,
    /// Guides paused by an operator.
    pub(crate) paused: &'a [GuideId],
}

impl Counsel for Hearing<'_> {
    fn name(&self, situation: &Situation<'_>, guides: &[&GuideId]) -> ContentHash {
        signature_for(self.advisor.setup.prompt.id(), situation, guides)
    }

    fn advise(&self, matter: &Matter<'_>) -> Option<(Prior, Advised)> {
        let advisor = self.advisor;
        if matter.guides.len() < 2 || !advisor.mode(self.product).asks() {
            return None;
        }
        if let Some((knows, uncertainty)) = advisor.wants(self.product, &matter.signature) {
            self.meet(matter, knows, uncertainty);
        }
        let heard = self.hear(matter);
        advisor.counts.heard(heard.as_ref().map(|(_, advised)| advised.source));
        heard
    }
}

impl Hearing<'_> {
    fn meet(&self, matter: &Matter<'_>, knows: Knows, uncertainty: Probability) {
        self.advisor.meet(&Encounter {
            product: &self.product.definition.product,
            prompt: self.advisor.setup.prompt.id(),
            signature: matter.signature,
            situation: matter.situation,
            guides: matter.guides,
            knows,
            uncertainty,
            now: self.advisor.now(),
        });
    }

    /// The advice that is in force for this user, with what its modes leave of it.
    fn hear(&self, matter: &Matter<'_>) -> Option<(Prior, Advised)> {
        let (advisor, definition) = (self.advisor, &self.product.definition);
        let known = advisor.known();
        let of = known.product(&definition.product)?;
        let mode = of.mode();
        if !mode.admits(advisor.setup.canary, &definition.product, matter.user) {
            return None;
        }
        let in_force = advisor.in_force(self.product, self.paused);
        let terms = Terms { in_force, approval: mode.approval() };
        let (source, entry) = self.find(of, matter, &terms)?;
        let admits = |guide: &GuideId| self.admits((of, mode), guide, entry, matter.user);
        let prior = Prior::new(&entry.advice, in_force.at, admits);
        let thousandths = (prior.strength().get() * 1_000.0).round() as u16;
        Some((prior, Advised { answer: entry.answer, source, thousandths }))
    }

    /// The situation's own advice; only where there is none, that about the wider situation.
    fn find<'k>(
        &self,
        of: &'k OfProduct,
        matter: &Matter<'_>,
        terms: &Terms<'_>,
    ) -> Option<(Source, &'k Entry)> {
        const NOTHING: &History = &History::new();
        let own = of.own(&matter.signature).unwrap_or(NOTHING);
        advice_for(own, NOTHING, terms).or_else(|| {
            let prompt = self.advisor.setup.prompt.id();
            let wider = parent(prompt, matter.situation, matter.guides);
            advice_for(NOTHING, of.kin(&wider)?, terms)
        })
    }

    /// Whether the guide may be shown on the word of that advice.
    fn admits(
        &self,
        (of, product): (&OfProduct, Mode),
        guide: &GuideId,
        entry: &Entry,
        user: &UserId,
    ) -> bool {
        let mode = of.guide_mode(guide).under(product);
        let approved = mode.approval() == Approval::NotNeeded || entry.review == Review::Approved;
        approved && mode.admits(self.advisor.setup.canary, &self.product.definition.product, user)
    }
}
