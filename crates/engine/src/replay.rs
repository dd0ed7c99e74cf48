//! What a replay of the log needs to know of live folding. Must not fold anything itself.

use pilotage_domain::event::Position;

/// The last position up to there at which live folding publishes what is learnt; 0 where there is none.
pub fn published_up_to(position: Position) -> Position {
    crate::learn::boundary(position)
}
