//! A call of `append` while its records are on their way, and the ticket that goes with each record. Must not send anything.

use std::sync::{Arc, Mutex, PoisonError};

use pilotage_domain::event::Position;
use pilotage_engine::port::log::{AppendError, Appended};
use tokio::sync::oneshot;

use super::pending::{End, Pending};

/// What a caller of `append` waits for.
pub(super) type Answer = oneshot::Receiver<Result<Vec<Appended>, AppendError>>;

/// A call: where its records stand, as far as they have been acknowledged.
#[derive(Debug)]
pub(super) struct Call(Mutex<State>);

#[derive(Debug)]
struct State {
    appended: Vec<Appended>,
    waiting: usize,
    error: Option<AppendError>,
    reply: Option<oneshot::Sender<Result<Vec<Appended>, AppendError>>>,
}

impl Call {
    /// A call of so many records, at least one, and its answer.
    pub(super) fn new(records: usize) -> (Arc<Self>, Answer) {
        let (reply, answer) = oneshot::channel();
        // Every place is filled before the call is answered.
        let appended = vec![Appended::New(Position(0)); records];
        let state = State { appended, waiting: records, error: None, reply: Some(reply) };
        (Arc::new(Self(Mutex::new(state))), answer)
    }

    fn settle(&self, index: usize, outcome: Result<Position, AppendError>) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match outcome {
            Ok(position) => {
                if let Some(place) = state.appended.get_mut(index) {
                    *place = Appended::New(position);
                }
            }
            // What went wrong first is told.
            Err(error) => drop(state.error.get_or_insert(error)),
        }
        state.waiting -= 1;
        if state.waiting == 0 {
            let appended = std::mem::take(&mut state.appended);
            let answer = state.error.take().map_or(Ok(appended), Err);
            // Whoever called may have gone.
            let _ = state.reply.take().map(|reply| reply.send(answer));
        }
    }
}

/// Who is told what becomes of a record.
#[derive(Debug)]
pub(super) enum Waiter {
    /// A call, for its record at this index.
    Call(Arc<Call>, usize),
    /// Nobody: the next barrier tells of a failure.
    Nobody,
}

/// What goes with a record.
#[derive(Debug)]
pub(super) struct Ticket {
    pub(super) number: u64,
    pub(super) bytes: usize,
    pub(super) waiter: Waiter,
}

impl Ticket {
    /// The record is not sent, and whoever would have waited knows.
    pub(super) fn withdraw(self, pending: &Pending) {
        pending.settle(self.number, self.bytes, End::Answered);
    }

    /// The record has its answer.
    pub(super) fn settle(self, outcome: Result<Position, AppendError>, pending: &Pending) {
        let Self { number, bytes, waiter } = self;
        match waiter {
            Waiter::Call(call, index) => {
                // First the books, so that whoever is answered finds room.
                pending.settle(number, bytes, End::Answered);
                call.settle(index, outcome);
            }
            Waiter::Nobody => {
                let end = if outcome.is_ok() { End::Answered } else { End::Lost };
                pending.settle(number, bytes, end);
            }
        }
    }
}
