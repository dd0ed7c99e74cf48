//! Single records by their positions: a thread with a reader of its own. Must not keep a thread of the runtime waiting.

use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use pilotage_domain::event::Position;
use pilotage_engine::port::feed::{Partition, offset_of};
use pilotage_engine::port::log::{ReadError, Stored};
use rdkafka::Message;
use tokio::sync::{mpsc, oneshot};

use crate::kafka::reader::Reader;
use crate::kafka::record;

/// How many calls wait for the reader; the next ones wait for a place.
const QUEUE: usize = 64;

type Found = Result<Vec<Stored>, ReadError>;

type Ends = Result<Vec<Position>, ReadError>;

#[derive(Debug)]
enum Request {
    /// The records at these positions.
    Get(Vec<Position>, oneshot::Sender<Found>),
    /// The newest position of every partition.
    Ends(oneshot::Sender<Ends>),
}

/// The thread, as others see it.
#[derive(Debug)]
pub(super) struct Lookup {
    requests: mpsc::Sender<Request>,
}

impl Lookup {
    /// Starts the thread; it ends when this is dropped.
    pub(super) fn start(
        reader: Reader,
        partitions: u16,
        timeout: Duration,
    ) -> std::io::Result<(Self, JoinHandle<()>)> {
        let (requests, mut queue) = mpsc::channel::<Request>(QUEUE);
        let work = move || {
            while let Some(request) = queue.blocking_recv() {
                // Whoever asked may have gone, and need not be waited for.
                match request {
                    Request::Get(_, reply) if reply.is_closed() => {}
                    Request::Ends(reply) if reply.is_closed() => {}
                    Request::Get(positions, reply) => {
                        let _ = reply.send(find(&reader, &positions, partitions, timeout));
                    }
                    Request::Ends(reply) => {
                        let _ = reply.send(ends(&reader, partitions));
                    }
                }
            }
        };
        let thread = thread::Builder::new().name("kafka-lookup".to_owned()).spawn(work)?;
        Ok((Self { requests }, thread))
    }

    pub(super) async fn get(&self, positions: Vec<Position>) -> Found {
        let (reply, answer) = oneshot::channel();
        self.requests.send(Request::Get(positions, reply)).await.map_err(|_| ended())?;
        answer.await.map_err(|_| ended())?
    }

    pub(super) async fn ends(&self) -> Ends {
        let (reply, answer) = oneshot::channel();
        self.requests.send(Request::Ends(reply)).await.map_err(|_| ended())?;
        answer.await.map_err(|_| ended())?
    }
}

fn ended() -> ReadError {
    ReadError::Unavailable("its reader has stopped".to_owned())
}

fn ends(reader: &Reader, partitions: u16) -> Ends {
    let end = |partition: Partition| {
        let (_, high) = reader.bounds(partition).map_err(ReadError::Unavailable)?;
        let last = high.checked_sub(1).and_then(|offset| partition.position(offset));
        Ok(last.unwrap_or(partition.start()))
    };
    (0..partitions).map(Partition).map(end).collect()
}

/// The records at ascending positions, partition by partition.
fn find(reader: &Reader, positions: &[Position], partitions: u16, timeout: Duration) -> Found {
    let until = Instant::now() + timeout;
    let mut found = Vec::with_capacity(positions.len());
    for run in positions.chunk_by(|a, b| Partition::of(*a) == Partition::of(*b)) {
        let Some(partition) = run.first().map(|first| Partition::of(*first)) else { continue };
        if partition.0 >= partitions {
            continue;
        }
        let offsets: Vec<u64> = run.iter().filter_map(|position| offset_of(*position)).collect();
        let mut damage = None;
        let read = reader.read(partition, &offsets, until, |offset, message| {
            let Some(position) = partition.position(offset) else { return };
            match record::fed(position, message.key(), message.payload()) {
                Ok(fed) => found.push(fed.stored),
                Err(error) => drop(damage.get_or_insert((position, error.to_string()))),
            }
        });
        read.map_err(ReadError::Unavailable)?;
        if let Some((position, detail)) = damage {
            return Err(ReadError::Damaged { position, detail });
        }
    }
    Ok(found)
}
