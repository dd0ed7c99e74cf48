//! What is folded from the log: users, runs, cohorts, watermark. Part of the store's suite.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use pilotage_domain::decide::Group;
use pilotage_domain::event::Position;
use pilotage_domain::hash::ContentHash;
use pilotage_domain::time::{Millis, Timestamp};
use tokio::task::JoinSet;

use super::{batch, load, plain, stored, watermark, write};
use crate::conformance::{StorePlace, key, product};
use crate::port::store::{
    Batch, Cohort, Cohorts, Counting, Grid, GroupCount, Reached, RowId, Store, StoreError, UserKey,
    UserWrite, Watermark,
};

/// An empty store knows nobody and stands for nothing.
pub async fn unknown_users_are_none(place: &impl StorePlace) {
    let store = place.open().await;
    assert_eq!(load(&*store, &[key("p", "u"), key("q", "u")]).await, [None, None]);
    assert_eq!(load(&*store, &[]).await, []);
    assert_eq!(store.watermark().await.expect("the store reads"), Watermark::default());
    assert!(store.spilled(RowId(1)).await.expect("the store reads").is_empty());
    assert_eq!(counted(&*store, "p").await, Cohorts::default());
    assert!(store.page(None, 10).await.expect("the store reads").is_empty());
    assert!(store.healthy());
}

/// Users come back in the order asked, by product, with their rows; a second write replaces the body.
pub async fn users_load_as_they_were_written(place: &impl StorePlace) {
    let store = place.open().await;
    let elsewhere = UserWrite { key: key("q", "a"), ..plain("a", None, "of q") };
    let users = vec![plain("a", None, "1"), plain("b", None, ""), elsewhere];
    let rows = write(&*store, users).await;
    let asked = [key("q", "a"), key("p", "x"), key("p", "b"), key("p", "a"), key("p", "a")];
    let expected = [
        stored(rows[2], "of q"),
        None,
        stored(rows[1], ""),
        stored(rows[0], "1"),
        stored(rows[0], "1"),
    ];
    assert_eq!(load(&*store, &asked).await, expected);
    let large = "x".repeat(300_000);
    write(&*store, vec![plain("a", Some(rows[0]), &large)]).await;
    assert_eq!(load(&*store, &[key("p", "a")]).await, [stored(rows[0], &large)]);
}

/// Rows are told in the batch's order, differ, and stay, whether or not the caller knows them.
pub async fn a_row_keeps_its_number(place: &impl StorePlace) {
    let store = place.open().await;
    let first = write(&*store, vec![plain("a", None, "1"), plain("b", None, "1")]).await;
    assert!(first[0] < first[1], "numbered in the order of first storing");
    let again = vec![plain("b", None, "2"), plain("c", None, "1"), plain("a", Some(first[0]), "2")];
    let second = write(&*store, again).await;
    assert_eq!((second[0], second[2]), (first[1], first[0]));
    assert!(second[1] > first[1]);
    let doubled = vec![plain("d", None, "1"), plain("d", None, "2")];
    let third = write(&*store, doubled).await;
    assert_eq!(third[0], third[1]);
    assert_eq!(load(&*store, &[key("p", "d")]).await, [stored(third[0], "2")]);
}

/// A batch that names a row that isn't that user's changes nothing at all, not even the next row number.
pub async fn a_batch_is_written_whole_or_not_at_all(place: &impl StorePlace) {
    let store = place.open().await;
    let rows = write(&*store, vec![plain("a", None, "1"), plain("b", None, "1")]).await;
    for wrong in [rows[1], RowId(rows[1].0 + 1), RowId(u64::MAX)] {
        let counting = Counting::As(cohort(Group::Guided, None));
        let spilled = vec![(Position(1), Bytes::from("run"))];
        let fine = UserWrite { counting, spilled, ..plain("new", None, "1") };
        let users = vec![plain("b", Some(rows[1]), "2"), fine, plain("a", Some(wrong), "2")];
        let refused =
            store.write(Batch { users, watermark: Some(watermark(9)), ..Batch::default() }).await;
        assert!(matches!(refused, Err(StoreError::Damaged(_))), "{refused:?}");
    }
    let asked = [key("p", "a"), key("p", "b"), key("p", "new")];
    assert_eq!(load(&*store, &asked).await, [stored(rows[0], "1"), stored(rows[1], "1"), None]);
    assert_eq!(store.watermark().await.expect("the store reads"), Watermark::default());
    assert_eq!(counted(&*store, "p").await, Cohorts::default());
    let next = write(&*store, vec![plain("c", None, "1")]).await[0];
    assert!(store.spilled(next).await.expect("the store reads").is_empty());
    assert!(store.healthy(), "a caller's mistake is no failure of the store");
}

/// A watermark reads back whole; a batch without one leaves it.
pub async fn a_watermark_is_written_with_its_batch(place: &impl StorePlace) {
    let store = place.open().await;
    let hash = |n| ContentHash::of(&[&[n]]);
    let whole = Watermark {
        position: Position(12),
        newest_event: Some(Timestamp::from_millis(-5)),
        folds: BTreeMap::from([(product("p"), hash(1)), (product("q"), hash(2))]),
    };
    for watermark in [watermark(3), whole.clone(), Watermark::default(), whole.clone()] {
        let written = Batch { watermark: Some(watermark.clone()), ..Batch::default() };
        store.write(written).await.expect("the store writes");
        assert_eq!(store.watermark().await.expect("the store reads"), watermark);
    }
    write(&*store, vec![plain("a", None, "1")]).await;
    assert_eq!(store.watermark().await.expect("the store reads"), whole);
}

/// Runs stand by their first position; one with the same first position replaces.
pub async fn spilled_runs_are_kept_in_order(place: &impl StorePlace) {
    let store = place.open().await;
    let with = |user, runs: &[(u64, &'static str)]| UserWrite {
        spilled: runs.iter().map(|(at, run)| (Position(*at), Bytes::from(*run))).collect(),
        ..plain(user, None, "1")
    };
    let rows =
        write(&*store, vec![with("a", &[(20, "c"), (3, "a")]), with("b", &[(3, "z")])]).await;
    write(&*store, vec![with("a", &[(7, "b"), (20, "d")])]).await;
    let runs = |runs: &[(u64, &'static str)]| with("x", runs).spilled;
    let of_a = store.spilled(rows[0]).await.expect("the store reads");
    assert_eq!(of_a, runs(&[(3, "a"), (7, "b"), (20, "d")]));
    let of_b = store.spilled(rows[1]).await.expect("the store reads");
    assert_eq!(of_b, runs(&[(3, "z")]));
}

/// Who was activated the moment that the clock started, or whose clock has not started.
pub fn cohort(group: Group, activated: Option<i64>) -> Cohort {
    let activated = activated.map(Timestamp::from_millis);
    let first_seen = Timestamp::from_millis(1);
    Cohort { group, first_seen, signup: activated, activated, reached: Reached::default() }
}

/// The grid that the suite counts on.
pub fn grid() -> Grid {
    Grid::new(Millis::days(7))
}

/// The counted users of a product.
pub async fn counted(store: &dyn Store, of: &str) -> Cohorts {
    store.cohorts(&product(of), &grid()).await.expect("the store reads")
}

/// Each user counts once, as last written; a write without a cohort changes no count.
pub async fn cohorts_are_counted_by_product_and_group(place: &impl StorePlace) {
    let store = place.open().await;
    let with =
        |user, cohort| UserWrite { counting: Counting::As(cohort), ..plain(user, None, "1") };
    let signed_up =
        Cohort { signup: Some(Timestamp::from_millis(0)), ..cohort(Group::Guided, None) };
    let elsewhere = UserWrite { key: key("q", "a"), ..with("a", cohort(Group::Guided, None)) };
    let users = vec![
        with("a", cohort(Group::Guided, None)),
        with("b", signed_up),
        with("c", cohort(Group::Holdout, Some(0))),
        with("d", cohort(Group::Random, None)),
        with("e", cohort(Group::Static, Some(-1))),
        elsewhere,
        plain("uncounted", None, "1"),
    ];
    write(&*store, users).await;
    let activated = vec![with("a", cohort(Group::Guided, Some(5))), plain("c", None, "2")];
    write(&*store, activated).await;
    let count = |users, signed_up, activated| GroupCount { users, signed_up, activated };
    let (p, q) = (counted(&*store, "p").await, counted(&*store, "q").await);
    for (found, expected) in [
        (p.count(Group::Guided), count(2, 2, 1)),
        (p.count(Group::Holdout), count(1, 1, 1)),
        (p.count(Group::Random), count(1, 0, 0)),
        (p.count(Group::Static), count(1, 1, 1)),
        (q.count(Group::Guided), count(1, 0, 0)),
        (q.count(Group::Static), count(0, 0, 0)),
    ] {
        assert_eq!(found, expected);
    }
    assert_eq!(counted(&*store, "r").await, Cohorts::default());
}

/// Whoever counted for something counts for nothing once that is taken back, until something is written again; taking back
/// what nobody was counted as changes nothing.
pub async fn what_is_counted_can_be_taken_back(place: &impl StorePlace) {
    let store = place.open().await;
    let with = |user, counting| UserWrite { counting, ..plain(user, None, "1") };
    let (as_guided, as_static) =
        (Counting::As(cohort(Group::Guided, Some(1))), Counting::As(cohort(Group::Static, None)));
    write(&*store, vec![with("a", as_guided), with("b", as_guided), plain("c", None, "1")]).await;
    let rows = write(&*store, vec![with("a", Counting::Not), with("c", Counting::Not)]).await;
    let users = |cohorts: &Cohorts| cohorts.cells.values().sum::<u64>();
    assert_eq!(users(&counted(&*store, "p").await), 1);
    write(&*store, vec![UserWrite { row: Some(rows[0]), ..plain("a", None, "2") }]).await;
    assert_eq!(users(&counted(&*store, "p").await), 1, "and stays taken back");
    assert!(store.unnoted(&product("p"), 9).await.expect("the store reads").is_empty());
    store.close().await;
    let store = place.open().await;
    assert_eq!(users(&counted(&*store, "p").await), 1);
    // The last word of a batch is what counts.
    let words = vec![with("a", as_static), with("b", as_static), with("b", Counting::Not)];
    write(&*store, words).await;
    let now = counted(&*store, "p").await;
    assert_eq!((users(&now), now.count(Group::Static).users), (1, 1));
}

/// Days, bins of the grid and milestones are told apart as `Cohorts::add` does it, at every edge.
pub async fn cohorts_are_counted_by_day_time_and_milestone(place: &impl StorePlace) {
    let store = place.open().await;
    let day = 86_400_000;
    let edges = grid().edges().iter().map(|edge| edge.get() as i64).collect::<Vec<_>>();
    let after = edges.iter().flat_map(|edge| [edge - 1, *edge, edge + 1]).chain([-5, 0]);
    let signups = [-day - 1, -day, -1, 0, 1, day - 1, day, 20_000 * day];
    let moment = Timestamp::from_millis;
    let mut users: Vec<Cohort> = Vec::new();
    for (n, after) in (0u16..).zip(after) {
        let signup = signups[usize::from(n) % signups.len()];
        let reached = [n % 9, 60 + n % 140].into_iter().collect();
        let known = Cohort { reached, signup: Some(moment(signup)), ..cohort(Group::Random, None) };
        users.push(Cohort { activated: Some(moment(signup + after)), ..known });
        users.push(known);
    }
    users.push(Cohort { activated: Some(moment(3)), ..cohort(Group::Holdout, None) });
    let mut expected = Cohorts::default();
    users.iter().for_each(|cohort| expected.add(cohort, &grid()));
    let with = |(n, cohort): (usize, &Cohort)| UserWrite {
        counting: Counting::As(*cohort),
        ..plain(&n.to_string(), None, "1")
    };
    write(&*store, users.iter().enumerate().map(with).collect()).await;
    assert_eq!(counted(&*store, "p").await, expected);
}

/// Of what is written by this version, milestones are noted: there is nothing to be told, and telling it changes nothing.
pub async fn noted_milestones_stay(place: &impl StorePlace) {
    let store = place.open().await;
    let reached = [3, 199].into_iter().collect();
    let user = Cohort { reached, ..cohort(Group::Static, Some(1)) };
    let rows =
        write(&*store, vec![UserWrite { counting: Counting::As(user), ..plain("a", None, "1") }])
            .await;
    let before = counted(&*store, "p").await;
    assert_eq!(before.reached.len(), 2);
    assert!(store.unnoted(&product("p"), 9).await.expect("the store reads").is_empty());
    store.note_reached(vec![(rows[0], Reached::default())]).await.expect("the store writes");
    store.note_reached(Vec::new()).await.expect("the store writes");
    assert_eq!(counted(&*store, "p").await, before);
}

/// Pages of any size join to all users, by product and then by user, byte by byte.
pub async fn pages_walk_all_users_in_key_order(place: &impl StorePlace) {
    let store = place.open().await;
    let names = ["z", "b", "B", "ä", "a", "aa", " a", "10", "9", "🙂"];
    let of = |name: &str| {
        names.map(|user| UserWrite { key: key(name, user), ..plain(user, None, user) })
    };
    // Products are stored in another order than their names'.
    let users = [of("q"), of("p-2"), of("p")].concat();
    write(&*store, users.clone()).await;
    let mut expected: Vec<UserKey> = users.into_iter().map(|user| user.key).collect();
    expected.sort();
    for limit in [1, 3, 10, 1_000] {
        let mut joined: Vec<UserKey> = Vec::new();
        loop {
            let after = joined.last().cloned();
            let page = store.page(after, limit).await.expect("the store reads");
            assert!(page.len() <= limit);
            assert!(page.iter().all(|(key, user)| user.body == key.user.as_str()));
            if page.is_empty() {
                break;
            }
            joined.extend(page.into_iter().map(|(key, _)| key));
        }
        assert_eq!(joined, expected, "pages of {limit}");
    }
    let between = store.page(Some(key("p-1", "x")), 1).await.expect("the store reads");
    assert_eq!(between[0].0, key("p-2", " a"));
}

/// Writers at once get rows of their own; a reader never sees half a batch.
pub async fn many_writers_and_readers_share_the_store(place: &impl StorePlace) {
    let store = place.open().await;
    let mut tasks = JoinSet::new();
    for writer in 0..8 {
        tasks.spawn(write_pairs(Arc::clone(&store), writer));
    }
    let rows: BTreeSet<RowId> = tasks.join_all().await.into_iter().flatten().collect();
    assert_eq!(rows.len(), 16);
}

/// Writes the same body to two users again and again, and looks at both each time.
async fn write_pairs(store: Arc<dyn Store>, writer: usize) -> Vec<RowId> {
    let (left, right) = (format!("{writer}l"), format!("{writer}r"));
    let mut rows = Vec::new();
    for round in 0..20 {
        let body = round.to_string();
        rows = write(&*store, vec![plain(&left, None, &body), plain(&right, None, &body)]).await;
        let neighbour = (writer + 1) % 8;
        let keys = [key("p", &format!("{neighbour}l")), key("p", &format!("{neighbour}r"))];
        let [l, r] = &load(&*store, &keys).await[..] else { panic!("two were asked for") };
        assert_eq!(l.as_ref().map(|user| &user.body), r.as_ref().map(|user| &user.body));
        let own = load(&*store, &[key("p", &right)]).await;
        assert_eq!(own, [stored(rows[1], &body)], "a write is seen by the load after it");
    }
    rows
}

/// Users, runs, cohorts and watermark are there after a restart, and rows go on.
pub async fn a_restart_keeps_what_was_written(place: &impl StorePlace) {
    let store = place.open().await;
    let spilled = vec![(Position(1), Bytes::from("run"))];
    let counting = Counting::As(cohort(Group::Random, Some(1)));
    let user = UserWrite { spilled: spilled.clone(), counting, ..plain("a", None, "1") };
    let written = Batch { users: vec![user], watermark: Some(watermark(7)), ..Batch::default() };
    let row = store.write(written).await.expect("the store writes")[0];
    store.close().await;
    let store = place.open().await;
    assert_eq!(load(&*store, &[key("p", "a")]).await, [stored(row, "1")]);
    assert_eq!(store.spilled(row).await.expect("the store reads"), spilled);
    assert_eq!(store.watermark().await.expect("the store reads"), watermark(7));
    assert_eq!(counted(&*store, "p").await.cells.len(), 1);
    let next = write(&*store, vec![plain("b", None, "1"), plain("a", Some(row), "2")]).await;
    assert!(next[0] > row);
    assert_eq!(next[1], row);
}

/// Nothing that was folded is left, rows begin anew, and what an operator set stays.
pub async fn a_reset_forgets_what_is_folded_and_keeps_the_rest(place: &impl StorePlace) {
    use crate::port::store::Pause;
    let store = place.open().await;
    let (guide, hash) = (super::kept::guide("g"), ContentHash::of(&[b"d"]));
    store.set_paused(&product("p"), &guide, Pause::Pause).await.expect("the store writes");
    store.keep_definition(&product("p"), 1, hash, "text").await.expect("the store writes");
    let secret = store.secret("s", [3; 32]).await.expect("the store writes");
    let spilled = vec![(Position(1), Bytes::from("run"))];
    let counting = Counting::As(cohort(Group::Guided, None));
    let user = UserWrite { spilled, counting, ..plain("a", None, "1") };
    let written = Batch { users: vec![user], watermark: Some(watermark(7)), ..Batch::default() };
    let row = store.write(written).await.expect("the store writes")[0];
    store.reset().await.expect("the store writes");
    for _ in 0..2 {
        unknown_users_are_none(&Again(Arc::clone(&store))).await;
        assert!(store.spilled(row).await.expect("the store reads").is_empty());
        let paused = store.paused().await.expect("the store reads");
        assert_eq!(paused, BTreeMap::from([(product("p"), vec![guide.clone()])]));
        let kept = store.definition(&product("p"), hash).await.expect("the store reads");
        assert_eq!(kept.as_deref(), Some("text"));
        assert_eq!(store.secret("s", [4; 32]).await.expect("the store writes"), secret);
    }
    assert_eq!(write(&*store, vec![plain("b", None, "1")]).await, [row]);
    store.write(batch(Vec::new())).await.expect("an empty batch is fine");
}

/// A store that is open already, as a place.
struct Again(Arc<dyn Store>);

impl StorePlace for Again {
    fn open(&self) -> crate::port::Answer<'_, Arc<dyn Store>> {
        Box::pin(async { Arc::clone(&self.0) })
    }
}
