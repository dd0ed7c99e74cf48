//! A disk without room: nothing is acknowledged, and writing goes on once there is room again.

use bytes::Bytes;
use pilotage_domain::event::Position;
use pilotage_domain::id::{ProductId, UserId};
use pilotage_engine::port::log::{AppendError, Appended, Entry, Journal, Log};
use pilotage_engine::port::store::{Batch, Store, StoreError, UserKey, UserWrite, Watermark};

use super::{append, event, folder, open_log, opened, read_all};

const NO_LIMIT: u32 = u32::MAX - 1;

fn large(n: usize) -> Entry {
    Entry { body: Bytes::from(vec![b'x'; 100_000]), ..event(n) }
}

#[tokio::test]
async fn a_full_disk_refuses_records_until_there_is_room() {
    let folder = folder();
    let log = open_log(folder.path()).expect("the log opens");
    append(&log, 0).await;
    log.limit_pages(1).await;
    for _ in 0..3 {
        let refused = log.append(vec![event(1), large(2)]).await;
        let Err(AppendError::Unavailable(why)) = refused else { panic!("{refused:?}") };
        assert_eq!(why, "database or disk is full");
        assert!(!log.healthy());
        assert_eq!(log.end(), Position(1), "nothing was acknowledged");
    }
    let known = log.append(vec![event(0)]).await.expect("a duplicate needs no room");
    assert_eq!(known, [Appended::Duplicate(Position(1))]);
    log.limit_pages(NO_LIMIT).await;
    let stored = log.append(vec![event(1), large(2)]).await.expect("there is room");
    assert_eq!(stored, [Appended::New(Position(2)), Appended::New(Position(3))]);
    assert!(log.healthy());
    drop(log);
    let log = open_log(folder.path()).expect("the log opens");
    assert_eq!(read_all(&log).await.expect("the log reads").len(), 3);
}

#[tokio::test]
async fn a_barrier_tells_that_queued_records_were_lost() {
    let folder = folder();
    let log = open_log(folder.path()).expect("the log opens");
    log.limit_pages(1).await;
    log.enqueue(large(1)).expect("the queue has room");
    let refused = log.append(vec![large(2)]).await;
    assert!(matches!(refused, Err(AppendError::Unavailable(_))), "{refused:?}");
    log.limit_pages(NO_LIMIT).await;
    append(&log, 3).await;
    let told = log.barrier().await;
    assert!(matches!(told, Err(AppendError::Unavailable(_))), "{told:?}");
    log.barrier().await.expect("it was told");
    assert_eq!(read_all(&log).await.expect("the log reads").len(), 1);
}

/// A product whose first record failed gets its number again.
#[tokio::test]
async fn a_product_of_a_failed_commit_is_not_half_known() {
    let folder = folder();
    let log = open_log(folder.path()).expect("the log opens");
    log.limit_pages(1).await;
    let refused = log.append(vec![large(1)]).await;
    assert!(matches!(refused, Err(AppendError::Unavailable(_))), "{refused:?}");
    log.limit_pages(NO_LIMIT).await;
    let other = Entry { product: ProductId::new("other").expect("a product"), ..event(1) };
    log.append(vec![other, event(1)]).await.expect("there is room");
    let products: Vec<_> =
        read_all(&log).await.expect("the log reads").into_iter().map(|s| s.product).collect();
    assert_eq!(products.iter().map(ProductId::as_str).collect::<Vec<_>>(), ["other", "p"]);
}

#[tokio::test]
async fn a_full_disk_refuses_batches_until_there_is_room() {
    let folder = folder();
    let store = opened(folder.path()).store;
    let key = |n: u32| UserKey {
        product: ProductId::new("p").expect("a product"),
        user: UserId::new(&n.to_string()).expect("a user"),
    };
    let batch = || {
        let body = Bytes::from(vec![b'x'; 50_000]);
        let user = |n| UserWrite {
            key: key(n),
            row: None,
            body: body.clone(),
            applied: Position(0),
            spilled: Vec::new(),
            counting: Default::default(),
        };
        let watermark = Watermark { position: Position(0), ..Watermark::default() };
        Batch { users: (0..4).map(user).collect(), watermark: Some(watermark), ..Batch::default() }
    };
    store.limit_pages(20).await;
    let refused = store.write(batch()).await;
    let Err(StoreError::Unavailable(why)) = refused else { panic!("{refused:?}") };
    assert_eq!(why, "database or disk is full");
    assert!(!store.healthy());
    assert_eq!(store.load(vec![key(0)]).await.expect("the store reads"), [None]);
    store.limit_pages(NO_LIMIT).await;
    let rows = store.write(batch()).await.expect("there is room");
    assert_eq!(rows.iter().map(|row| row.0).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert!(store.healthy());
}
