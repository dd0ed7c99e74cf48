//! What a model is asked: the guides that fit a situation, and the situation in buckets. Must not hold the user's id, path,
//! payload or text, nor a word that the product file does not hold.

use std::fmt;

use semver::Version;
use thiserror::Error;

use crate::canonical;
use crate::definition::{Definition, Guide, Parts};
use crate::hash::ContentHash;
use crate::id::{GuideId, MilestoneId, PromptId};
use crate::rules::{STATUSES, Situation, status_name};
use crate::signature::{Bucket, features, parent, signature_for};
use crate::value::Value;

/// What a model answers when it would show nothing. A guide of this name can't be asked about, and is left to the learner.
pub const NO_GUIDE: &str = "no_guide";
/// The most guides in one brief: with no guide they are as many as a server lists log-probabilities for one token.
pub const MOST_GUIDES: usize = 19;
/// The most bytes of options and situation, as JSON texts. With the task and its schema a request stays below 900 tokens of
/// three bytes.
pub const MOST_BYTES: usize = 1_600;

/// How long a guide's sentence may be, in bytes, as room gets scarce.
const SENTENCES: [usize; 4] = [usize::MAX, 240, 120, 60];
/// Whoever sends a version may put any number into it; a greater one is not told.
const GREATEST_VERSION_PART: u64 = 9_999;

/// What somebody may choose: one of the guides, or none.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pick {
    /// This guide, in any of its wordings.
    Guide(GuideId),
    /// Show nothing.
    NoGuide,
}

impl Pick {
    /// As briefs and answers name it.
    pub fn name(&self) -> &str {
        match self {
            Self::Guide(id) => id.as_str(),
            Self::NoGuide => NO_GUIDE,
        }
    }
}

impl fmt::Display for Pick {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A guide that may be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offered {
    /// Which.
    pub guide: GuideId,
    /// What it is for, in one line; cut where room was scarce.
    pub about: Box<str>,
}

/// A question about a situation. Only a situation's own guides can be in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Brief {
    signature: ContentHash,
    parent: ContentHash,
    catalogue: ContentHash,
    prompt: PromptId,
    options: Vec<Offered>,
    features: Vec<Bucket>,
    milestones: Vec<(MilestoneId, &'static str)>,
}

/// A brief as it is kept: plain data, that anybody can make up.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptBrief {
    /// The situation.
    pub signature: ContentHash,
    /// The wider situation.
    pub parent: ContentHash,
    /// The hash of the definition that the options are from.
    pub catalogue: ContentHash,
    /// What is asked with.
    pub prompt: PromptId,
    /// The guides, by id.
    pub options: Vec<Offered>,
    /// The features in their order, each with its bucket.
    pub features: Vec<(Box<str>, Value)>,
    /// Milestones, each with its status.
    pub milestones: Vec<(Box<str>, Box<str>)>,
}

/// Why no model is asked about a situation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Error)]
pub enum NoCall {
    /// No guide fits, or a single one: there is nothing to choose.
    #[error("fewer than two guides fit")]
    NothingToChoose,
    /// More guides fit than a model is asked about.
    #[error("more than {MOST_GUIDES} guides fit")]
    TooMany,
    /// They don't fit in a brief.
    #[error("the guides do not fit in a brief")]
    TooLarge,
}

impl Brief {
    /// The question about this situation, whose guides are those that the rules found to fit (`Judged::situational`).
    ///
    /// Where room is scarce the guides' sentences are cut, then milestones that no option serves are left out, then
    /// features, each from the last on; never an option.
    ///
    /// # Errors
    /// Why there is no question.
    pub fn of(
        prompt: &PromptId,
        situation: &Situation<'_>,
        guides: &[&GuideId],
    ) -> Result<Self, NoCall> {
        let definition = situation.view.definition;
        let mut chosen: Vec<&Guide> = definition
            .guides
            .iter()
            .filter(|guide| guides.contains(&&guide.id) && guide.id.as_str() != NO_GUIDE)
            .collect();
        chosen.sort_by(|a, b| a.id.cmp(&b.id));
        match chosen.len() {
            0 | 1 => return Err(NoCall::NothingToChoose),
            2..=MOST_GUIDES => {}
            _ => return Err(NoCall::TooMany),
        }
        let milestones = definition.milestones.entries();
        let brief = Self {
            signature: signature_for(prompt, situation, guides),
            parent: parent(prompt, situation, guides),
            catalogue: definition.hash,
            prompt: prompt.clone(),
            options: Vec::new(),
            features: features(situation).into_iter().map(tame).collect(),
            milestones: milestones
                .map(|(ix, m)| (m.id.clone(), status_name(situation.status(ix))))
                .collect(),
        };
        brief.fitted(&chosen, definition).ok_or(NoCall::TooLarge)
    }

    /// What was kept, as a brief again; `None` where it is none under this definition: from another catalogue, or with an
    /// option, a sentence, a milestone or a status that the definition does not give.
    pub fn recall(kept: KeptBrief, definition: &Definition) -> Option<Self> {
        let KeptBrief { signature, parent, catalogue, prompt, options, features, milestones } =
            kept;
        let told = |option: &Offered| {
            let guide = definition.guides.iter().find(|guide| guide.id == option.guide)?;
            let said = SENTENCES.iter().any(|most| offered(guide, *most) == *option);
            (said && option.guide.as_str() != NO_GUIDE).then_some(())
        };
        let ascending = options.windows(2).all(|pair| matches!(pair, [a, b] if a.guide < b.guide));
        let plain = |(_, value): &Bucket| !matches!(value, Value::List(_) | Value::Map(_));
        let fits = catalogue == definition.hash
            && (2..=MOST_GUIDES).contains(&options.len())
            && ascending
            && options.iter().all(|option| told(option).is_some())
            && features.iter().all(plain);
        let known = |(id, status): &(Box<str>, Box<str>)| {
            let mut all = definition.milestones.entries();
            let (_, milestone) = all.find(|(_, milestone)| milestone.id.as_str() == &**id)?;
            let status =
                STATUSES.iter().map(|s| status_name(*s)).find(|name| *name == &**status)?;
            Some((milestone.id.clone(), status))
        };
        let milestones = milestones.iter().map(known).collect::<Option<_>>()?;
        let brief = Self { signature, parent, catalogue, prompt, options, features, milestones };
        (fits && brief.fits()).then_some(brief)
    }

    /// The brief to be kept.
    pub fn keep(&self) -> KeptBrief {
        let status =
            |(id, status): &(MilestoneId, &'static str)| (id.as_str().into(), (*status).into());
        KeptBrief {
            signature: self.signature,
            parent: self.parent,
            catalogue: self.catalogue,
            prompt: self.prompt.clone(),
            options: self.options.clone(),
            features: self.features.clone(),
            milestones: self.milestones.iter().map(status).collect(),
        }
    }

    /// The situation that is asked about.
    pub const fn signature(&self) -> ContentHash {
        self.signature
    }
    /// The wider situation around it.
    pub const fn parent(&self) -> ContentHash {
        self.parent
    }
    /// The hash of the definition that the options are from.
    pub const fn catalogue(&self) -> ContentHash {
        self.catalogue
    }
    /// What the model is asked with.
    pub const fn prompt(&self) -> &PromptId {
        &self.prompt
    }
    /// The guides that may be chosen, by id; no guide may be chosen as well.
    pub fn options(&self) -> &[Offered] {
        &self.options
    }

    /// The names that an answer may give: the guides by id, then no guide.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.options.iter().map(|option| option.guide.as_str()).chain([NO_GUIDE])
    }

    /// The option of that name.
    pub fn pick(&self, name: &str) -> Option<Pick> {
        if name == NO_GUIDE {
            return Some(Pick::NoGuide);
        }
        let option = self.options.iter().find(|option| option.guide.as_str() == name)?;
        Some(Pick::Guide(option.guide.clone()))
    }

    /// The situation as canonical JSON (RFC 8785): `{"features":{…},"milestones":{ID: STATUS}}`.
    pub fn situation(&self) -> String {
        let status = |(id, status): &(MilestoneId, &'static str)| {
            (Box::from(id.as_str()), Value::Text((*status).into()))
        };
        canonical::to_string(&Value::Map(vec![
            ("features".into(), Value::Map(self.features.clone())),
            ("milestones".into(), Value::Map(self.milestones.iter().map(status).collect())),
        ]))
    }

    fn fitted(mut self, chosen: &[&Guide], definition: &Parts) -> Option<Self> {
        for most in SENTENCES {
            self.options = chosen.iter().map(|guide| offered(guide, most)).collect();
            if self.fits() {
                return Some(self);
            }
        }
        let serves = |id: &MilestoneId| {
            chosen.iter().any(|guide| definition.milestones[guide.serves].id == *id)
        };
        for place in (0..self.milestones.len()).rev() {
            if self.milestones.get(place).is_some_and(|(id, _)| !serves(id)) {
                self.milestones.remove(place);
            }
            if self.fits() {
                return Some(self);
            }
        }
        while self.features.pop().is_some() {
            if self.fits() {
                return Some(self);
            }
        }
        None
    }

    fn fits(&self) -> bool {
        let escaped = |text: &str| canonical::to_string(&Value::Text(text.into())).len();
        // An option's name stands in the list, and twice in the schema; the rest are signs around them.
        let option = |o: &Offered| 3 * (o.guide.as_str().len() + 3) + escaped(&o.about) + 14;
        let options: usize = self.options.iter().map(option).sum();
        options + escaped(&self.situation()) <= MOST_BYTES
    }
}

fn offered(guide: &Guide, most: usize) -> Offered {
    let line = guide.about.split_whitespace().collect::<Vec<_>>().join(" ");
    let about = if line.len() <= most { line } else { cut(&line, most) };
    Offered { guide: guide.id.clone(), about: about.into() }
}

/// The whole words of the first so many bytes, and a sign that more was said.
fn cut(line: &str, most: usize) -> String {
    let end = (0..=most).rev().find(|end| line.is_char_boundary(*end)).unwrap_or(0);
    let start = line.get(..end).unwrap_or_default();
    let whole = start.rsplit_once(' ').map_or(start, |(words, _)| words);
    format!("{whole} …")
}

/// The same bucket, but for versions that no product has.
fn tame((name, value): Bucket) -> Bucket {
    let wild = match &value {
        Value::Number(major) => *major > GREATEST_VERSION_PART as f64,
        Value::Text(text) => Version::parse(text)
            .is_ok_and(|v| [v.major, v.minor, v.patch].iter().any(|n| *n > GREATEST_VERSION_PART)),
        _ => false,
    };
    (name, if wild { Value::Null } else { value })
}

#[cfg(test)]
mod tests;
