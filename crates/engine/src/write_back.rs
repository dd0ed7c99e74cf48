//! Writing changed profiles back, coalesced, with the log position that they stand for. Must not change a profile.

use std::time::Duration;

use tracing::warn;

use crate::Alone;
use crate::port::book::Wanted;
use crate::port::store::{Batch, StoreError, UserKey, UserWrite, Watermark};
use crate::users::{User, Writing};

/// How many users are written in one transaction.
const CHUNK: usize = 4_096;
/// How long to wait after a write-back that failed.
const RETRY: Duration = Duration::from_secs(1);

impl Alone {
    /// Writes back for ever, with a pause between passes so that a busy user is written once for many events.
    pub(crate) async fn keep_writing_back(&self) {
        loop {
            tokio::time::sleep(self.common.options.write_back_every).await;
            if let Err(fault) = self.write_back().await {
                warn!(error = %fault, "profiles could not be written back; they will be tried again");
                tokio::time::sleep(RETRY).await;
            }
        }
    }

    /// One pass: every user that has changed, in row order, in transactions of a few thousand. The last transaction
    /// carries the watermark: the log position at the beginning of the pass. Users written early in the pass may hold
    /// later records already; a replay knows them by `Profile::applied` and passes over what they hold.
    pub(crate) async fn write_back(&self) -> Result<(), StoreError> {
        let _one_at_a_time = self.write_back_turn.lock().await;
        let watermark = self.watermark();
        let stored = watermark.position;
        let dirty = self.users.dirty();
        if dirty.is_empty() && self.common.store.watermark().await?.position == watermark.position {
            return Ok(());
        }
        self.users.next_epoch();
        let mut chunks = dirty.chunks(CHUNK).peekable();
        while let Some(chunk) = chunks.next() {
            let watermark = chunks.peek().is_none().then(|| watermark.clone());
            self.write_chunk(chunk, watermark).await?;
        }
        if dirty.is_empty() {
            self.write_chunk(&[], Some(watermark)).await?;
        }
        self.passes.finished(stored);
        Ok(())
    }

    fn watermark(&self) -> Watermark {
        Watermark {
            position: self.progress.applied(),
            newest_event: self.common.clock.newest(),
            folds: self.common.products.folds(),
        }
    }

    async fn write_chunk(
        &self,
        keys: &[UserKey],
        watermark: Option<Watermark>,
    ) -> Result<(), StoreError> {
        let (users, noted): (Vec<UserWrite>, Vec<Writing>) =
            keys.iter().filter_map(|key| self.writing(key)).unzip();
        let revisions = noted.iter().filter_map(|w| Some((&w.key.product, w.taught.as_ref()?)));
        let storing = self.storing(revisions);
        let learnt = storing.iter().flat_map(|storing| storing.parts.clone()).collect();
        let wanted = self.wanted(keys);
        let written = self.common.store.write(Batch { users, watermark, learnt, wanted }).await;
        let rows = written.inspect_err(|_| self.passes.failed())?;
        self.learnt_stored(storing);
        for (writing, row) in noted.iter().zip(rows) {
            self.users.with(&writing.key, |user| user.written(writing, row));
        }
        Ok(())
    }

    /// The situations of these users that a model should be asked about.
    fn wanted(&self, keys: &[UserKey]) -> Vec<Wanted> {
        let Some(advisor) = &self.common.advisor else { return Vec::new() };
        let mut gathering = advisor.gather();
        let now = self.common.clock.now();
        for key in keys {
            let Some(product) = self.common.products.get(&key.product) else { continue };
            let look = |user: &mut User| {
                gathering.look(product, (key, user.group), user.profile(), now);
            };
            self.users.with(key, look);
        }
        gathering.done()
    }

    fn writing(&self, key: &UserKey) -> Option<(UserWrite, Writing)> {
        let product = self.common.products.get(&key.product)?;
        let take = |user: &mut User| user.writing(key, &product.definition);
        self.users.with(key, take).flatten()
    }
}
