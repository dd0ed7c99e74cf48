//! Lets visitors loose on an engine, strictly in the order of time. Must not know what visitors do, nor why.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use pilotage_domain::decide::Reason;
use pilotage_domain::id::{ProductId, UserId};
use pilotage_domain::time::{Millis, Timestamp};
use pilotage_engine::{ClockMode, DecideError, Engine, IngestError};
use pilotage_wire::event::IncomingEvent;
use pilotage_wire::record::decision::StoredDecision;
use thiserror::Error;

use crate::nature::Nature;
use crate::product::{NotTheSample, Sample};
use crate::visited::Visited;
use crate::visitor::{Acted, Heard, LEAST_PAUSE, Visitor};

/// The most visitors that act in one commit.
const WAVE: usize = 1_000;

/// Who comes, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// How many visitors.
    pub visitors: u32,
    /// The same seed makes the same visitors.
    pub seed: u64,
    /// Nothing happens after this instant.
    pub until: Timestamp,
    /// Over how many days before `until` they sign up; at least 1.
    pub days: u32,
}

/// Why a simulation did not end.
#[derive(Debug, Error)]
pub enum VisitError {
    /// The product is not served here.
    #[error("the product is not served here")]
    UnknownProduct,
    /// It is not the sample product.
    #[error(transparent)]
    NotTheSample(#[from] NotTheSample),
    /// The engine goes by the machine's clock, and the visitors come in another time.
    #[error("visitors can be simulated under the event clock alone")]
    NotTheEventClock,
    /// The plan leaves no time.
    #[error("the plan must be at least one day long")]
    NoDays,
    /// These very visitors were here before: what they would do now is not what they would find.
    #[error("visitor {0} was here before: take another seed, or an empty data folder")]
    SeenBefore(UserId),
    /// The engine took no events.
    #[error("the engine did not take an event: {0}")]
    Ingest(#[from] IngestError),
    /// The engine did not decide.
    #[error("the engine did not decide: {0}")]
    Decide(#[from] DecideError),
    /// A decision was made without the facts, so the same seed would not give the same numbers.
    #[error("the engine could not bring a profile up to date in time, and decided without it")]
    Behind,
}

/// Simulates visitors of the sample product on an engine under the event clock.
///
/// The engine's `entropy` names decisions and so draws for the policy: where it is seeded, log and store are new, and
/// nobody else uses the engine meanwhile, the same plan gives the same result.
///
/// Every moment in which anybody acts is one commit of the log.
pub async fn visit(
    engine: &Engine,
    product: &ProductId,
    plan: &Plan,
) -> Result<Visited, VisitError> {
    let sample = admit(engine, product, plan)?;
    let _hurry = engine.hurry();
    let visitors = run(engine, &sample, plan).await?;
    Ok(Visited::of(visitors.iter().map(Visitor::fate)))
}

/// Checks that the visitors can come, and to what.
fn admit(engine: &Engine, product: &ProductId, plan: &Plan) -> Result<Sample, VisitError> {
    if engine.clock_mode() != ClockMode::Events {
        return Err(VisitError::NotTheEventClock);
    }
    if plan.days == 0 {
        return Err(VisitError::NoDays);
    }
    let definition = engine.definition(product).ok_or(VisitError::UnknownProduct)?;
    Ok(Sample::of(definition)?)
}

/// Simulates, and gives back the visitors as they ended.
async fn run(engine: &Engine, sample: &Sample, plan: &Plan) -> Result<Vec<Visitor>, VisitError> {
    let span = Millis::days(u64::from(plan.days));
    let mut visitors: Vec<Visitor> = (0..plan.visitors)
        .map(|number| {
            let whose = (sample, Nature::default());
            Visitor::new(whose, (plan.seed, number), (span, plan.until))
        })
        .collect();
    let world = World { engine, product: &sample.definition.product, sample };
    let mut queue = Queue::of(&visitors);
    while let Some(wave) = queue.wave() {
        world.live_through(&wave, &mut visitors).await?;
        for (now, who) in wave {
            let next = visitors[who].rest(now);
            queue.extend(next.filter(|at| *at <= plan.until).map(|at| (at, who)));
        }
    }
    Ok(visitors)
}

/// Who acts when: by time, then by visitor.
pub(crate) struct Queue(BinaryHeap<Reverse<(Timestamp, usize)>>);

impl Queue {
    pub(crate) fn of(visitors: &[Visitor]) -> Self {
        Self(visitors.iter().map(Visitor::first).zip(0..).map(Reverse).collect())
    }

    pub(crate) fn extend(&mut self, more: impl IntoIterator<Item = (Timestamp, usize)>) {
        self.0.extend(more.into_iter().map(Reverse));
    }

    /// The next visitors to act. Nobody among them acts again before the last of them has, so to let them act together
    /// is the same as one by one.
    pub(crate) fn wave(&mut self) -> Option<Vec<(Timestamp, usize)>> {
        let Reverse(first) = self.0.pop()?;
        let end = first.0 + LEAST_PAUSE;
        let mut wave = vec![first];
        while let Some(Reverse(next)) = self.0.peek()
            && next.0 < end
            && wave.len() < WAVE
        {
            wave.push(*next);
            self.0.pop();
        }
        Some(wave)
    }
}

struct World<'a> {
    engine: &'a Engine,
    product: &'a ProductId,
    sample: &'a Sample,
}

impl World<'_> {
    async fn live_through(
        &self,
        wave: &[(Timestamp, usize)],
        visitors: &mut [Visitor],
    ) -> Result<(), VisitError> {
        let (mut events, mut questions) = (Vec::new(), Vec::new());
        for (now, who) in wave {
            let Acted { events: said, ask } = visitors[*who].act(*now);
            events.extend(said);
            questions.extend(ask.map(|call| (*who, call)));
        }
        self.ingest(events).await?;
        for (who, call) in questions {
            let decided = self.engine.decide(self.product, call).await?;
            check_sound(&decided.decision)?;
            visitors[who].hear(self.sample, &Heard::from(&decided.decision));
        }
        Ok(())
    }

    async fn ingest(&self, events: Vec<IncomingEvent>) -> Result<(), VisitError> {
        if events.is_empty() {
            return Ok(());
        }
        let users: Vec<UserId> = events.iter().map(|event| event.user.clone()).collect();
        let taken = self.engine.ingest(self.product, events).await?;
        match users.into_iter().zip(taken).find(|(_, taken)| taken.duplicate) {
            Some((user, _)) => Err(VisitError::SeenBefore(user)),
            None => Ok(()),
        }
    }
}

/// A decision that came of a delay or of a failure depends on more than the seed.
pub(crate) fn check_sound(decision: &StoredDecision) -> Result<(), VisitError> {
    if decision.stale || decision.reason == Some(Reason::Degraded) {
        return Err(VisitError::Behind);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
