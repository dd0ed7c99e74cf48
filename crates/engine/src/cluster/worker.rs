//! Folding as one of several workers: poll, fold, store in one transaction, poll again. Must not begin with records while
//! those before them are not stored, and must not pass over a record because a part is away.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use pilotage_domain::event::Position;
use pilotage_domain::id::ProductId;
use pilotage_domain::learn::Learner;
use pilotage_domain::time::Timestamp;
use pilotage_wire::record::{RecordError, learner};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tracing::{error, warn};

use super::shift::Shifts;
use super::{Cluster, MakeFeed, State, handoff};
use crate::fold::{self, Done, Fact};
use crate::learn::Revision;
use crate::port::book::Wanted;
use crate::port::feed::{Fed, Feed, FeedError, Partition, Polled};
use crate::port::log::{AppendError, Entry, EntryName};
use crate::port::shared::{Claim, Dated, Day, FoldError, Folded, RecordName};
use crate::port::store::{StoreError, UserKey};
use crate::product::Product;
use crate::users::{LoadError, User, Users, Writing};

/// How many bytes are folded and stored at a time: what a crash makes another worker fold again.
const STEP_BYTES: usize = 1 << 20;
/// How long a poll waits for records.
const POLL_MS: u64 = 100;
/// How long to wait before trying again what may succeed by itself.
const RETRY: Duration = Duration::from_millis(200);

/// The worker has a thread of its own: it is called back while it polls, and blocks then.
pub(super) fn spawn(
    cluster: Arc<Cluster>,
    make: &MakeFeed,
    stopped: watch::Receiver<bool>,
) -> thread::JoinHandle<()> {
    let (make, runtime) = (make.clone(), Handle::current());
    let run = move || {
        let _watch = PanicWatch(cluster.clone());
        let (of, ending) = (cluster.clone(), stopped.clone());
        let shifts = Arc::new(Shifts { cluster: of, runtime: runtime.clone(), stopped: ending });
        let join: Join = Box::new(move || make(shifts.clone()));
        match join() {
            Ok(feed) => runtime.block_on(Worker::new(cluster, join, feed).run(stopped)),
            Err(what) => {
                error!(error = what, "folding did not begin");
                cluster.enter(State::Halted(what));
            }
        }
    };
    thread::Builder::new()
        .name("worker".to_owned())
        .spawn(run)
        .expect("the system can start one more thread at startup")
}

/// Makes whoever asks see that nothing is folded here any more, where the worker has panicked.
struct PanicWatch(Arc<Cluster>);

impl Drop for PanicWatch {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.enter(State::Halted("the worker has panicked".to_owned()));
        }
    }
}

/// Joins the group of workers.
type Join = Box<dyn Fn() -> Result<Box<dyn Feed>, String> + Send>;

struct Worker {
    cluster: Arc<Cluster>,
    join: Join,
    feed: Box<dyn Feed>,
    /// Whether another worker has taken over what our feed may still feed us.
    is_fenced: bool,
    /// The users of our partitions, as of the last step.
    users: Users,
    /// `Claims::changes` as of the last step.
    changes: u64,
    /// Records of the step that is to be stored of which nothing is left to be put on record, however often it is tried.
    followed: BTreeSet<Position>,
}

/// Why a step was not stored.
enum Held {
    /// It may succeed later.
    Waiting(String),
    /// Somebody else has one of its partitions.
    Fenced(Partition),
    /// A person is needed.
    Broken(String),
}

impl From<StoreError> for Held {
    fn from(error: StoreError) -> Self {
        if error.is_retryable() {
            Self::Waiting(error.to_string())
        } else {
            Self::Broken(error.to_string())
        }
    }
}

impl From<AppendError> for Held {
    fn from(error: AppendError) -> Self {
        if error.is_retryable() {
            Self::Waiting(error.to_string())
        } else {
            Self::Broken(error.to_string())
        }
    }
}

impl From<LoadError> for Held {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Store(error) => error.into(),
            LoadError::Record(error) => Self::Broken(error.to_string()),
        }
    }
}

impl Worker {
    fn new(cluster: Arc<Cluster>, join: Join, feed: Box<dyn Feed>) -> Self {
        let users = Users::new(cluster.common.options.users_bytes);
        let followed = BTreeSet::new();
        Self { cluster, join, feed, is_fenced: false, users, changes: 0, followed }
    }

    async fn run(mut self, stopped: watch::Receiver<bool>) {
        while !*stopped.borrow() {
            let polled = self.feed.poll(STEP_BYTES, POLL_MS).await;
            let done = match polled {
                Ok(Polled::Nothing) => Ok(()),
                Ok(Polled::Records(records)) => self.store_all(records, &stopped).await,
                Ok(Polled::Foreign(position, error)) => {
                    self.pass_foreign(position, error, &stopped).await
                }
                Err(FeedError::Unavailable(why)) => {
                    warn!(error = why, "folding waits for the log to come back");
                    tokio::time::sleep(RETRY).await;
                    Ok(())
                }
            };
            let done = match done {
                Ok(()) => self.join_anew_if_fenced().await,
                failed => failed,
            };
            if let Err(what) = done {
                error!(error = what, "folding has stopped");
                self.cluster.enter(State::Halted(what));
                break;
            }
        }
        self.feed.close().await;
    }

    /// Who is fenced has been given up by the group, or took a partition over too late. What its feed goes on feeding, nobody
    /// would fold: a new member begins with claims of its own.
    async fn join_anew_if_fenced(&mut self) -> Result<(), String> {
        if std::mem::take(&mut self.is_fenced) {
            self.feed.close().await;
            self.feed = (self.join)()?;
        }
        Ok(())
    }

    /// Puts a record that nobody can read aside. Where we are told to stop meanwhile, it is left for the next worker.
    async fn bury(
        &mut self,
        position: Position,
        why: &str,
        stopped: &watch::Receiver<bool>,
    ) -> bool {
        warn!(position = position.0, reason = why, "a record can't be read and is put aside");
        while let Err(FeedError::Unavailable(fault)) = self.feed.bury(position, why).await {
            warn!(error = fault, "a record waits to be put aside");
            if *stopped.borrow() {
                return false;
            }
            tokio::time::sleep(RETRY).await;
        }
        true
    }

    async fn pass_foreign(
        &mut self,
        position: Position,
        error: RecordError,
        stopped: &watch::Receiver<bool>,
    ) -> Result<(), String> {
        let why = match error {
            // A later version of this program wrote it: that one should go on.
            error @ RecordError::Newer { .. } => return Err(error.to_string()),
            RecordError::Malformed(why) => why,
        };
        if !self.bury(position, &why, stopped).await {
            return Ok(());
        }
        let reached = BTreeMap::from([(Partition::of(position), position)]);
        self.until_stored(Vec::new(), reached, stopped).await
    }

    /// Folds and stores the records, however long it takes; those of partitions that are taken from us are dropped.
    async fn store_all(
        &mut self,
        records: Vec<Fed>,
        stopped: &watch::Receiver<bool>,
    ) -> Result<(), String> {
        let mut reached = BTreeMap::new();
        for fed in &records {
            reached.insert(Partition::of(fed.stored.position), fed.stored.position);
        }
        let mut readable = Vec::with_capacity(records.len());
        for fed in records {
            let product = self.cluster.common.products.get(&fed.stored.product);
            let heeded = product.map_or(&[][..], |product| &product.heeded);
            match fold::decode(&fed.stored, heeded) {
                Ok(fact) => readable.push((fed, fact)),
                // A later version of this program wrote it: that one should go on.
                Err(error @ RecordError::Newer { .. }) => return Err(error.to_string()),
                Err(RecordError::Malformed(why)) => {
                    if !self.bury(fed.stored.position, &why, stopped).await {
                        return Ok(());
                    }
                }
            }
        }
        self.until_stored(readable, reached, stopped).await
    }

    async fn until_stored(
        &mut self,
        mut records: Vec<(Fed, Fact)>,
        mut reached: BTreeMap<Partition, Position>,
        stopped: &watch::Receiver<bool>,
    ) -> Result<(), String> {
        // Whether a step may have been stored without our hearing of it.
        let mut is_unsure = false;
        self.followed.clear();
        while !reached.is_empty() {
            match self.step(&records, &reached).await {
                Ok(claims) => {
                    self.cluster.claims.moved(&claims);
                    let applied: Vec<Position> = claims.iter().map(|c| c.applied).collect();
                    self.feed.told(&applied);
                    return Ok(());
                }
                Err(Held::Fenced(partition)) => {
                    warn!(partition = partition.0, "a partition was taken over by another worker");
                    self.cluster.claims.drop_one(partition);
                    self.is_fenced = true;
                    reached.remove(&partition);
                    records.retain(|(fed, _)| Partition::of(fed.stored.position) != partition);
                }
                Err(Held::Waiting(why)) => {
                    if *stopped.borrow() {
                        return Ok(());
                    }
                    warn!(error = why, "folding waits for the store to come back");
                    is_unsure = true;
                    tokio::time::sleep(RETRY).await;
                }
                // What was on its way became visible between our looking and our storing: looking again tells.
                Err(Held::Broken(_)) if is_unsure => is_unsure = false,
                Err(Held::Broken(why)) => return Err(why),
            }
            // What was folded in memory was not stored.
            self.users.clear();
        }
        Ok(())
    }

    /// One transaction: what the records come to, and how far the partitions are folded.
    async fn step(
        &mut self,
        records: &[(Fed, Fact)],
        reached: &BTreeMap<Partition, Position>,
    ) -> Result<Vec<Claim>, Held> {
        let changes = self.cluster.claims.changes();
        if changes != self.changes {
            self.users.clear();
            self.changes = changes;
        }
        let claims = self.claims(reached)?;
        let fresh = self.fresh(records).await?;
        let folded = Folded { claims: claims.clone(), ..Folded::default() };
        let mut work = Work { folded, ..Work::default() };
        let keys: BTreeSet<UserKey> =
            fresh.iter().map(|(fed, _)| fold::key_of(&fed.stored)).collect();
        let common = Arc::clone(&self.cluster.common);
        let products = &common.products;
        self.users.ensure(&*common.store, products, keys.iter().cloned()).await?;
        for (fed, fact) in fresh {
            self.fold_one(fed, fact, &mut work).await?;
        }
        let Work { mut folded, taught, sequels } = work;
        self.append(sequels).await?;
        let mut noted: Vec<Writing> = Vec::with_capacity(keys.len());
        for key in &keys {
            let Some(product) = products.get(&key.product) else { continue };
            let write = self.users.with(key, |user| user.writing(key, &product.definition));
            if let Some((write, writing)) = write.flatten() {
                folded.users.push(write);
                noted.push(writing);
            }
        }
        folded.names = last_of_each(folded.names);
        folded.wanted = self.wanted(&keys);
        folded.addends = taught.addends();
        folded.newest_event = common.clock.newest();
        let rows = self.cluster.shared.fold(folded).await.map_err(|error| match error {
            FoldError::Fenced { partition } => Held::Fenced(partition),
            FoldError::Store(error) => error.into(),
        })?;
        for (writing, row) in noted.iter().zip(rows) {
            self.users.with(&writing.key, |user| user.written(writing, row));
        }
        self.users.next_epoch();
        self.users.make_room();
        Ok(claims)
    }

    /// Puts what follows from the step's records on record, before the store stands for them. What another worker did before us
    /// stands twice then: names tell.
    async fn append(&mut self, sequels: Vec<(Position, Entry)>) -> Result<(), Held> {
        if sequels.is_empty() {
            return Ok(());
        }
        let (from, entries): (Vec<_>, Vec<_>) = sequels.iter().cloned().unzip();
        match self.cluster.common.journal.append(entries).await {
            // It is not told which one.
            Err(AppendError::TooLarge(_)) => {
                for (from, sequel) in sequels {
                    self.append_or_drop(from, sequel).await?;
                }
            }
            appended => {
                appended?;
                self.followed.extend(from);
            }
        }
        Ok(())
    }

    /// The same of one. What the log will never take must not keep everybody else of its partition waiting: what it follows
    /// from stays in the log.
    async fn append_or_drop(&mut self, from: Position, sequel: Entry) -> Result<(), Held> {
        match self.cluster.common.journal.append(vec![sequel]).await {
            Err(error @ AppendError::TooLarge(_)) => {
                self.cluster.dropped.fetch_add(1, Ordering::Relaxed);
                warn!(position = from.0, %error, "what follows from a record is dropped");
            }
            appended => drop(appended?),
        }
        self.followed.insert(from);
        Ok(())
    }

    /// The situations of these users that a model should be asked about.
    fn wanted(&self, keys: &BTreeSet<UserKey>) -> Vec<Wanted> {
        let common = &self.cluster.common;
        let Some(advisor) = &common.advisor else { return Vec::new() };
        let mut gathering = advisor.gather();
        let now = common.clock.now();
        for key in keys {
            let Some(product) = common.products.get(&key.product) else { continue };
            let look = |user: &mut User| {
                gathering.look(product, (key, user), now);
            };
            self.users.with(key, look);
        }
        gathering.done()
    }

    /// The claims under which the step is stored, each with how far it goes.
    fn claims(&self, reached: &BTreeMap<Partition, Position>) -> Result<Vec<Claim>, Held> {
        let claim = |(partition, applied): (&Partition, &Position)| {
            let held = self.cluster.claims.of(*partition).ok_or(Held::Fenced(*partition))?;
            Ok(Claim { applied: *applied, ..held })
        };
        reached.iter().map(claim).collect()
    }

    /// The records that have not taken effect yet: a name counts once, however often it stands in the log.
    async fn fresh<'a>(&self, records: &'a [(Fed, Fact)]) -> Result<Vec<&'a (Fed, Fact)>, Held> {
        let served = |fed: &Fed| self.cluster.common.products.get(&fed.stored.product).is_some();
        let ours: Vec<&(Fed, Fact)> = records.iter().filter(|(fed, _)| served(fed)).collect();
        let names: Vec<Dated> = ours.iter().map(|(fed, _)| dated(fed)).collect();
        let known = self.cluster.shared.positions(names.clone()).await?;
        // Somebody has folded some of these already: who is in memory may be older than that.
        let mut each = ours.iter().zip(&known);
        if each.any(|((fed, _), known)| known.is_some_and(|at| at >= fed.stored.position)) {
            self.users.clear();
        }
        let names: Vec<_> = names.into_iter().map(|Dated { name, day }| (name, day)).collect();
        let fresh = handoff::first_of_each(&names, &known);
        Ok(ours
            .into_iter()
            .zip(fresh)
            .filter_map(|(record, fresh)| fresh.then_some(record))
            .collect())
    }

    async fn fold_one(&self, fed: &Fed, fact: &Fact, work: &mut Work) -> Result<(), Held> {
        let common = &self.cluster.common;
        let Some(product) = common.products.get(&fed.stored.product) else { return Ok(()) };
        if let Fact::Event(event) = fact {
            common.clock.saw(event.at);
        }
        let key = fold::key_of(&fed.stored);
        let position = fed.stored.position;
        let fold = |user: &mut User| {
            let done = fold::apply(product, user, &fed.stored, fact);
            (done, user.record.kin.is_merged())
        };
        let (Done { revision, sequel }, is_merged) = loop {
            match self.users.with(&key, fold) {
                Some(done) => break done,
                None => {
                    self.users.ensure(&*common.store, &common.products, [key.clone()]).await?;
                }
            }
        };
        // One that is another user's by now is told of that one.
        if let Some(advisor) = common.advisor.as_ref().filter(|_| !is_merged) {
            advisor.watch(product, &fed.stored, fact);
        }
        if let Some(revision) = revision {
            work.taught.note(product, &revision, common.clock.newest());
        }
        let is_new = |sequel: &Entry| {
            !self.followed.contains(&position) && !self.cluster.has_followed(position, &sequel.name)
        };
        work.sequels.extend(sequel.filter(is_new).map(|sequel| (position, sequel)));
        if let EntryName::Decision(id) = fed.name {
            work.folded.settled.push((key, id));
        }
        work.folded.names.push((dated(fed), position));
        Ok(())
    }
}

/// What comes of a step.
#[derive(Default)]
struct Work {
    folded: Folded,
    taught: Taught,
    /// Records that follow from the step's, and from which of these.
    sequels: Vec<(Position, Entry)>,
}

/// What a step teaches of each product.
#[derive(Default)]
struct Taught(BTreeMap<ProductId, Learner>);

impl Taught {
    fn note(&mut self, product: &Product, revision: &Revision, newest: Option<Timestamp>) {
        let id = &product.definition.product;
        let learner = self.0.entry(id.clone()).or_insert_with(|| product.learning.nothing());
        newest.into_iter().for_each(|at| learner.advance(at));
        learner.revise(&revision.before, &revision.after);
    }

    fn addends(self) -> Vec<(ProductId, Bytes)> {
        let some = self.0.into_iter().filter(|(_, learner)| !learner.is_empty());
        some.map(|(id, learner)| (id, learner::encode(&learner).into())).collect()
    }
}

/// Its name, and the day that tells whether that is known. A decision's is known on every day: they all have the same. So is what
/// makes two users one, of which nothing is ever forgotten: its day is further off than any event's.
fn dated(fed: &Fed) -> Dated {
    let name = RecordName { key: fold::key_of(&fed.stored), name: fed.name.clone() };
    let day = match fed.name {
        EntryName::Event(_) => Day::of(fed.stored.received_at),
        EntryName::Decision(_) => Day::default(),
        EntryName::Named(_) | EntryName::Carried(..) => Day::new(i32::MAX),
    };
    Dated { name, day }
}

/// Each name as it took effect last.
fn last_of_each(names: Vec<(Dated, Position)>) -> Vec<(Dated, Position)> {
    let by_name = names.into_iter().map(|(Dated { name, day }, at)| (name, (day, at)));
    let last: BTreeMap<RecordName, (Day, Position)> = by_name.collect();
    last.into_iter().map(|(name, (day, at))| (Dated { name, day }, at)).collect()
}
