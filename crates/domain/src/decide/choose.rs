//! From a profile and a request to a decision. Must not judge guides nor weigh them: rules and policy do.

use std::fmt;

use super::{
    Advised, Counsel, Decision, Gate, Group, GuideTrace, Matter, Outcome, Reason, Request, Trace,
};
use crate::advise::Prior;
use crate::definition::Definition;
use crate::group::{explores, group_of};
use crate::hash::ContentHash;
use crate::learn::{Beliefs, Weighing};
use crate::policy::sticky::sticky_number;
use crate::policy::{self, ArmView, Choice, Distribution, Policy};
use crate::profile::Profile;
use crate::profile::contact::OFFER_LIFE;
use crate::profile::view::View;
use crate::rules::{Candidate, Judged, Situation, judge};
use crate::signature::signature;
use crate::time::Timestamp;

/// The gates behind the holdout, in their order.
const GATES: [Gate; 9] = [
    Gate::State,
    Gate::When,
    Gate::Never,
    Gate::Lifecycle,
    Gate::Surface,
    Gate::Copy,
    Gate::Text,
    Gate::Limits,
    Gate::Contact,
];

/// Who chooses for the guided group, and what it goes by.
#[derive(Clone, Copy)]
pub struct Chooser<'a> {
    /// Who.
    pub policy: Policy,
    /// What the learner believes. Decisions note how it weighed the arms, whoever draws, as long as every arm that it does not
    /// bar has a chance; what it bars is drawn by nobody.
    pub beliefs: Option<&'a Beliefs>,
    /// What a model has advised, where one may have been asked: situations are named with its prompt then.
    pub counsel: Option<&'a dyn Counsel>,
}

impl fmt::Debug for Chooser<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chooser").field("policy", &self.policy).finish_non_exhaustive()
    }
}

impl From<Policy> for Chooser<'_> {
    fn from(policy: Policy) -> Self {
        Self { policy, beliefs: None, counsel: None }
    }
}

/// What this user is shown now, if anything. The same arguments give the same decision, on every machine.
///
/// The chooser's policy chooses for the guided group, save for the explored share. A user who is held out gets nothing, before
/// anything else is looked at; the situation's signature is worked out all the same, for comparison.
pub fn decide<'a>(
    definition: &Definition,
    chooser: impl Into<Chooser<'a>>,
    profile: &Profile,
    request: &Request<'_>,
) -> Decision {
    let Chooser { policy, beliefs, counsel } = chooser.into();
    let group = group_of(definition, request.kin.group_id(request.user));
    let view = View { definition, profile, now: request.at };
    let situation = Situation::new(view, request);
    let judged = judge(&situation);
    let explored = group == Group::Guided && explores(definition, request.id);
    let policy = match group {
        Group::Random => Policy::Random,
        Group::Static => Policy::Static,
        Group::Guided if explored => Policy::Random,
        Group::Guided | Group::Holdout => policy,
    };
    let signature = match counsel {
        Some(counsel) => counsel.name(&situation, &judged.situational),
        None => signature(&situation, &judged.situational),
    };
    let (outcome, trace, weighing) = match group {
        Group::Holdout => held_out(),
        _ => {
            let (situation, guides, user) = (&situation, &*judged.situational, request.user);
            let matter = Matter { situation, guides, signature, user };
            // Only a draw that goes by advice asks for it.
            let goes_by_it = matches!(policy, Policy::Model | Policy::Learner);
            let asked = counsel.filter(|_| goes_by_it);
            let heard = asked.and_then(|counsel| counsel.advise(&matter));
            choose((policy, beliefs), heard, judged, (situation, &signature, request))
        }
    };
    Decision {
        id: request.id,
        at: request.at,
        group,
        policy: policy.name(),
        explore: explored && drawn(&outcome),
        signature,
        outcome,
        trace,
        weighing,
    }
}

fn drawn(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Show { .. } | Outcome::Withhold { reason: Reason::Policy, .. })
}

type Chosen = (Outcome, Trace, Option<Box<Weighing>>);

fn held_out() -> Chosen {
    let trace = Trace { stages: vec![(Gate::Holdout, 0)], ..Trace::default() };
    (Outcome::Withhold { reason: Reason::Holdout, propensity: None }, trace, None)
}

fn choose(
    (policy, beliefs): (Policy, Option<&Beliefs>),
    heard: Option<(Prior, Advised)>,
    judged: Judged<'_>,
    (situation, signature, request): (&Situation<'_>, &ContentHash, &Request<'_>),
) -> Chosen {
    let Judged { mut guides, candidates, .. } = judged;
    let stages = stages(&guides);
    if candidates.is_empty() {
        let outcome = Outcome::Withhold { reason: silence(&guides), propensity: None };
        return (outcome, Trace { stages, guides, ..Trace::default() }, None);
    }
    let arms: Vec<ArmView<'_>> = candidates.iter().map(arm).collect();
    // Of a draw that was no draw nothing can be learnt: what was not shown never could be.
    let asked = beliefs.filter(|_| policy != Policy::Static);
    let (prior, advice) = heard.unzip();
    let weighed = asked.map(|beliefs| beliefs.weigh(situation, &candidates, prior.as_ref()));
    let (learnt, weighing) = weighed.map(|(law, weighing)| (law.distribution, weighing)).unzip();
    let law = match (policy, learnt) {
        (Policy::Learner, Some(learnt)) => learnt,
        _ => unlearnt(policy, prior.as_ref(), &arms, beliefs),
    };
    for (place, candidate) in candidates.iter().enumerate() {
        if let Some(trace) = guides.get_mut(candidate.place()) {
            let propensity = law.propensity(Choice::Arm(place));
            trace.arms.push((candidate.variant().id.clone(), propensity));
        }
    }
    let trace = Trace { stages, guides, no_guide: law.propensity(Choice::NoGuide), advice };
    let number = match policy {
        Policy::Learner => {
            sticky_number(request.user, request.session, signature, &arms, policy.name())
        }
        _ => policy::draw_number(request.id, policy),
    };
    let choice = law.draw(number);
    let chosen = match choice {
        Choice::Arm(place) => u16::try_from(place).ok(),
        Choice::NoGuide => None,
    };
    let propensity = law.propensity(choice);
    let drawn = |weighing| Box::new(Weighing { number, chosen, propensity, ..weighing });
    let weighing = weighing.map(drawn);
    (outcome(choice, candidates, &law, request.at), trace, weighing)
}

/// The law of whoever does not go by what is learnt. What is proven to annoy is shown to nobody, whoever draws.
fn unlearnt(
    policy: Policy,
    prior: Option<&Prior>,
    arms: &[ArmView<'_>],
    beliefs: Option<&Beliefs>,
) -> Distribution {
    let law = |arms: &[ArmView<'_>]| match (policy, prior) {
        (Policy::Model, Some(prior)) => policy::model::distribution(arms, Some(prior)),
        _ => policy::distribution(policy, arms),
    };
    let is_open = |arm: &ArmView<'_>| beliefs.is_none_or(|beliefs| !beliefs.is_barred(*arm));
    if arms.iter().all(is_open) {
        return law(arms);
    }
    let (places, open): (Vec<usize>, Vec<ArmView<'_>>) =
        (0..).zip(arms.iter().copied()).filter(|(_, arm)| is_open(arm)).unzip();
    law(&open).among(&places, arms.len())
}

fn arm<'a>(candidate: &Candidate<'a>) -> ArmView<'a> {
    ArmView { guide: &candidate.guide().id, variant: &candidate.variant().id }
}

/// Why nobody is left: `contact` where at least one guide was stopped by the contact rules alone; a guide's own limits
/// are no call for silence.
fn silence(guides: &[GuideTrace]) -> Reason {
    if stopped_at(guides, Gate::Contact) > 0 { Reason::Contact } else { Reason::NoCandidate }
}

/// How many guides are left after each gate; the first entry counts them all.
fn stages(guides: &[GuideTrace]) -> Vec<(Gate, u32)> {
    let mut left = guides.len();
    let mut stages = Vec::with_capacity(GATES.len() + 1);
    stages.push((Gate::Holdout, left as u32));
    for gate in GATES {
        left -= stopped_at(guides, gate);
        stages.push((gate, left as u32));
    }
    stages
}

fn stopped_at(guides: &[GuideTrace], gate: Gate) -> usize {
    let gates = guides.iter().filter_map(|guide| guide.stopped.as_ref());
    gates.filter(|(at, _)| *at == gate).count()
}

fn outcome(
    choice: Choice,
    mut candidates: Vec<Candidate<'_>>,
    law: &Distribution,
    at: Timestamp,
) -> Outcome {
    let propensity = law.propensity(choice);
    let chosen = match choice {
        Choice::Arm(place) if place < candidates.len() => Some(candidates.swap_remove(place)),
        _ => None,
    };
    match (chosen, propensity) {
        (Some(candidate), Some(propensity)) => {
            let life = at + OFFER_LIFE;
            let expires = candidate.guide().expires.map_or(life, |end| end.min(life));
            Outcome::Show { guide: Box::new(candidate.into_guide()), propensity, expires }
        }
        (_, propensity) => Outcome::Withhold { reason: Reason::Policy, propensity },
    }
}
