//! Connections for work, at most so many. Must not hand out one that may be in the middle of something.
//!
//! A future that is dropped leaves its connection behind. A transaction that was begun, even one whose beginning was not
//! answered yet, is rolled back by its guard: the order to do so stands before whatever the connection is told next.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use deadpool_postgres::{
    Client, Manager, ManagerConfig, Object, RecyclingMethod, Runtime, Transaction,
};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;
use tokio_postgres::Config;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::Options;
use super::fault::{Fault, Result};

/// So often is a transaction tried that met another's.
const TRIES: usize = 5;

/// Connections, made when they are needed.
pub(super) struct Pool {
    connections: deadpool_postgres::Pool,
    /// One for each connection; `close` takes all, and waits so for those at work.
    turns: Semaphore,
    size: u32,
    /// How long to wait for a turn.
    wait: Duration,
    /// How long a piece of work may take. The server ends each statement before; this is for a server that does nothing.
    patience: Duration,
    well: Arc<AtomicBool>,
}

impl Pool {
    pub(super) fn new(config: Config, tls: MakeRustlsConnect, options: &Options) -> Self {
        let fast = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let size = options.connections.clamp(1, 10_000);
        let connections =
            deadpool_postgres::Pool::builder(Manager::from_config(config, tls, fast))
                .max_size(size)
                .runtime(Runtime::Tokio1)
                .create_timeout(Some(options.connect_timeout))
                .build()
                .expect("it has a runtime, which its time-out needs");
        Self {
            connections,
            turns: Semaphore::new(size),
            size: size as u32,
            wait: options.connect_timeout,
            patience: 2 * options.statement_timeout,
            well: Arc::new(AtomicBool::new(true)),
        }
    }

    /// Whether writes are likely to succeed; shared with who finds out.
    pub(super) fn well(&self) -> &Arc<AtomicBool> {
        &self.well
    }

    /// Reads, in one statement or several.
    pub(super) async fn read<T>(
        &self,
        work: impl AsyncFnOnce(&Client) -> Result<T>,
    ) -> Result<T> {
        let done = self.run(async |client: &mut Client| work(client).await).await;
        if matches!(done, Err(Fault::Away(_))) {
            self.well.store(false, Ordering::Relaxed);
        }
        done
    }

    /// Writes, in one statement.
    pub(super) async fn write<T>(
        &self,
        work: impl AsyncFnOnce(&Client) -> Result<T>,
    ) -> Result<T> {
        let done = self.run(async |client: &mut Client| work(client).await).await;
        self.note(&done);
        done
    }

    /// Does the work in a transaction, durable when this resolves with `Ok`, without a trace otherwise (unless the
    /// connection is lost while it is committed).
    pub(super) async fn transact<T>(
        &self,
        work: impl AsyncFn(&Transaction<'_>) -> Result<T>,
    ) -> Result<T> {
        let mut tries = 1..=TRIES;
        loop {
            let last = tries.next().is_none_or(|number| number == TRIES);
            let done = self.run(async |client: &mut Client| attempt(client, &work).await).await;
            if last || !matches!(done, Err(Fault::Conflict(_))) {
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

    async fn run<T>(&self, work: impl AsyncFnOnce(&mut Client) -> Result<T>) -> Result<T> {
        let _turn = self.turn().await?;
        let mut client = self.connections.get().await?;
        if let Ok(done) = timeout(self.patience, work(&mut client)).await {
            return done;
        }
        drop(Object::take(client));
        Err(Fault::Away(format!("no answer within {:?}", self.patience)))
    }

    async fn turn(&self) -> Result<SemaphorePermit<'_>> {
        let turn = timeout(self.wait, self.turns.acquire()).await;
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

async fn attempt<T>(
    client: &mut Client,
    work: &impl AsyncFn(&Transaction<'_>) -> Result<T>,
) -> Result<T> {
    let transaction = client.transaction().await?;
    let done = work(&transaction).await?;
    transaction.commit().await?;
    Ok(done)
}
