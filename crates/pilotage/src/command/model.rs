//! `pilotage model test`: one question to the configured models, and all that came of it. Must not keep or change anything.

use anyhow::bail;
use pilotage_domain::advise::MicroUsd;
use pilotage_domain::advise::budget::Caps;
use pilotage_domain::advise::price::PriceTable;
use pilotage_domain::definition::Definition;
use pilotage_domain::number::Propensity;
use pilotage_engine::advise::{
    Barred, Call, Desk, End, Matter, Outcome, Provider, Sample, ask_once, sample,
};
use pilotage_engine::memory::MemoryGovernor;
use pilotage_engine::port::clock::Clock;
use pilotage_wire::model::Prompt;
use pilotage_wire::model::brief::BriefBody;
use serde_json::{Value, json};

use super::{Finding, print_json, say};
use crate::cli::{CommonArgs, ModelTestArgs, UsageError};
use crate::settings::{ModelSettings, settle};
use crate::system::{SystemClock, SystemEntropy};
use crate::{model, products, telemetry};

/// More than any one question costs.
const CAP: MicroUsd = MicroUsd::dollars(1);

pub(super) fn test(args: &ModelTestArgs) -> anyhow::Result<Finding> {
    telemetry::start("warn");
    let common = CommonArgs {
        product: args.product.iter().cloned().collect(),
        config: args.config.clone(),
        ..CommonArgs::default()
    };
    let settings = settle(&common, false, None)?;
    let Some(asked) = &settings.model else {
        bail!(UsageError("model test needs a model: PILOTAGE_MODEL_PROVIDER".to_owned()));
    };
    let Some(file) = settings.products.first() else {
        bail!(UsageError("model test needs a product: --product FILE".to_owned()));
    };
    let mut loaded = products::load_all(&[file])?;
    let definition = loaded.swap_remove(0).definition;
    let trial = Trial::of(asked, definition)?;
    let outcome = super::runtime()?.block_on(trial.run());
    if args.json {
        print_json(&trial.to_json(&outcome)?)?;
    } else {
        trial.tell(&outcome)?;
    }
    Ok(if matches!(outcome.end, End::Advised { .. }) { Finding::None } else { Finding::Some })
}

/// A question, and whom it is put to.
struct Trial {
    providers: Vec<Provider>,
    prices: PriceTable,
    definition: Definition,
    prompt: Prompt,
    sample: Sample,
}

impl Trial {
    fn of(settings: &ModelSettings, definition: Definition) -> anyhow::Result<Self> {
        let (providers, prices) = (model::providers(settings)?, PriceTable::built_in());
        let prompt = Prompt::newest();
        let sample = sample(&definition, prompt.id(), SystemClock.now())?;
        Ok(Self { providers, prices, definition, prompt, sample })
    }

    async fn run(&self) -> Outcome {
        let governor = MemoryGovernor::new(Caps { month: CAP, ..Caps::default() });
        let desk = Desk {
            providers: &self.providers,
            prices: &self.prices,
            governor: &governor,
            clock: &SystemClock,
            entropy: &SystemEntropy,
        };
        let (definition, prompt, brief) = (&self.definition, &self.prompt, &self.sample.brief);
        ask_once(&desk, &Matter { definition, prompt, paused: &[], brief }).await
    }

    fn to_json(&self, outcome: &Outcome) -> anyhow::Result<Value> {
        let Sample { brief, reached, attribute, app_version } = &self.sample;
        let attributes: serde_json::Map<String, Value> =
            attribute.iter().map(|(name, value)| (name.to_string(), json!(value))).collect();
        let records = outcome.calls.iter().map(|call| serde_json::to_value(&call.record));
        let model = |provider: &Provider| json!({ "id": provider.id.as_str(), "provider": provider.dialect.name(), "name": provider.model });
        Ok(json!({
            "situation": {
                "reached": reached,
                "attributes": attributes,
                "appVersion": app_version.as_ref().map(ToString::to_string),
            },
            "brief": BriefBody::from(brief),
            "models": self.providers.iter().map(model).collect::<Vec<_>>(),
            "calls": records.collect::<Result<Vec<_>, _>>()?,
            "notCalled": not_called(outcome),
            "advised": matches!(outcome.end, End::Advised { .. }),
            "costMicroUsd": cost(outcome),
            "pricesAsOf": self.prices.as_of.to_string(),
        }))
    }

    fn tell(&self, outcome: &Outcome) -> anyhow::Result<()> {
        say(&format!("situation  {}", self.situation()));
        say(&format!("prompt     {}", self.prompt.id()));
        for option in self.sample.brief.options() {
            say(&format!("option     {}: {}", option.guide, option.about));
        }
        say(&format!("features   {}", self.sample.brief.situation()));
        for Provider { id, model, dialect, .. } in &self.providers {
            say(&format!("to ask     {id}: {model} ({})", dialect.name()));
        }
        for call in &outcome.calls {
            tell_call(call)?;
        }
        for reason in not_called(outcome) {
            say(&format!("not called {reason}"));
        }
        let as_of = self.prices.as_of;
        say(&format!("cost       {} (prices of {as_of})", cost(outcome)));
        Ok(())
    }

    /// The made-up user in words.
    fn situation(&self) -> String {
        let Sample { reached, attribute, app_version, .. } = &self.sample;
        let mut words = vec!["a new user".to_owned()];
        words.extend(reached.iter().map(|id| format!("{id} reached")));
        words.extend(attribute.iter().map(|(name, value)| format!("{name} = {value}")));
        words.extend(app_version.iter().map(|version| format!("app version {version}")));
        words.join(", ")
    }
}

fn tell_call(call: &Call) -> anyhow::Result<()> {
    let answer = match &call.record.proposal {
        Some(proposal) => serde_json::to_string(proposal)?,
        None => "none that can be read".to_owned(),
    };
    say(&format!("asked      {}", call.provider));
    say(&format!("answer     {answer}"));
    match &call.verdict.advice {
        Ok(advice) => {
            let share = |parts: u64| 100.0 * parts as f64 / Propensity::SCALE as f64;
            let ranked = advice.ranked().iter();
            let ranked = ranked.map(|s| format!("{} {:.1} %", s.pick, share(s.parts)));
            say(&format!("verdict    passed: {}", ranked.collect::<Vec<_>>().join(", ")));
        }
        Err(refusal) => say(&format!("verdict    refused: {refusal}")),
    }
    for refusal in &call.verdict.passed_over {
        say(&format!("           passed over: {refusal}"));
    }
    Ok(())
}

fn cost(outcome: &Outcome) -> MicroUsd {
    outcome.calls.iter().map(|call| call.cost).sum()
}

/// Which models were not called, and why.
fn not_called(outcome: &Outcome) -> Vec<String> {
    outcome.barred.iter().map(|(id, barred)| format!("{id}: {}", why(barred))).collect()
}

/// Why a model was not called, in words.
pub(super) fn why(barred: &Barred) -> String {
    match barred {
        Barred::NoPrice => "its price is not known: set model_price".to_owned(),
        Barred::Budget(_) => format!("a call may cost more than {CAP}"),
        Barred::NoLedger => "the budget can't be asked".to_owned(),
        Barred::Breaker { .. } => "it fails too often".to_owned(),
        Barred::Rate { .. } => "it was sent as much as it may be".to_owned(),
    }
}
