//! Working off the situations that wait: take the one that is worth most, ask, judge, keep what came of it. Must not hold up
//! a request or a fold, whatever a provider does.

use std::sync::Arc;
use std::time::Duration;

use pilotage_domain::advise::Brief;
use pilotage_domain::advise::asking::JOB_LIFE;
use pilotage_domain::advise::budget::{Command, Level};
use pilotage_domain::advise::queue::{HEAD, rest};
use pilotage_domain::time::Millis;
use pilotage_wire::model::book::PageBody;
use pilotage_wire::model::brief::BriefBody;
use tokio::task::JoinSet;
use tracing::{info, warn};

use super::advisor::{Advisor, BookError};
use super::{Call, Desk, End, Matter, Outcome, ask_once};
use crate::Common;
use crate::port::book::{Ended, Ending, Kind, NewPage, Turn, Waiting};
use crate::port::store::StoreError;
use crate::product::Product;

/// A situation is taken for so long: a job's life, and time to keep what came of it.
const TAKEN: Millis = Millis::seconds(JOB_LIFE.get() / 1_000 + 40);
/// How often somebody looks whether a situation is due, and what others wrote into the book.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// A situation that nobody could be asked about rests for so long.
const BARRED: Millis = Millis::seconds(60);
/// What an answer cost is not thrown away: it is tried so often to keep it.
const TRIES_TO_KEEP: usize = 5;

/// Who asks, and who keeps up with the book. Dropping the set ends them; a job under way is given up then.
pub(crate) fn spawn(common: &Arc<Common>, role: Role) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    let Some(advisor) = &common.advisor else { return tasks };
    let (of, at) = (Arc::clone(advisor), Arc::clone(common));
    tasks.spawn(async move { of.keep_up(&at).await });
    if role == Role::Asks {
        for _ in 0..advisor.setup.workers.max(1) {
            let (of, at) = (Arc::clone(advisor), Arc::clone(common));
            tasks.spawn(async move { of.work(&at).await });
        }
    }
    tasks
}

/// What a process does of asking models.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// It asks, and hears.
    Asks,
    /// It only hears what others were told.
    Hears,
}

impl Advisor {
    /// For ever: writes what was met, reads what others wrote.
    async fn keep_up(&self, common: &Common) {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let borne = self.outcomes().borne(common.clock.now());
            self.fared(borne);
            if let Err(fault) = self.catch_up(&common.products).await {
                warn!(error = %fault, "what models advise can't be kept up with");
            }
        }
    }

    /// For ever: one situation after the other.
    async fn work(&self, common: &Common) {
        loop {
            let worked = match self.turn(common).await {
                Ok(worked) => worked,
                Err(fault) => {
                    warn!(error = %fault, "a situation waits: what is kept of models can't be reached");
                    false
                }
            };
            if !worked {
                // Whoever wakes may do so before the situation is there: then it is found a little later.
                let _ = tokio::time::timeout(LOOK_EVERY, self.awoken.notified()).await;
            }
        }
    }

    /// Asks about the situation that is worth most; false where none is due, or nobody could be asked.
    async fn turn(&self, common: &Common) -> Result<bool, BookError> {
        let now = self.now();
        let looked = self.store.step_budget(self.setup.caps.clone(), Command::Look, now).await?;
        let level = looked.0.level();
        self.set_level(level);
        let least_traffic = match level {
            Level::Plenty | Level::Sparing => 0,
            Level::HeadOnly => HEAD,
            Level::Spent => return Ok(false),
        };
        let turn = Turn { least_traffic, now, until: now + TAKEN };
        let Some(job) = self.store.next_job(turn).await? else { return Ok(false) };
        let (ending, outcome) = match self.question(common, &job) {
            Err(ending) => (ending, None),
            Ok((product, brief)) => {
                let outcome = self.ask(product, &brief).await;
                (self.ending(&job, &outcome), Some(outcome))
            }
        };
        let calls = outcome.as_ref().map_or(&[][..], |outcome| &outcome.calls);
        self.keep(common, &job, ending, calls).await?;
        Ok(outcome.is_none_or(|outcome| !outcome.calls.is_empty()))
    }

    /// The question about a situation, or what becomes of it where there is none any more.
    fn question<'c>(
        &self,
        common: &'c Common,
        job: &Waiting,
    ) -> Result<(&'c Product, Brief), Ending> {
        let wanted = &job.wanted;
        let product = common.products.get(&wanted.product).ok_or(Ending::Over)?;
        if !self.mode(product).asks() {
            let until = self.now() + BARRED;
            return Err(Ending::Rests { until, failures: job.failures });
        }
        let body: Option<BriefBody> = serde_json::from_slice(&wanted.brief).ok();
        let brief = body.and_then(|body| body.recall(&product.definition));
        let brief = brief.filter(|brief| brief.prompt() == self.setup.prompt.id());
        let brief = brief.ok_or(Ending::Over)?;
        match self.wants(product, &brief.signature()) {
            Some(_) => Ok((product, brief)),
            // Somebody else has asked meanwhile.
            None => Err(Ending::Over),
        }
    }

    async fn ask(&self, product: &Product, brief: &Brief) -> Outcome {
        let desk = Desk {
            providers: &self.setup.providers,
            prices: &self.setup.prices,
            governor: &self.governor,
            clock: &*self.clock,
            entropy: &*self.entropy,
        };
        let paused = product.paused.load_full();
        let (definition, prompt) = (&product.definition, &self.setup.prompt);
        let outcome = ask_once(&desk, &Matter { definition, prompt, paused: &paused, brief }).await;
        self.counts.asked(&outcome);
        outcome
    }

    fn ending(&self, job: &Waiting, outcome: &Outcome) -> Ending {
        let now = self.now();
        match &outcome.end {
            End::Advised { .. } => Ending::Over,
            End::GaveUp { not_before, .. } if outcome.calls.is_empty() => {
                Ending::Rests { until: not_before.unwrap_or(now + BARRED), failures: job.failures }
            }
            End::GaveUp { not_before, .. } => {
                let failures = job.failures.saturating_add(1);
                let until = now + rest(failures);
                Ending::Rests { until: not_before.map_or(until, |at| at.max(until)), failures }
            }
        }
    }

    /// Keeps what came of a job, and reads it back like everybody else.
    async fn keep(
        &self,
        common: &Common,
        job: &Waiting,
        ending: Ending,
        calls: &[Call],
    ) -> Result<(), BookError> {
        let product = &job.wanted.product;
        let page = |call: &Call| NewPage {
            product: product.clone(),
            at: call.record.at,
            kind: Kind::Answer,
            body: PageBody::Answer(Box::new(call.record.clone())).encode().into(),
        };
        let pages: Vec<NewPage> = calls.iter().map(page).collect();
        let signature = job.wanted.job.signature;
        let ended = Ended { product: product.clone(), signature, ending, pages };
        self.end(ended).await?;
        for call in calls {
            tell(call);
        }
        if !calls.is_empty() {
            let demotions = self.refresh(&common.products).await?;
            self.rule(demotions);
        }
        Ok(())
    }

    async fn end(&self, ended: Ended) -> Result<u64, StoreError> {
        let mut left = TRIES_TO_KEEP;
        loop {
            left -= 1;
            match self.store.end_job(ended.clone()).await {
                Err(fault) if left > 0 && fault.is_retryable() => {
                    warn!(error = %fault, "a model's answer waits to be kept");
                    tokio::time::sleep(LOOK_EVERY).await;
                }
                done => return done,
            }
        }
    }
}

fn tell(call: &Call) {
    let provider = call.provider.as_str();
    let cost = call.cost.get();
    match &call.verdict.advice {
        Ok(_) => info!(provider, micro_usd = cost, "a model has advised"),
        Err(refusal) => {
            warn!(provider, micro_usd = cost, refusal = %refusal, "a model's answer was refused");
        }
    }
}
