//! What a fold stores, and that it is all or nothing. Part of the shared store's suite.

use std::sync::Arc;

use bytes::Bytes;
use pilotage_domain::decide::Group;
use pilotage_domain::event::Position;
use pilotage_domain::time::Timestamp;
use tokio::task::JoinSet;

use super::{
    LATER, NOW, at, body, claim, decision_id, decision_name, event_name, fold, is_damage,
    is_fenced, keys, one_record, position, positions, shared_user, user,
};
use crate::conformance::store::{cohort, counted, wanted};
use crate::conformance::{SharedPlace, key, product};
use crate::port::feed::Partition;
use crate::port::shared::{
    Claim, Dated, FoldError, Folded, Reservation, Reserved, Shared, SharedUser,
};
use crate::port::store::{Counting, RowId, StoredUser, UserWrite};

/// Another process sees users with their rows, runs and cohorts, the names, the newest event and the positions.
pub async fn a_fold_is_seen_by_others(place: &impl SharedPlace) {
    let (store, other) = (place.open().await, place.open().await);
    let claimed = claim(&*store, 2).await;
    let mut folded = one_record(&claimed, 5, &["a", "b"]);
    let spilled = vec![(position(&claimed, 1), Bytes::from("run"))];
    folded.users[0].spilled.clone_from(&spilled);
    folded.users[1].counting = Counting::As(cohort(Group::Guided, None));
    folded.newest_event = Some(NOW);
    let rows = fold(&*store, folded).await;
    let loaded = other.load(keys(&["b", "a", "c"])).await.expect("the store reads");
    let stored = |row| Some(StoredUser { row, body: Bytes::from("5") });
    assert_eq!(loaded, [stored(rows[1]), stored(rows[0]), None]);
    assert_eq!(other.spilled(rows[0]).await.expect("the store reads"), spilled);
    assert_eq!(counted(&*other, "p").await.cells.len(), 1);
    let seen = shared_user(&*other, "b").await;
    let newest_event = Some(NOW);
    assert_eq!(seen, SharedUser { stored: stored(rows[1]), newest_event, ..SharedUser::default() });
    let unknown = shared_user(&*other, "c").await;
    assert_eq!(unknown, SharedUser { newest_event, ..SharedUser::default() });
    the_newest_event_stays_the_newest(&*store, &claimed).await;
    let told = UserWrite { row: Some(rows[0]), ..user("a", "8", position(&claimed, 8)) };
    let fresh = user("c", "8", position(&claimed, 8));
    let folded = Folded { users: vec![told, fresh], ..one_record(&claimed, 8, &[]) };
    let again = fold(&*store, folded).await;
    assert_eq!(again[0], rows[0], "a row keeps its number");
    assert!(again[1] > rows[0].max(rows[1]));
    assert_eq!(body(&*other, "a").await.as_deref(), Some(&b"8"[..]));
    let uncounted = user("b", "9", position(&claimed, 9));
    let uncounted = UserWrite { row: Some(rows[1]), counting: Counting::Not, ..uncounted };
    fold(&*store, Folded { users: vec![uncounted], ..one_record(&claimed, 9, &[]) }).await;
    assert!(counted(&*other, "p").await.cells.is_empty(), "what was counted is taken back");
}

/// An older event of the partition or a fold without one changes nothing; another partition's newer one does.
async fn the_newest_event_stays_the_newest(store: &dyn Shared, claimed: &Claim) {
    let at_time = |millis| Some(Timestamp::from_millis(millis));
    let other = claim(store, 9).await;
    for (under, newest_event) in [(claimed, at_time(-3)), (&other, at_time(1)), (claimed, None)] {
        fold(store, Folded { newest_event, ..one_record(under, 7, &[]) }).await;
        assert_eq!(shared_user(store, "c").await.newest_event, Some(NOW));
    }
    fold(store, Folded { newest_event: Some(LATER), ..one_record(&other, 8, &[]) }).await;
    assert_eq!(shared_user(store, "c").await.newest_event, Some(LATER));
}

/// Everything that the test below could have changed.
async fn all_there_is(store: &dyn Shared) -> impl PartialEq + std::fmt::Debug {
    let mut users: Vec<SharedUser> = Vec::new();
    for name in ["a", "b", "new"] {
        users.push(shared_user(store, name).await);
    }
    let names = [event_name("a", "1"), event_name("new", "2"), decision_name("a", 2)];
    let runs = store.spilled(RowId(1)).await.expect("the store reads");
    let applied = store.applied().await.expect("the store reads");
    let addends = store.teaching(9).await.expect("the store reads").addends;
    (users, positions(store, &names).await, runs, applied, addends)
}

/// A claim that would go back, a row that isn't the user's or a name that is known refuses a fold that is fine otherwise.
pub async fn a_fold_is_refused_whole(place: &impl SharedPlace) {
    let store = place.open().await;
    let claimed = claim(&*store, 0).await;
    let rows = fold(&*store, one_record(&claimed, 1, &["a", "b"])).await;
    reserve(&*store, "a", 7, position(&claimed, 1)).await;
    let before = all_there_is(&*store).await;
    let place = position(&claimed, 2);
    let fine = || Folded {
        wanted: Vec::new(),
        addends: vec![(product("p"), Bytes::from("taught"))],
        claims: vec![at(&claimed, 2)],
        users: vec![
            UserWrite { spilled: vec![(place, Bytes::from("run"))], ..user("a", "2", place) },
            user("new", "2", place),
        ],
        names: vec![(event_name("new", "2"), place), (decision_name("a", 2), place)],
        settled: vec![(key("p", "a"), decision_id(7))],
        newest_event: Some(NOW),
    };
    let with_row = |row| {
        let mut folded = fine();
        folded.users[0].row = Some(row);
        folded
    };
    let with_name = |name: Dated| {
        let mut folded = fine();
        folded.names.push((name, place));
        folded
    };
    let wrong = [
        Folded { claims: vec![at(&claimed, 0)], ..fine() },
        with_row(rows[1]),
        with_row(RowId(rows[1].0 + 1)),
        with_name(event_name("a", "1")),
        with_name(event_name("new", "2")),
        with_name(decision_name("b", 2)),
    ];
    for folded in wrong {
        let done = store.fold(folded).await;
        assert!(is_damage(&done), "{done:?}");
        assert_eq!(all_there_is(&*store).await, before);
    }
    assert!(store.healthy(), "a caller's mistake is no failure of the store");
    fold(&*store, fine()).await;
    assert_ne!(all_there_is(&*store).await, before, "each of its parts can be seen");
}

async fn reserve(store: &dyn Shared, name: &str, n: u128, seen_applied: Position) {
    let seen = shared_user(store, name).await;
    let reservation = Reservation {
        key: key("p", name),
        seen_applied,
        seen_reservations: seen.reservations,
        decision: decision_id(n),
        offer: Bytes::from("offer"),
        until: LATER,
    };
    assert_eq!(store.reserve(reservation).await.expect("the store reserves"), Reserved::Held);
}

/// One claim of several that is outdated refuses all.
pub async fn an_outdated_claim_refuses_the_others_of_its_fold(place: &impl SharedPlace) {
    let store = place.open().await;
    let (first, second) = (claim(&*store, 0).await, claim(&*store, 1).await);
    let taken = claim(&*store, 1).await;
    let both = |of_1: &Claim| Folded {
        claims: vec![at(of_1, 0), at(&first, 0)],
        ..one_record(&first, 0, &["a"])
    };
    assert!(is_fenced(&store.fold(both(&second)).await, 1));
    assert_eq!(body(&*store, "a").await, None);
    assert_eq!(positions(&*store, &[event_name("a", "0")]).await, [None]);
    let applied = store.applied().await.expect("the store reads");
    assert_eq!(applied.values().copied().collect::<Vec<_>>(), [first.applied, taken.applied]);
    fold(&*store, both(&taken)).await;
    let applied = store.applied().await.expect("the store reads");
    let expected = [position(&first, 0), position(&taken, 0)];
    assert_eq!(applied.values().copied().collect::<Vec<_>>(), expected);
}

/// The profile and the reservation that it settles change in one moment; so do two users of one fold.
pub async fn a_reader_never_sees_half_a_fold(place: &impl SharedPlace) {
    const ROUNDS: u64 = 25;
    let (store, other) = (place.open().await, place.open().await);
    let claimed = claim(&*store, 0).await;
    fold(&*store, one_record(&claimed, 0, &["a", "b"])).await;
    let mut writer = JoinSet::new();
    let writing = writer.spawn(async move {
        for round in 1..=ROUNDS {
            reserve(&*store, "a", u128::from(round), position(&claimed, round - 1)).await;
            let settled = vec![(key("p", "a"), decision_id(u128::from(round)))];
            fold(&*store, Folded { settled, ..one_record(&claimed, round, &["a", "b"]) }).await;
        }
    });
    let mut is_last = false;
    while !is_last {
        is_last = writing.is_finished();
        let seen = shared_user(&*other, "a").await;
        let profile: u64 = number(seen.stored.as_ref());
        let reserved: Vec<u128> = seen.reserved.iter().map(|(id, _)| id.bits()).collect();
        let expected: &[u128] = if seen.reservations > profile { &[profile.into()] } else { &[] };
        let expected: Vec<u128> = expected.iter().map(|profile| profile + 1).collect();
        assert_eq!(reserved, expected, "{seen:?}");
        let both = other.load(keys(&["a", "b"])).await.expect("the store reads");
        assert_eq!(number(both[0].as_ref()), number(both[1].as_ref()));
    }
    writer.join_all().await;
    let newest = body(&*other, "a").await;
    assert_eq!(newest.as_deref(), Some(ROUNDS.to_string().as_bytes()));
}

fn number(stored: Option<&StoredUser>) -> u64 {
    let body = &stored.expect("it is stored").body;
    std::str::from_utf8(body).ok().and_then(|text| text.parse().ok()).expect("a number")
}

/// Workers with partitions of their own don't hinder each other, and every record takes effect.
pub async fn workers_fold_side_by_side(place: &impl SharedPlace) {
    let stores = [place.open().await, place.open().await];
    let mut workers = JoinSet::new();
    for partition in 0..6u16 {
        let store = Arc::clone(&stores[usize::from(partition) % 2]);
        workers.spawn(async move {
            let claimed = claim(&*store, partition).await;
            let names = ["x", "y", "z"].map(|name| format!("{partition}{name}"));
            let names = [&*names[0], &*names[1], &*names[2]];
            let mut rows = Vec::new();
            for offset in 0..15 {
                let again = fold(&*store, one_record(&claimed, offset, &names)).await;
                assert!(offset == 0 || again == rows, "a row keeps its number");
                rows = again;
            }
            rows
        });
    }
    let rows: Vec<RowId> = workers.join_all().await.into_iter().flatten().collect();
    let distinct: std::collections::BTreeSet<RowId> = rows.iter().copied().collect();
    assert_eq!((rows.len(), distinct.len()), (18, 18));
    let applied = stores[1].applied().await.expect("the store reads");
    for partition in (0..6).map(Partition) {
        assert_eq!(applied.get(&partition), partition.position(14).as_ref());
    }
    let page = stores[0].page(None, 100).await.expect("the store reads");
    assert!(page.len() == 18 && page.iter().all(|(_, stored)| stored.body == "14"), "{page:?}");
}

/// A reset forgets users, names and how far partitions are folded; who folded before is fenced.
pub async fn a_reset_begins_anew(place: &impl SharedPlace) {
    let (store, other) = (place.open().await, place.open().await);
    let claimed = claim(&*store, 5).await;
    let mut folded = one_record(&claimed, 3, &["a"]);
    folded.names.push((decision_name("a", 4), position(&claimed, 3)));
    folded.newest_event = Some(NOW);
    fold(&*store, folded).await;
    reserve(&*store, "a", 1, position(&claimed, 3)).await;
    other.reset().await.expect("the store writes");
    assert!(is_fenced(&store.fold(one_record(&claimed, 4, &["a"])).await, 5));
    let names = [event_name("a", "3"), decision_name("a", 4)];
    assert_eq!(positions(&*store, &names).await, [None, None]);
    assert_eq!(store.decision(decision_id(4)).await.expect("the store reads"), None);
    let seen = shared_user(&*store, "a").await;
    assert_eq!((seen.stored, seen.newest_event), (None, None));
    assert_eq!((seen.reservations, seen.reserved.len()), (1, 1), "what is reserved stays");
    let applied = store.applied().await.expect("the store reads");
    assert_eq!(applied.get(&Partition(5)), Some(&Partition(5).start()));
    let again = claim(&*store, 5).await;
    assert_eq!(again.applied, Partition(5).start());
    let done: Result<_, FoldError> = store.fold(one_record(&again, 3, &["a"])).await;
    assert!(done.is_ok(), "the same records take effect again: {done:?}");
}

/// What users' profiles make wanted is stored with their fold, or not at all.
pub async fn wanted_situations_are_stored_with_their_fold(place: &impl SharedPlace) {
    let store = place.open().await;
    let claimed = claim(&*store, 0).await;
    let folded = |offset, name| Folded {
        wanted: vec![wanted(name, 1)],
        ..one_record(&claimed, offset, &["a"])
    };
    fold(&*store, folded(0, "a")).await;
    assert_eq!(store.waiting().await.expect("the store reads"), 1);
    claim(&*store, 0).await;
    assert!(is_fenced(&store.fold(folded(1, "b")).await, 0));
    assert_eq!(store.waiting().await.expect("the store reads"), 1);
}
