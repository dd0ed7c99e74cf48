//! Asking for drafts of copy: offline, for a person to read. Must not be called by anything that serves, and must keep to
//! the same budget, breakers and waits as every other call.

use std::time::Duration;

use bytes::Bytes;
use pilotage_domain::advise::asking::{self, Asking, Command, Effect};
use pilotage_domain::advise::{MicroUsd, Refusal, Rung};
use pilotage_domain::id::ProviderId;
use pilotage_domain::time::Millis;
use pilotage_wire::model::drafts::{Assignment, Wording, Written};

use super::call::{self, Size};
use super::{Barred, Desk};

/// Writing takes longer than choosing, and nobody waits but the person who asked.
const LIFE: Millis = Millis::seconds(120);

/// What came of asking for drafts.
#[derive(Debug)]
pub struct Drafted {
    /// The wordings, and who wrote them; `None` where nobody did.
    pub wordings: Option<(ProviderId, Vec<Wording>)>,
    /// The answers that could not be read, in order.
    pub refused: Vec<(ProviderId, Refusal)>,
    /// Whom nobody called, and why.
    pub barred: Vec<(ProviderId, Barred)>,
    /// What all calls have cost.
    pub cost: MicroUsd,
}

/// Asks the desk's providers, all of which can write, until one has written something that can be read.
///
/// What is written is judged by nobody here: it is text of a stranger.
pub async fn draft_once(desk: &Desk<'_>, assignment: &Assignment<'_>) -> Drafted {
    let mut asking = Asking::within(LIFE, desk.providers.len(), desk.clock.now());
    let (refused, barred) = (Vec::new(), Vec::new());
    let mut drafted = Drafted { wordings: None, refused, barred, cost: MicroUsd::ZERO };
    let mut command = Command::Go;
    loop {
        let (next, effect) = asking::step(asking, command, desk.clock.now());
        asking = next;
        command = match effect {
            Some(Effect::Call { provider, repair, within }) => {
                drafted.call(desk, assignment, (provider, repair, within)).await
            }
            Some(Effect::Wait(pause)) => {
                tokio::time::sleep(Duration::from_millis(pause.get())).await;
                Command::Go
            }
            Some(Effect::GaveUp { .. } | Effect::Done { .. }) | None => return drafted,
        };
    }
}

impl Drafted {
    async fn call(
        &mut self,
        desk: &Desk<'_>,
        assignment: &Assignment<'_>,
        (place, repair, within): (usize, Option<Rung>, Millis),
    ) -> Command {
        let Some(provider) = desk.providers.get(place) else { return Command::Barred(None) };
        let asked = (&*provider.model, provider.limit);
        let Some(request) = provider.dialect.request_drafts(assignment, asked, repair) else {
            return Command::Barred(None);
        };
        let size = Size { bytes: request.len(), most_output: assignment.most_tokens() };
        let admitted = match call::admit(desk, provider, size, within).await {
            Ok(admitted) => admitted,
            Err(barred) => {
                let until = barred.until();
                self.barred.push((provider.id.clone(), barred));
                return Command::Barred(until);
            }
        };
        let came = provider.port().ask(Bytes::from(request), within).await;
        let now = desk.clock.now();
        let written = match &came {
            Ok(raw) => provider.dialect.read_drafts(assignment, &call::answer(raw)),
            Err(failed) => Written { wordings: Err(Refusal::whole(failed.fault())), usage: None },
        };
        provider.ended(admitted.leave, call::health(written.wordings.as_ref().err()), now);
        self.cost = self.cost.plus(call::settle(desk, &admitted, &came, written.usage, now).await);
        match written.wordings {
            Ok(wordings) => {
                self.wordings = Some((provider.id.clone(), wordings));
                Command::Passed
            }
            Err(refusal) => {
                self.refused.push((provider.id.clone(), refusal.clone()));
                let retry_after = came.ok().and_then(|raw| call::pause(&raw, now));
                // The low 32 bits.
                Command::Refused { refusal, retry_after, draw: desk.entropy.bits() as u32 }
            }
        }
    }
}
