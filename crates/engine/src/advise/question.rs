//! The question that a life leads to: for evaluations, where a situation is told by its events. Must fold as the engine folds.

use pilotage_domain::advise::{Brief, NoCall};
use pilotage_domain::decide::{Request, Surface};
use pilotage_domain::definition::Definition;
use pilotage_domain::event::Position;
use pilotage_domain::id::{DecisionId, EventId, PromptId};
use pilotage_domain::kin::ALONE;
use pilotage_domain::profile::Profile;
use pilotage_domain::profile::fold::fold_event;
use pilotage_domain::profile::view::View;
use pilotage_domain::rules::{Situation, situational};
use pilotage_domain::time::Timestamp;
use pilotage_wire::event::IncomingEvent;
use pilotage_wire::record;
use thiserror::Error;

/// Why a life leads to no question.
#[derive(Debug, Error)]
pub enum NoQuestion {
    /// Nothing happens in it.
    #[error("it has no events")]
    Empty,
    /// An event can't be folded.
    #[error(transparent)]
    Record(#[from] record::RecordError),
    /// Nobody is asked about where it leads.
    #[error(transparent)]
    NoCall(#[from] NoCall),
}

/// The question about somebody to whom these things have happened, one after the other, at this moment.
///
/// # Errors
/// Where there is none.
pub fn question(
    definition: &Definition,
    prompt: &PromptId,
    events: &[IncomingEvent],
    now: Timestamp,
) -> Result<Brief, NoQuestion> {
    let last = events.last().ok_or(NoQuestion::Empty)?;
    let mut profile = Profile::default();
    for (event, number) in events.iter().zip(1..) {
        let id = EventId::new(&format!("event-{number}")).map_err(|_| NoQuestion::Empty)?;
        let body = record::event::encode(&definition.product, &id, event, now);
        let event = record::event::decode(&body)?;
        fold_event(&mut profile, definition, &event, Position(number));
    }
    let request = Request {
        id: DecisionId::from_bits(0),
        user: &last.user,
        session: &last.session,
        at: now,
        surface: Surface::default(),
        paused: &[],
        pending: &[],
        kin: &ALONE,
    };
    let situation = Situation::new(View { definition, profile: &profile, now }, &request);
    Ok(Brief::of(prompt, &situation, &situational(&situation))?)
}
