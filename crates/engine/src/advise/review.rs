//! What people see and say of asking models: proposals, reviews, modes, figures. Must write everything that is said into the
//! book before it holds.

use std::collections::BTreeMap;

use pilotage_domain::advise::MicroUsd;
use pilotage_domain::advise::breaker::Light;
use pilotage_domain::advise::budget::{Caps, Command, Ledger};
use pilotage_domain::advise::mode::Mode;
use pilotage_domain::id::{GuideId, ProductId, ProviderId};
use pilotage_domain::time::Timestamp;
use pilotage_wire::model::book::PageBody;
use pilotage_wire::model::record::{AnswerRecord, ReviewName};
use thiserror::Error;

use super::advisor::{BookError, ruling};
use super::counts::{Counted, OfProvider};
use crate::Engine;
use crate::port::book::{Kind, Reading};
use crate::port::store::StoreError;

/// So many pages are read at a time.
const PAGES: usize = 256;

/// An answer of a model, and what a person said about it.
#[derive(Debug, Clone)]
pub struct Proposal {
    /// Its page in the book.
    pub number: u64,
    /// What was asked, what came, what the ladder said.
    pub record: AnswerRecord,
    /// The last word about it.
    pub review: ReviewName,
    /// Who said it, where that was said.
    pub by: Option<Box<str>>,
    /// When.
    pub reviewed_at: Option<Timestamp>,
}

/// Why a person's word was not taken.
#[derive(Debug, Error)]
pub enum ReviewError {
    /// The product is not served here.
    #[error("the product is not served here")]
    UnknownProduct,
    /// The product has no such answer.
    #[error("there is no such proposal")]
    UnknownProposal,
    /// The catalogue has no such guide.
    #[error("the catalogue has no such guide")]
    UnknownGuide,
    /// This engine asks nobody, so nobody's advice has a say.
    #[error("no model is configured")]
    NoModel,
    /// The answer was refused: there is nothing to approve.
    #[error("the proposal was refused by the rules")]
    NoAdvice,
    /// What is kept can't be read or written.
    #[error("{0}")]
    Book(String),
    /// The store did not answer; nothing changed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<BookError> for ReviewError {
    fn from(error: BookError) -> Self {
        match error {
            BookError::Store(error) => Self::Store(error),
            page @ BookError::Page { .. } => Self::Book(page.to_string()),
        }
    }
}

/// How asking models goes.
#[derive(Debug, Clone)]
pub struct ModelView {
    /// How much say advice has for the product.
    pub mode: Mode,
    /// The same of guides for which it was ever counted or set; the lesser of both holds.
    pub guides: BTreeMap<GuideId, Mode>,
    /// Whom this process asks, in order.
    pub providers: Vec<ProviderView>,
    /// What this process has seen since it was started.
    pub counted: Counted,
    /// What is spent and reserved, by every process.
    pub ledger: Ledger,
    /// What may be.
    pub caps: Caps,
    /// Situations that wait.
    pub waiting: u64,
    /// What a call for each event that this process has folded would have cost with the first provider's model.
    pub per_event: MicroUsd,
}

/// One provider.
#[derive(Debug, Clone)]
pub struct ProviderView {
    /// As the settings name it.
    pub id: ProviderId,
    /// Its model.
    pub model: Box<str>,
    /// Its breaker.
    pub light: Light,
    /// What came of asking it.
    pub counted: OfProvider,
}

/// A page's word about an answer.
type Words = BTreeMap<u64, (ReviewName, Option<Box<str>>, Timestamp)>;

impl Engine {
    /// The newest answers of models about a product, before one of them (or of all), newest first.
    pub async fn proposals(
        &self,
        product: &ProductId,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Proposal>, ReviewError> {
        let words = self.words().await?;
        let pages = self.common.store.answers(product, before, limit).await?;
        pages.iter().map(|page| proposal(page.number, &page.page.body, &words)).collect()
    }

    /// One of them.
    pub async fn proposal(
        &self,
        product: &ProductId,
        number: u64,
    ) -> Result<Proposal, ReviewError> {
        let page = self.common.store.page_of(number).await?;
        let ours = |page: &crate::port::book::Page| {
            page.page.product == *product && page.page.kind == Kind::Answer
        };
        let page = page.filter(ours).ok_or(ReviewError::UnknownProposal)?;
        proposal(number, &page.page.body, &self.words().await?)
    }

    /// A person's word on an answer: in the book when it resolves, and in force for the next decision of this process; other
    /// processes hear of it within a second or two.
    pub async fn review(
        &self,
        product: &ProductId,
        number: u64,
        review: ReviewName,
        by: Option<Box<str>>,
    ) -> Result<Proposal, ReviewError> {
        if self.proposal(product, number).await?.record.advice.is_none() {
            return Err(ReviewError::NoAdvice);
        }
        self.say(product, &PageBody::Review { answer: number, review, by }).await?;
        self.proposal(product, number).await
    }

    /// Sets how much say advice has, of the product or of one of its guides. It holds as a review does.
    pub async fn set_mode(
        &self,
        product: &ProductId,
        guide: Option<GuideId>,
        mode: Mode,
        by: Option<Box<str>>,
    ) -> Result<(), ReviewError> {
        let served = self.common.products.get(product).ok_or(ReviewError::UnknownProduct)?;
        let known = |guide: &GuideId| served.definition.guides.find(|g| g.id == *guide).is_some();
        if guide.as_ref().is_some_and(|guide| !known(guide)) {
            return Err(ReviewError::UnknownGuide);
        }
        if self.common.advisor.is_none() {
            return Err(ReviewError::NoModel);
        }
        self.say(product, &PageBody::Mode { guide, mode, by }).await
    }

    /// How asking models goes; `None` where this engine asks nobody.
    pub async fn model(&self, product: &ProductId) -> Result<Option<ModelView>, ReviewError> {
        let served = self.common.products.get(product).ok_or(ReviewError::UnknownProduct)?;
        let Some(advisor) = &self.common.advisor else { return Ok(None) };
        let (setup, counted) = (&advisor.setup, advisor.counts.read());
        let now = advisor.now();
        let stepped = self.common.store.step_budget(setup.caps.clone(), Command::Look, now).await?;
        let waiting = self.common.store.waiting().await?;
        let price = setup.providers.first().and_then(|p| p.price(&setup.prices));
        let guides = advisor
            .known()
            .product(product)
            .map(|of| of.guide_modes().map(|(guide, mode)| (guide.clone(), mode)).collect());
        Ok(Some(ModelView {
            mode: advisor.mode(served),
            guides: guides.unwrap_or_default(),
            providers: self.model_providers(),
            per_event: price.map_or(MicroUsd::ZERO, |price| price.per_event(counted.events)),
            counted,
            ledger: stepped.0,
            caps: setup.caps.clone(),
            waiting,
        }))
    }

    /// Whom this process asks, in order; nobody where it asks nobody.
    pub fn model_providers(&self) -> Vec<ProviderView> {
        let Some(advisor) = &self.common.advisor else { return Vec::new() };
        let counted = advisor.counts.read();
        let view = |provider: &super::Provider| ProviderView {
            id: provider.id.clone(),
            model: provider.model.clone(),
            light: provider.light(),
            counted: counted.providers.get(&provider.id).cloned().unwrap_or_default(),
        };
        advisor.setup.providers.iter().map(view).collect()
    }

    /// What asking models has come to in this process; `None` where it asks nobody.
    pub fn model_counts(&self) -> Option<Counted> {
        self.common.advisor.as_ref().map(|advisor| advisor.counts.read())
    }

    async fn say(&self, product: &ProductId, body: &PageBody) -> Result<(), ReviewError> {
        let at = self.common.clock.system_now();
        self.common.store.write_pages(vec![ruling(product.clone(), at, body)]).await?;
        if let Some(advisor) = &self.common.advisor {
            advisor.refresh(&self.common.products).await?;
        }
        Ok(())
    }

    /// What people have said about answers.
    async fn words(&self) -> Result<Words, ReviewError> {
        let (mut words, mut after) = (Words::new(), 0);
        loop {
            let never = Timestamp::from_millis(i64::MAX);
            let reading = Reading { after, answers_since: Some(never), limit: PAGES };
            let pages = self.common.store.pages(reading).await?;
            for page in &pages {
                after = page.number;
                if let PageBody::Review { answer, review, by } = decode(after, &page.page.body)? {
                    words.insert(answer, (review, by, page.page.at));
                }
            }
            if pages.len() < PAGES {
                return Ok(words);
            }
        }
    }
}

fn decode(page: u64, body: &[u8]) -> Result<PageBody, ReviewError> {
    Ok(PageBody::decode(body).map_err(|error| BookError::Page { page, error })?)
}

fn proposal(number: u64, body: &[u8], words: &Words) -> Result<Proposal, ReviewError> {
    let PageBody::Answer(record) = decode(number, body)? else {
        return Err(ReviewError::UnknownProposal);
    };
    let word = words.get(&number).cloned();
    let (review, by, at) =
        word.map_or((ReviewName::Open, None, None), |(r, by, at)| (r, by, Some(at)));
    Ok(Proposal { number, record: *record, review, by, reviewed_at: at })
}
