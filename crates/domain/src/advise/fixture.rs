//! Products in which several guides fit a situation, briefs about them, and advice as a ladder would pass it. Must not be
//! compiled into anything but tests.

use serde_json::{Value as Json, json};

use super::brief::{Brief, NO_GUIDE, NoCall};
use super::history::{OUT_OF_DATE, STALE};
use super::ladder::{Advice, InForce, judge};
use super::{Prior, Proposal};
use crate::definition::Definition;
use crate::id::{GuideId, PromptId};
use crate::rules::fixture::{Ask, Product, User, t};
use crate::time::Timestamp;

pub(crate) fn prompt() -> PromptId {
    PromptId::new("choose-1").expect("an identifier")
}

pub(crate) fn guide(id: &str) -> Json {
    guide_about(id, "For tests.")
}

pub(crate) fn guide_about(id: &str, about: &str) -> Json {
    json!({
        "id": id, "about": about, "serves": "project", "intent": "activate", "target": "page",
        "component": "banner", "action": { "route": "home" },
        "variants": [{ "id": "plain", "copy": { "en": { "title": "Hello", "cta": "Go" } } }],
    })
}

/// Guides of these names, all of which fit a fresh user.
pub(crate) fn product(ids: &[&str]) -> Product {
    Product::small().with("/guides", ids.iter().map(|id| guide(id)).collect())
}

/// The brief about a user who asks so.
pub(crate) fn asked(
    definition: &Definition,
    user: &User,
    ask: &Ask,
    ms: u64,
) -> Result<Brief, NoCall> {
    ask.judge(definition, user, ms, |situation, judged| {
        Brief::of(&prompt(), situation, &judged.situational)
    })
}

/// The brief about a fresh user.
pub(crate) fn brief(definition: &Definition) -> Brief {
    asked(definition, &User::signed_up(definition), &Ask::default(), 0).expect("a question")
}

/// Everything as the brief found it.
pub(crate) fn in_force<'a>(
    definition: &'a Definition,
    prompt: &'a PromptId,
    at: Timestamp,
) -> InForce<'a> {
    InForce { definition, prompt, paused: &[], at }
}

/// Each of these names with its probability.
pub(crate) fn weighed(options: &[(&str, f64)]) -> Proposal {
    let options = options.iter().map(|(name, p)| (Box::from(*name), *p)).collect();
    Proposal::Weighed { options, chosen: None }
}

/// The advice about guides of these names, given at `t(ms)`.
pub(crate) fn advice(options: &[(&str, f64)], no_guide: f64, ms: u64) -> Advice {
    let names: Vec<&str> = options.iter().map(|(name, _)| *name).collect();
    let definition = product(&names).definition();
    let proposal = weighed(&[options, &[(NO_GUIDE, no_guide)]].concat());
    let verdict = judge(&brief(&definition), &proposal, &in_force(&definition, &prompt(), t(ms)));
    verdict.advice.expect("a good proposal")
}

/// The prior of advice that is old enough to have that strength. A lone guide gets a companion without a share: nobody is asked about one.
pub(crate) fn prior(options: &[(&str, f64)], no_guide: f64, strength: f64) -> Prior {
    let mut options = options.to_vec();
    if options.len() == 1 {
        options.push(("zz", 0.0));
    }
    let faded = (OUT_OF_DATE.get() - STALE.get()) as f64 * (1.0 - strength);
    let at = t(STALE.get() + faded.round() as u64);
    Prior::new(&advice(&options, no_guide, 0), at, |_: &GuideId| true)
}

/// The prior of guides `g0`, `g1` … in these proportions.
pub(crate) fn shares(weights: &[u32], no_guide: u32, strength: f64) -> Prior {
    let sum = f64::from(weights.iter().sum::<u32>() + no_guide);
    if sum == 0.0 {
        return shares(weights, 1, strength);
    }
    let names: Vec<String> = (0..weights.len()).map(|n| format!("g{n}")).collect();
    let share = |weight: &u32| f64::from(*weight) / sum;
    let options: Vec<(&str, f64)> =
        names.iter().map(String::as_str).zip(weights.iter().map(share)).collect();
    prior(&options, share(&no_guide), strength)
}
