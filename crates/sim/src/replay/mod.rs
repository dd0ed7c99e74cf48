//! Recorded traffic under another definition or policy: the same calls, decided again by the same domain code. Must not change
//! the log, and must not guess what users would have done otherwise: what they did stands.
//!
//! - `walk`: the log's records, decoded.
//! - `lives`: each user twice, as recorded and as it would have gone.
//! - `learning`: what the learner would have learnt by each moment.
//! - `told`: what differs, as numbers and JSON. `page`: the same for people.
//! - `rows`: the decision log as rows, for evaluation and for others to read.

mod learning;
mod lives;
mod page;
mod rows;
#[cfg(test)]
mod tests;
mod told;
mod walk;

use pilotage_domain::definition::Definition;
use pilotage_domain::policy::Policy;
use pilotage_wire::decision_log::Row;

pub use page::{html, table};
pub use told::{Change, DayLine, GuideLine, Kind, MilestoneLine, Replayed, UserLine};
pub use walk::{Traffic, WalkError};

use lives::Lives;
use rows::Rows;
use walk::{Fact, walk};

/// What is asked of a replay.
#[derive(Debug, Clone, Copy)]
pub struct Replay<'a> {
    /// The definition to decide by.
    pub definition: &'a Definition,
    /// Who chooses for the guided group. A model's advice is not at hand: `Model` draws as `Random`.
    pub policy: Policy,
    /// So many changed users are named.
    pub most_users: usize,
}

/// The decisions of record as rows, each with what came of it. `tell` hears how far it is.
///
/// # Errors
/// Where the log can't be read to its end.
pub async fn decisions(
    traffic: Traffic<'_>,
    definition: &Definition,
    tell: impl FnMut(u64, u64),
) -> Result<Vec<Row>, WalkError> {
    let mut rows = Rows::new(definition);
    walk(traffic, &definition.product, tell, |position, user, fact| match fact {
        Fact::Event(event) => rows.event(user, &event, position),
        Fact::Decision(stored) => rows.decision(&stored, None),
        Fact::Named(_) => rows.named(user),
        Fact::Carried(carried) => rows.carried(user, &carried.from, position),
    })
    .await?;
    Ok(rows.finish())
}

/// Decides everything of record again, and says what differs; with the rows of the decisions of record, each with the law that
/// the replay's policy would have drawn from on the very facts of record.
///
/// # Errors
/// Where the log can't be read to its end.
pub async fn replay(
    traffic: Traffic<'_>,
    asked: &Replay<'_>,
    tell: impl FnMut(u64, u64),
) -> Result<(Replayed, Vec<Row>), WalkError> {
    let mut rows = Rows::new(asked.definition);
    let mut lives = Lives::new(asked);
    walk(traffic, &asked.definition.product, tell, |position, user, fact| {
        lives.reach(position);
        match fact {
            Fact::Event(event) => {
                rows.event(user, &event, position);
                lives.event(user, &event);
            }
            Fact::Decision(stored) => {
                let law = lives.decision(&stored);
                rows.decision(&stored, Some(law));
            }
            Fact::Named(into) => {
                rows.named(user);
                lives.named(user, &into);
            }
            Fact::Carried(carried) => {
                rows.carried(user, &carried.from, position);
                lives.carried(user, &carried);
            }
        }
    })
    .await?;
    Ok((lives.finish(), rows.finish()))
}
