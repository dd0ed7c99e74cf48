//! A decision as it stands in the log: what was answered, and all it takes to explain and evaluate it. Must stay compact:
//! one is written for every answer.

use std::borrow::Cow;

use pilotage_domain::decide::{
    Decision, Group, Outcome, Reason, Sealed, SealedCopy, SealedGuide, Trace, seal,
};
use pilotage_domain::hash::ContentHash;
use pilotage_domain::id::{DecisionId, ProductId, SessionId, UserId};
use pilotage_domain::learn::Weighing;
use pilotage_domain::number::Propensity;
use pilotage_domain::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::RecordError;
use crate::guide::GuideBody;
use crate::model::record::unhex;

/// Each version has one optional part more at its end; a record of an earlier one reads as if it ended with none of it.
const VERSION: u8 = 2;
/// A record that begins so has the learner's weighing before it, and is a record of any version from there on.
const WEIGHED: u8 = 3;

/// A decision of record. Stored as a version byte and the fields in this order, in postcard's format: what the fold
/// needs comes first, so that it can stop there. Where there is a weighing, it stands before all of that.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoredDecision {
    /// Its name.
    pub decision_id: DecisionId,
    /// In which visit.
    pub session_id: SessionId,
    /// The moment that it was made for.
    pub at: Timestamp,
    /// What to show.
    pub guide: Option<GuideBody>,
    /// For which product.
    pub product: ProductId,
    /// For whom.
    pub user_id: UserId,
    /// The caller's surroundings.
    #[serde(with = "surface")]
    pub context: SurfaceBody,
    /// The user's group.
    pub group: Group,
    /// The policy that drew.
    pub policy: Box<str>,
    /// Drawn by the definition's `explore` share.
    pub explore: bool,
    /// Made before the profile held the event that the caller had asked to wait for.
    pub stale: bool,
    /// The catalogue's version.
    pub catalogue_version: u64,
    /// The definition's content hash, in hexadecimal.
    pub catalogue_hash: Box<str>,
    /// The situation, in hexadecimal.
    pub signature: Box<str>,
    /// `show` or `withhold`.
    pub outcome: OutcomeName,
    /// Why nothing is shown.
    pub reason: Option<Reason>,
    /// The probability of what was drawn.
    pub propensity: Option<Propensity>,
    /// Not to be shown from this instant on.
    pub expires_at: Option<Timestamp>,
    /// Proof that this very content passed the rules, in hexadecimal.
    pub validation_hash: Option<Box<str>>,
    /// How each guide fared.
    pub trace: Trace,
    /// How the learner weighed them, where one may learn of this draw.
    #[serde(skip)]
    pub weighing: Option<Box<Weighing>>,
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
            weighing: decision.weighing,
        }
    }

    /// The validation hash that this content has under that key; `None` where the record holds no hash of a definition, or says that
    /// it shows something and holds nothing, or the reverse.
    pub fn seal(&self, key: &[u8]) -> Option<ContentHash> {
        if (self.outcome == OutcomeName::Show) != self.guide.is_some() {
            return None;
        }
        let guide = self.guide.as_ref().map(|guide| SealedGuide {
            action: guide.action.as_ref().map(|action| &*action.path),
            anchor: guide.target.anchor.as_deref(),
            component: &guide.component,
            id: guide.id.as_str(),
            milestone: guide.milestone.as_str(),
            path: guide.target.path.as_deref(),
            variant: guide.variant.as_str(),
            copy: SealedCopy {
                title: &guide.copy.title,
                body: guide.copy.body.as_deref(),
                cta: guide.copy.cta.as_deref(),
                locale: &guide.copy.locale,
            },
        });
        let sealed = Sealed {
            at: self.at,
            decision: self.decision_id,
            expires: self.expires_at,
            guide,
            policy: &self.policy,
            product: &self.product,
            propensity: self.propensity,
            reason: self.reason,
            signature: &self.signature,
            user: &self.user_id,
            catalogue: unhex(&self.catalogue_hash)?,
        };
        Some(seal(key, &sealed))
    }

    /// The stored form.
    pub fn encode(&self) -> Vec<u8> {
        let mut body = Vec::with_capacity(1_024);
        // Postcard fails on unknown lengths and full buffers only: a decision has neither.
        let why = "a decision is always writable";
        if let Some(weighing) = &self.weighing {
            body.push(WEIGHED);
            body = postcard::to_extend(weighing, body).expect(why);
        }
        body.push(VERSION);
        postcard::to_extend(self, body).expect(why)
    }
}

/// Surroundings in the stored form, where nothing may be left out.
mod surface {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::SurfaceBody;

    pub(super) fn serialize<S: Serializer>(
        surface: &SurfaceBody,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let SurfaceBody { path, app_version, locale, components } = surface;
        (path, app_version, locale, components).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<SurfaceBody, D::Error> {
        let (path, app_version, locale, components) = Deserialize::deserialize(deserializer)?;
        Ok(SurfaceBody { path, app_version, locale, components })
    }
}

/// Reads a stored decision of any version, whole.
pub fn decode(body: &[u8]) -> Result<StoredDecision, RecordError> {
    let (weighing, decision) = read(body)?;
    Ok(StoredDecision { weighing, ..decision })
}

/// What the fold needs of a decision: the first fields of it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct DecisionFact {
    /// Its name.
    pub decision_id: DecisionId,
    /// In which visit.
    pub session_id: SessionId,
    /// The moment that it was made for.
    pub at: Timestamp,
    /// What it offers; nothing where no guide was shown.
    pub guide: Option<GuideBody>,
    /// How the learner weighed the arms, where one may learn of this draw.
    #[serde(skip)]
    pub weighing: Option<Box<Weighing>>,
}

/// Reads of a stored decision of any version what the fold needs.
pub fn decode_fact(body: &[u8]) -> Result<DecisionFact, RecordError> {
    let (weighing, fact) = read(body)?;
    Ok(DecisionFact { weighing, ..fact })
}

type Weighed<T> = (Option<Box<Weighing>>, T);

fn read<T: for<'a> Deserialize<'a>>(body: &[u8]) -> Result<Weighed<T>, RecordError> {
    let malformed = |what: &str| RecordError::Malformed(what.to_owned());
    let (weighing, body) = match body.split_first() {
        Some((&WEIGHED, rest)) => {
            let (weighing, rest) = take::<Weighing>(rest)?;
            (Some(Box::new(weighing)), rest)
        }
        _ => (None, body),
    };
    let (version, rest) = body.split_first().ok_or_else(|| malformed("empty"))?;
    match *version {
        0 | WEIGHED => return Err(malformed("not a version's number")),
        1..=VERSION => {}
        found => {
            return Err(RecordError::Newer { found: u64::from(found), known: u64::from(WEIGHED) });
        }
    }
    let mut whole = Cow::Borrowed(rest);
    if *version < VERSION {
        // Postcard writes 0 for what is not there.
        whole.to_mut().extend((*version..VERSION).map(|_| 0));
    }
    // What follows the fields that are asked for is not looked at.
    Ok((weighing, take(&whole)?.0))
}

fn take<T: for<'a> Deserialize<'a>>(bytes: &[u8]) -> Result<(T, &[u8]), RecordError> {
    postcard::take_from_bytes(bytes).map_err(|error| RecordError::Malformed(error.to_string()))
}

#[cfg(test)]
mod tests {
    use pilotage_domain::advise::Source;
    use pilotage_domain::decide::Advised;
    use pilotage_domain::learn::weighing::{Expected, Weighed};

    use super::*;

    fn weighing() -> Weighing {
        let expected = Expected { mean: 0.25, sd: 0.125 };
        let arm = Weighed { features: vec![(1, 65_536)], expected, exposures: 3, barred: false };
        Weighing {
            posterior: 640,
            number: 99,
            chosen: Some(0),
            propensity: Propensity::from_parts(7),
            names: vec!["1".into(), "@intent=activate".into()],
            context: vec![(0, 65_536)],
            arms: vec![arm],
            silence: Expected { mean: 0.0, sd: 0.5 },
        }
    }

    fn withheld() -> StoredDecision {
        StoredDecision {
            decision_id: DecisionId::from_bits(7 << 80),
            session_id: SessionId::new("s").expect("valid"),
            at: Timestamp::from_millis(1_795_348_800_000),
            guide: None,
            product: ProductId::new("acme").expect("valid"),
            user_id: UserId::new("u").expect("valid"),
            context: SurfaceBody { path: Some("/a".into()), ..SurfaceBody::default() },
            group: Group::Random,
            policy: "random".into(),
            explore: true,
            stale: false,
            catalogue_version: 3,
            catalogue_hash: "00".into(),
            signature: "11".into(),
            outcome: OutcomeName::Withhold,
            reason: Some(Reason::Policy),
            propensity: Propensity::from_parts(1 << 30),
            expires_at: None,
            validation_hash: Some("22".into()),
            trace: Trace { no_guide: Some(Propensity::ONE), ..Trace::default() },
            weighing: None,
        }
    }

    #[test]
    fn a_decision_survives_storing_and_its_first_fields_are_the_folds() {
        let mut stored = withheld();
        let body = stored.encode();
        assert_eq!(body.first(), Some(&VERSION));
        let fact = decode_fact(&body).expect("readable");
        assert_eq!((fact.decision_id, fact.at, fact.guide), (stored.decision_id, stored.at, None));
        assert_eq!((fact.weighing, decode(&body)), (None, Ok(stored.clone())));
        assert!(decode(&body[..body.len() - 1]).is_err());
        assert!(matches!(decode(&[4, 0]), Err(RecordError::Newer { found: 4, known: 3 })));
        assert!(matches!(decode(&[0, 0]), Err(RecordError::Malformed(_))));
        let source = Source::LastGood;
        stored.trace.advice = Some(Advised { answer: 300, source, thousandths: 875 });
        assert_eq!(decode(&stored.encode()), Ok(stored));
    }

    #[test]
    fn a_weighing_is_stored_with_its_decision() {
        let stored = StoredDecision { weighing: Some(Box::new(weighing())), ..withheld() };
        let body = stored.encode();
        assert_eq!(body.first(), Some(&WEIGHED));
        assert_eq!(decode_fact(&body).expect("readable").weighing, stored.weighing);
        assert_eq!(decode(&body), Ok(stored));
        assert!(decode(&body[..body.len() - 1]).is_err());
        assert!(decode(&body[..20]).is_err());
    }
}
