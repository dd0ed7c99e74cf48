//! Looking up a user where others fold. Must not change anything.

use std::time::Duration;

use pilotage_domain::event::Position;
use pilotage_domain::id::DecisionId;

use super::Cluster;
use crate::lookup::{Found, LookupError};
use crate::port::store::UserKey;
use crate::product::Product;

/// How long somebody who looks waits for the workers; beyond it, what is shown is what they have folded.
const CATCH_UP: Duration = Duration::from_secs(1);

impl Cluster {
    pub(crate) async fn find(
        &self,
        product: &Product,
        key: &UserKey,
    ) -> Result<Option<Found>, LookupError> {
        // A person looks: what is shown is as it stands now.
        self.catch_up().await;
        let read = self.read_anew(product, key).await?;
        Ok((read.profile.applied > Position(0)).then(|| Found {
            profile: read.profile.clone(),
            kin: read.kin.clone(),
            group: read.group,
            row: read.row,
            newest: read.newest.clone(),
        }))
    }

    /// Where the decision stands, once it is folded.
    pub(crate) async fn find_decision(
        &self,
        id: DecisionId,
    ) -> Result<Option<Position>, LookupError> {
        if let Some(position) = self.shared.decision(id).await? {
            return Ok(Some(position));
        }
        // It may have been answered a moment ago and be on its way.
        self.catch_up().await;
        Ok(self.shared.decision(id).await?)
    }

    /// Waits for what is in the log by now, as long as somebody who looks may be kept waiting; not at all where the log is away.
    async fn catch_up(&self) {
        let _ = tokio::time::timeout(CATCH_UP, self.settled()).await;
    }
}
