//! `pilotage eval`: what a model advises in situations of which people know what is good. Must judge an answer as a job would.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;

use anyhow::{Context, bail};
use pilotage_domain::advise::Brief;
use pilotage_domain::advise::budget::Caps;
use pilotage_domain::advise::price::{Price, PriceTable};
use pilotage_domain::advise::{MicroUsd, brief::Pick};
use pilotage_domain::definition::Definition;
use pilotage_domain::id::ProviderId;
use pilotage_engine::advise::{Desk, End, Matter, Outcome, Provider, ask_once, question};
use pilotage_engine::memory::model::Line;
use pilotage_engine::memory::{MemoryGovernor, Scripted};
use pilotage_engine::port::clock::Clock;
use pilotage_wire::event::IncomingEvent;
use pilotage_wire::event::read;
use pilotage_wire::model::record::ProposalBody;
use pilotage_wire::model::{Dialect, Prompt, TokenLimit};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Finding, print_json, say};
use crate::cli::{CommonArgs, EvalArgs, UsageError};
use crate::settings::{Settings, settle};
use crate::system::{SystemClock, SystemEntropy};
use crate::{model, products, telemetry};

/// More than an evaluation costs.
const CAP: MicroUsd = MicroUsd::dollars(1);
/// The name of a model that is not asked but read from the file.
const RECORDED: &str = "recorded";

/// A file of situations.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Evaluation {
    /// The product file, beside this one.
    product: String,
    cases: Vec<Case>,
}

/// A situation, and what is good in it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    /// What has happened: events as the API takes them, without user and session.
    events: Vec<Map<String, Value>>,
    preferred: Vec<String>,
    #[serde(default)]
    allowed: Vec<String>,
    forbidden: Vec<String>,
    /// An answer, where it was recorded.
    recorded: Option<Recorded>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Recorded {
    dialect: String,
    body: Value,
}

/// What came of a case.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    name: String,
    /// What the advice puts first; absent where there is none.
    first: Option<String>,
    verdict: Verdict,
    /// Whether the model's own words named something forbidden, before the ladder.
    named_forbidden: bool,
    /// Why there is no advice.
    refusal: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    Preferred,
    Allowed,
    Unlisted,
    NoAdvice,
    Forbidden,
}

pub(super) fn run(args: &EvalArgs) -> anyhow::Result<Finding> {
    telemetry::start("error");
    let text = fs::read_to_string(&args.file)
        .with_context(|| format!("read the evaluation {}", args.file.display()))?;
    let evaluation: Evaluation = serde_json::from_str(&text)
        .with_context(|| format!("the evaluation {}", args.file.display()))?;
    let folder = args.file.parent().unwrap_or_else(|| std::path::Path::new("."));
    let mut loaded = products::load_all(&[folder.join(&evaluation.product)])?;
    let definition = loaded.swap_remove(0).definition;
    let common = CommonArgs { config: args.config.clone(), ..CommonArgs::default() };
    let settings = settle(&common, true, None)?;
    let judge = Judge { definition, prompt: Prompt::newest(), settings, live: args.live };
    let told = super::runtime()?.block_on(async {
        let mut told = Vec::with_capacity(evaluation.cases.len());
        for case in &evaluation.cases {
            let judged = judge.case(case).await;
            told.push(judged.with_context(|| format!("the situation \"{}\"", case.name))?);
        }
        anyhow::Ok(told)
    })?;
    tell(&told, args)
}

/// Who is asked about which product.
struct Judge {
    definition: Definition,
    prompt: Prompt,
    settings: Settings,
    live: bool,
}

impl Judge {
    async fn case(&self, case: &Case) -> anyhow::Result<Told> {
        let now = SystemClock.now();
        let events = case.events.iter().map(|event| self.event(event));
        let events = events.collect::<anyhow::Result<Vec<_>>>()?;
        let brief = question(&self.definition, self.prompt.id(), &events, now)?;
        let (providers, prices) = self.providers(case)?;
        let governor = MemoryGovernor::new(Caps { month: CAP, ..Caps::default() });
        let desk = Desk {
            providers: &providers,
            prices: &prices,
            governor: &governor,
            clock: &SystemClock,
            entropy: &SystemEntropy,
        };
        let (definition, prompt) = (&self.definition, &self.prompt);
        let matter = Matter { definition, prompt, paused: &[], brief: &brief };
        Ok(told(case, &brief, &ask_once(&desk, &matter).await))
    }

    fn event(&self, event: &Map<String, Value>) -> anyhow::Result<IncomingEvent> {
        let mut whole = event.clone();
        whole.insert("userId".to_owned(), json!("00000000-0000-4000-8000-000000000001"));
        whole.insert("sessionId".to_owned(), json!("evaluation"));
        let received = read(&Value::Object(whole).to_string(), &self.definition);
        received.map(|received| received.event).map_err(|refused| {
            let faults = refused.faults.iter().map(|f| format!("{}: {}", f.path, f.message));
            anyhow::anyhow!("an event is not valid: {}", faults.collect::<Vec<_>>().join("; "))
        })
    }

    /// The models of the settings, or one that says what was recorded.
    fn providers(&self, case: &Case) -> anyhow::Result<(Vec<Provider>, PriceTable)> {
        if self.live {
            let Some(asked) = &self.settings.model else {
                bail!(UsageError("eval --live needs a model: PILOTAGE_MODEL_PROVIDER".to_owned()));
            };
            return Ok((model::providers(asked)?, PriceTable::built_in()));
        }
        let recorded = case.recorded.clone().context("no answer is recorded: use --live")?;
        let dialect = Dialect::parse(&recorded.dialect).context("no such dialect")?;
        let body = recorded.body.to_string();
        let port = Arc::new(Scripted::of(move |_, _| Line::says(body.clone())));
        let id = ProviderId::new(RECORDED)?;
        let provider = Provider::new(id, dialect, RECORDED, TokenLimit::default(), port);
        let free = Price { input: MicroUsd::ZERO, output: MicroUsd::ZERO };
        Ok((vec![provider], PriceTable::built_in().with(RECORDED, free)))
    }
}

fn told(case: &Case, brief: &Brief, outcome: &Outcome) -> Told {
    let first = match &outcome.end {
        End::Advised { advice, .. } => advice.ranked().first().map(|share| share.pick.clone()),
        End::GaveUp { .. } => None,
    };
    let names = |list: &[String], pick: &Pick| list.iter().any(|name| name == pick.name());
    let verdict = match &first {
        None => Verdict::NoAdvice,
        Some(pick) if names(&case.forbidden, pick) => Verdict::Forbidden,
        Some(pick) if names(&case.preferred, pick) => Verdict::Preferred,
        Some(pick) if names(&case.allowed, pick) => Verdict::Allowed,
        Some(_) => Verdict::Unlisted,
    };
    let refusal = match &outcome.end {
        End::GaveUp { last, .. } => Some(
            last.as_ref().map_or_else(|| "nobody could be asked".to_owned(), ToString::to_string),
        ),
        End::Advised { .. } => None,
    };
    let offered: Vec<&str> = brief.names().collect();
    // What was not offered is kept without its name: it broke a rule, whatever it was.
    let breaks = |name: &Option<Box<str>>| {
        let name = name.as_deref();
        name.is_none_or(|name| !offered.contains(&name) || case.forbidden.iter().any(|f| f == name))
    };
    let named = |call: &pilotage_engine::advise::Call| match &call.record.proposal {
        Some(ProposalBody::Ranked(names)) => names.first().is_some_and(&breaks),
        _ => false,
    };
    let named_forbidden = outcome.calls.iter().any(named);
    let first = first.map(|pick| pick.name().to_owned());
    Told { name: case.name.clone(), first, verdict, named_forbidden, refusal }
}

/// Prints what came of the cases; a finding where the advice is forbidden anywhere.
fn tell(told: &[Told], args: &EvalArgs) -> anyhow::Result<Finding> {
    let mut counts: BTreeMap<Verdict, usize> = BTreeMap::new();
    told.iter().for_each(|case| *counts.entry(case.verdict).or_default() += 1);
    let count = |verdict| counts.get(&verdict).copied().unwrap_or(0);
    let named = told.iter().filter(|case| case.named_forbidden).count();
    if args.json {
        print_json(&json!({
            "cases": told,
            "preferred": count(Verdict::Preferred),
            "allowed": count(Verdict::Allowed),
            "unlisted": count(Verdict::Unlisted),
            "noAdvice": count(Verdict::NoAdvice),
            "forbidden": count(Verdict::Forbidden),
            "namedForbidden": named,
        }))?;
    } else {
        for case in told {
            let first = case.first.as_deref().or(case.refusal.as_deref()).unwrap_or("nothing");
            say(&format!("{:?}: {} ({first})", case.verdict, case.name));
        }
        say(&format!(
            "{} situations: {} preferred, {} allowed, {} unlisted, {} without advice, {} forbidden; \
             {named} answers named what is forbidden",
            told.len(),
            count(Verdict::Preferred),
            count(Verdict::Allowed),
            count(Verdict::Unlisted),
            count(Verdict::NoAdvice),
            count(Verdict::Forbidden),
        ));
    }
    Ok(if count(Verdict::Forbidden) == 0 { Finding::None } else { Finding::Some })
}
