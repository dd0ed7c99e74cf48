//! The contact ledger: what was offered, shown, clicked and dismissed. Must not hold copy or anything personal.

use serde::{Deserialize, Serialize};

use crate::id::{DecisionId, GuideId, MilestoneId, VariantId};
use crate::time::{Millis, Timestamp};

/// How long an offer counts against the limits before anyone has seen the guide.
pub const RESERVATION: Millis = Millis::minutes(1);
/// How long after the offer a guide may still be shown: the decision's `expiresAt`.
pub const OFFER_LIFE: Millis = Millis::minutes(10);
/// How many of the newest offers the ledger remembers, to know what a decision id stands for.
pub const OFFERS_KEPT: usize = 32;
/// Silence after a dismissal never grows past this.
pub const LONGEST_SILENCE: Millis = Millis::days(14);

/// What a user was offered and did with it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ContactLedger {
    /// The newest offers in log order, at most `OFFERS_KEPT`.
    pub offers: Vec<Offer>,
    /// Exposure times of the last 24 hours, ascending, with the hash of their session.
    pub recent: Vec<(Timestamp, u64)>,
    /// Totals by guide, sorted by id.
    pub guides: Vec<(GuideId, GuideContact)>,
    /// Dismissals by milestone, sorted by id.
    pub dismissed: Vec<(MilestoneId, Dismissals)>,
    /// Guide events whose decision id the ledger does not know.
    pub unknown_decisions: u32,
}

/// A decision that showed a guide, as the ledger remembers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// The decision.
    pub decision: DecisionId,
    /// What it offers.
    pub guide: GuideId,
    /// In which wording.
    pub variant: VariantId,
    /// For which milestone.
    pub milestone: MilestoneId,
    /// Hash of the session that asked.
    pub session: u64,
    /// When it was made.
    pub at: Timestamp,
    /// When it was first shown.
    pub shown: Option<Timestamp>,
    /// When it was first clicked.
    pub clicked: Option<Timestamp>,
    /// When it was first dismissed.
    pub dismissed: Option<Timestamp>,
}

/// What became of one guide's exposures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct GuideContact {
    /// Exposures.
    pub shows: u32,
    /// Exposures that were clicked.
    pub clicks: u32,
    /// Exposures that were dismissed.
    pub dismissals: u32,
    /// The latest exposure.
    pub last_shown: Option<Timestamp>,
}

/// The dismissals of guides that serve one milestone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dismissals {
    /// How many.
    pub count: u32,
    /// The latest.
    pub last: Timestamp,
}
