//! A broker goes and comes back: refusals at once, health again without a restart, nothing lost that was acknowledged.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use pilotage_domain::event::Position;
use pilotage_engine::port::feed::{Feed, FeedError, Polled};
use pilotage_engine::port::log::{AppendError, Entry, Journal};
use tokio::task::JoinSet;

use super::stack::Stack;
use super::{Books, append, event, member, open, options_on, records, until};
use crate::kafka::{KafkaFeed, KafkaJournal, Options, ensure_topics};

/// The answer of a call, where there is one at once.
fn at_once<T>(call: impl Future<Output = T>) -> Option<T> {
    let mut call = Box::pin(call);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match call.as_mut().poll(&mut context) {
        std::task::Poll::Ready(answer) => Some(answer),
        std::task::Poll::Pending => None,
    }
}

/// Appends until it is told to stop, whatever the answers; what was acknowledged.
async fn load(
    journal: Arc<KafkaJournal>,
    caller: usize,
    stop: Arc<AtomicBool>,
) -> BTreeMap<Position, Entry> {
    let mut acknowledged = BTreeMap::new();
    for n in 0.. {
        if stop.load(Ordering::Acquire) {
            break;
        }
        let entry = event(&format!("user {caller}"), &n.to_string());
        match journal.append(vec![entry.clone()]).await {
            Ok(appended) => {
                let known = acknowledged.insert(appended[0].position(), entry);
                assert!(known.is_none(), "a position was given twice");
            }
            // Refusals at once would fill the test's time.
            Err(AppendError::Unavailable(_)) => tokio::time::sleep(Duration::from_millis(5)).await,
            Err(other) => panic!("{other}"),
        }
    }
    acknowledged
}

/// Checks that a journal whose brokers are away says so at once, in every way.
async fn assert_refuses(journal: &KafkaJournal) {
    until("the outage is known", || !journal.healthy()).await;
    let refused = at_once(journal.append(vec![event("u", "refused")]));
    let Some(Err(AppendError::Unavailable(text))) = refused else { panic!("{refused:?}") };
    assert!(text.contains("no broker answers"), "{text}");
    let refused = journal.enqueue(event("u", "refused"));
    assert!(matches!(refused, Err(AppendError::Unavailable(_))), "{refused:?}");
}

/// Checks that a feed whose brokers are away says so, once it has handed out what it had before.
async fn assert_feed_waits(feed: &mut KafkaFeed) {
    loop {
        match feed.poll(1 << 20, 200).await {
            Ok(polled) => assert!(!matches!(polled, Polled::Foreign(..)), "{polled:?}"),
            Err(FeedError::Unavailable(text)) => {
                return assert!(text.contains("no broker answers"), "{text}");
            }
        }
    }
}

/// Reads up to this event, whatever the feed says in between.
async fn read_up_to(feed: &mut KafkaFeed, last: &Entry) {
    loop {
        match feed.poll(1 << 20, 200).await {
            Ok(Polled::Records(records)) => {
                if records.iter().any(|fed| fed.name == last.name) {
                    return;
                }
            }
            Ok(Polled::Nothing) | Err(FeedError::Unavailable(_)) => {}
            Ok(other @ Polled::Foreign(..)) => panic!("an outage is no foreign record: {other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_goes_and_comes_back_loses_nothing_that_was_acknowledged() {
    let stack = Stack::hold("adapters-outage");
    let options = Options {
        delivery_timeout: Duration::from_secs(3),
        partitions: 2,
        ..options_on(stack.brokers())
    };
    ensure_topics(&options).await.expect("the topics are made");
    let journal = Arc::new(open(&options));
    append(&*journal, vec![event("fed", "before")]).await;
    let mut feed = member(&options, &Arc::new(Books::default()));
    assert_eq!(records(&mut feed, 1).await[0].name, event("fed", "before").name);

    let stop = Arc::new(AtomicBool::new(false));
    let mut callers = JoinSet::new();
    for (round, how) in ["stop", "stop --how crash"].into_iter().enumerate() {
        stop.store(false, Ordering::Release);
        for caller in 0..8 {
            callers.spawn(load(Arc::clone(&journal), round * 8 + caller, Arc::clone(&stop)));
        }
        let begun = append(&*journal, vec![event("u", &format!("begun {round}"))]).await[0];
        stack.broker(how);
        assert_refuses(&journal).await;
        stop.store(true, Ordering::Release);
        assert_feed_waits(&mut feed).await;

        stack.broker("start");
        until("the journal is well again", || journal.healthy()).await;
        let again = append(&*journal, vec![event("u", &format!("again {round}"))]).await[0];
        assert!(again > begun);
        let mut acknowledged = BTreeMap::new();
        while let Some(theirs) = callers.join_next().await {
            acknowledged.extend(theirs.expect("no caller panics"));
        }
        assert!(!acknowledged.is_empty(), "{how}: nothing was written before");
        let positions = acknowledged.keys().copied().collect();
        let stored = journal.get(positions).await.expect("the journal reads");
        assert_eq!(stored.len(), acknowledged.len(), "{how}: an acknowledged record is gone");
        for (stored, (position, entry)) in stored.iter().zip(&acknowledged) {
            assert_eq!((stored.position, &stored.body), (*position, &entry.body));
        }
        read_up_to(&mut feed, &event("u", &format!("again {round}"))).await;
    }
    feed.close().await;
    journal.close().await;
}
