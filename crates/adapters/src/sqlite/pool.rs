//! Connections for blocking work, each used by one task at a time. Must not block a thread of the runtime.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Semaphore;

/// A bounded set of connections (or what else blocking work needs, as `T`).
#[derive(Debug)]
pub(super) struct Pool<T> {
    shared: Arc<Shared<T>>,
}

#[derive(Debug)]
struct Shared<T> {
    free: Mutex<Vec<T>>,
    permits: Arc<Semaphore>,
    size: u32,
}

/// The pool is closed, or a task on it has panicked and taken its connection with it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Gone;

impl<T: Send + 'static> Pool<T> {
    pub(super) fn new(members: Vec<T>) -> Self {
        let permits = Arc::new(Semaphore::new(members.len()));
        let size = u32::try_from(members.len()).unwrap_or(u32::MAX);
        Self { shared: Arc::new(Shared { free: Mutex::new(members), permits, size }) }
    }

    /// Runs the work on a thread that may block, as soon as a member is free. Work that has begun is finished even if
    /// nobody waits for it any more.
    pub(super) async fn run<R, F>(&self, work: F) -> Result<R, Gone>
    where
        R: Send + 'static,
        F: FnOnce(&mut T) -> R + Send + 'static,
    {
        let permit = Arc::clone(&self.shared.permits).acquire_owned().await.map_err(|_| Gone)?;
        let shared = Arc::clone(&self.shared);
        let task = tokio::task::spawn_blocking(move || {
            let mut member = shared.take()?;
            let result = work(&mut member);
            shared.give(member);
            drop(permit);
            Some(result)
        });
        task.await.ok().flatten().ok_or(Gone)
    }

    /// Lets nobody in any more, waits for those inside and hands out the members.
    pub(super) async fn close(&self) -> Vec<T> {
        let all = self.shared.permits.acquire_many(self.shared.size).await;
        self.shared.permits.close();
        // Only the first to close gets in.
        all.map_or_else(|_| Vec::new(), |_permits| self.shared.drain())
    }
}

impl<T> Shared<T> {
    fn take(&self) -> Option<T> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    fn give(&self, member: T) {
        self.free.lock().unwrap_or_else(PoisonError::into_inner).push(member);
    }

    fn drain(&self) -> Vec<T> {
        std::mem::take(&mut *self.free.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
