//! The products in service: their definitions and paused guides. Must not change a definition.

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use pilotage_domain::definition::Definition;
use pilotage_domain::hash::ContentHash;
use pilotage_domain::id::{GuideId, ProductId};
use pilotage_domain::learn::Credit;
use pilotage_domain::profile::fold;
use pilotage_domain::report::Grid;
use pilotage_wire::record::learner;
use thiserror::Error;

use crate::learn::Learning;
use crate::port::store::{Pause, StoreError};
use crate::{Common, Engine};

/// A product in service.
pub(crate) struct Product {
    pub(crate) definition: Definition,
    /// The definition's content hash in hexadecimal, as decisions carry it.
    pub(crate) catalogue_hash: Box<str>,
    /// Paused guides, sorted.
    pub(crate) paused: ArcSwap<Vec<GuideId>>,
    /// What is learnt of its guides.
    pub(crate) learning: Learning,
    /// The times after signup that its report counts by.
    pub(crate) grid: Grid,
    /// What a user's record depends on, profile and track: under another one it means nothing.
    pub(crate) fold: ContentHash,
    /// The members of payloads that its fold looks at, sorted.
    pub(crate) heeded: Vec<Box<str>>,
}

/// All products in service.
pub(crate) struct Products {
    ids: Vec<ProductId>,
    by_id: BTreeMap<ProductId, Product>,
    /// Held while the store is asked or told what is paused, until that holds here: else an older answer could stay.
    pausing: tokio::sync::Mutex<()>,
}

impl Products {
    pub(crate) fn new(
        definitions: Vec<Definition>,
        mut paused: BTreeMap<ProductId, Vec<GuideId>>,
    ) -> Self {
        let ids = definitions.iter().map(|d| d.product.clone()).collect();
        let by_id = definitions
            .into_iter()
            .map(|definition| {
                let mut guides = paused.remove(&definition.product).unwrap_or_default();
                guides.sort();
                let learning = Learning::new(&definition);
                let frame = learner::encode(&learning.nothing());
                let product = Product {
                    catalogue_hash: definition.hash.to_string().into(),
                    paused: ArcSwap::from_pointee(guides),
                    fold: ContentHash::of(&[fold_key(&definition).as_bytes(), &frame]),
                    learning,
                    grid: Grid::new(definition.goal_window),
                    heeded: fold::heeded(&definition),
                    definition,
                };
                (product.definition.product.clone(), product)
            })
            .collect();
        Self { ids, by_id, pausing: tokio::sync::Mutex::default() }
    }

    pub(crate) fn ids(&self) -> &[ProductId] {
        &self.ids
    }

    pub(crate) fn get(&self, id: &ProductId) -> Option<&Product> {
        self.by_id.get(id)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = (&ProductId, &Product)> {
        self.by_id.iter()
    }

    /// Takes over what is paused, as the store has it.
    fn set_paused(&self, mut paused: BTreeMap<ProductId, Vec<GuideId>>) {
        for (id, product) in &self.by_id {
            let mut guides = paused.remove(id).unwrap_or_default();
            guides.sort();
            product.paused.store(Arc::new(guides));
        }
    }

    /// By product, what its profiles depend on: where it differs, they must be folded again.
    pub(crate) fn folds(&self) -> BTreeMap<ProductId, ContentHash> {
        self.by_id.iter().map(|(id, product)| (id.clone(), fold_key(&product.definition))).collect()
    }
}

/// The fold's own hash, the shares (a user's group is counted with the user), and whose merit an activation is.
fn fold_key(definition: &Definition) -> ContentHash {
    let shares = [definition.holdout, definition.group_random, definition.group_static];
    let bytes = shares.map(|share| share.get().to_be_bytes()).concat();
    let credit: &[u8] = match definition.tuning().credit {
        // As it was before there was a choice.
        Credit::Last => b"",
        Credit::First => b"first",
        Credit::All => b"all",
    };
    ContentHash::of(&[definition.fold_hash.as_bytes(), &[&bytes, credit].concat()])
}

/// Why a guide was not paused or resumed.
#[derive(Debug, Error)]
pub enum PauseError {
    /// The product is not served here.
    #[error("the product is not served here")]
    UnknownProduct,
    /// The catalogue has no such guide.
    #[error("the catalogue has no such guide")]
    UnknownGuide,
    /// It could not be made durable; nothing changed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Common {
    /// Takes over what is paused, as the store has it.
    pub(crate) async fn read_paused(&self) -> Result<(), StoreError> {
        let _turn = self.products.pausing.lock().await;
        self.products.set_paused(self.store.paused().await?);
        Ok(())
    }
}

impl Engine {
    /// Pauses or resumes a guide: durable when it resolves, and in force for the next decision.
    pub async fn pause(
        &self,
        product: &ProductId,
        guide: &GuideId,
        pause: Pause,
    ) -> Result<(), PauseError> {
        let known = self.common.products.get(product).ok_or(PauseError::UnknownProduct)?;
        if known.definition.guides.find(|g| g.id == *guide).is_none() {
            return Err(PauseError::UnknownGuide);
        }
        let _turn = self.common.products.pausing.lock().await;
        self.common.store.set_paused(product, guide, pause).await?;
        known.paused.rcu(|paused| {
            let mut paused: Vec<GuideId> = (**paused).clone();
            paused.retain(|g| g != guide);
            if pause == Pause::Pause {
                paused.push(guide.clone());
                paused.sort();
            }
            Arc::new(paused)
        });
        Ok(())
    }

    /// The paused guides of a product, sorted.
    pub fn paused(&self, product: &ProductId) -> Vec<GuideId> {
        self.common.products.get(product).map(|p| (**p.paused.load()).clone()).unwrap_or_default()
    }
}
