//! The feed on Kafka: one member of the group, on a thread of its own that works while a call is under way and at no other time.
//! Must not keep a thread of the runtime waiting.

mod dead;
mod member;
mod owned;

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use pilotage_domain::event::Position;
use pilotage_engine::port::Answer;
use pilotage_engine::port::feed::{Feed, FeedError, Polled, Shift};
use tokio::sync::{mpsc, oneshot, watch};

use super::{OpenError, Options};
use member::Member;

/// How many pieces of advice wait while the thread is at work; more are let go of.
const QUEUE: usize = 8;

type Fetched = Result<Polled, FeedError>;

/// What the thread is asked to do.
enum Request {
    Poll { max_bytes: usize, wait: Duration, reply: oneshot::Sender<Fetched> },
    Bury { position: Position, reason: String, reply: oneshot::Sender<Result<(), FeedError>> },
    Told(Vec<Position>),
}

/// A member of the group.
///
/// Partitions come and go while a poll is under way; `Shift` is called then, by the thread of this member. A poll whose future is
/// dropped goes on, and the next one takes what it brings. Records that were fetched but not handed out when their partition goes
/// are dropped.
#[derive(Debug)]
pub struct KafkaFeed {
    requests: Option<mpsc::Sender<Request>>,
    /// A poll that nobody has had the answer of yet.
    polling: Option<oneshot::Receiver<Fetched>>,
    thread: Option<JoinHandle<()>>,
    /// Closes when the member has left.
    ended: watch::Receiver<()>,
}

impl KafkaFeed {
    /// Joins the group; the partitions come with the first polls.
    pub fn open(options: &Options, shift: Arc<dyn Shift>) -> Result<Self, OpenError> {
        options.check()?;
        let member = Member::join(options, shift)?;
        let (requests, queue) = mpsc::channel(QUEUE);
        let (ending, ended) = watch::channel(());
        let thread = thread::Builder::new().name("kafka-feed".to_owned()).spawn(move || {
            serve(member, queue);
            drop(ending);
        })?;
        Ok(Self { requests: Some(requests), polling: None, thread: Some(thread), ended })
    }

    async fn ask(&self, request: Request) -> Result<(), FeedError> {
        let Some(requests) = &self.requests else { return Err(gone()) };
        requests.send(request).await.map_err(|_| gone())
    }

    async fn fetch(&mut self, max_bytes: usize, wait: Duration) -> Fetched {
        if self.polling.is_none() {
            let (reply, answer) = oneshot::channel();
            self.ask(Request::Poll { max_bytes, wait, reply }).await?;
            self.polling = Some(answer);
        }
        let Some(polling) = &mut self.polling else { return Err(gone()) };
        let fetched = polling.await.unwrap_or_else(|_| Err(gone()));
        self.polling = None;
        fetched
    }
}

fn serve(mut member: Member, mut queue: mpsc::Receiver<Request>) {
    while let Some(request) = queue.blocking_recv() {
        // Whoever asked may have gone.
        match request {
            Request::Poll { max_bytes, wait, reply } => {
                let _ = reply.send(member.poll(max_bytes, wait));
            }
            Request::Bury { position, reason, reply } => {
                let _ = reply.send(member.bury(position, &reason));
            }
            Request::Told(applied) => member.told(&applied),
        }
    }
}

fn gone() -> FeedError {
    FeedError::Unavailable("this member has left the group".to_owned())
}

impl Feed for KafkaFeed {
    fn poll(&mut self, max_bytes: usize, wait_ms: u64) -> Answer<'_, Result<Polled, FeedError>> {
        Box::pin(self.fetch(max_bytes, Duration::from_millis(wait_ms)))
    }

    fn bury(&mut self, position: Position, reason: &str) -> Answer<'_, Result<(), FeedError>> {
        let reason = reason.to_owned();
        Box::pin(async move {
            let (reply, answer) = oneshot::channel();
            self.ask(Request::Bury { position, reason, reply }).await?;
            answer.await.unwrap_or_else(|_| Err(gone()))
        })
    }

    fn told(&mut self, applied: &[Position]) {
        if let Some(requests) = &self.requests {
            // Advice: newer one comes.
            let _ = requests.try_send(Request::Told(applied.to_vec()));
        }
    }

    fn close(&mut self) -> Answer<'_, ()> {
        self.requests = None;
        Box::pin(async {
            // Nothing is ever sent: the channel closes when the member has left.
            while self.ended.changed().await.is_ok() {}
        })
    }
}

impl Drop for KafkaFeed {
    fn drop(&mut self) {
        self.requests = None;
        if let Some(thread) = self.thread.take() {
            // A panic of the thread was reported when it happened.
            let _ = thread.join();
        }
    }
}
