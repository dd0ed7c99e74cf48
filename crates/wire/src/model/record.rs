//! An answer of a model as it is kept: what was asked, what came, what the ladder said of it, what it cost and who reviewed
//! it. Must not keep a provider's own words.

use pilotage_domain::advise::brief::{NO_GUIDE, Pick};
use pilotage_domain::advise::history::{Entry, Review};
use pilotage_domain::advise::ladder::{Advice, Kept, Share};
use pilotage_domain::advise::price::Usage;
use pilotage_domain::advise::{Brief, MicroUsd, Proposal, Refusal, Verdict};
use pilotage_domain::hash::ContentHash;
use pilotage_domain::id::{GuideId, ProductId, ProviderId};
use pilotage_domain::time::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Reply;
use super::brief::BriefBody;
use crate::instant;
use crate::record::RecordError;

const VERSION: u64 = 1;

/// An answer of record.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AnswerRecord {
    /// The version of this form.
    pub v: u64,
    /// For which product.
    pub product: ProductId,
    /// When it arrived.
    #[serde(with = "instant::text")]
    pub at: Timestamp,
    /// Who was asked, as the settings name it.
    pub provider: ProviderId,
    /// The model that answered, by its own word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<Box<str>>,
    /// What was asked.
    pub brief: BriefBody,
    /// What came, where it could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposal: Option<ProposalBody>,
    /// What the ladder made of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advice: Option<Vec<ShareBody>>,
    /// Why there is no advice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<RefusalBody>,
    /// Options that were refused while others stood.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passed_over: Vec<RefusalBody>,
    /// Tokens that were read and written, as the provider says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<UsageBody>,
    /// What was charged to the budget.
    pub cost_micro_usd: MicroUsd,
    /// What a person said about it.
    #[serde(default)]
    pub review: ReviewName,
}

/// What a model has answered. Names that were not offered are `null`: they are the provider's own words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Proposal")]
pub enum ProposalBody {
    /// Options with their probabilities; `null` where one is no number.
    Weighed(Vec<WeightBody>),
    /// Options from the best on.
    Ranked(Vec<Option<Box<str>>>),
}

/// An option with its probability.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ProposedWeight")]
pub struct WeightBody {
    /// Which option.
    pub option: Option<Box<str>>,
    /// How probable.
    pub probability: Option<f64>,
}

impl ProposalBody {
    /// The proposal, as far as it speaks of the brief's options.
    pub fn of(proposal: &Proposal, brief: &Brief) -> Self {
        let known = |name: &str| brief.pick(name).map(|pick| pick.name().into());
        match proposal {
            Proposal::Ranked(names) => Self::Ranked(names.iter().map(|name| known(name)).collect()),
            Proposal::Weighed { options, .. } => {
                let weight = |(name, p): &(Box<str>, f64)| WeightBody {
                    option: known(name),
                    probability: p.is_finite().then_some(*p),
                };
                Self::Weighed(options.iter().map(weight).collect())
            }
        }
    }
}

/// An option's share of an advice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "AdvisedShare")]
pub struct ShareBody {
    /// A guide's id, or `no_guide`.
    pub option: Box<str>,
    /// Parts of 2³²; those of all options sum to exactly that.
    pub parts: u64,
}

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Refusal")]
pub struct RefusalBody {
    /// The rung, 0 to 9.
    pub rung: u8,
    /// Its stable code.
    pub code: Box<str>,
    /// The option that is refused; the whole answer, or a name that is no option's, where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub option: Option<Box<str>>,
    /// What is wrong, in words of our own.
    pub detail: Box<str>,
}

impl From<&Refusal> for RefusalBody {
    fn from(refusal: &Refusal) -> Self {
        Self {
            rung: refusal.rung().number(),
            code: refusal.rung().code().into(),
            option: refusal.option.as_ref().map(|pick| pick.name().into()),
            detail: refusal.fault.to_string().into(),
        }
    }
}

/// Tokens of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Usage")]
pub struct UsageBody {
    /// Read.
    pub input: u64,
    /// Written.
    pub output: u64,
}

impl From<Usage> for UsageBody {
    fn from(Usage { input, output }: Usage) -> Self {
        Self { input, output }
    }
}

/// What a person said about an advice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Review")]
pub enum ReviewName {
    /// Nothing yet.
    #[default]
    Open,
    /// It may be used where approval is needed.
    Approved,
    /// It is never used.
    Rejected,
}

impl From<ReviewName> for Review {
    fn from(review: ReviewName) -> Self {
        match review {
            ReviewName::Open => Self::Open,
            ReviewName::Approved => Self::Approved,
            ReviewName::Rejected => Self::Rejected,
        }
    }
}

/// Whose answer it is, and what it cost.
#[derive(Debug, Clone, Copy)]
pub struct Told<'a> {
    /// For which product.
    pub product: &'a ProductId,
    /// Who was asked.
    pub provider: &'a ProviderId,
    /// When the answer arrived.
    pub at: Timestamp,
    /// What was charged to the budget.
    pub cost: MicroUsd,
}

impl AnswerRecord {
    /// The record of an answer, with the ladder's verdict where it could be read.
    pub fn new(told: &Told<'_>, brief: &Brief, reply: &Reply, verdict: Option<&Verdict>) -> Self {
        let judged = verdict.map(|verdict| verdict.advice.as_ref());
        let refused = judged.and_then(Result::err).or(reply.proposal.as_ref().err());
        let passed_over = verdict.map(|verdict| verdict.passed_over.iter());
        Self {
            v: VERSION,
            product: told.product.clone(),
            at: told.at,
            provider: told.provider.clone(),
            model: reply.model.clone(),
            brief: brief.into(),
            proposal: reply.proposal.as_ref().ok().map(|p| ProposalBody::of(p, brief)),
            advice: judged.and_then(Result::ok).map(shares),
            refusal: refused.map(RefusalBody::from),
            passed_over: passed_over.into_iter().flatten().map(RefusalBody::from).collect(),
            usage: reply.usage.map(UsageBody::from),
            cost_micro_usd: told.cost,
            review: ReviewName::Open,
        }
    }

    /// The stored form.
    pub fn encode(&self) -> Vec<u8> {
        // Text, numbers and lists: nothing in it can fail to be written to memory.
        serde_json::to_vec(self).expect("a record of an answer is always writable")
    }

    /// Reads a record of any version.
    ///
    /// # Errors
    /// Where it is newer than this program, or was never written by one.
    pub fn decode(body: &[u8]) -> Result<Self, RecordError> {
        #[derive(Deserialize)]
        struct Versioned {
            v: u64,
        }
        let Versioned { v } = serde_json::from_slice(body)?;
        match v {
            VERSION => Ok(serde_json::from_slice(body)?),
            found => Err(RecordError::Newer { found, known: VERSION }),
        }
    }

    /// The entry of the situation's history, under the number that the answer has in the book; `None` where the answer was
    /// refused.
    ///
    /// # Errors
    /// Where no ladder can have passed what is kept.
    pub fn entry(&self, answer: u64) -> Result<Option<Entry>, RecordError> {
        let Some(shares) = &self.advice else { return Ok(None) };
        let bad = |what: &str| RecordError::Malformed(format!("the advice's {what}"));
        let hash = |text: &str, what| unhex(text).ok_or_else(|| bad(what));
        let kept = Kept {
            signature: hash(&self.brief.signature, "signature")?,
            parent: hash(&self.brief.parent, "parent")?,
            catalogue: hash(&self.brief.catalogue, "catalogue")?,
            prompt: self.brief.prompt.clone(),
            at: self.at,
            ranked: shares.iter().map(share).collect::<Option<_>>().ok_or_else(|| bad("option"))?,
        };
        let advice = Advice::recall(kept).ok_or_else(|| bad("shares"))?;
        Ok(Some(Entry { answer, advice, review: self.review.into() }))
    }
}

fn shares(advice: &Advice) -> Vec<ShareBody> {
    let body = |share: &Share| ShareBody { option: share.pick.name().into(), parts: share.parts };
    advice.ranked().iter().map(body).collect()
}

fn share(body: &ShareBody) -> Option<Share> {
    let pick = match &*body.option {
        NO_GUIDE => Pick::NoGuide,
        id => Pick::Guide(GuideId::new(id).ok()?),
    };
    Some(Share { pick, parts: body.parts })
}

/// Reads 64 hexadecimal digits, as a hash prints itself.
pub(crate) fn unhex(text: &str) -> Option<ContentHash> {
    let digits = text.as_bytes();
    if digits.len() != 64 || !digits.iter().all(|d| matches!(d, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(ContentHash::from_bytes(bytes))
}
