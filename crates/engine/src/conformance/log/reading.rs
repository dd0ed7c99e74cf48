//! Reading and finding. Part of the log's suite.

use pilotage_domain::event::Position;
use pilotage_domain::id::DecisionId;

use super::{append, append_new, assert_is, read_all};
use crate::conformance::{LogPlace, decision, event, event_id, product, user};
use crate::port::log::{Entry, Log};

async fn page(log: &dyn Log, after: Position, max_bytes: usize) -> Vec<Position> {
    let page = log.read(after, max_bytes).await.expect("the log reads");
    page.iter().map(|stored| stored.position).collect()
}

/// Pages of any size, one record at least, join without a hole; past the end there is nothing.
pub async fn pages_have_no_holes(place: &impl LogPlace) {
    let log = place.open().await;
    for n in 0..60 {
        let sized = Entry { body: vec![b'x'; n * 7 % 100].into(), ..event("u", &n.to_string()) };
        append(&*log, vec![sized]).await;
    }
    let all = page(&*log, Position(0), usize::MAX).await;
    assert_eq!(all.len(), 60);
    for max_bytes in [0, 1, 99, 100, 500, 5_000] {
        let mut joined: Vec<Position> = Vec::new();
        loop {
            let next = page(&*log, joined.last().copied().unwrap_or_default(), max_bytes).await;
            if next.is_empty() {
                break;
            }
            joined.extend(next);
        }
        assert_eq!(joined, all, "pages of {max_bytes} bytes");
    }
    assert_eq!(page(&*log, log.end(), 100).await, []);
    assert_eq!(page(&*log, Position(u64::MAX), 100).await, []);
}

/// Records by position, in the order asked; positions before the first and after the last hold nothing.
pub async fn records_are_found_by_position(place: &impl LogPlace) {
    let log = place.open().await;
    let entries = vec![event("u", "a"), event("v", "b"), decision("u", 3), event("u", "c")];
    let appended = append(&*log, entries.clone()).await;
    let (second, fourth) = (appended[1].position(), appended[3].position());
    let beyond = Position(log.end().0 + 1);
    let asked = vec![Position(0), second, fourth, beyond, Position(u64::MAX)];
    let stored = log.get(asked).await.expect("the log reads");
    assert_eq!(stored.len(), 2);
    assert_is(&stored[0], second, &entries[1]);
    assert_is(&stored[1], fourth, &entries[3]);
    assert!(log.get(Vec::new()).await.expect("the log reads").is_empty());
}

/// Events by product, user and id, decisions by id; unknown ones are not found.
pub async fn records_are_found_by_name(place: &impl LogPlace) {
    let log = place.open().await;
    let at = append_new(&*log, event("u", "a")).await;
    let decided = append_new(&*log, decision("u", 5)).await;
    let find = async |product_name, user_name, id| {
        let (product, user, id) = (product(product_name), user(user_name), event_id(id));
        log.find_event(&product, &user, &id).await.expect("the log reads")
    };
    assert_eq!(find("p", "u", "a").await, Some(at));
    assert_eq!(find("p", "u", "b").await, None);
    assert_eq!(find("p", "v", "a").await, None);
    assert_eq!(find("q", "u", "a").await, None);
    let decision = async |bits| log.find_decision(DecisionId::from_bits(bits)).await;
    assert!(matches!(decision(5).await, Ok(Some(found)) if found == decided));
    assert!(matches!(decision(6).await, Ok(None)));
}

/// Whoever waits for growth is woken by it, and at once where it has come already.
pub async fn growth_is_announced(place: &impl LogPlace) {
    let log = place.open().await;
    let mut waiting = log.grown_past(Position(0));
    tokio::select! {
        biased;
        () = &mut waiting => panic!("nothing has grown"),
        () = std::future::ready(()) => {}
    }
    let (first, ()) = tokio::join!(append_new(&*log, event("u", "a")), waiting);
    log.grown_past(Position(0)).await;
    tokio::select! {
        biased;
        () = log.grown_past(first) => panic!("nothing has grown since"),
        () = std::future::ready(()) => {}
    }
    assert_eq!(read_all(&*log).await.len(), 1);
}
