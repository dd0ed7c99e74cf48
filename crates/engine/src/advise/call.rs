//! One call: leave and money before it, the answer judged, leave and money given back. Must not be made without both, and
//! must settle whatever it has reserved.

use bytes::Bytes;
use pilotage_domain::advise::breaker::{Health, Leave};
use pilotage_domain::advise::budget::{self, Denial, Level, Reservation};
use pilotage_domain::advise::ladder::{InForce, judge};
use pilotage_domain::advise::price::{Price, Usage};
use pilotage_domain::advise::refusal::Fault;
use pilotage_domain::advise::{MicroUsd, Refusal, Rung, Verdict, mode};
use pilotage_domain::id::ProviderId;
use pilotage_domain::time::{Millis, Timestamp};
use pilotage_wire::model::record::{AnswerRecord, Told};
use pilotage_wire::model::{Answer, Question, Reply, retry_after};
use tracing::{error, info, warn};

use super::{Desk, Matter, Provider};
use crate::port::model::{ModelError, Raw};

/// A reservation is held for so long beyond the call's own time: long enough to settle it.
const TO_SETTLE: Millis = Millis::seconds(30);

/// About so many bytes of a request make a token: for the rate alone, where nothing is paid.
const BYTES_OF_TOKEN: usize = 3;

/// A call that was made.
#[derive(Debug)]
pub struct Call {
    /// Who was asked.
    pub provider: ProviderId,
    /// The code that it was told, where it was asked to repair its answer.
    pub repair: Option<Rung>,
    /// The advice, or why there is none.
    pub verdict: Verdict,
    /// What was charged to the budget.
    pub cost: MicroUsd,
    /// The call as it is to be kept.
    pub record: AnswerRecord,
}

impl Call {
    /// What the product's say is to be told of it; nothing where the answer never came (L0): that is not the model's doing.
    pub fn heard(&self) -> Option<mode::Command> {
        match &self.verdict.advice {
            Ok(_) => Some(mode::Command::Passed),
            Err(refusal) if refusal.rung() == Rung::Transport => None,
            Err(_) => Some(mode::Command::Refused),
        }
    }
}

/// Why a provider was not called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Barred {
    /// The price table does not have the model.
    NoPrice,
    /// A cap would be passed.
    Budget(Denial),
    /// The budget's ledger can't be reached.
    NoLedger,
    /// The breaker is open.
    Breaker {
        /// When it is worth asking again.
        until: Timestamp,
    },
    /// It was sent as many tokens as it may be in a minute.
    Rate {
        /// When there is room again.
        until: Timestamp,
    },
}

impl Barred {
    pub(super) const fn until(&self) -> Option<Timestamp> {
        match self {
            Self::Breaker { until } | Self::Rate { until } => Some(*until),
            Self::NoPrice | Self::Budget(_) | Self::NoLedger => None,
        }
    }
}

/// Whose turn it is.
pub(super) struct Turn {
    pub(super) place: usize,
    pub(super) repair: Option<Rung>,
    pub(super) within: Millis,
}

/// A call, and the pause that the provider asks for.
pub(super) struct Made {
    pub(super) call: Call,
    pub(super) retry_after: Option<Millis>,
}

/// What goes out, and the most that may come back.
#[derive(Clone, Copy)]
pub(super) struct Size {
    pub(super) bytes: usize,
    /// In tokens.
    pub(super) most_output: u32,
}

/// What a call may begin with.
pub(super) struct Admitted {
    pub(super) leave: Leave,
    reservation: Reservation,
    price: Price,
    worst: MicroUsd,
}

pub(super) async fn make(desk: &Desk<'_>, matter: &Matter<'_>, turn: Turn) -> Result<Made, Barred> {
    // `asking` names none but the desk's own.
    let provider = desk.providers.get(turn.place).ok_or(Barred::NoPrice)?;
    let Provider { dialect, model, limit, .. } = provider;
    let Matter { brief, prompt, .. } = *matter;
    let question = Question { brief, prompt, model, limit: *limit, repair: turn.repair };
    let request = Bytes::from(dialect.request(&question));
    let size = Size { bytes: request.len(), most_output: dialect.most_output(brief) };
    let admitted = admit(desk, provider, size, turn.within).await?;
    let came = provider.port().ask(request, turn.within).await;
    let now = desk.clock.now();
    let reply = match &came {
        Ok(raw) => provider.dialect.read(brief, &answer(raw)),
        Err(failed) => {
            let proposal = Err(Refusal::whole(failed.fault()));
            Reply { proposal, usage: None, model: None }
        }
    };
    let verdict = judged(matter, &reply, now);
    provider.ended(admitted.leave, health(verdict.advice.as_ref().err()), now);
    let cost = settle(desk, &admitted, &came, reply.usage, now).await;
    let product = &matter.definition.product;
    let told = Told { product, provider: &provider.id, at: now, cost };
    let record = AnswerRecord::new(&told, brief, &reply, Some(&verdict));
    let retry_after = came.ok().and_then(|raw| pause(&raw, now));
    let call = Call { provider: provider.id.clone(), repair: turn.repair, verdict, cost, record };
    Ok(Made { call, retry_after })
}

/// Money first, then the breaker: its leave may be the one probe, which must not be lost for want of money.
pub(super) async fn admit(
    desk: &Desk<'_>,
    provider: &Provider,
    Size { bytes, most_output }: Size,
    within: Millis,
) -> Result<Admitted, Barred> {
    let price = provider.price(desk.prices).ok_or(Barred::NoPrice)?;
    let worst = price.worst(bytes, most_output);
    let now = desk.clock.now();
    let tokens = (bytes / BYTES_OF_TOKEN) as u64 + u64::from(most_output);
    provider.room(tokens, now).map_err(|until| Barred::Rate { until })?;
    let until = now + within + TO_SETTLE;
    let reserve = budget::Command::Reserve { provider: provider.id.clone(), worst, until };
    let reservation = reserved(desk, reserve, now).await?;
    match provider.leave(now) {
        Ok(leave) => Ok(Admitted { leave, reservation, price, worst }),
        Err(until) => {
            spend(desk, budget::Command::Release(reservation), now).await;
            Err(Barred::Breaker { until })
        }
    }
}

async fn reserved(
    desk: &Desk<'_>,
    reserve: budget::Command,
    now: Timestamp,
) -> Result<Reservation, Barred> {
    let effects = spend(desk, reserve, now).await.ok_or(Barred::NoLedger)?;
    let answered = effects.into_iter().find_map(|effect| match effect {
        budget::Effect::Granted(reservation) => Some(Ok(reservation)),
        budget::Effect::Denied(denial) => Some(Err(Barred::Budget(denial))),
        _ => None,
    });
    answered.unwrap_or(Err(Barred::NoLedger))
}

/// The ladder's word on what came: a reply that can't be read is refused already.
fn judged(matter: &Matter<'_>, reply: &Reply, at: Timestamp) -> Verdict {
    let Matter { definition, prompt, paused, brief } = *matter;
    match &reply.proposal {
        Ok(proposal) => {
            judge(brief, proposal, &InForce { definition, prompt: prompt.id(), paused, at })
        }
        Err(refusal) => Verdict { advice: Err(refusal.clone()), passed_over: Vec::new() },
    }
}

/// What a refusal, or that there was none, says of the provider's health.
pub(super) fn health(refusal: Option<&Refusal>) -> Health {
    match refusal {
        Some(Refusal { fault: Fault::Transport(fault), .. }) if fault.is_ill() => Health::Ill,
        _ => Health::Well,
    }
}

/// The pause that the provider asks for.
pub(super) fn pause(raw: &Raw, now: Timestamp) -> Option<Millis> {
    retry_after::pause(raw.retry_after.as_deref(), raw.retry_after_ms.as_deref(), now)
}

/// Gives the reservation back, less what the call has cost: the tokens that were counted; nothing where the provider never
/// got the request or turned it down (3xx, 4xx); else the worst case.
pub(super) async fn settle(
    desk: &Desk<'_>,
    admitted: &Admitted,
    came: &Result<Raw, ModelError>,
    usage: Option<Usage>,
    now: Timestamp,
) -> MicroUsd {
    let Admitted { reservation, price, worst, .. } = *admitted;
    let is_free = match came {
        Ok(raw) => (300..500).contains(&raw.status),
        Err(failed) => !failed.may_be_billed(),
    };
    let command = if is_free {
        budget::Command::Release(reservation)
    } else {
        let cost = usage.map_or(worst, |usage| price.of(usage));
        budget::Command::Settle(reservation, cost)
    };
    let cost = match command {
        budget::Command::Settle(_, cost) => cost,
        _ => MicroUsd::ZERO,
    };
    // A ledger that is away lets the reservation lapse: then the worst case is spent.
    spend(desk, command, now).await.map_or(worst, |_| cost)
}

/// Steps the ledger and says what somebody has to look at; `None` where it can't be reached.
async fn spend(
    desk: &Desk<'_>,
    command: budget::Command,
    now: Timestamp,
) -> Option<Vec<budget::Effect>> {
    let effects = match desk.governor.step(command, now).await {
        Ok(effects) => effects,
        Err(away) => {
            warn!(error = %away, "the budget could not be asked");
            return None;
        }
    };
    for effect in &effects {
        match effect {
            budget::Effect::Overrun(over) => {
                error!(
                    micro_usd = over.get(),
                    "a model's bill passes its worst case: a price is wrong"
                );
            }
            budget::Effect::Lapsed(_, amount) => {
                warn!(micro_usd = amount.get(), "a reservation lapsed and counts as spent");
            }
            budget::Effect::Reached(Level::Spent) => error!("the budget for models is spent"),
            budget::Effect::Reached(level) => {
                info!(?level, "the budget for models is at another level")
            }
            _ => {}
        }
    }
    Some(effects)
}

pub(super) fn answer(raw: &Raw) -> Answer<'_> {
    Answer { status: raw.status, content_type: raw.content_type.as_deref(), body: &raw.body }
}
