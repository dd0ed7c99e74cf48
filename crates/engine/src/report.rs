//! Users and activations by group, kept as they happen. Must agree with the stored cohorts after any crash.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use pilotage_domain::decide::Group;
use pilotage_domain::definition::Definition;
use pilotage_domain::id::ProductId;
use pilotage_domain::learn::Arm;
use pilotage_domain::learn::tally::Tally;
use pilotage_domain::profile::Profile;
use pilotage_domain::time::Timestamp;

use crate::lookup::LookupError;
use crate::port::store::{Cohort, GroupCount};
use crate::{Engine, Seat};

/// The counts by product and group. They start as the stored cohorts' counts; every fold that moves a profile past what
/// is stored adds what it changed, so a replay after a crash adds exactly what was lost.
#[derive(Default)]
pub(crate) struct Counts(Mutex<BTreeMap<(ProductId, Group), GroupCount>>);

impl Counts {
    pub(crate) fn start_from(&self, stored: BTreeMap<(ProductId, Group), GroupCount>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = stored;
    }

    fn now(&self) -> BTreeMap<(ProductId, Group), GroupCount> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A user of this group went from `before` to `after`.
    pub(crate) fn moved(&self, product: &ProductId, group: Group, before: Counted, after: Counted) {
        if before == after {
            return;
        }
        let newly = |was: bool, is: bool| u64::from(is && !was);
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry((product.clone(), group)).or_default();
        count.users += newly(before.seen, after.seen);
        count.signed_up += newly(before.signed_up, after.signed_up);
        count.activated += newly(before.activated, after.activated);
    }
}

/// How far a user has come, as reports count it. Nothing of it is ever taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counted {
    seen: bool,
    signed_up: bool,
    activated: bool,
}

impl Counted {
    pub(crate) fn of(profile: &Profile, definition: &Definition) -> Self {
        Self {
            seen: profile.first_seen.is_some(),
            signed_up: profile.signup.is_some(),
            activated: activated_at(profile, definition).is_some(),
        }
    }
}

/// When the activation milestone was reached.
pub(crate) fn activated_at(profile: &Profile, definition: &Definition) -> Option<Timestamp> {
    let activation = &definition.milestones[definition.activation].id;
    profile.reached.iter().find(|(id, _)| id == activation).map(|(_, at)| *at)
}

/// What the store keeps of a user for reports; `None` before the first event.
pub(crate) fn cohort_of(
    profile: &Profile,
    definition: &Definition,
    group: Group,
) -> Option<Cohort> {
    Some(Cohort {
        group,
        first_seen: profile.first_seen?,
        signup: profile.signup,
        activated: activated_at(profile, definition),
    })
}

impl Engine {
    /// What became of exposures by wording, of draws of which the learner may learn; nothing where several processes share
    /// the log.
    pub fn arms(&self, product: &ProductId) -> BTreeMap<Arm, Tally> {
        let product = self.common.products.get(product);
        product.map(|product| product.learning.arms()).unwrap_or_default()
    }

    /// Users and activations by group, every group named.
    pub async fn report(
        &self,
        product: &ProductId,
    ) -> Result<Vec<(Group, GroupCount)>, LookupError> {
        let counts = match &self.seat {
            Seat::Alone(alone) => alone.counts.now(),
            Seat::Cluster(_) => self.common.store.cohorts().await?,
        };
        let groups = [Group::Guided, Group::Holdout, Group::Random, Group::Static];
        let count = |group| counts.get(&(product.clone(), group)).copied().unwrap_or_default();
        Ok(groups.into_iter().map(|group| (group, count(group))).collect())
    }
}
