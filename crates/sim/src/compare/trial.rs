//! One world under one way to guide, lived through in the order of time. Must not look at what comes of it.

use std::sync::Arc;

use pilotage_domain::definition::Definition;
use pilotage_domain::event::Event;
use pilotage_domain::policy::Policy;
use pilotage_domain::time::{Millis, Timestamp};
use pilotage_engine::memory::{ManualClock, MemoryLog, MemoryStore, SeededEntropy};
use pilotage_engine::{
    ClockMode, DecideError, Engine, IngestError, LookupError, OpenError, Options, Parts,
    ProductSource,
};
use pilotage_wire::event::IncomingEvent;
use pilotage_wire::record::{self, RecordError};
use pilotage_wire::yaml;
use thiserror::Error;

use super::baseline::Baseline;
use super::method::Method;
use super::outcome::{Compared, Outcome, Spent};
use super::worlds::World;
use crate::product::{NotTheSample, Sample};
use crate::visit::{Queue, VisitError, check_sound};
use crate::visitor::{Acted, Heard, Visitor};

const PRODUCT: &str = include_str!("../../worlds.yaml");
/// The contact rules of `Method::Looser`: twice as many guides, and a minute between two, where a visit lasts some minutes.
const LOOSER: [(&str, &str); 3] =
    [("  session: 2 ", "  session: 4 "), ("  day: 4 ", "  day: 8 "), ("  gap: 5m ", "  gap: 1m ")];
/// Every world ends at this instant.
const UNTIL: Timestamp = Timestamp::from_millis(1_780_000_000_000);
/// For how long everybody is followed after signing up.
pub(super) const FOLLOWED: Millis = Millis::days(14);

/// Why a comparison did not end.
#[derive(Debug, Error)]
pub enum CompareError {
    /// The product of the worlds does not load, or is not what visitors know.
    #[error("the worlds' product can't be used: {0}")]
    Product(String),
    /// The engine did not start.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The engine took no events.
    #[error(transparent)]
    Ingest(#[from] IngestError),
    /// The engine did not decide.
    #[error(transparent)]
    Decide(#[from] DecideError),
    /// The engine could not be brought up to date.
    #[error(transparent)]
    Settle(#[from] LookupError),
    /// An event could not be read again.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The engine was not up to date.
    #[error(transparent)]
    Visit(#[from] VisitError),
}

impl From<NotTheSample> for CompareError {
    fn from(error: NotTheSample) -> Self {
        Self::Product(error.to_string())
    }
}

/// Lets the same visitors live through the world under each of the methods. The same seed gives the same, bit for bit.
///
/// `tell` hears of each method before it begins.
pub async fn compare(
    world: &World,
    methods: &[Method],
    seed: u64,
    mut tell: impl FnMut(Method),
) -> Result<Compared, CompareError> {
    let mut outcomes = Vec::with_capacity(methods.len());
    for method in methods {
        tell(*method);
        outcomes.push(live(world, *method, seed).await?);
    }
    Ok(Compared::of(world, seed, outcomes))
}

/// Who answers the visitors.
enum Guide {
    Engine(Engine),
    Baseline(Box<Baseline>),
}

struct Trial {
    sample: Sample,
    guide: Guide,
}

async fn live(world: &World, method: Method, seed: u64) -> Result<Outcome, CompareError> {
    let text = product(method);
    let definition = definition(&text)?;
    let guide = match method.policy() {
        Some(policy) => {
            let source = ProductSource { definition: definition.clone(), text };
            Guide::Engine(engine(source, policy, seed).await?)
        }
        None => Guide::Baseline(Box::new(Baseline::new(method, &definition, seed))),
    };
    let mut trial = Trial { sample: Sample::of(definition)?, guide };
    let _hurry = match &trial.guide {
        Guide::Engine(engine) => Some(engine.hurry()),
        Guide::Baseline(_) => None,
    };
    let visitors = trial.run(world, seed).await?;
    let spent = match &trial.guide {
        Guide::Engine(engine) => {
            engine.close().await;
            Spent::default()
        }
        Guide::Baseline(baseline) => {
            Spent { calls: baseline.calls, invalid_answers: baseline.invalid_answers }
        }
    };
    Ok(Outcome::of(method, visitors.iter().map(Visitor::fate), spent))
}

/// The product that the method guides through.
fn product(method: Method) -> String {
    let plain = PRODUCT.to_owned();
    match method {
        Method::Looser => {
            LOOSER.iter().fold(plain, |text, (rule, loose)| text.replacen(rule, loose, 1))
        }
        _ => plain,
    }
}

fn definition(text: &str) -> Result<Definition, CompareError> {
    let loaded = yaml::load(text).map_err(|faults| CompareError::Product(format!("{faults:?}")));
    Ok(loaded?.definition)
}

async fn engine(source: ProductSource, policy: Policy, seed: u64) -> Result<Engine, CompareError> {
    let parts = Parts {
        log: Arc::new(MemoryLog::default()),
        store: Arc::new(MemoryStore::default()),
        clock: Arc::new(ManualClock::new(UNTIL)),
        entropy: Arc::new(SeededEntropy::new(seed)),
        products: vec![source],
        options: Options { clock: ClockMode::Events, policy, ..Options::default() },
    };
    Ok(Engine::open(parts).await?)
}

impl Trial {
    async fn run(&mut self, world: &World, seed: u64) -> Result<Vec<Visitor>, CompareError> {
        let span = Millis::days(u64::from(world.days));
        let (last, nature) = (UNTIL - FOLLOWED, world.nature(UNTIL - FOLLOWED - span));
        let whose = (&self.sample, nature);
        let mut visitors: Vec<Visitor> = (0..world.visitors)
            .map(|number| Visitor::new(whose, (seed, number), (span, last)))
            .collect();
        let mut queue = Queue::of(&visitors);
        while let Some(wave) = queue.wave() {
            self.live_through(&wave, &mut visitors).await?;
            for (now, who) in wave {
                let next = visitors[who].rest(now);
                queue.extend(next.filter(|at| *at <= UNTIL).map(|at| (at, who)));
            }
        }
        Ok(visitors)
    }

    async fn live_through(
        &mut self,
        wave: &[(Timestamp, usize)],
        visitors: &mut [Visitor],
    ) -> Result<(), CompareError> {
        let (mut events, mut questions) = (Vec::new(), Vec::new());
        for (now, who) in wave {
            let Acted { events: said, ask } = visitors[*who].act(*now);
            events.extend(said);
            questions.extend(ask.map(|call| (*now, *who, call)));
        }
        let definition = &self.sample.definition;
        match &mut self.guide {
            Guide::Engine(engine) => {
                if !events.is_empty() {
                    engine.ingest(&definition.product, events).await?;
                    // However slow the machine: a decision that waits in vain would depend on more than the seed.
                    engine.settled().await?;
                }
                for (_, who, call) in questions {
                    let decided = engine.decide(&definition.product, call).await?;
                    check_sound(&decided.decision)?;
                    visitors[who].hear(&self.sample, &Heard::from(&decided.decision));
                }
            }
            Guide::Baseline(baseline) => {
                for event in &events {
                    baseline.saw(definition, &folded(definition, event)?);
                }
                for (now, who, call) in questions {
                    let (decision, guide) = baseline.answer(definition, &call, now);
                    let guide = guide.as_ref();
                    let heard = Heard { decision, at: now, guide, reason: None };
                    visitors[who].hear(&self.sample, &heard);
                }
            }
        }
        Ok(())
    }
}

/// The event as an engine would read it from its log.
fn folded(definition: &Definition, event: &IncomingEvent) -> Result<Event, CompareError> {
    let (Some(id), Some(at)) = (&event.id, event.claimed) else {
        return Err(RecordError::Malformed("visitors name and date their events".to_owned()).into());
    };
    let body = record::event::encode(&definition.product, id, event, at);
    Ok(record::event::decode(&body)?)
}

#[cfg(test)]
mod tests;
