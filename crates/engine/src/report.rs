//! Users counted by group, as they happen, and the report that follows from the counts. Must agree with the stored cohorts after
//! any crash.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use pilotage_domain::advise::MicroUsd;
use pilotage_domain::definition::Definition;
use pilotage_domain::id::ProductId;
use pilotage_domain::learn::Arm;
use pilotage_domain::learn::tally::Tally;
use pilotage_domain::number::Probability;
use pilotage_domain::report::summary::Gain;
use pilotage_domain::report::{Cohort, Cohorts, Reached, Summary};
use pilotage_domain::time::{Millis, Timestamp};
use pilotage_wire::model::book::PageBody;
use pilotage_wire::record::user;
use tracing::info;

use crate::lookup::LookupError;
use crate::port::book::{Kind, Reading};
use crate::port::store::{RowId, Store, StoreError, StoredUser, Watermark};
use crate::product::{Product, Products};
use crate::{Engine, Seat};

/// So many pages of the book, and so many users without noted milestones, are read at a time.
const PAGE: usize = 1_024;

/// The counts by product. They start as the stored cohorts' counts; every fold that moves a profile past what is stored adds
/// what it changed, so a replay after a crash adds exactly what was lost.
#[derive(Default)]
pub(crate) struct Counts(Mutex<BTreeMap<ProductId, Cohorts>>);

impl Counts {
    fn all(&self) -> MutexGuard<'_, BTreeMap<ProductId, Cohorts>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn start_from(&self, product: &ProductId, stored: Cohorts) {
        self.all().insert(product.clone(), stored);
    }

    pub(crate) fn clear(&self) {
        self.all().clear();
    }

    fn now(&self, product: &ProductId) -> Cohorts {
        self.all().get(product).cloned().unwrap_or_default()
    }

    /// A user was counted so, if at all, and is counted so from now on, if at all.
    pub(crate) fn moved(&self, product: &Product, before: Option<&Cohort>, after: Option<&Cohort>) {
        let mut all = self.all();
        let counts = all.entry(product.definition.product.clone()).or_default();
        before.into_iter().for_each(|before| counts.take(before, &product.grid));
        after.into_iter().for_each(|after| counts.add(after, &product.grid));
    }
}

/// Notes the milestones of users that a version stored which did not: once, at its successor's first start.
pub(crate) async fn note_milestones(
    store: &dyn Store,
    products: &Products,
    stands: &Watermark,
) -> Result<(), StoreError> {
    let folds = products.folds();
    for (id, product) in products.all() {
        // Profiles of another fold have other milestones; they are folded again.
        if stands.folds.get(id) != folds.get(id) {
            continue;
        }
        let mut noted = 0;
        loop {
            let unnoted = store.unnoted(id, PAGE).await?;
            if unnoted.is_empty() {
                break;
            }
            let reached = unnoted.iter().map(|(_, stored)| reached_by(&product.definition, stored));
            let reached = reached.collect::<Result<Vec<_>, StoreError>>()?;
            noted += reached.len();
            store.note_reached(reached).await?;
        }
        if noted > 0 {
            info!(product = %id, users = noted, "milestones were noted for the report");
        }
    }
    Ok(())
}

fn reached_by(
    definition: &Definition,
    stored: &StoredUser,
) -> Result<(RowId, Reached), StoreError> {
    let damaged = |error| StoreError::Damaged(format!("user row {}: {error}", stored.row.0));
    let record = user::decode(&stored.body).map_err(damaged)?;
    Ok((stored.row, Reached::of(&record.profile, definition)))
}

/// What asking models has cost, by product, up to a page of the book.
#[derive(Debug, Clone, Default)]
pub(crate) struct Spent {
    read: u64,
    by: BTreeMap<ProductId, MicroUsd>,
}

/// Users, activations and what guiding changed, as of a moment.
#[derive(Debug, Clone)]
pub struct Report {
    /// The moment.
    pub at: Timestamp,
    /// Within which time after signup an activation counts for comparisons.
    pub window: Millis,
    /// The statistics.
    pub summary: Summary,
    /// The milestones, by id and name, in the definition's order.
    pub milestones: Vec<(Box<str>, Box<str>)>,
    /// What became of exposures by wording, where the learner has drawn.
    pub arms: BTreeMap<Arm, Tally>,
    /// The share of dismissals that a wording is allowed.
    pub guard: Option<Probability>,
    /// What asking models has cost so far.
    pub spent: MicroUsd,
    /// What that bought; `None` while the lift against the holdout is not proven.
    pub gain: Option<Gain>,
}

impl Engine {
    /// What became of exposures by wording, of draws of which the learner may learn; where several processes share the log, as
    /// it was last added up.
    pub fn arms(&self, product: &ProductId) -> BTreeMap<Arm, Tally> {
        let product = self.common.products.get(product);
        product.map(|product| product.learning.arms()).unwrap_or_default()
    }

    /// The report; `None` of a product that is not served here. Where this process has all profiles in memory, it costs the same
    /// for any number of users; where several share a store, one look at every user's cohort, in the store.
    pub async fn report(&self, product: &ProductId) -> Result<Option<Report>, LookupError> {
        let Some(served) = self.common.products.get(product) else { return Ok(None) };
        let Product { definition, grid, .. } = served;
        let cohorts = match &self.seat {
            Seat::Alone(alone) => alone.counts.now(product),
            Seat::Cluster(_) => self.common.store.cohorts(product, grid).await?,
        };
        let at = self.now();
        let summary = Summary::of(definition, &cohorts, grid, at);
        let spent = self.spent(product).await?;
        let named = definition.milestones.iter();
        Ok(Some(Report {
            at,
            window: grid.window(),
            milestones: named.map(|m| (m.id.as_str().into(), m.name.clone())).collect(),
            arms: self.arms(product),
            guard: definition.guard_dismiss,
            gain: summary.gain(spent),
            summary,
            spent,
        }))
    }

    /// What asking models has cost about a product: the sum over the book, of which only new pages are read.
    async fn spent(&self, product: &ProductId) -> Result<MicroUsd, LookupError> {
        let known = || self.common.spent.lock().unwrap_or_else(PoisonError::into_inner);
        let mut spent = known().clone();
        loop {
            let reading = Reading { after: spent.read, answers_since: None, limit: PAGE };
            let pages = self.common.store.pages(reading).await?;
            let Some(last) = pages.last() else { break };
            spent.read = last.number;
            for page in pages.iter().filter(|page| page.page.kind == Kind::Answer) {
                if let PageBody::Answer(record) = PageBody::decode(&page.page.body)? {
                    let sum = spent.by.entry(page.page.product.clone()).or_default();
                    *sum = sum.plus(record.cost_micro_usd);
                }
            }
        }
        let of_product = spent.by.get(product).copied().unwrap_or_default();
        let mut known = known();
        // Another call may have come further meanwhile.
        if spent.read > known.read {
            *known = spent;
        }
        Ok(of_product)
    }
}
