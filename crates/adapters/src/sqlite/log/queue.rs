//! What waits for the log's writer, bounded in bytes. Must not keep a thread of the runtime waiting.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pilotage_engine::port::log::{AppendError, Appended, Entry, EntryName};
use tokio::sync::oneshot;

/// What a record takes in memory beside its texts and its body.
const OVERHEAD: usize = 160;
/// About what an event at hand takes: all but its ids, which are shared, and what its fold does not heed.
const EVENT: usize = 512;

/// How long records that nobody waits for gather before they get a commit of their own, and how many at the most.
const LINGER: Duration = Duration::from_millis(20);
const LINGER_ENTRIES: usize = 1_024;
/// From so many records a commit on, a writer that waits for more of them gives its callers the processor: a sync costs
/// about as much of it as twenty records.
const BUSY: usize = 16;

/// Records that are to be stored together, and who waits for them.
#[derive(Debug)]
pub(super) struct Request {
    pub entries: Vec<Entry>,
    pub reply: Reply,
    bytes: usize,
}

/// Who waits for a request.
#[derive(Debug)]
pub(super) enum Reply {
    /// A caller of `append`.
    Append(oneshot::Sender<Result<Vec<Appended>, AppendError>>),
    /// Nobody: the record was queued by `enqueue`.
    Nobody,
    /// A caller of `barrier`; the request holds no records.
    Barrier(oneshot::Sender<Result<(), AppendError>>),
    /// A test that plays a full disk: the file may have so many pages from now on.
    #[cfg(test)]
    MostPages(u32, oneshot::Sender<()>),
}

impl Request {
    pub(super) fn new(entries: Vec<Entry>, reply: Reply) -> Self {
        let bytes = entries.iter().map(bytes_of).sum();
        Self { entries, reply, bytes }
    }

    /// Whether somebody waits for it.
    fn is_urgent(&self) -> bool {
        !matches!(self.reply, Reply::Nobody)
    }
}

/// About how much memory a record takes.
pub(super) fn bytes_of(entry: &Entry) -> usize {
    let name = match &entry.name {
        EntryName::Event(id) => id.as_str().len(),
        EntryName::Decision(_) => 0,
        EntryName::Named(user) | EntryName::Carried(user, _) => user.as_str().len(),
    };
    let event = if entry.event.is_some() { EVENT } else { 0 };
    OVERHEAD
        + event
        + entry.product.as_str().len()
        + entry.user.as_str().len()
        + name
        + entry.body.len()
}

/// How much of the queue goes into one commit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Portion {
    /// The most records, unless a single request has more.
    pub entries: usize,
    /// The most bytes, unless a single request has more.
    pub bytes: usize,
    /// How long to wait for more where there is much less than last time.
    pub wait: Duration,
}

/// What the writer finds when it looks.
#[derive(Debug)]
pub(super) enum Taken {
    /// Requests, in order.
    Some(Vec<Request>),
    /// Nothing for a while.
    Idle,
    /// Nothing, and nothing will come.
    Closed,
}

/// The queue.
#[derive(Debug)]
pub(super) struct Queue {
    state: Mutex<State>,
    arrived: Condvar,
    most_bytes: usize,
}

#[derive(Debug, Default)]
struct State {
    requests: VecDeque<Request>,
    entries: usize,
    bytes: usize,
    closed: bool,
    /// How many requests somebody waits for.
    urgent: usize,
    /// How many records the writer waits for; `None` while it does not wait.
    awaited: Option<usize>,
    /// Whether the writer would rather have a request that somebody waits for.
    lingering: bool,
}

impl Queue {
    pub(super) fn new(most_bytes: usize) -> Self {
        Self { state: Mutex::default(), arrived: Condvar::new(), most_bytes }
    }

    /// Puts the request at the end. One that is larger than the whole queue is taken when nothing else waits.
    pub(super) fn push(&self, request: Request) -> Result<(), AppendError> {
        let mut state = self.lock();
        if state.closed {
            return Err(AppendError::Closed);
        }
        if !state.requests.is_empty() && state.bytes + request.bytes > self.most_bytes {
            return Err(AppendError::Full);
        }
        state.bytes += request.bytes;
        state.entries += request.entries.len();
        let urgent = request.is_urgent();
        state.urgent += usize::from(urgent);
        state.requests.push_back(request);
        let enough = state.awaited.is_some_and(|awaited| state.entries >= awaited);
        if enough || (urgent && state.lingering) {
            state.awaited = None;
            drop(state);
            self.arrived.notify_one();
        }
        Ok(())
    }

    /// Takes what waits, or waits for it, but not longer than `idle`. Records that nobody waits for gather for a while:
    /// a commit for each would cost more than all the rest of them. `last` is the size of the last portion: callers
    /// that were answered together often come back together.
    pub(super) fn take(&self, portion: Portion, last: usize, idle: Duration) -> Taken {
        let mut state = self.lock();
        if state.requests.is_empty() {
            state = self.wait(state, 0, idle);
        }
        if !state.requests.is_empty() && state.urgent == 0 {
            state.lingering = true;
            state = self.wait(state, LINGER_ENTRIES, LINGER);
            state.lingering = false;
        }
        let enough = if last < BUSY { last / 2 } else { last + last / 2 };
        if !state.requests.is_empty() && state.entries < enough {
            state = self.wait(state, enough, portion.wait);
        }
        match (state.requests.is_empty(), state.closed) {
            (false, _) => Taken::Some(state.cut(portion)),
            (true, true) => Taken::Closed,
            (true, false) => Taken::Idle,
        }
    }

    /// Waits until there are so many records, the time is over or the queue is closed.
    fn wait<'a>(
        &self,
        mut state: MutexGuard<'a, State>,
        awaited: usize,
        most: Duration,
    ) -> MutexGuard<'a, State> {
        state.awaited = Some(awaited);
        // `push` clears `awaited` before it wakes us; any other wake is a spurious one.
        let waiting = |state: &mut State| state.awaited.is_some() && !state.closed;
        let waited = self.arrived.wait_timeout_while(state, most, waiting);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner).0;
        state.awaited = None;
        state
    }

    /// Takes no more requests; those that wait are still handed out.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.arrived.notify_one();
    }

    /// Takes no more requests and drops those that wait, so that nobody waits for a writer that is gone.
    pub(super) fn abandon(&self) {
        self.close();
        let abandoned = std::mem::take(&mut self.lock().requests);
        drop(abandoned);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The first requests, as many as fit one portion and at least one.
    fn cut(&mut self, portion: Portion) -> Vec<Request> {
        let room = self.requests.len().min(portion.entries.max(1));
        let (mut taken, mut entries, mut bytes) = (Vec::with_capacity(room), 0, 0);
        while let Some(next) = self.requests.front() {
            let fits = entries + next.entries.len() <= portion.entries
                && bytes + next.bytes <= portion.bytes;
            if !taken.is_empty() && !fits {
                break;
            }
            entries += next.entries.len();
            bytes += next.bytes;
            self.urgent -= usize::from(next.is_urgent());
            taken.extend(self.requests.pop_front());
        }
        self.entries -= entries;
        self.bytes -= bytes;
        taken
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use pilotage_domain::id::{EventId, ProductId, UserId};
    use pilotage_domain::time::Timestamp;

    use super::*;

    const ANY: Portion = Portion { entries: 100, bytes: 1 << 20, wait: Duration::ZERO };

    fn entry(bytes: usize) -> Entry {
        Entry {
            product: ProductId::new("p").expect("a product"),
            user: UserId::new("u").expect("a user"),
            name: EntryName::Event(EventId::new("e").expect("an id")),
            received_at: Timestamp::from_millis(0),
            body: Bytes::from(vec![0; bytes]),
            event: None,
        }
    }

    fn request(entries: usize, bytes: usize) -> Request {
        // Somebody waits for a barrier, so that the writer does not linger.
        Request::new(vec![entry(bytes); entries], Reply::Barrier(oneshot::channel().0))
    }

    /// How many records each request of the next portion has.
    fn taken(queue: &Queue, portion: Portion) -> Vec<usize> {
        match queue.take(portion, 0, Duration::ZERO) {
            Taken::Some(requests) => requests.iter().map(|request| request.entries.len()).collect(),
            Taken::Idle | Taken::Closed => Vec::new(),
        }
    }

    #[test]
    fn what_does_not_fit_is_refused_until_there_is_room() {
        let queue = Queue::new(10_000);
        queue.push(request(1, 6_000)).expect("room");
        assert!(matches!(queue.push(request(1, 6_000)), Err(AppendError::Full)));
        queue.push(request(1, 3_000)).expect("room");
        assert_eq!(taken(&queue, ANY), [1, 1]);
        queue.push(request(1, 6_000)).expect("room again");
    }

    #[test]
    fn a_request_larger_than_the_queue_is_taken_alone() {
        let queue = Queue::new(10_000);
        queue.push(request(1, 50_000)).expect("nothing else waits");
        assert!(matches!(queue.push(request(1, 1)), Err(AppendError::Full)));
        assert_eq!(taken(&queue, Portion { bytes: 100, ..ANY }), [1]);
        queue.push(request(1, 1)).expect("room");
    }

    #[test]
    fn a_portion_keeps_order_and_bounds() {
        let queue = Queue::new(1 << 20);
        for entries in [3, 4, 9, 1, 1] {
            queue.push(request(entries, 10)).expect("room");
        }
        let portion = Portion { entries: 7, ..ANY };
        assert_eq!(taken(&queue, portion), [3, 4]);
        assert_eq!(taken(&queue, portion), [9], "larger than a portion, so alone");
        assert_eq!(taken(&queue, portion), [1, 1]);
        assert!(taken(&queue, portion).is_empty());
    }

    #[test]
    fn a_closed_queue_hands_out_the_rest() {
        let queue = Queue::new(1 << 20);
        queue.push(request(2, 10)).expect("room");
        queue.close();
        assert!(matches!(queue.push(request(1, 10)), Err(AppendError::Closed)));
        assert_eq!(taken(&queue, ANY), [2]);
        assert!(matches!(queue.take(ANY, 0, Duration::MAX), Taken::Closed));
    }

    #[test]
    fn nobody_waits_for_an_abandoned_queue() {
        let queue = Queue::new(1 << 20);
        let (reply, mut answer) = oneshot::channel();
        queue.push(Request::new(vec![entry(1)], Reply::Append(reply))).expect("room");
        queue.abandon();
        assert!(answer.try_recv().is_err_and(|e| e == oneshot::error::TryRecvError::Closed));
        assert!(matches!(queue.push(request(1, 1)), Err(AppendError::Closed)));
    }

    #[test]
    fn who_waits_is_not_kept_by_who_does_not() {
        let queue = Queue::new(1 << 20);
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| taken(&queue, ANY));
            queue.push(Request::new(vec![entry(1)], Reply::Nobody)).expect("room");
            queue.push(request(1, 1)).expect("room");
            let first = writer.join().expect("a portion");
            let rest = taken(&queue, ANY);
            assert_eq!([first, rest].concat().iter().sum::<usize>(), 2);
        });
    }
}
