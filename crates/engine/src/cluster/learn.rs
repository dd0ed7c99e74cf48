//! What several processes learn together. Each worker's fold stores what it teaches with its users; whoever has a worker adds
//! that up now and then, under a turn that only one of them gets, and publishes what decisions draw from. Must not let what
//! is learnt depend on who adds up, or when: sums commute.
//!
//! A position of the log says how far a single process has learnt. Here the log has many ends: so a version is the number of
//! records that are folded, of all partitions. Partitions only grow: at one number there is one state.

use std::time::Duration;

use pilotage_domain::event::Position;
use pilotage_domain::id::ProductId;
use pilotage_domain::policy::Policy;
use pilotage_wire::record::learner::{self, Published};
use tokio::sync::watch;
use tracing::warn;

use super::{Cluster, rebuild};
use crate::learn::{self, Held, boundary, damaged};
use crate::lookup::LookupError;
use crate::port::shared::{Added, Addend, Sum, Teaching};
use crate::port::store::{Learnt, LearntPart, StoreError};
use crate::product::Product;
use crate::rebuild::{Digest, Places, digest_of};

/// How often what is taught is added up.
const EVERY: Duration = Duration::from_secs(1);
/// So much is added up at a time.
const MOST: usize = 256;

impl Cluster {
    /// Notes what the numbers of products mean of which nothing is learnt yet: what another process means by them, may be
    /// something else.
    pub(super) async fn begin_learning(&self) -> Result<(), StoreError> {
        loop {
            let Teaching { turn, learnt, .. } = self.shared.teaching(0).await?;
            let has_begun =
                |id| learnt.iter().any(|l| (&l.product, l.part) == (id, LearntPart::Current));
            let unbegun = self.common.products.all().filter(|(id, _)| !has_begun(*id));
            let nothing = |(id, product): (&ProductId, &Product)| {
                part(id, LearntPart::Current, learner::encode(&product.learning.nothing()))
            };
            let learnt: Vec<Learnt> = unbegun.map(nothing).collect();
            if learnt.is_empty() {
                return Ok(());
            }
            let sum = Sum { seen: turn, addends: Vec::new(), learnt };
            if self.shared.add_up(sum).await? == Added::Kept {
                return Ok(());
            }
        }
    }

    /// Adds up and publishes until the process stops.
    pub(super) async fn keep_learning(&self, mut stopped: watch::Receiver<bool>) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                _ = stopped.wait_for(|stop| *stop) => return,
            }
            if let Err(fault) = self.add_all_up().await {
                warn!(error = %fault, "what was learnt waits to be added up");
            }
        }
    }

    /// Adds up what was taught before this call; what is learnt then.
    pub(super) async fn add_all_up(&self) -> Result<Teaching, StoreError> {
        loop {
            let mut teaching = self.shared.teaching(MOST).await?;
            let learnt = self.added_up(&teaching)?;
            if learnt.is_empty() {
                return Ok(teaching);
            }
            let ours = |addend: &&Addend| self.common.products.get(&addend.product).is_some();
            let addends = teaching.addends.iter().filter(ours).map(|addend| addend.id).collect();
            let sum = Sum { seen: teaching.turn, addends, learnt: learnt.clone() };
            let added = self.shared.add_up(sum).await?;
            if added == Added::Kept && !teaching.has_more {
                teaching.learnt.retain(|old| !learnt.iter().any(|new| is_same_place(old, new)));
                teaching.learnt.extend(learnt);
                return Ok(teaching);
            }
        }
    }

    /// What is learnt then, where that is something new.
    fn added_up(&self, teaching: &Teaching) -> Result<Vec<Learnt>, StoreError> {
        let mut learnt = Vec::new();
        for (id, product) in self.common.products.all() {
            let held = Held::of(id, &teaching.learnt)?;
            let last = held.version();
            let mut learner = held.current.unwrap_or_else(|| product.learning.nothing());
            let mut has_more = false;
            for addend in teaching.addends.iter().filter(|addend| addend.product == *id) {
                let addend = learner::decode(&addend.body).map_err(|error| damaged(id, &error))?;
                learner.merge(&addend).map_err(|error| damaged(id, &error))?;
                has_more = true;
            }
            if has_more {
                learnt.push(part(id, LearntPart::Current, learner::encode(&learner)));
            }
            let version = rebuild::records(teaching.applied.values());
            let is_due =
                !teaching.has_more && !learner.is_empty() && last < boundary(Position(version)).0;
            if let Some(at) = teaching.newest_event.filter(|_| is_due && self.draws()) {
                learner.advance(at);
                let published = Published { version, at, learner };
                learnt.push(part(id, LearntPart::Published, learner::encode_published(&published)));
            }
        }
        Ok(learnt)
    }

    fn draws(&self) -> bool {
        self.common.policy == Policy::Learner
    }

    /// Takes over what the store holds for decisions to draw from, where that is new. Solving takes a while: requests go on.
    pub(super) async fn read_learnt(&self) -> Result<(), StoreError> {
        let learnt = self.shared.learnt().await?;
        for (id, product) in self.common.products.all() {
            let held = Held::of(id, &learnt)?;
            if product.learning.is_news(&held) {
                product.learning.take_over_beside(held, self.common.policy).await;
            }
        }
        Ok(())
    }
}

impl Cluster {
    /// The digest of what the store holds, with all that was taught.
    pub(crate) async fn stored_digest(&self, places: Places) -> Result<Digest, LookupError> {
        let teaching = self.add_all_up().await?;
        let learnt = learn::settled(&teaching.learnt, teaching.newest_event)?;
        digest_of(&*self.common.store, places, &learnt).await
    }
}

fn is_same_place(one: &Learnt, other: &Learnt) -> bool {
    (&one.product, one.part) == (&other.product, other.part)
}

fn part(product: &ProductId, part: LearntPart, body: Vec<u8>) -> Learnt {
    Learnt { product: product.clone(), part, body: body.into() }
}
