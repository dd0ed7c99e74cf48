//! Writing changed profiles back, coalesced, with the log position that they stand for. Must not change a profile.

use std::time::Duration;

use pilotage_domain::event::Position;
use tokio::task::yield_now;
use tracing::warn;

use crate::Alone;
use crate::port::book::Wanted;
use crate::port::store::{Batch, StoreError, UserKey, UserWrite, Watermark};
use crate::sweep::Sweep;
use crate::users::{User, Writing};

/// How many users are written in one transaction.
const CHUNK: usize = 4_096;
/// How many of them are looked at in one go: the task shares its thread with requests, which would wait for a whole chunk
/// as long as for a hundred decisions.
const BREATH: usize = 64;
/// From so many records on that a restart would fold again, changed profiles wait no longer. Until the pass is over
/// there may be twice as many.
const MOST_UNSTORED: u64 = 1_000_000;
/// How often it is looked at.
const LOOK: Duration = Duration::from_millis(100);
/// How long to wait after a write-back that failed.
const RETRY: Duration = Duration::from_secs(1);

impl Alone {
    /// Writes back for ever, with a pause between passes so that a busy user is written once for many events.
    pub(crate) async fn keep_writing_back(&self) {
        loop {
            self.until_due().await;
            if let Err(fault) = self.write_back().await {
                warn!(error = %fault, "profiles could not be written back; they will be tried again");
                tokio::time::sleep(RETRY).await;
            }
        }
    }

    /// Resolves once changed profiles have gathered for long enough, or a restart would have much to fold again. While
    /// a start folds, it has the disk to itself for longer.
    async fn until_due(&self) {
        let every = self.common.options.write_back_every;
        let mut waited = Duration::ZERO;
        loop {
            let (long, most) = if self.progress.is_starting() {
                (Duration::MAX, 4 * MOST_UNSTORED)
            } else {
                (every, MOST_UNSTORED)
            };
            if waited >= long || self.unstored() >= most {
                return;
            }
            let step = LOOK.min(every);
            tokio::time::sleep(step).await;
            waited += step;
        }
    }

    /// One pass: every user that has changed, band by band and in row order, in transactions of a few thousand. The last
    /// transaction of a band carries the watermark: the log position at which the work on the band that is furthest
    /// behind began. Users may hold later records already; a replay knows them by `Profile::applied` and passes over
    /// what they hold.
    pub(crate) async fn write_back(&self) -> Result<(), StoreError> {
        let mut sweep = self.sweep.lock().await;
        if self.unstored() == 0 && self.users.dirty(|_| true).is_empty() {
            return Ok(());
        }
        self.users.next_epoch();
        for band in 0..sweep.begin() {
            let written = self.write_band(&mut sweep, band).await;
            written.inspect_err(|_| sweep.broken_off())?;
        }
        self.passes.finished();
        Ok(())
    }

    async fn write_band(&self, sweep: &mut Sweep, band: usize) -> Result<(), StoreError> {
        let begun = self.sequels.stored_up_to(self.progress.applied());
        let dirty = self.users.dirty(|row| sweep.holds(band, row));
        let watermark = self.watermark(sweep.with(band, begun));
        let position = watermark.position;
        let (rest, last) = dirty.split_at(dirty.len().saturating_sub(CHUNK));
        for chunk in rest.chunks(CHUNK) {
            self.write_chunk(sweep, chunk, None).await?;
        }
        self.write_chunk(sweep, last, Some(watermark)).await?;
        sweep.stored(band, begun);
        self.passes.stored(position);
        Ok(())
    }

    fn watermark(&self, position: Position) -> Watermark {
        Watermark {
            position,
            newest_event: self.common.clock.newest(),
            folds: self.common.products.folds(),
        }
    }

    async fn write_chunk(
        &self,
        sweep: &mut Sweep,
        keys: &[UserKey],
        watermark: Option<Watermark>,
    ) -> Result<(), StoreError> {
        let mut users: Vec<UserWrite> = Vec::with_capacity(keys.len());
        let mut noted: Vec<Writing> = Vec::with_capacity(keys.len());
        for some in keys.chunks(BREATH) {
            for (user, writing) in some.iter().filter_map(|key| self.writing(key)) {
                users.push(user);
                noted.push(writing);
            }
            yield_now().await;
        }
        let revisions = noted.iter().filter_map(|w| Some((&w.key.product, w.taught.as_ref()?)));
        let storing = self.storing(revisions);
        let learnt = storing.iter().flat_map(|storing| storing.parts.clone()).collect();
        let wanted = self.wanted(keys);
        let written = self.common.store.write(Batch { users, watermark, learnt, wanted }).await;
        let rows = written.inspect_err(|_| self.passes.failed())?;
        self.learnt_stored(storing);
        let written: Vec<_> = noted.iter().zip(rows).collect();
        for some in written.chunks(BREATH) {
            for (writing, row) in some {
                sweep.saw(*row);
                self.users.with(&writing.key, |user| user.written(writing, *row));
            }
            yield_now().await;
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
                gathering.look(product, (key, user), now);
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
