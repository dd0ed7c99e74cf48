//! What decisions are made by: a posterior of a fixed log position, and what its definition's arms look like. Must not change:
//! readers share it while the next one is made.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::features::Features;
use super::law::Law;
use super::learner::{Frame, Learner};
use super::posterior::{Eligible, Posterior};
use super::settings::Settings;
use super::space::Space;
use super::weighing::{Expected, Weighed, Weighing};
use crate::advise::Prior;
use crate::definition::{Definition, Guide};
use crate::id::{GuideId, MilestoneId, VariantId};
use crate::policy::ArmView;
use crate::rules::{Candidate, Situation};
use crate::time::Timestamp;

/// What a definition means to a learner: worked out once.
#[derive(Debug, PartialEq)]
pub struct Ground {
    /// The coordinates and the windows.
    pub frame: Frame,
    /// How to learn and to choose.
    pub settings: Settings,
    names: Vec<Box<str>>,
    arms: BTreeMap<GuideId, BTreeMap<VariantId, Features>>,
}

impl Ground {
    /// The definition's.
    pub fn of(definition: &Definition) -> Self {
        let space = Space::of(definition);
        let looks = |guide: &Guide| {
            let wordings = guide.variants.iter();
            let wordings = wordings
                .map(|v| (v.id.clone(), space.arm(definition, guide, v, 0.0)))
                .collect::<BTreeMap<_, _>>();
            (guide.id.clone(), wordings)
        };
        let arms = definition.guides.iter().map(looks).collect();
        let names = space.names();
        let settings = Settings::of(definition);
        let frame = Frame { credit: settings.credit, ..Frame::new(space, settings.windows) };
        Self { frame, settings, names, arms }
    }

    fn looks(&self, guide: &GuideId, variant: &VariantId) -> Option<&Features> {
        self.arms.get(guide)?.get(variant)
    }
}

/// A posterior, and what it needs to be asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Beliefs {
    ground: Arc<Ground>,
    /// The log position that it stands for; 0 before the first.
    version: u64,
    posterior: Posterior,
}

impl Beliefs {
    /// What the learner believes at that moment, having seen the log up to `version`.
    pub fn new(ground: Arc<Ground>, learner: &Learner, at: Timestamp, version: u64) -> Self {
        let posterior = Posterior::new(learner, &ground.settings, at);
        Self { ground, version, posterior }
    }

    /// What is believed before anything is learnt.
    pub fn prior(ground: Arc<Ground>) -> Self {
        let learner = Learner::new(ground.frame.clone());
        Self::new(ground, &learner, Timestamp::from_millis(0), 0)
    }

    /// The log position that it stands for; 0 before the first.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Whether the arm is proven to be dismissed more often than it may be: nobody is to be shown it.
    pub fn is_barred(&self, arm: ArmView<'_>) -> bool {
        self.posterior.is_barred(arm)
    }

    /// The law over the candidates of a situation, and how it came about; nothing is drawn yet. What a model has advised is
    /// one coordinate of each arm, for what rewards have shown such advice to be worth.
    pub fn weigh(
        &self,
        situation: &Situation<'_>,
        candidates: &[Candidate<'_>],
        advice: Option<&Prior>,
    ) -> (Law, Weighing) {
        let definition = situation.view.definition;
        let context = self.ground.frame.space.context(situation);
        let features: Vec<Cow<'_, Features>> =
            candidates.iter().map(|candidate| self.features(candidate, advice)).collect();
        let eligible: Vec<Eligible<'_>> = candidates
            .iter()
            .zip(&features)
            .map(|(candidate, features)| {
                let (guide, variant) = (candidate.guide(), candidate.variant());
                Eligible {
                    arm: ArmView { guide: &guide.id, variant: &variant.id },
                    milestone: on_the_way(definition, guide),
                    features,
                }
            })
            .collect();
        let law = self.posterior.law(&context, &eligible);
        let weighing = self.note(&context, &eligible, &law);
        (law, weighing)
    }

    /// What an arm looks like, with what is advised about its guide.
    fn features(&self, candidate: &Candidate<'_>, advice: Option<&Prior>) -> Cow<'_, Features> {
        let (guide, variant) = (&candidate.guide().id, &candidate.variant().id);
        let looks = self.ground.looks(guide, variant);
        let looks = looks.map_or_else(|| Cow::Owned(Features::default()), Cow::Borrowed);
        match advice.map_or(0.0, |advice| advice.says_for(guide)) {
            0.0 => looks,
            said => {
                let place = self.ground.frame.space.advice();
                Cow::Owned(looks.join(&Features::new([(place, said)])))
            }
        }
    }

    fn note(&self, context: &Features, eligible: &[Eligible<'_>], law: &Law) -> Weighing {
        let all = eligible.iter().map(|arm| arm.features).chain([context]);
        let used: BTreeSet<u16> = all.flat_map(|f| f.parts().iter().map(|(at, _)| *at)).collect();
        let used: Vec<u16> = used.into_iter().collect();
        let told = |features: &Features| {
            let parts = features.parts().iter();
            parts
                .filter_map(|(at, value)| Some((used.binary_search(at).ok()? as u16, *value)))
                .collect::<Vec<_>>()
        };
        let arms = eligible.iter().zip(&law.arms);
        let name = |at: &u16| self.ground.names.get(usize::from(*at)).cloned();
        Weighing {
            posterior: self.version,
            number: 0,
            chosen: None,
            propensity: None,
            names: used.iter().map(|at| name(at).unwrap_or_default()).collect(),
            context: told(context),
            arms: arms.map(|(arm, standing)| Weighed::new(told(arm.features), standing)).collect(),
            silence: Expected::from(&law.silence),
        }
    }
}

/// The milestone that the guide serves, where that is a step before activation.
fn on_the_way<'a>(definition: &'a Definition, guide: &Guide) -> Option<&'a MilestoneId> {
    (guide.serves != definition.activation).then(|| &definition.milestones[guide.serves].id)
}
