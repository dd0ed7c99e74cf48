//! Two members: no record is lost or fed twice, however the partitions go from one to the other.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use pilotage_domain::event::Position;
use pilotage_engine::port::feed::{Feed, Loss, Partition, Polled, Shift};
use pilotage_engine::port::log::Journal;

use super::{Books, PARTITIONS, PATIENCE, Seen, append, event, member, opened, options, until};
use crate::kafka::{KafkaFeed, KafkaJournal, Options, ensure_topics};

/// A store that both share: how far each partition is folded, and by whom it may be.
#[derive(Debug, Default)]
struct Store {
    applied: Mutex<BTreeMap<Partition, Position>>,
    owner: Mutex<BTreeMap<Partition, usize>>,
    folded: Mutex<u32>,
}

impl Store {
    /// Folds what one member was fed: the record after the last one, of a partition that it has.
    fn fold(&self, member: usize, position: Position) {
        let partition = Partition::of(position);
        let owner = self.owner.lock().expect("whole").get(&partition).copied();
        assert_eq!(owner, Some(member), "fed to a member that does not have the partition");
        let mut applied = self.applied.lock().expect("whole");
        let last = applied.entry(partition).or_insert(partition.start());
        assert_eq!(position.0, last.0 + 1, "every record once and in order");
        *last = position;
        *self.folded.lock().expect("whole") += 1;
    }

    fn folded(&self) -> u32 {
        *self.folded.lock().expect("whole")
    }

    fn held_by(&self, member: usize) -> usize {
        self.owner.lock().expect("whole").values().filter(|owner| **owner == member).count()
    }
}

/// One member's part of it.
struct Part(Arc<Store>, usize);

impl Shift for Part {
    fn gained(&self, partitions: &[Partition]) -> Vec<Position> {
        let mut owner = self.0.owner.lock().expect("whole");
        owner.extend(partitions.iter().map(|partition| (*partition, self.1)));
        let applied = self.0.applied.lock().expect("whole");
        partitions.iter().map(|p| applied.get(p).copied().unwrap_or(p.start())).collect()
    }

    fn lost(&self, partitions: &[Partition], loss: Loss) {
        assert_eq!(loss, Loss::Asked);
        let mut owner = self.0.owner.lock().expect("whole");
        for partition in partitions {
            assert_eq!(owner.remove(partition), Some(self.1));
        }
    }
}

/// Works until it is told to stop, then leaves the group.
async fn work(mut feed: KafkaFeed, store: Arc<Store>, member: usize, stop: Arc<AtomicBool>) {
    while !stop.load(Ordering::Acquire) {
        if let Polled::Records(records) = feed.poll(2_000, 50).await.expect("the log reads") {
            // What was fed is worked on before the next poll.
            tokio::task::yield_now().await;
            records.iter().for_each(|fed| store.fold(member, fed.stored.position));
        }
    }
    feed.close().await;
}

/// Writes until it is told to stop; how many records it has written.
async fn write(journal: Arc<KafkaJournal>, stop: Arc<AtomicBool>) -> u32 {
    let mut written = 0;
    while !stop.load(Ordering::Acquire) {
        let call = (0..20).map(|n| event(&format!("user {n}"), &format!("{written}-{n}")));
        append(&*journal, call.collect()).await;
        written += 20;
    }
    written
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_record_is_fed_once_while_members_come_and_go() {
    let (options, journal) = opened().await;
    let store = Arc::new(Store::default());
    let stop = || Arc::new(AtomicBool::new(false));
    let (journal, quiet) = (Arc::new(journal), stop());
    let begin = |number: usize| {
        let (stop, part) = (stop(), Arc::new(Part(Arc::clone(&store), number)));
        let feed = KafkaFeed::open(&options, part).expect("it joins");
        let work = work(feed, Arc::clone(&store), number, Arc::clone(&stop));
        #[expect(clippy::disallowed_methods, reason = "the test ends it and waits for it")]
        let task = tokio::spawn(work);
        (stop, task)
    };
    #[expect(clippy::disallowed_methods, reason = "the test ends it and waits for it")]
    let writer = tokio::spawn(write(Arc::clone(&journal), Arc::clone(&quiet)));
    let half = usize::from(PARTITIONS / 2);

    let (stop_first, first) = begin(1);
    until("the first has all", || store.held_by(1) == usize::from(PARTITIONS)).await;
    let (stop_second, second) = begin(2);
    until("each has half", || store.held_by(1) == half && store.held_by(2) == half).await;
    let before = store.folded();
    until("both work", || store.folded() > before + 500).await;
    stop_first.store(true, Ordering::Release);
    first.await.expect("the first leaves");
    until("the second has all", || store.held_by(2) == usize::from(PARTITIONS)).await;
    let (stop_third, third) = begin(3);
    until("each has half", || store.held_by(2) == half && store.held_by(3) == half).await;

    quiet.store(true, Ordering::Release);
    let written = writer.await.expect("the writer ends");
    until("all is folded", || store.folded() == written).await;
    for (stop, task) in [(stop_second, second), (stop_third, third)] {
        stop.store(true, Ordering::Release);
        task.await.expect("it leaves");
    }
    assert_eq!(store.folded(), written);
    journal.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_that_does_not_poll_is_taken_for_dead_and_told_so() {
    let options = Options {
        session_timeout: Duration::from_secs(2),
        poll_timeout: Duration::from_secs(2),
        ..options()
    };
    ensure_topics(&options).await.expect("the topics are made");
    let [sleeper, other] = [(); 2].map(|()| Arc::new(Books::default()));
    let mut sleeping = member(&options, &sleeper);
    while sleeper.gained() < usize::from(PARTITIONS) {
        sleeping.poll(1, 50).await.expect("the log reads");
    }
    let mut awake = member(&options, &other);
    let begun = Instant::now();
    while other.gained() < usize::from(PARTITIONS) {
        assert!(begun.elapsed() < PATIENCE, "{other:?}");
        awake.poll(1, 50).await.expect("the log reads");
    }
    let taken = |seen: &Seen| matches!(seen, Seen::Lost(_, Loss::Taken));
    assert_eq!(sleeper.count(taken), 0, "it has not been there to be told");
    while sleeper.count(taken) < usize::from(PARTITIONS) {
        assert!(begun.elapsed() < PATIENCE, "{sleeper:?}");
        sleeping.poll(1, 50).await.expect("the log reads");
    }
}
