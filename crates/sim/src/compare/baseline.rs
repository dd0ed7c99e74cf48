//! What engines are compared with: ways to guide that are no engine. Must be played fairly: each does what it is known for, with
//! the same catalogue, and only the one that has the rules is held to them.

use std::collections::{BTreeMap, BTreeSet};

use pilotage_domain::decide::{Request, Surface, decide};
use pilotage_domain::definition::{Definition, Guide, Intent, Piece, Template, Variant};
use pilotage_domain::event::{Event, Position};
use pilotage_domain::id::{DecisionId, GuideId, UserId, VariantId};
use pilotage_domain::kin::ALONE;
use pilotage_domain::policy::Policy;
use pilotage_domain::profile::Profile;
use pilotage_domain::profile::contact::Offer;
use pilotage_domain::profile::fold::{fold_decision, fold_event};
use pilotage_domain::time::Timestamp;
use pilotage_engine::DecideCall;
use pilotage_wire::guide::{ActionBody, CopyBody, GuideBody, TargetBody};

use super::method::Method;
use crate::draw::Draws;

/// How many of a hundred answers of the model name a guide that does not exist.
const INVALID_ANSWERS: u32 = 5;
/// What one call of the model costs, in millionths of a dollar: a thousand tokens in, fifty out, at a small model's price.
pub(super) const CALL_MICRO_USD: u64 = 200;
/// How long one call takes, in milliseconds.
pub(super) const CALL_MS: u64 = 900;

type ArmId = (GuideId, VariantId);

/// A baseline at work: what it knows of everybody.
pub(super) struct Baseline {
    method: Method,
    catalogue: Vec<GuideBody>,
    /// The guides of the fixed sequence: those that ask for a step, each in its first wording.
    sequence: Vec<GuideBody>,
    draws: Draws,
    decisions: u128,
    users: BTreeMap<UserId, Known>,
    /// Exposures and clicks of each wording.
    arms: BTreeMap<ArmId, (u64, u64)>,
    offers: BTreeMap<DecisionId, ArmId>,
    pub(super) calls: u64,
    pub(super) invalid_answers: u64,
}

#[derive(Default)]
struct Known {
    profile: Profile,
    position: u64,
    /// How far the sequence is.
    next: usize,
}

impl Baseline {
    pub(super) fn new(method: Method, definition: &Definition, seed: u64) -> Self {
        let bodies = |guide: &Guide| {
            let of = |variant: &Variant| body(definition, guide, variant);
            guide.variants.iter().map(of).collect::<Vec<_>>()
        };
        let asks = definition.guides.iter().filter(|guide| guide.intent != Intent::Unblock);
        Self {
            method,
            catalogue: definition.guides.iter().flat_map(bodies).collect(),
            sequence: asks.filter_map(|guide| bodies(guide).into_iter().next()).collect(),
            draws: Draws::new(seed, u32::MAX),
            decisions: 0,
            users: BTreeMap::new(),
            arms: BTreeMap::new(),
            offers: BTreeMap::new(),
            calls: 0,
            invalid_answers: 0,
        }
    }

    /// Takes note of an event.
    pub(super) fn saw(&mut self, definition: &Definition, event: &Event) {
        if matches!(&*event.kind, "guide_shown" | "guide_clicked") {
            let named = event.payload.member("decisionId").and_then(|id| id.as_text());
            let arm = named.and_then(DecisionId::parse).and_then(|id| self.offers.get(&id));
            if let Some((shown, clicked)) = arm.and_then(|arm| self.arms.get_mut(arm)) {
                let count = if &*event.kind == "guide_shown" { shown } else { clicked };
                *count += 1;
            }
        }
        if self.method == Method::Clicks {
            let known = self.users.entry(event.user.clone()).or_default();
            known.position += 1;
            fold_event(&mut known.profile, definition, event, Position(known.position));
        }
    }

    /// What it shows; `None` is nothing.
    pub(super) fn answer(
        &mut self,
        definition: &Definition,
        call: &DecideCall,
        now: Timestamp,
    ) -> (DecisionId, Option<GuideBody>) {
        self.decisions += 1;
        let id = DecisionId::from_bits(self.decisions);
        let guide = match self.method {
            Method::Sequence => self.next_of_sequence(call),
            Method::ModelPerEvent => self.guess(call),
            Method::Clicks => self.luckiest(definition, call, (id, now)),
            _ => None,
        };
        if let Some(guide) = &guide {
            let arm = (guide.id.clone(), guide.variant.clone());
            self.arms.entry(arm.clone()).or_default();
            self.offers.insert(id, arm);
        }
        (id, guide)
    }

    /// The next of the sequence, once the visitor is on its page.
    fn next_of_sequence(&mut self, call: &DecideCall) -> Option<GuideBody> {
        let known = self.users.entry(call.user.clone()).or_default();
        let guide = self.sequence.get(known.next).filter(|guide| fits(guide, call))?;
        known.next += 1;
        Some(guide.clone())
    }

    /// One of the guides of the page or none, each as likely: the model knows no more.
    fn guess(&mut self, call: &DecideCall) -> Option<GuideBody> {
        self.calls += 1;
        if self.draws.chance(INVALID_ANSWERS) {
            self.invalid_answers += 1;
            return None;
        }
        let fitting: Vec<&GuideBody> = self.catalogue.iter().filter(|g| fits(g, call)).collect();
        let place = self.draws.below(fitting.len() as u64 + 1) as usize;
        fitting.get(place).map(|guide| (*guide).clone())
    }

    /// Among what the rules pass, the wording with the luckiest draw.
    fn luckiest(
        &mut self,
        definition: &Definition,
        call: &DecideCall,
        (id, at): (DecisionId, Timestamp),
    ) -> Option<GuideBody> {
        let known = self.users.entry(call.user.clone()).or_default();
        let request = Request {
            id,
            user: &call.user,
            session: &call.session,
            at,
            surface: Surface {
                path: call.surface.path.as_deref(),
                app_version: call.surface.app_version.as_deref(),
                locale: call.surface.locale.as_deref(),
                components: call.surface.components.as_deref(),
            },
            paused: &[],
            pending: &[],
            kin: &ALONE,
        };
        let passed: BTreeSet<ArmId> = decide(definition, Policy::Random, &known.profile, &request)
            .trace
            .guides
            .into_iter()
            .flat_map(|guide| guide.arms.into_iter().map(move |arm| (guide.id.clone(), arm.0)))
            .collect();
        let mut best: Option<(u64, ArmId)> = None;
        for arm in passed {
            let (shown, clicked) = self.arms.get(&arm).copied().unwrap_or_default();
            let lot = beta(&mut self.draws, clicked + 1, shown.saturating_sub(clicked) + 1);
            if best.as_ref().is_none_or(|(most, _)| lot > *most) {
                best = Some((lot, arm));
            }
        }
        let (_, (guide, variant)) = best?;
        let found = self.catalogue.iter().find(|g| g.id == guide && g.variant == variant).cloned();
        if let Some(body) = &found {
            let offer = Offer::new(id, (guide, variant), body.milestone.clone(), &call.session, at);
            known.position += 1;
            fold_decision(&mut known.profile, Some(offer), Position(known.position));
        }
        found
    }
}

/// A draw from Beta(a, b), in parts of 2⁶⁴: the a-th smallest of a + b - 1 uniform numbers.
fn beta(draws: &mut Draws, a: u64, b: u64) -> u64 {
    let mut lots: Vec<u64> = (1..a + b).map(|_| draws.bits()).collect();
    let place = usize::try_from(a - 1).unwrap_or(0).min(lots.len() - 1);
    *lots.select_nth_unstable(place).1
}

/// Whether the guide belongs to the caller's page.
fn fits(guide: &GuideBody, call: &DecideCall) -> bool {
    let page = guide.target.path.as_deref();
    page.is_none_or(|page| Some(page) == call.surface.path.as_deref())
}

fn body(definition: &Definition, guide: &Guide, variant: &Variant) -> GuideBody {
    let target = &definition.targets[guide.target];
    let path = |route| definition.routes[route].path.clone();
    let title = variant.copy.get(&definition.default_locale).map(|copy| words(&copy.title));
    GuideBody {
        id: guide.id.clone(),
        variant: variant.id.clone(),
        component: "banner".into(),
        target: TargetBody { path: target.route.map(path), anchor: target.anchor.clone() },
        copy: CopyBody {
            title: title.unwrap_or_default().into(),
            body: None,
            cta: None,
            locale: definition.default_locale.clone(),
        },
        action: guide.action.map(|route| ActionBody { path: path(route) }),
        milestone: definition.milestones[guide.serves].id.clone(),
    }
}

fn words(template: &Template) -> String {
    let word = |piece: &Piece| match piece {
        Piece::Words(words) => words.to_string(),
        Piece::Slot { .. } => String::new(),
    };
    template.0.iter().map(word).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beta_draws_have_their_mean() {
        let mut draws = Draws::new(3, 3);
        let mean = |draws: &mut Draws, a, b| {
            (0..4_000).map(|_| beta(draws, a, b) as f64 / 2f64.powi(64)).sum::<f64>() / 4_000.0
        };
        // Standard deviations of the means: .0046 and .0018.
        assert!((mean(&mut draws, 1, 1) - 0.5).abs() < 0.02);
        assert!((mean(&mut draws, 3, 9) - 0.25).abs() < 0.01);
    }
}
