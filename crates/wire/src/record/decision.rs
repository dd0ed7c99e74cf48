//! A decision as it stands in the log: what was answered, and all it takes to explain and evaluate it. Must stay readable JSON.

use pilotage_domain::decide::{Decision, Group, Outcome, Reason, Trace};
use pilotage_domain::id::{
    DecisionId, GuideId, MilestoneId, ProductId, SessionId, UserId, VariantId,
};
use pilotage_domain::number::Propensity;
use pilotage_domain::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::RecordError;
use crate::guide::GuideBody;
use crate::instant;

const VERSION: u64 = 1;

/// A decision of record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredDecision {
    /// The version of this form.
    pub v: u64,
    /// Its name.
    pub decision_id: DecisionId,
    /// For which product.
    pub product: ProductId,
    /// For whom.
    pub user_id: UserId,
    /// In which visit.
    pub session_id: SessionId,
    /// The moment that it was made for.
    #[serde(with = "instant::text")]
    pub at: Timestamp,
    /// The caller's surroundings.
    pub context: SurfaceBody,
    /// The user's group.
    pub group: Group,
    /// The policy that drew.
    pub policy: Box<str>,
    /// Drawn by the definition's `explore` share.
    #[serde(default)]
    pub explore: bool,
    /// Made before the profile held the event that the caller had asked to wait for.
    #[serde(default)]
    pub stale: bool,
    /// The catalogue's version.
    pub catalogue_version: u64,
    /// The definition's content hash, in hexadecimal.
    pub catalogue_hash: Box<str>,
    /// The situation, in hexadecimal.
    pub signature: Box<str>,
    /// `show` or `withhold`.
    pub outcome: OutcomeName,
    /// What to show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guide: Option<GuideBody>,
    /// Why nothing is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// The probability of what was drawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub propensity: Option<Propensity>,
    /// Not to be shown from this instant on.
    #[serde(default, with = "instant::optional", skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Proof that this very content passed the rules, in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_hash: Option<Box<str>>,
    /// How each guide fared.
    pub trace: Trace,
}

/// What comes of a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeName {
    /// A guide.
    Show,
    /// Nothing.
    Withhold,
}

/// The surroundings that a caller stated.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SurfaceBody {
    /// The page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The app's version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app_version: Option<String>,
    /// The locale.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// The components that it can draw.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub components: Option<Vec<String>>,
}

/// What a decision was made for and under.
#[derive(Debug, Clone)]
pub struct Circumstances {
    /// For which product.
    pub product: ProductId,
    /// For whom.
    pub user: UserId,
    /// In which visit.
    pub session: SessionId,
    /// The caller's surroundings.
    pub surface: SurfaceBody,
    /// The catalogue's version.
    pub catalogue_version: u64,
    /// The definition's content hash, in hexadecimal.
    pub catalogue_hash: Box<str>,
    /// Made before the awaited event was in the profile.
    pub stale: bool,
    /// Proof that this very content passed the rules, in hexadecimal.
    pub validation_hash: Option<Box<str>>,
}

impl StoredDecision {
    /// The record of a decision.
    pub fn new(decision: Decision, of: Circumstances) -> Self {
        let (outcome, guide, reason, propensity, expires_at) = match &decision.outcome {
            Outcome::Show { guide, propensity, expires } => {
                let body = GuideBody::from(&**guide);
                (OutcomeName::Show, Some(body), None, Some(*propensity), Some(*expires))
            }
            Outcome::Withhold { reason, propensity } => {
                (OutcomeName::Withhold, None, Some(*reason), *propensity, None)
            }
        };
        Self {
            v: VERSION,
            decision_id: decision.id,
            product: of.product,
            user_id: of.user,
            session_id: of.session,
            at: decision.at,
            context: of.surface,
            group: decision.group,
            policy: decision.policy.into(),
            explore: decision.explore,
            stale: of.stale,
            catalogue_version: of.catalogue_version,
            catalogue_hash: of.catalogue_hash,
            signature: decision.signature.to_string().into(),
            outcome,
            guide,
            reason,
            propensity,
            expires_at,
            validation_hash: of.validation_hash,
            trace: decision.trace,
        }
    }

    /// The stored form.
    pub fn encode(&self) -> Vec<u8> {
        // Text, numbers and lists: nothing in it can fail to be written to memory.
        serde_json::to_vec(self).expect("a decision is always writable")
    }
}

/// Reads a stored decision of any version, whole.
pub fn decode(body: &[u8]) -> Result<StoredDecision, RecordError> {
    check_version(body)?;
    Ok(serde_json::from_slice(body)?)
}

/// What the fold needs of a decision.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DecisionFact {
    /// Its name.
    pub decision_id: DecisionId,
    /// In which visit.
    pub session_id: SessionId,
    /// The moment that it was made for.
    #[serde(with = "instant::text")]
    pub at: Timestamp,
    /// What it offers; nothing where no guide was shown.
    #[serde(default)]
    pub guide: Option<OfferedGuide>,
}

/// What a decision offers.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct OfferedGuide {
    /// Which guide.
    pub id: GuideId,
    /// In which wording.
    pub variant: VariantId,
    /// For which milestone.
    pub milestone: MilestoneId,
}

/// Reads of a stored decision of any version what the fold needs.
pub fn decode_fact(body: &[u8]) -> Result<DecisionFact, RecordError> {
    check_version(body)?;
    Ok(serde_json::from_slice(body)?)
}

fn check_version(body: &[u8]) -> Result<(), RecordError> {
    #[derive(Deserialize)]
    struct Versioned {
        v: u64,
    }
    // Our own writer puts the version first; a reader of another order is only slower.
    if body.starts_with(b"{\"v\":1,") {
        return Ok(());
    }
    let Versioned { v } = serde_json::from_slice(body)?;
    if v == VERSION { Ok(()) } else { Err(RecordError::Newer { found: v, known: VERSION }) }
}
