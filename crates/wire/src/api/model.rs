//! The bodies of asking models: what they proposed, what people say of it, how it goes. Must not hold a provider's own words.

use std::collections::BTreeMap;

use pilotage_domain::advise::mode::Mode;
use pilotage_domain::id::GuideId;
use pilotage_domain::time::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::schema;
use crate::instant;
use crate::model::book::MAX_BY;
use crate::model::brief::BriefBody;
use crate::model::record::{
    AnswerRecord, ProposalBody, RefusalBody, ReviewName, ShareBody, UsageBody,
};
use crate::object::Members;
use crate::problem::Fault;

/// How many proposals are listed where the caller does not say.
pub const DEFAULT_LIMIT: usize = 50;
/// The most proposals of one list.
pub const MAX_LIMIT: usize = 500;

/// What a model was asked, what came, and what became of it.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ProposalRecord")]
pub struct ProposalItem {
    /// Its name: its page in the book.
    pub id: String,
    /// When the answer arrived.
    #[serde(with = "instant::text")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub at: Timestamp,
    /// Who was asked, as the settings name it.
    pub provider: String,
    /// The model that answered, by its own word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<Box<str>>,
    /// What was asked.
    pub brief: BriefBody,
    /// What came, where it could be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proposal: Option<ProposalBody>,
    /// What the ladder made of it; absent where it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<Vec<ShareBody>>,
    /// Why there is no advice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<RefusalBody>,
    /// Options that were refused while others stood.
    pub passed_over: Vec<RefusalBody>,
    /// Tokens that were read and written, where the provider has said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<UsageBody>,
    /// What was charged to the budget, in millionths of a dollar.
    pub cost_micro_usd: u64,
    /// What a person said last about it.
    pub review: ReviewName,
    /// Who said it, where that was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reviewed_by: Option<Box<str>>,
    /// When.
    #[serde(with = "instant::optional", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub reviewed_at: Option<Timestamp>,
}

/// A person's last word on a proposal.
#[derive(Debug, Clone, Default)]
pub struct Reviewed {
    /// The word.
    pub review: ReviewName,
    /// Who said it.
    pub by: Option<Box<str>>,
    /// When.
    pub at: Option<Timestamp>,
}

impl ProposalItem {
    /// An answer of record with what was said about it.
    pub fn new(number: u64, record: AnswerRecord, reviewed: Reviewed) -> Self {
        Self {
            id: number.to_string(),
            at: record.at,
            provider: record.provider.to_string(),
            model: record.model,
            brief: record.brief,
            proposal: record.proposal,
            advice: record.advice,
            refusal: record.refusal,
            passed_over: record.passed_over,
            usage: record.usage,
            cost_micro_usd: record.cost_micro_usd.get(),
            review: reviewed.review,
            reviewed_by: reviewed.by,
            reviewed_at: reviewed.at,
        }
    }
}

/// Proposals, newest first.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Proposals")]
pub struct ProposalsBody {
    /// The proposals.
    pub items: Vec<ProposalItem>,
    /// Where older ones begin: to be sent as `cursor`; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Who approves or rejects a proposal.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[schemars(rename = "ReviewRequest")]
pub struct ReviewBody {
    /// A name for the book; not checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 100))]
    pub by: Option<Box<str>>,
}

/// Reads who reviews; an empty text is nobody.
///
/// # Errors
/// Every fault.
pub fn read_review(text: &str) -> Result<ReviewBody, Vec<Fault>> {
    const REVIEW: [&str; 1] = ["by"];
    if text.is_empty() {
        return Ok(ReviewBody::default());
    }
    let mut body = Members::read(text, &REVIEW, "").map_err(|fault| vec![fault])?;
    let by = body.bounded_text(0, MAX_BY);
    if body.faults.is_empty() { Ok(ReviewBody { by }) } else { Err(body.faults) }
}

/// How much say advice is to have.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ModeRequest")]
pub struct ModeBody {
    /// From now on.
    #[schemars(with = "schema::ModelMode")]
    pub mode: Mode,
    /// Of this guide; of the product where absent. The lesser of both holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub guide: Option<GuideId>,
    /// A name for the book; not checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 100))]
    pub by: Option<Box<str>>,
}

/// Reads how much say advice is to have.
///
/// # Errors
/// Every fault.
pub fn read_mode(text: &str) -> Result<ModeBody, Vec<Fault>> {
    const MODE: [&str; 3] = ["mode", "guide", "by"];
    let mut body = Members::read(text, &MODE, "").map_err(|fault| vec![fault])?;
    let known = "must be off, shadow, review, canary or live";
    let mode = body.required(0, |text| Mode::parse(text).ok_or(known));
    let guide = body.name(1, GuideId::new);
    let by = body.bounded_text(2, MAX_BY);
    match mode {
        Some(mode) if body.faults.is_empty() => Ok(ModeBody { mode, guide, by }),
        _ => Err(body.faults),
    }
}

/// How asking models goes.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Model")]
pub struct ModelBody {
    /// How much say advice has for the product; `off` where no model is configured.
    #[schemars(with = "schema::ModelMode")]
    pub mode: Mode,
    /// The same of guides that have a say of their own; the lesser of both holds.
    #[schemars(with = "BTreeMap<String, schema::ModelMode>")]
    pub guides: BTreeMap<GuideId, Mode>,
    /// Whom this process asks, in order.
    pub providers: Vec<ModelProviderBody>,
    /// Money, of all processes together.
    pub budget: BudgetBody,
    /// Situations that wait for advice.
    pub waiting: u64,
    /// Calls that this process has made since it was started.
    pub calls: u64,
    /// Events that it has folded meanwhile without a call.
    pub calls_avoided: u64,
    /// What a call for each of them would have cost with the first provider's model, in millionths of a dollar.
    pub per_event_micro_usd: u64,
    /// Decisions that may go by advice, by where their advice came from: `newest`, `last_good`, `parent`, `none`.
    pub decisions: BTreeMap<&'static str, u64>,
}

/// One provider, since the process was started.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ModelProvider")]
pub struct ModelProviderBody {
    /// As the settings name it.
    pub id: String,
    /// Its model.
    pub model: Box<str>,
    /// `closed` (calls go through), `open` (none does) or `half_open` (one finds out).
    pub breaker: &'static str,
    /// Answers by verdict: `passed`, or the code of the rung that refused them.
    pub verdicts: BTreeMap<&'static str, u64>,
    /// Calls that were not made: no money, no price, an open breaker.
    pub barred: u64,
    /// Tokens that were read.
    pub tokens_read: u64,
    /// Tokens that were written.
    pub tokens_written: u64,
    /// What the calls have cost, in millionths of a dollar.
    pub cost_micro_usd: u64,
}

/// Money in millionths of a dollar.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ModelBudget")]
pub struct BudgetBody {
    /// Spent today (UTC).
    pub day_micro_usd: u64,
    /// What may be spent in a day; absent where only the month is capped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub day_cap_micro_usd: Option<u64>,
    /// Spent this month (UTC).
    pub month_micro_usd: u64,
    /// What may be spent in a month.
    pub month_cap_micro_usd: u64,
    /// Reserved for calls that are not over.
    pub reserved_micro_usd: u64,
    /// `plenty`, `sparing` (from 70 % on), `head_only` (from 90 % on) or `spent`.
    pub level: &'static str,
}
