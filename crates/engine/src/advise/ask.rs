//! A job's loop: what `asking` says is done, and what came of it is told to `asking`. Must not decide when to stop.

use std::time::Duration;

use pilotage_domain::advise::asking::{self, Asking, Command, Effect};
use pilotage_domain::id::ProviderId;

use super::call::{self, Call, Made, Turn};
use super::{Barred, Desk, End, Matter, Outcome};

/// Asks about one situation until there is advice, or nobody is left to be asked, or the job's time is over.
///
/// Dropping it gives the job up: what it has reserved lapses and counts as spent, because it may have been.
pub async fn ask_once(desk: &Desk<'_>, matter: &Matter<'_>) -> Outcome {
    let mut asking = Asking::new(desk.providers.len(), desk.clock.now());
    let mut so_far = SoFar::default();
    let mut command = Command::Go;
    loop {
        let (next, effect) = asking::step(asking, command, desk.clock.now());
        asking = next;
        command = match effect {
            Some(Effect::Call { provider, repair, within }) => {
                let turn = Turn { place: provider, repair, within };
                so_far.takes(desk, provider, call::make(desk, matter, turn).await)
            }
            Some(Effect::Wait(pause)) => {
                tokio::time::sleep(Duration::from_millis(pause.get())).await;
                Command::Go
            }
            Some(Effect::GaveUp { last, not_before }) => {
                return so_far.ends(End::GaveUp { last, not_before });
            }
            Some(Effect::Done { .. }) | None => return so_far.succeeds(),
        };
    }
}

/// What a job has seen.
#[derive(Default)]
struct SoFar {
    calls: Vec<Call>,
    barred: Vec<(ProviderId, Barred)>,
}

impl SoFar {
    /// Notes a call, or that there was none; what the job is to be told.
    fn takes(&mut self, desk: &Desk<'_>, place: usize, made: Result<Made, Barred>) -> Command {
        match made {
            Ok(Made { call, retry_after }) => {
                let command = match &call.verdict.advice {
                    Ok(_) => Command::Passed,
                    Err(refusal) => Command::Refused {
                        refusal: refusal.clone(),
                        retry_after,
                        // The low 32 bits.
                        draw: desk.entropy.bits() as u32,
                    },
                };
                self.calls.push(call);
                command
            }
            Err(barred) => {
                let until = barred.until();
                let named = desk.providers.get(place).map(|provider| provider.id.clone());
                self.barred.extend(named.map(|id| (id, barred)));
                Command::Barred(until)
            }
        }
    }

    /// The last call's advice is the job's.
    fn succeeds(self) -> Outcome {
        let advised = self.calls.last().and_then(|call| {
            let advice = call.verdict.advice.clone().ok()?;
            Some(End::Advised { provider: call.provider.clone(), advice })
        });
        let end = advised.unwrap_or(End::GaveUp { last: None, not_before: None });
        self.ends(end)
    }

    fn ends(self, end: End) -> Outcome {
        Outcome { end, calls: self.calls, barred: self.barred }
    }
}
