//! Connections for work, at most so many. Must not hand out one that may be in the middle of something.
//!
//! A future that is dropped leaves its connection behind. A transaction that was begun, even one whose beginning was not
//! answered yet, is rolled back by its guard: the order to do so stands before whatever the connection is told next. What
//! stands before that order may wait for a lock, so nobody gets the connection before `mend` has seen its end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use deadpool_postgres::{
    Client, Manager, ManagerConfig, Object, RecyclingMethod, Runtime, Transaction,
};
use pilotage_engine::port::Answer;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::timeout;
use tokio_postgres::Config;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::Options;
use super::fault::{Fault, Result};

/// So often is a transaction tried that met another's.
const TRIES: usize = 5;

/// A piece of work, apart from what is asked of it, so that it can be done again.
pub(super) type OnClient<A, T> = for<'t> fn(&'t Client, &'t A) -> Answer<'t, Result<T>>;
/// The same, in a transaction that is committed once the work has succeeded.
pub(super) type InTransaction<A, T> =
    for<'t> fn(&'t Transaction<'t>, &'t A) -> Answer<'t, Result<T>>;

/// Connections, made when they are needed.
pub(super) struct Pool {
    connections: deadpool_postgres::Pool,
    /// One for each connection; `close` takes all, and waits so for those at work.
    turns: Arc<Semaphore>,
    size: u32,
    /// How long to wait for a turn.
    wait: Duration,
    /// How long a piece of work may take. The server ends each statement before; this is for a server that does nothing.
    patience: Duration,
    well: Arc<AtomicBool>,
    /// Where connections go that were left in the middle of something.
    left: mpsc::Sender<Held>,
}

/// A connection, and the turn that it was got by.
pub(super) struct Held {
    client: Client,
    _turn: OwnedSemaphorePermit,
}

impl Held {
    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// Throws the connection away: another takes its place.
    pub(super) fn discard(self) {
        drop(Object::take(self.client));
    }
}

impl Pool {
    /// A pool, and the connections that will be left in the middle of something: whoever drops one says that it is as good
    /// as new.
    pub(super) fn new(
        config: Config,
        tls: MakeRustlsConnect,
        options: &Options,
    ) -> (Self, mpsc::Receiver<Held>) {
        let fast = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let size = options.connections.clamp(1, 10_000);
        let connections = deadpool_postgres::Pool::builder(Manager::from_config(config, tls, fast))
            .max_size(size)
            .runtime(Runtime::Tokio1)
            .create_timeout(Some(options.connect_timeout))
            .build()
            .expect("it has a runtime, which its time-out needs");
        let (left, to_mend) = mpsc::channel(size);
        let pool = Self {
            connections,
            turns: Arc::new(Semaphore::new(size)),
            size: size as u32,
            wait: options.connect_timeout,
            patience: 2 * options.statement_timeout,
            well: Arc::new(AtomicBool::new(true)),
            left,
        };
        (pool, to_mend)
    }

    /// Whether writes are likely to succeed; shared with who finds out.
    pub(super) fn well(&self) -> &Arc<AtomicBool> {
        &self.well
    }

    /// Reads what is asked, in one statement or several.
    pub(super) async fn read<A, T>(&self, asked: A, work: OnClient<A, T>) -> Result<T> {
        let done = self.on_client(&asked, work).await;
        if matches!(done, Err(Fault::Away(_))) {
            self.well.store(false, Ordering::Relaxed);
        }
        done
    }

    /// Writes what is asked, by statements that stand for themselves.
    pub(super) async fn write<A, T>(&self, asked: A, work: OnClient<A, T>) -> Result<T> {
        let done = self.on_client(&asked, work).await;
        self.note(&done);
        done
    }

    /// Does what is asked in a transaction, durable when this resolves with `Ok`, without a trace otherwise (unless the
    /// connection is lost while it is committed).
    pub(super) async fn transact<A, T>(&self, asked: A, work: InTransaction<A, T>) -> Result<T> {
        let mut left = TRIES;
        loop {
            left -= 1;
            let done = self.in_transaction(&asked, work).await;
            if left == 0 || !matches!(done, Err(Fault::Conflict(_))) {
                self.note(&done);
                return done;
            }
        }
    }

    fn note<T>(&self, done: &Result<T>) {
        match done {
            Ok(_) => self.well.store(true, Ordering::Relaxed),
            Err(Fault::Away(_) | Fault::Conflict(_)) => self.well.store(false, Ordering::Relaxed),
            Err(Fault::Damaged(_) | Fault::Fenced(_)) => {}
        }
    }

    async fn on_client<A, T>(&self, asked: &A, work: OnClient<A, T>) -> Result<T> {
        let mut lease = self.lease().await?;
        let done = timeout(self.patience, work(lease.client(), asked)).await;
        self.ended(lease, done)
    }

    async fn in_transaction<A, T>(&self, asked: &A, work: InTransaction<A, T>) -> Result<T> {
        let mut lease = self.lease().await?;
        let done = timeout(self.patience, attempt(lease.client(), asked, work)).await;
        self.ended(lease, done)
    }

    async fn lease(&self) -> Result<Lease<'_>> {
        let turn = self.turn().await?;
        let held = Held { client: self.connections.get().await?, _turn: turn };
        Ok(Lease { held: Some(held), left: &self.left })
    }

    /// What came of a piece of work; where that is no answer, the connection is looked after.
    fn ended<T>(&self, mut lease: Lease<'_>, done: Outcome<T>) -> Result<T> {
        match done {
            // The session itself may have ended, unnoticed as yet.
            Ok(Err(Fault::Away(detail))) => Err(Fault::Away(detail)),
            Ok(done) => {
                lease.held = None;
                done
            }
            Err(_) => Err(Fault::Away(format!("no answer within {:?}", self.patience))),
        }
    }

    async fn turn(&self) -> Result<OwnedSemaphorePermit> {
        let turn = timeout(self.wait, Arc::clone(&self.turns).acquire_owned()).await;
        let busy = |_| Fault::Away(format!("no connection was free within {:?}", self.wait));
        turn.map_err(busy)?.map_err(|_| Fault::closed())
    }

    /// Takes no more work, waits for what is under way, and closes.
    pub(super) async fn close(&self) {
        let _all = self.turns.acquire_many(self.size).await;
        self.turns.close();
        self.connections.close();
    }
}

/// What work in time ended with.
type Outcome<T> = std::result::Result<Result<T>, tokio::time::error::Elapsed>;

/// A connection at work. Dropped before that has ended, it is left to be mended.
struct Lease<'a> {
    held: Option<Held>,
    left: &'a mpsc::Sender<Held>,
}

impl Lease<'_> {
    fn client(&mut self) -> &mut Client {
        &mut self.held.as_mut().expect("it is held until the work has ended").client
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        let Some(held) = self.held.take() else { return };
        if let Err(TrySendError::Full(held) | TrySendError::Closed(held)) = self.left.try_send(held)
        {
            held.discard();
        }
    }
}

async fn attempt<A, T>(client: &mut Client, asked: &A, work: InTransaction<A, T>) -> Result<T> {
    let transaction = client.transaction().await?;
    let done = work(&transaction, asked).await?;
    transaction.commit().await?;
    Ok(done)
}
