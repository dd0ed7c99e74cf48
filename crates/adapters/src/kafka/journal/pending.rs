//! The books of what was given to the brokers and has no answer yet, bounded in bytes. Must not know who sends it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use pilotage_engine::port::log::AppendError;
use tokio::sync::oneshot;

/// Who waits for everything that was there before.
pub(super) type Passed = oneshot::Receiver<Result<(), AppendError>>;

/// The books.
#[derive(Debug)]
pub(super) struct Pending {
    state: Mutex<State>,
    most_bytes: usize,
}

#[derive(Debug, Default)]
struct State {
    /// The number of the next record.
    next: u64,
    /// Records without an answer, and their bytes.
    records: u64,
    bytes: usize,
    closed: bool,
    /// A record that nobody waited for failed, and no barrier has told so.
    lost: bool,
    barriers: Vec<Barrier>,
}

/// A barrier waits for the records with smaller numbers.
#[derive(Debug)]
struct Barrier {
    before: u64,
    records: u64,
    lost: bool,
    reply: oneshot::Sender<Result<(), AppendError>>,
}

/// What became of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// It is stored, or whoever waits for it was told that it may not be.
    Answered,
    /// It may not be stored, and nobody waits for it.
    Lost,
}

impl Pending {
    pub(super) fn new(most_bytes: usize) -> Self {
        Self { state: Mutex::default(), most_bytes }
    }

    /// Makes room for so many records, all or none, and gives the number of the first. More than all the room is granted
    /// when nothing else waits.
    pub(super) fn admit(&self, records: usize, bytes: usize) -> Result<u64, AppendError> {
        let mut state = self.lock();
        if state.closed {
            return Err(AppendError::Closed);
        }
        if state.records > 0 && state.bytes.saturating_add(bytes) > self.most_bytes {
            return Err(AppendError::Full);
        }
        let first = state.next;
        state.next += records as u64;
        state.records += records as u64;
        state.bytes += bytes;
        Ok(first)
    }

    /// A record has its answer.
    pub(super) fn settle(&self, number: u64, bytes: usize, end: End) {
        let mut state = self.lock();
        state.records -= 1;
        state.bytes -= bytes;
        let lost = end == End::Lost;
        let mut told = false;
        for barrier in state.barriers.iter_mut().filter(|barrier| number < barrier.before) {
            barrier.records -= 1;
            barrier.lost |= lost;
            told = true;
        }
        state.lost |= lost && !told;
        if told {
            let done = state.barriers.extract_if(.., |barrier| barrier.records == 0);
            done.for_each(Barrier::answer);
        }
    }

    /// Resolves once every record that is there now has its answer; tells if one that nobody waited for was lost.
    pub(super) fn barrier(&self) -> Result<Passed, AppendError> {
        let mut state = self.lock();
        if state.closed { Err(AppendError::Closed) } else { Ok(state.barrier()) }
    }

    /// Nothing is admitted any more; resolves once every record has its answer.
    pub(super) fn close(&self) -> Passed {
        let mut state = self.lock();
        state.closed = true;
        state.barrier()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn barrier(&mut self) -> Passed {
        let (reply, passed) = oneshot::channel();
        let lost = std::mem::take(&mut self.lost);
        let barrier = Barrier { before: self.next, records: self.records, lost, reply };
        if barrier.records == 0 {
            barrier.answer();
        } else {
            self.barriers.push(barrier);
        }
        passed
    }
}

impl Barrier {
    fn answer(self) {
        let lost = || AppendError::Unavailable("records queued before may be lost".to_owned());
        // Whoever asked may have gone.
        let _ = self.reply.send(if self.lost { Err(lost()) } else { Ok(()) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(passed: &mut Passed) -> Option<bool> {
        passed.try_recv().ok().map(|answer| answer.is_ok())
    }

    #[test]
    fn room_is_granted_to_all_of_a_call_or_to_none() {
        let pending = Pending::new(100);
        assert_eq!(pending.admit(2, 60).ok(), Some(0));
        assert!(matches!(pending.admit(1, 41), Err(AppendError::Full)));
        assert_eq!(pending.admit(1, 40).ok(), Some(2));
        pending.settle(0, 30, End::Answered);
        assert_eq!(pending.admit(1, 30).ok(), Some(3));
        assert!(matches!(pending.admit(1, 1), Err(AppendError::Full)));
    }

    #[test]
    fn more_than_all_the_room_is_granted_alone() {
        let pending = Pending::new(100);
        assert_eq!(pending.admit(1, 500).ok(), Some(0));
        assert!(matches!(pending.admit(1, 1), Err(AppendError::Full)));
        pending.settle(0, 500, End::Answered);
        assert!(pending.admit(1, 1).is_ok());
    }

    #[test]
    fn a_barrier_waits_for_what_was_before_it_and_for_nothing_else() {
        let pending = Pending::new(100);
        assert_eq!(pending.barrier().ok().as_mut().and_then(answer), Some(true));
        pending.admit(2, 2).expect("room");
        let mut barrier = pending.barrier().expect("it is open");
        pending.admit(1, 1).expect("room");
        pending.settle(2, 1, End::Answered);
        pending.settle(1, 1, End::Answered);
        assert_eq!(answer(&mut barrier), None);
        pending.settle(0, 1, End::Answered);
        assert_eq!(answer(&mut barrier), Some(true));
    }

    #[test]
    fn what_was_lost_is_told_once_by_each_barrier_that_waited_for_it() {
        let pending = Pending::new(100);
        pending.admit(2, 2).expect("room");
        pending.settle(0, 1, End::Lost);
        let mut first = pending.barrier().expect("it is open");
        let mut second = pending.barrier().expect("it is open");
        pending.settle(1, 1, End::Answered);
        assert_eq!((answer(&mut first), answer(&mut second)), (Some(false), Some(true)));

        pending.admit(1, 1).expect("room");
        let mut both = [pending.barrier(), pending.barrier()].map(|b| b.expect("it is open"));
        pending.settle(2, 1, End::Lost);
        assert_eq!(both.each_mut().map(answer), [Some(false), Some(false)]);
        assert_eq!(pending.barrier().ok().as_mut().and_then(answer), Some(true));
    }

    #[test]
    fn closed_books_take_nothing_and_end_with_the_last_record() {
        let pending = Pending::new(100);
        pending.admit(1, 1).expect("room");
        let mut closed = pending.close();
        assert!(matches!(pending.admit(1, 1), Err(AppendError::Closed)));
        assert!(matches!(pending.barrier(), Err(AppendError::Closed)));
        assert_eq!(answer(&mut closed), None);
        pending.settle(0, 1, End::Answered);
        assert_eq!(answer(&mut closed), Some(true));
    }
}
