//! The bodies of deciding: what is asked, what is answered, how it is explained. Must not choose anything.

use pilotage_domain::decide::{Gate, Group, Near, Reason};
use pilotage_domain::definition::Definition;
use pilotage_domain::id::{EventId, SessionId, UserId};
use pilotage_domain::time::{Millis, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;

use super::learner::{LearnerBody, WeighedBody};
use super::schema;
use crate::event::{MAX_PATH, MAX_TAG, timestamp, user_id};
use crate::guide::GuideBody;
use crate::instant;
use crate::object::Members;
use crate::problem::Fault;
use crate::record::decision::{OutcomeName, StoredDecision, SurfaceBody};

/// How long a decision waits for `after` where the caller does not say.
pub const DEFAULT_WAIT: Millis = Millis::new(50);
/// The longest that a decision waits for `after`.
pub const MAX_WAIT: Millis = Millis::new(1_000);
/// The most component names that a caller may list.
pub const MAX_COMPONENTS: usize = 32;

/// What a caller asks for a decision.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "DecisionRequest")]
pub struct AskBody {
    /// For whom.
    #[schemars(length(min = 1, max = 200))]
    pub user_id: String,
    /// In which visit.
    #[schemars(length(min = 1, max = 200))]
    pub session_id: String,
    /// The caller's surroundings; what is absent is not checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<DecisionContext>")]
    pub context: Option<SurfaceBody>,
    /// Wait until the profile holds this event of the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 200))]
    pub after: Option<String>,
    /// The longest wait for `after` in milliseconds; 50 where absent, 1000 where more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wait_ms: Option<u64>,
    /// The moment to decide for; under the event clock alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date-time"))]
    pub at: Option<String>,
    /// A signed user (JWT, HS256), where the key demands one and the header `x-pilotage-user-token` is not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_token: Option<String>,
}

/// The surroundings that a caller states.
#[derive(JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DecisionContext {
    /// The page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2048))]
    pub path: Option<String>,
    /// The app's version; else the profile's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 100))]
    pub app_version: Option<String>,
    /// The locale; else the profile's, else the default.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 100))]
    pub locale: Option<String>,
    /// The components that the caller can draw; all where absent. Unknown names are passed over.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    pub components: Option<Vec<String>>,
}

/// What is asked, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// For whom.
    pub user: UserId,
    /// In which visit.
    pub session: SessionId,
    /// The caller's surroundings.
    pub surface: SurfaceBody,
    /// Wait for this event.
    pub after: Option<EventId>,
    /// At most so long.
    pub wait: Millis,
    /// For this moment.
    pub at: Option<Timestamp>,
    /// `userToken`, unchecked.
    pub user_token: Option<Box<str>>,
}

/// Reads what is asked, or says every fault that is in it. Unknown members are passed over, `null` counts as absent.
pub fn read_ask(text: &str, definition: &Definition) -> Result<Ask, Vec<Fault>> {
    const ASK: [&str; 7] = ["userId", "sessionId", "context", "after", "waitMs", "at", "userToken"];
    let mut body = Members::read(text, &ASK, "").map_err(|fault| vec![fault])?;
    let user = body.required(0, |text| user_id(text, definition));
    let session = body.required(1, SessionId::new);
    let surface = surface(body.raw(2), &mut body.faults);
    let after = body.name(3, EventId::new);
    let wait = wait(&mut body, 4);
    let at = body.name(5, timestamp);
    let user_token = body.text(6).map(Into::into);
    match (user, session) {
        (Some(user), Some(session)) if body.faults.is_empty() => {
            Ok(Ask { user, session, surface, after, wait, at, user_token })
        }
        _ => Err(body.faults),
    }
}

fn wait<const N: usize>(body: &mut Members<'_, N>, member: usize) -> Millis {
    let Some(raw) = body.raw(member) else { return DEFAULT_WAIT };
    match serde_json::from_str::<u64>(raw.get()) {
        Ok(ms) => Millis::new(ms).min(MAX_WAIT),
        Err(_) => {
            body.fault(member, "must be a whole number of milliseconds, 0 or more");
            DEFAULT_WAIT
        }
    }
}

fn surface(raw: Option<&RawValue>, faults: &mut Vec<Fault>) -> SurfaceBody {
    const SURFACE: [&str; 4] = ["path", "appVersion", "locale", "components"];
    let Some(raw) = raw else { return SurfaceBody::default() };
    match Members::read(raw.get(), &SURFACE, "context.") {
        Err(fault) => {
            faults.push(fault);
            SurfaceBody::default()
        }
        Ok(mut members) => {
            let surface = SurfaceBody {
                path: members.bounded_text(0, MAX_PATH).map(Into::into),
                app_version: members.bounded_text(1, MAX_TAG).map(Into::into),
                locale: members.bounded_text(2, MAX_TAG).map(Into::into),
                components: components(&mut members, 3),
            };
            faults.append(&mut members.faults);
            surface
        }
    }
}

fn components<const N: usize>(members: &mut Members<'_, N>, member: usize) -> Option<Vec<String>> {
    let raw = members.raw(member)?;
    let fits = |list: &Vec<String>| {
        list.len() <= MAX_COMPONENTS && list.iter().all(|name| name.len() <= MAX_TAG)
    };
    match serde_json::from_str::<Vec<String>>(raw.get()).ok().filter(fits) {
        Some(list) => Some(list),
        None => {
            members.fault(member, format!("must be a list of at most {MAX_COMPONENTS} names"));
            None
        }
    }
}

/// A decision as it is answered.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Decision")]
pub struct DecisionBody<'a> {
    /// Its name; `guide_shown`, `guide_clicked` and `guide_dismissed` carry it.
    #[schemars(extend("pattern" = "^dec_[0-9a-f]{32}$"))]
    pub decision_id: String,
    /// What comes of it.
    #[schemars(with = "schema::Outcome")]
    pub outcome: OutcomeName,
    /// What to show, with outcome `show`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guide: Option<&'a GuideBody>,
    /// Why nothing is shown, with outcome `withhold`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<schema::Reason>")]
    pub reason: Option<Reason>,
    /// The probability with which this was drawn, in (0, 1]; absent where nothing was drawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub propensity: Option<f64>,
    /// What drew: `static`, `random` …
    pub policy: &'a str,
    /// Drawn uniformly by the definition's `explore` share.
    #[serde(skip_serializing_if = "is_false")]
    pub explore: bool,
    /// The definition's version.
    pub catalogue_version: u64,
    /// The situation, as 64 hexadecimal digits.
    pub signature: &'a str,
    /// Proof that this very decision was made here and its content passed the rules.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation_hash: Option<&'a str>,
    /// Not to be shown from this instant on, with outcome `show`.
    #[serde(with = "instant::optional", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub expires_at: Option<Timestamp>,
    /// Made before the profile held the event of `after`.
    #[serde(skip_serializing_if = "is_false")]
    pub stale: bool,
    /// How each guide fared, where `explain=true` asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<TraceBody<'a>>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_false(flag: &bool) -> bool {
    !*flag
}

/// Whether an answer says how each guide fared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Explain {
    /// The trace is part of it.
    Full,
    /// It is not.
    None,
}

impl<'a> DecisionBody<'a> {
    /// The answer that a decision of record stands for.
    pub fn new(decision: &'a StoredDecision, explain: Explain) -> Self {
        Self {
            decision_id: decision.decision_id.to_string(),
            outcome: decision.outcome,
            guide: decision.guide.as_ref(),
            reason: decision.reason,
            propensity: decision.propensity.map(|p| p.get()),
            policy: &decision.policy,
            explore: decision.explore,
            catalogue_version: decision.catalogue_version,
            signature: &decision.signature,
            validation_hash: decision.validation_hash.as_deref(),
            expires_at: decision.expires_at,
            stale: decision.stale,
            trace: (explain == Explain::Full).then(|| TraceBody::new(decision)),
        }
    }
}

/// How each guide fared.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Trace")]
pub struct TraceBody<'a> {
    /// The user's group.
    #[schemars(with = "schema::Group")]
    pub group: Group,
    /// How many guides were left after each gate, in gate order.
    pub stages: Vec<StageBody>,
    /// Every guide of the catalogue, in file order.
    pub guides: Vec<GuideTraceBody<'a>>,
    /// The probability of no guide; absent where no draw was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_guide: Option<f64>,
    /// What the learner went by, where one may learn of this draw.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub learner: Option<LearnerBody<'a>>,
}

/// What one gate left.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Stage")]
pub struct StageBody {
    /// The gate.
    #[schemars(with = "schema::Gate")]
    pub gate: Gate,
    /// How many guides passed it.
    pub left: u32,
}

/// How one guide fared.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "GuideTrace")]
pub struct GuideTraceBody<'a> {
    /// Which.
    pub id: &'a str,
    /// The gate that stopped it; null where none did.
    #[schemars(with = "Option<schema::Gate>")]
    pub gate: Option<Gate>,
    /// The nearest fact that would let it through; null where it was not stopped.
    pub near: Option<NearBody<'a>>,
    /// Its wordings that could be drawn.
    pub arms: Vec<ArmBody<'a>>,
}

/// The nearest fact that would let a stopped guide through.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Near")]
pub struct NearBody<'a> {
    /// A stable code of the kind of fact: `milestone_status`, `event_count`, `attribute`, `wait` …
    pub fact: &'a str,
    /// What it is about: a milestone, an attribute, an event type, a component …
    pub subject: Option<&'a str>,
    /// What is needed.
    pub needed: Option<&'a str>,
    /// What is; never the value of a personal attribute.
    pub actual: Option<&'a str>,
    /// Where the subject is a locked milestone: a milestone that it requires and that is not reached.
    pub missing: Option<&'a str>,
    /// The earliest instant at which the gate opens by time alone.
    #[serde(with = "instant::optional")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub at: Option<Timestamp>,
    /// The same in plain words.
    pub sentence: String,
}

/// One wording that could be drawn.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Arm")]
pub struct ArmBody<'a> {
    /// The variant.
    pub variant: &'a str,
    /// Its probability; 0 where the policy never draws it.
    pub propensity: f64,
    /// What the learner expects of it, where one may learn of this draw.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub learner: Option<WeighedBody<'a>>,
}

impl<'a> TraceBody<'a> {
    fn new(decision: &'a StoredDecision) -> Self {
        let (trace, weighing) = (&decision.trace, decision.weighing.as_deref());
        let drawn = trace.guides.iter().any(|guide| !guide.arms.is_empty());
        // The weighing has the arms in the order in which they stand here.
        let mut weighed = weighing.into_iter().flat_map(WeighedBody::all);
        let guides = trace.guides.iter().map(|guide| GuideTraceBody {
            id: guide.id.as_str(),
            gate: guide.stopped.as_ref().map(|(gate, _)| *gate),
            near: guide.stopped.as_ref().map(|(_, near)| NearBody::new(near)),
            arms: (guide.arms.iter())
                .map(|(variant, p)| ArmBody {
                    variant: variant.as_str(),
                    propensity: p.map_or(0.0, |p| p.get()),
                    learner: weighed.next(),
                })
                .collect(),
        });
        Self {
            group: decision.group,
            stages: trace
                .stages
                .iter()
                .map(|(gate, left)| StageBody { gate: *gate, left: *left })
                .collect(),
            guides: guides.collect(),
            no_guide: drawn.then(|| trace.no_guide.map_or(0.0, |p| p.get())),
            learner: weighing.map(LearnerBody::new),
        }
    }
}

impl<'a> NearBody<'a> {
    fn new(near: &'a Near) -> Self {
        Self {
            fact: &near.fact,
            subject: near.subject.as_deref(),
            needed: near.needed.as_deref(),
            actual: near.actual.as_deref(),
            missing: near.missing.as_deref(),
            at: near.at,
            sentence: near.sentence(),
        }
    }
}

/// A decision of record, with everything that it was made of.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "DecisionRecord")]
pub struct DecisionRecord<'a> {
    /// For whom.
    pub user_id: &'a str,
    /// In which visit.
    pub session_id: &'a str,
    /// The moment that it was made for.
    #[serde(with = "instant::text")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub at: Timestamp,
    /// The surroundings that the caller stated.
    #[schemars(with = "DecisionContext")]
    pub context: &'a SurfaceBody,
    /// The definition's content hash, as 64 hexadecimal digits.
    pub catalogue_hash: &'a str,
    /// What was answered, with its trace.
    #[serde(flatten)]
    pub decision: DecisionBody<'a>,
}

impl<'a> DecisionRecord<'a> {
    /// The whole of a decision of record.
    pub fn new(decision: &'a StoredDecision) -> Self {
        Self {
            user_id: decision.user_id.as_str(),
            session_id: decision.session_id.as_str(),
            at: decision.at,
            context: &decision.context,
            catalogue_hash: &decision.catalogue_hash,
            decision: DecisionBody::new(decision, Explain::Full),
        }
    }
}
