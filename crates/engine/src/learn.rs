//! What is learnt of each product, beside its profiles: kept with the fold, stored with the users, published at fixed positions
//! of the log. Must not choose; and must cost nothing where nobody draws by it.
//!
//! What the learner holds is the sum of what each user's records teach. So live it is the sum over the users as they are
//! folded, and in the store the sum over the users as they are stored there: a write moves it by what its users teach more
//! than they did when they were written last. Whatever a crash leaves, the two fit, and folding on ends in the same state.
//!
//! Decisions draw from what was learnt up to a fixed position of the log, whoever publishes it and when. After an end out of
//! order some users in the store may be ahead of the rest; then nothing new is published until the log's end is passed.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::{ArcSwapOption, Guard};
use pilotage_domain::definition::Definition;
use pilotage_domain::event::Position;
use pilotage_domain::id::ProductId;
use pilotage_domain::learn::tally::Tally;
use pilotage_domain::learn::{Arm, Beliefs, Ground, Learner, Lesson};
use pilotage_domain::policy::Policy;
use pilotage_domain::time::Timestamp;
use pilotage_wire::record::RecordError;
use pilotage_wire::record::learner::{self, Published};

use crate::port::log::Log;
use crate::port::store::{Learnt, LearntPart, Store, StoreError, Watermark};
use crate::product::{Product, Products};
use crate::{Alone, Common};

/// The least and the greatest distance of two positions at which beliefs are published.
const SPACING: (u64, u64) = (64, 16_384);
/// In between it is this part of the log, so that solving costs little however fast the log grows.
const PART: u64 = 1_024;

/// The last position up to there at which beliefs are published; 0 where there is none.
pub(crate) fn boundary(position: Position) -> Position {
    let power = 1u64 << (u64::BITS - 1 - position.0.max(1).leading_zeros());
    let spacing = (power / PART).clamp(SPACING.0, SPACING.1);
    Position(position.0 / spacing * spacing)
}

/// What a user's records teach now, in the place of what they taught before.
#[derive(Debug, Default)]
pub(crate) struct Revision {
    pub(crate) before: Vec<Lesson>,
    pub(crate) after: Vec<Lesson>,
}

/// What is learnt of one product.
pub(crate) struct Learning {
    pub(crate) ground: Arc<Ground>,
    state: Mutex<State>,
    beliefs: ArcSwapOption<Beliefs>,
}

struct State {
    /// What the users teach as they are folded.
    live: Learner,
    /// What they teach as they are stored.
    stored: Learner,
    published: Option<Published>,
    /// Whether the store has it.
    published_stored: bool,
}

/// A step of what is stored, on its way.
pub(crate) struct Storing {
    product: ProductId,
    current: Option<Learner>,
    published: Option<u64>,
    pub(crate) parts: Vec<Learnt>,
}

impl Learning {
    pub(crate) fn new(definition: &Definition) -> Self {
        let ground = Arc::new(Ground::of(definition));
        let state = State::of(Learner::new(ground.frame.clone()), None);
        Self { ground, state: Mutex::new(state), beliefs: ArcSwapOption::empty() }
    }

    /// A state that has learnt nothing of this product.
    pub(crate) fn nothing(&self) -> Learner {
        Learner::new(self.ground.frame.clone())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What decisions draw from; `None` where nobody draws by it. Takes no lock.
    pub(crate) fn beliefs(&self) -> Guard<Option<Arc<Beliefs>>> {
        self.beliefs.load()
    }

    /// What became of exposures by wording.
    pub(crate) fn arms(&self) -> BTreeMap<Arm, Tally> {
        self.state().live.arms.clone()
    }

    pub(crate) fn revise(&self, revision: &Revision) {
        self.state().live.revise(&revision.before, &revision.after);
    }

    /// Takes over what the store holds, and what it holds for decisions to draw from.
    fn take_over(&self, held: Held, policy: Policy) {
        let beliefs = (policy == Policy::Learner).then(|| Arc::new(held.beliefs(&self.ground)));
        self.put(held, beliefs);
    }

    /// The same, solved on another thread.
    pub(crate) async fn take_over_beside(&self, held: Held, policy: Policy) {
        if policy != Policy::Learner {
            return self.put(held, None);
        }
        let ground = Arc::clone(&self.ground);
        let solve = move || (Arc::new(held.beliefs(&ground)), held);
        // It fails where the process ends meanwhile.
        if let Ok((beliefs, held)) = tokio::task::spawn_blocking(solve).await {
            self.put(held, Some(beliefs));
        }
    }

    fn put(&self, held: Held, beliefs: Option<Arc<Beliefs>>) {
        let learner = held.current.unwrap_or_else(|| self.nothing());
        *self.state() = State::of(learner, held.published);
        self.beliefs.store(beliefs);
    }

    /// Whether that is something else to draw from.
    pub(crate) fn is_news(&self, held: &Held) -> bool {
        self.state().version() != held.version()
    }

    /// Forgets everything.
    fn forget(&self, policy: Policy) {
        self.take_over(Held::default(), policy);
    }

    /// Publishes what was learnt up to that position, once; `at` is the newest event time up to there.
    fn publish(&self, version: Position, at: Timestamp) {
        let learner = {
            let mut state = self.state();
            if state.live.is_empty() || state.version() >= version.0 {
                return;
            }
            state.live.advance(at);
            state.live.clone()
        };
        let beliefs = Beliefs::new(Arc::clone(&self.ground), &learner, at, version.0);
        self.beliefs.store(Some(Arc::new(beliefs)));
        let mut state = self.state();
        state.published = Some(Published { version: version.0, at, learner });
        state.published_stored = false;
    }

    /// What the store is to hold once users are stored that teach so; `None` where it holds that already.
    pub(crate) fn storing(
        &self,
        product: &ProductId,
        revisions: &[&Revision],
        newest: Option<Timestamp>,
    ) -> Option<Storing> {
        let state = self.state();
        let mut current = None;
        if !revisions.is_empty() {
            let mut learner = state.stored.clone();
            newest.into_iter().for_each(|at| learner.advance(at));
            revisions.iter().for_each(|r| learner.revise(&r.before, &r.after));
            current = Some(learner);
        }
        let published = state.published.as_ref().filter(|_| !state.published_stored);
        if current.is_none() && published.is_none() {
            return None;
        }
        let part =
            |part, body: Vec<u8>| Learnt { product: product.clone(), part, body: body.into() };
        let parts = [
            current.as_ref().map(|learner| part(LearntPart::Current, learner::encode(learner))),
            published.map(|p| part(LearntPart::Published, learner::encode_published(p))),
        ];
        let published = published.map(|published| published.version);
        let parts = parts.into_iter().flatten().collect();
        Some(Storing { product: product.clone(), current, published, parts })
    }

    /// What was to be stored is durable.
    fn stored(&self, storing: Storing) {
        let mut state = self.state();
        if let Some(current) = storing.current {
            state.stored = current;
        }
        state.published_stored |= storing.published == Some(state.version());
    }
}

impl State {
    fn of(learner: Learner, published: Option<Published>) -> Self {
        Self { stored: learner.clone(), live: learner, published, published_stored: true }
    }

    fn version(&self) -> u64 {
        version_of(self.published.as_ref())
    }
}

fn version_of(published: Option<&Published>) -> u64 {
    published.map_or(0, |published| published.version)
}

/// What a store holds of one product.
#[derive(Default)]
pub(crate) struct Held {
    pub(crate) current: Option<Learner>,
    pub(crate) published: Option<Published>,
}

impl Held {
    pub(crate) fn of(product: &ProductId, learnt: &[Learnt]) -> Result<Self, StoreError> {
        let damaged = |error: RecordError| damaged(product, &error);
        let part = |part| learnt.iter().find(|l| l.product == *product && l.part == part);
        let current = part(LearntPart::Current).map(|l| learner::decode(&l.body));
        let published = part(LearntPart::Published).map(|l| learner::decode_published(&l.body));
        Ok(Self {
            current: current.transpose().map_err(damaged)?,
            published: published.transpose().map_err(damaged)?,
        })
    }

    pub(crate) fn version(&self) -> u64 {
        version_of(self.published.as_ref())
    }

    fn beliefs(&self, ground: &Arc<Ground>) -> Beliefs {
        match &self.published {
            Some(Published { version, at, learner }) => {
                Beliefs::new(Arc::clone(ground), learner, *at, *version)
            }
            None => Beliefs::prior(Arc::clone(ground)),
        }
    }
}

/// What is learnt of a product is not what was written.
pub(crate) fn damaged(product: &ProductId, error: &dyn std::error::Error) -> StoreError {
    StoreError::Damaged(format!("what is learnt of product `{product}`: {error}"))
}

/// The first product of which something is learnt that does not mean the same under its definition: the log is to be folded
/// again.
pub(crate) async fn misfit(
    store: &dyn Store,
    products: &Products,
) -> Result<Option<ProductId>, StoreError> {
    let learnt = store.learnt().await?;
    for id in products.ids() {
        let Some(product) = products.get(id) else { continue };
        let frame = &product.learning.ground.frame;
        let held = Held::of(id, &learnt)?;
        let published = held.published.as_ref().map(|published| &published.learner);
        if held.current.iter().chain(published).any(|learner| learner.frame != *frame) {
            return Ok(Some(id.clone()));
        }
    }
    Ok(None)
}

/// When beliefs may be published.
pub(crate) struct Pace {
    /// The newest event time that was folded; `i64::MIN` before the first.
    newest: AtomicI64,
    /// From this position on what is learnt is what the log up to there teaches, and no more.
    exact_from: Position,
}

impl Pace {
    /// Of an engine that goes on from that watermark.
    pub(crate) fn new(watermark: &Watermark, log: &dyn Log) -> Self {
        let begins = watermark.position == Position(0);
        let newest = watermark.newest_event.filter(|_| !begins);
        let exact_from = if begins { Position(0) } else { log.end() };
        Self { newest: AtomicI64::new(newest.map_or(i64::MIN, Timestamp::as_millis)), exact_from }
    }

    /// Takes note of an event's time.
    pub(crate) fn saw(&self, at: Timestamp) {
        self.newest.fetch_max(at.as_millis(), Ordering::Relaxed);
    }

    fn newest(&self) -> Option<Timestamp> {
        let ms = self.newest.load(Ordering::Relaxed);
        (ms != i64::MIN).then(|| Timestamp::from_millis(ms))
    }

    fn restart(&mut self) {
        *self = Self { newest: AtomicI64::new(i64::MIN), exact_from: Position(0) };
    }
}

impl Common {
    /// Takes over what the store holds.
    pub(crate) async fn take_over_learnt(&self) -> Result<(), StoreError> {
        let learnt = self.store.learnt().await?;
        for (id, product) in self.products.all() {
            product.learning.take_over(Held::of(id, &learnt)?, self.policy);
        }
        Ok(())
    }
}

impl Alone {
    /// Forgets what is learnt, for a fold from the log's beginning.
    pub(crate) fn forget_learnt(&mut self) {
        self.pace.restart();
        for (_, product) in self.common.products.all() {
            product.learning.forget(self.common.policy);
        }
    }

    /// Where to publish on the way from what is folded to that position.
    pub(crate) fn due(&self, last: Position) -> Option<Position> {
        if self.common.policy != Policy::Learner {
            return None;
        }
        let due = boundary(last);
        (due > self.progress.applied() && due >= self.pace.exact_from).then_some(due)
    }

    /// Publishes what is learnt now, which is what the log up to there teaches.
    pub(crate) fn publish(&self, version: Position) {
        let Some(newest) = self.pace.newest() else { return };
        for (_, product) in self.common.products.all() {
            product.learning.publish(version, newest);
        }
    }

    /// What is to be stored together with users that teach so.
    pub(crate) fn storing<'a>(
        &self,
        revisions: impl Iterator<Item = (&'a ProductId, &'a Revision)> + Clone,
    ) -> Vec<Storing> {
        let newest = self.pace.newest();
        let of = |(id, product): (&ProductId, &Product)| {
            let own: Vec<&Revision> =
                revisions.clone().filter(|(of, _)| *of == id).map(|(_, r)| r).collect();
            product.learning.storing(id, &own, newest)
        };
        self.common.products.all().filter_map(of).collect()
    }

    /// What was to be stored is durable.
    pub(crate) fn learnt_stored(&self, storing: Vec<Storing>) {
        for storing in storing {
            if let Some(product) = self.common.products.get(&storing.product) {
                product.learning.stored(storing);
            }
        }
    }
}

/// What these learners come to, for a digest: settled at the newest event, so that it does not matter when each was written.
pub(crate) fn settled(
    learnt: &[Learnt],
    newest: Option<Timestamp>,
) -> Result<Vec<(ProductId, Vec<u8>)>, StoreError> {
    let mut settled = Vec::new();
    for Learnt { product, .. } in learnt.iter().filter(|l| l.part == LearntPart::Current) {
        let Some(mut learner) = Held::of(product, learnt)?.current else { continue };
        newest.into_iter().for_each(|at| learner.advance(at));
        if !learner.is_empty() {
            settled.push((product.clone(), learner::encode(&learner)));
        }
    }
    settled.sort();
    Ok(settled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boundaries_lie_apart_by_a_thousandth_of_the_log() {
        let table = [
            (0, 0),
            (63, 0),
            (64, 64),
            (1_000, 960),
            (100_000, 99_968),
            (131_072, 131_072),
            (131_199, 131_072),
            (131_200, 131_200),
            (10_000_000, 9_994_240),
            (1 << 40, 1 << 40),
            ((1 << 40) + 16_384, (1 << 40) + 16_384),
            ((1 << 40) + 16_383, 1 << 40),
        ];
        for (position, expected) in table {
            assert_eq!(boundary(Position(position)), Position(expected), "{position}");
        }
        for position in 0..300_000 {
            let found = boundary(Position(position));
            assert_eq!(boundary(found), found, "a boundary is its own, at {position}");
        }
    }
}
