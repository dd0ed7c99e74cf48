//! Many callers at once. Part of the log's suite.

use std::collections::BTreeMap;
use std::sync::Arc;

use pilotage_domain::event::Position;
use tokio::task::JoinSet;

use super::{append, assert_is, read_all};
use crate::conformance::{LogPlace, event};
use crate::port::log::{Appended, Entry, Log};

const CALLERS: usize = 24;
const CALLS: usize = 40;

/// Every record of every caller is stored once, each call together and in order, each caller's calls in order.
pub async fn many_callers_share_the_log(place: &impl LogPlace) {
    let log = place.open().await;
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        callers.spawn(call_often(Arc::clone(&log), caller));
    }
    let mut expected = BTreeMap::new();
    while let Some(stored) = callers.join_next().await {
        let stored = stored.expect("no caller panics");
        assert!(stored.is_sorted_by(|a, b| a.0 < b.0), "a caller's order");
        let count = stored.len();
        let before = expected.len();
        expected.extend(stored);
        assert_eq!(expected.len(), before + count, "a position was given twice");
    }
    let all = read_all(&*log).await;
    assert_eq!(all.len(), expected.len());
    for (stored, (position, entry)) in all.iter().zip(&expected) {
        assert_is(stored, *position, entry);
    }
}

/// One caller's calls of one to three records, and where these stand.
async fn call_often(log: Arc<dyn Log>, caller: usize) -> Vec<(Position, Entry)> {
    let mut stored: Vec<(Position, Entry)> = Vec::new();
    for call in 0..CALLS {
        let entry = |n| event(&format!("u{caller}"), &format!("{call}-{n}"));
        let entries: Vec<Entry> = (0..=(caller + call) % 3).map(entry).collect();
        let appended = append(&*log, entries.clone()).await;
        let positions = appended.iter().map(|appended| appended.position());
        let last = positions.clone().next_back().expect("a record at least");
        assert!(last <= log.end(), "answered before it is to be read");
        stored.extend(positions.zip(entries));
    }
    stored
}

/// Of equal events at the same time one is new, and all callers learn where it stands.
pub async fn of_equal_events_at_once_one_is_stored(place: &impl LogPlace) {
    let log = place.open().await;
    for round in 0..20 {
        let mut callers = JoinSet::new();
        for _ in 0..CALLERS {
            let log = Arc::clone(&log);
            let entries = vec![event("u", &round.to_string())];
            callers.spawn(async move { append(&*log, entries).await[0] });
        }
        let answers = callers.join_all().await;
        let new = answers.iter().filter(|answer| matches!(answer, Appended::New(_))).count();
        assert_eq!(new, 1, "{answers:?}");
        assert!(answers.iter().all(|answer| answer.position() == answers[0].position()));
    }
    assert_eq!(read_all(&*log).await.len(), 20);
}

/// A call whose caller does not wait is stored whole or not at all.
pub async fn a_caller_that_gives_up_leaves_all_or_nothing(place: &impl LogPlace) {
    let log = place.open().await;
    let pair = |n: u32| vec![event("u", &format!("{n}a")), event("u", &format!("{n}b"))];
    for n in 0..100 {
        let mut call = log.append(pair(n));
        if n % 2 == 0 {
            // Looks once, so that the call has begun, and lets go.
            tokio::select! {
                biased;
                _ = &mut call => {}
                () = std::future::ready(()) => {}
            }
        }
        drop(call);
    }
    log.barrier().await.expect("the log goes on");
    for n in 0..100 {
        let again = append(&*log, pair(n)).await;
        let known = again.iter().filter(|a| matches!(a, Appended::Duplicate(_))).count();
        assert!(known == 0 || known == 2, "call {n} was torn: {again:?}");
    }
    assert_eq!(read_all(&*log).await.len(), 200);
}

/// A reader that waits for growth and reads on sees each record once and in order.
pub async fn a_reader_that_follows_misses_nothing(place: &impl LogPlace) {
    let log = place.open().await;
    let mut readers = JoinSet::new();
    readers.spawn(follow(Arc::clone(&log), 400));
    let mut callers = JoinSet::new();
    for caller in 0..8 {
        let log = Arc::clone(&log);
        callers.spawn(async move {
            for call in 0..50 {
                append(&*log, vec![event(&format!("u{caller}"), &call.to_string())]).await;
            }
        });
    }
    callers.join_all().await;
    let seen = readers.join_all().await;
    let all: Vec<Position> = read_all(&*log).await.iter().map(|stored| stored.position).collect();
    assert_eq!(seen, [all]);
}

async fn follow(log: Arc<dyn Log>, count: usize) -> Vec<Position> {
    let mut seen: Vec<Position> = Vec::new();
    while seen.len() < count {
        let after = seen.last().copied().unwrap_or_default();
        log.grown_past(after).await;
        let page = log.read(after, 2_000).await.expect("the log reads");
        seen.extend(page.iter().map(|stored| stored.position));
    }
    seen
}
