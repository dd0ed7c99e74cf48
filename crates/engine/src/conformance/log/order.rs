//! Order, queue and close. Part of the log's suite.

use bytes::Bytes;
use pilotage_domain::event::Position;
use pilotage_domain::id::{DecisionId, MAX_CALLER_ID};
use pilotage_domain::time::Timestamp;

use super::{append, append_new, assert_is, read_all};
use crate::conformance::{LogPlace, decision, event, user};
use crate::port::log::AppendError;

/// A call's records stand in its order, calls in theirs, and each reads back as it was given.
pub async fn records_stand_in_call_order(place: &impl LogPlace) {
    let log = place.open().await;
    assert_eq!(log.end(), Position(0));
    let entries = vec![event("u", "a"), decision("v", 7), event("v", "b")];
    let mut appended = append(&*log, entries.clone()).await;
    appended.extend(append(&*log, vec![event("u", "c")]).await);
    let entries = [&entries[..], &[event("u", "c")]].concat();
    assert!(appended.is_sorted_by_key(|appended| appended.position()));
    assert_eq!(log.end(), appended.last().expect("four records").position());
    let stored = read_all(&*log).await;
    assert_eq!(stored.len(), entries.len());
    for ((stored, entry), appended) in stored.iter().zip(&entries).zip(&appended) {
        assert_is(stored, appended.position(), entry);
    }
}

/// Nothing to append is no failure and no record.
pub async fn an_empty_call_stores_nothing(place: &impl LogPlace) {
    let log = place.open().await;
    assert_eq!(append(&*log, Vec::new()).await, []);
    assert_eq!(log.end(), Position(0));
}

/// The largest batch that a caller may send is taken whole.
pub async fn a_large_call_is_one(place: &impl LogPlace) {
    let log = place.open().await;
    let body = Bytes::from(vec![b'x'; 2_048]);
    let one = |n: u32| crate::port::log::Entry { body: body.clone(), ..event("u", &n.to_string()) };
    let appended = append(&*log, (0..2_500).map(one).collect()).await;
    assert_eq!(appended.len(), 2_500);
    assert_eq!(read_all(&*log).await.len(), 2_500);
}

/// Empty, large and odd bodies, and names at their bounds.
pub async fn any_body_and_any_name_is_kept(place: &impl LogPlace) {
    let log = place.open().await;
    let longest = "ü".repeat(MAX_CALLER_ID / 2);
    let mut entries = vec![event("u", "empty"), event(&longest, &longest), event("'\"; --", "🙂")];
    entries[0].body = Bytes::new();
    entries[1].body = (0..=255u8).cycle().take(3 << 20).collect();
    entries[2].received_at = Timestamp::from_millis(-1);
    let appended = append(&*log, entries.clone()).await;
    let positions = appended.iter().map(|appended| appended.position()).collect();
    let stored = log.get(positions).await.expect("the log reads");
    assert_eq!(stored.len(), 3);
    for ((stored, entry), appended) in stored.iter().zip(&entries).zip(&appended) {
        assert_is(stored, appended.position(), entry);
    }
}

/// A record that was queued stands before one that was appended after it.
pub async fn queued_records_keep_their_place(place: &impl LogPlace) {
    let log = place.open().await;
    log.enqueue(decision("u", 1)).expect("the queue has room");
    log.enqueue(event("u", "a")).expect("the queue has room");
    let last = append_new(&*log, event("u", "b")).await;
    let stored = read_all(&*log).await;
    assert_eq!(stored.len(), 3);
    assert_is(&stored[0], stored[0].position, &decision("u", 1));
    assert_is(&stored[1], stored[1].position, &event("u", "a"));
    assert_is(&stored[2], last, &event("u", "b"));
}

/// What was queued before a barrier is in the log after it; a barrier with nothing before it passes.
pub async fn a_barrier_waits_for_what_was_queued_before(place: &impl LogPlace) {
    let log = place.open().await;
    log.barrier().await.expect("nothing is in the way");
    for id in 0..200 {
        log.enqueue(decision("u", id)).expect("the queue has room");
    }
    log.barrier().await.expect("the records are written");
    for id in 0..200 {
        let found = log.find_decision(DecisionId::from_bits(id)).await.expect("the log reads");
        assert!(found.is_some_and(|position| position <= log.end()), "decision {id}");
    }
}

/// A closed log says so, however it is asked, and may be closed again.
pub async fn a_closed_log_takes_nothing(place: &impl LogPlace) {
    let log = place.open().await;
    log.close().await;
    let refused = log.append(vec![event("u", "a")]).await;
    assert!(matches!(refused, Err(AppendError::Closed)), "{refused:?}");
    let refused = log.enqueue(event("u", "a"));
    assert!(matches!(refused, Err(AppendError::Closed)), "{refused:?}");
    let refused = log.barrier().await;
    assert!(matches!(refused, Err(AppendError::Closed)), "{refused:?}");
    log.close().await;
}

/// Records that wait when the log is closed are stored.
pub async fn closing_writes_what_is_queued(place: &impl LogPlace) {
    let log = place.open().await;
    for n in 0..50 {
        log.enqueue(event("u", &n.to_string())).expect("the queue has room");
    }
    log.close().await;
    let stored = read_all(&*place.open().await).await;
    assert_eq!(stored.len(), 50);
    assert!(stored.iter().all(|stored| stored.user == user("u")));
}
