//! What is kept of asking models: situations that wait, pages, the ledger. Part of the store's suite.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use pilotage_domain::advise::MicroUsd;
use pilotage_domain::advise::budget::{Caps, Command, Effect, Ledger};
use pilotage_domain::advise::queue::{Job, Knows};
use pilotage_domain::hash::ContentHash;
use pilotage_domain::id::ProviderId;
use pilotage_domain::number::Probability;
use pilotage_domain::time::{Millis, Timestamp};
use tokio::task::JoinSet;

use super::plain;
use crate::conformance::{StorePlace, product};
use crate::port::book::{
    BEGINNING, Ended, Ending, Kind, MOST_WAITING, NewPage, Page, Reading, Turn, Waiting, Wanted,
    chained,
};
use crate::port::store::{Batch, Store};

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);
const LATER: Timestamp = Timestamp::from_millis(1_700_000_060_000);
const NEXT: Turn = Turn { least_traffic: 0, now: NOW, until: LATER };
const ALL: Reading = Reading { after: 0, answers_since: None, limit: 1_000 };

fn situation(name: &str) -> ContentHash {
    ContentHash::of_bytes(name.as_bytes())
}

pub(in crate::conformance) fn wanted(name: &str, traffic: u64) -> Wanted {
    let job = Job {
        signature: situation(name),
        traffic,
        uncertainty: Probability::ONE,
        knows: Knows::Nothing,
        since: NOW,
        not_before: NOW,
    };
    Wanted { product: product("p"), job, brief: Bytes::from(format!("brief of {name}")) }
}

fn page(text: &str, kind: Kind) -> NewPage {
    NewPage { product: product("p"), at: NOW, kind, body: Bytes::from(text.to_owned()) }
}

fn ended(name: &str, ending: Ending, pages: Vec<NewPage>) -> Ended {
    Ended { product: product("p"), signature: situation(name), ending, pages }
}

async fn want(store: &dyn Store, all: &[Wanted]) {
    store.want(all.to_vec()).await.expect("the store writes");
}

async fn next(store: &dyn Store, turn: Turn) -> Option<Waiting> {
    store.next_job(turn).await.expect("the store writes")
}

/// The brief and the traffic of the next situation.
async fn next_brief(store: &dyn Store, turn: Turn) -> Option<(Bytes, u64)> {
    next(store, turn).await.map(|job| (job.wanted.brief, job.wanted.job.traffic))
}

fn brief(name: &str, traffic: u64) -> Option<(Bytes, u64)> {
    Some((Bytes::from(format!("brief of {name}")), traffic))
}

/// A situation that is met again waits once, with the traffic of both, and is taken by one at a time; it survives a restart.
pub async fn a_situation_waits_once(place: &impl StorePlace) {
    let mut store = place.open().await;
    want(&*store, &[wanted("a", 2), wanted("b", 4)]).await;
    let of_q = Wanted { product: product("q"), ..wanted("a", 1) };
    want(&*store, std::slice::from_ref(&of_q)).await;
    let again = Wanted { brief: Bytes::from("newer"), ..wanted("a", 3) };
    let uncertainty = Probability::new(0.25).expect("in range");
    let surer = Job { uncertainty, knows: Knows::Stale, since: LATER, ..wanted("b", 1).job };
    want(&*store, &[again, Wanted { job: surer, ..wanted("b", 1) }]).await;
    store.close().await;
    store = place.open().await;
    assert_eq!(store.waiting().await.expect("the store reads"), 3);
    assert_eq!(next_brief(&*store, NEXT).await, Some((Bytes::from("newer"), 5)));
    let b = next(&*store, NEXT).await.expect("it waits");
    let expected = Job { traffic: 5, since: NOW, ..surer };
    assert_eq!((b.wanted.job, b.failures), (expected, 0));
    let q = next(&*store, NEXT).await.expect("it waits");
    assert_eq!(q.wanted, of_q);
    assert_eq!(next(&*store, NEXT).await, None, "all three are taken");
    // Whoever took them is gone.
    let turn = Turn { now: LATER, until: LATER + Millis::seconds(60), ..NEXT };
    assert_eq!(next_brief(&*store, turn).await, Some((Bytes::from("newer"), 5)));
}

/// What is worth most goes first; scarce money is for what many wait for; what rests is not due.
pub async fn the_situation_that_is_worth_most_goes_first(place: &impl StorePlace) {
    let store = place.open().await;
    let unsure = |of: Wanted, p: f64| {
        let uncertainty = Probability::new(p).expect("in range");
        Wanted { job: Job { uncertainty, ..of.job }, ..of }
    };
    let early = wanted("early", 7);
    let early = Wanted { job: Job { since: NOW - Millis::seconds(1), ..early.job }, ..early };
    let all = [unsure(wanted("known", 30), 0.1), wanted("rare", 6), wanted("late", 7), early];
    want(&*store, &all).await;
    let head = Turn { least_traffic: 20, ..NEXT };
    assert_eq!(next_brief(&*store, head).await, brief("known", 30));
    assert_eq!(next(&*store, head).await, None);
    assert_eq!(next_brief(&*store, NEXT).await, brief("early", 7));
    let rests = Ending::Rests { until: LATER, failures: 3 };
    store.end_job(ended("early", rests, Vec::new())).await.expect("the store writes");
    assert_eq!(next_brief(&*store, NEXT).await, brief("late", 7));
    assert_eq!(next_brief(&*store, NEXT).await, brief("rare", 6));
    assert_eq!(next(&*store, NEXT).await, None, "one rests, the others are taken");
    let turn = Turn { now: LATER, ..NEXT };
    let again = next(&*store, turn).await.expect("it is due");
    assert_eq!((again.failures, again.wanted.job.not_before), (3, LATER));
}

/// A job's end is one transaction: its pages stand in the book and the situation waits no longer.
pub async fn a_job_ends_with_its_pages(place: &impl StorePlace) {
    let mut store = place.open().await;
    want(&*store, &[wanted("a", 1)]).await;
    next(&*store, NEXT).await.expect("it waits");
    let pages = vec![page("one", Kind::Answer), page("two", Kind::Ruling)];
    let last = store.end_job(ended("a", Ending::Over, pages.clone())).await;
    assert_eq!(last.expect("the store writes"), 2);
    store.close().await;
    store = place.open().await;
    assert_eq!(store.waiting().await.expect("the store reads"), 0);
    let read = store.pages(ALL).await.expect("the store reads");
    assert_eq!(read.iter().map(|page| page.page.clone()).collect::<Vec<_>>(), pages);
    // A situation that went away meanwhile stays away.
    let rests = Ending::Rests { until: NOW, failures: 1 };
    store.end_job(ended("a", rests, Vec::new())).await.expect("the store writes");
    assert_eq!(store.waiting().await.expect("the store reads"), 0);
}

/// Pages are chained, read in order from anywhere, and old answers can be passed over.
pub async fn pages_are_chained(place: &impl StorePlace) {
    let mut store = place.open().await;
    let old = NewPage { at: NOW - Millis::days(40), ..page("old", Kind::Answer) };
    let of_q = NewPage { product: product("q"), ..page("q", Kind::Answer) };
    let ruling = NewPage { at: NOW - Millis::days(40), ..page("ruling", Kind::Ruling) };
    let written = [old, of_q, ruling, page("new", Kind::Answer)];
    for page in &written {
        store.write_pages(vec![page.clone()]).await.expect("the store writes");
        store.close().await;
        store = place.open().await;
    }
    let read = store.pages(ALL).await.expect("the store reads");
    let mut before = BEGINNING;
    for ((number, page), expected) in (1..).zip(&read).zip(&written) {
        before = chained(before, number, expected);
        assert_eq!(*page, Page { number, page: expected.clone(), hash: before });
    }
    assert_eq!(read.len(), 4);
    let numbers = |pages: Vec<Page>| pages.iter().map(|page| page.number).collect::<Vec<_>>();
    let young = Reading { answers_since: Some(NOW), ..ALL };
    assert_eq!(numbers(store.pages(young).await.expect("the store reads")), [2, 3, 4]);
    let part = Reading { after: 1, limit: 2, ..ALL };
    assert_eq!(numbers(store.pages(part).await.expect("the store reads")), [2, 3]);
    let of_p = |before, limit| store.answers(&product("p"), before, limit);
    for (before, limit, expected) in
        [(None, 9, &[4, 1][..]), (None, 1, &[4]), (Some(4), 9, &[1]), (Some(1), 9, &[])]
    {
        assert_eq!(numbers(of_p(before, limit).await.expect("the store reads")), expected);
    }
    let one = store.page_of(3).await.expect("the store reads");
    assert_eq!(one.as_ref(), read.get(2));
    assert_eq!(store.page_of(5).await.expect("the store reads"), None);
}

/// Several that write at once leave one chain without a gap, and no two take the same situation.
pub async fn many_advisors_share_the_book(place: &impl StorePlace) {
    let store = place.open().await;
    let names: Vec<String> = (0..24).map(|n| format!("s{n}")).collect();
    let all: Vec<Wanted> = names.iter().map(|name| wanted(name, 1)).collect();
    want(&*store, &all).await;
    let mut workers = JoinSet::new();
    for worker in 0..4 {
        let store = Arc::clone(&store);
        workers.spawn(async move {
            let mut taken = Vec::new();
            while let Some(job) = next(&*store, NEXT).await {
                let signature = job.wanted.job.signature;
                let pages = vec![page(&format!("{worker} {signature}"), Kind::Answer)];
                let ended = Ended { product: product("p"), signature, ending: Ending::Over, pages };
                store.end_job(ended).await.expect("the store writes");
                taken.push(signature);
            }
            taken
        });
    }
    let taken = workers.join_all().await.concat();
    let once: BTreeSet<ContentHash> = taken.iter().copied().collect();
    assert_eq!((taken.len(), once.len()), (24, 24));
    let read = store.pages(ALL).await.expect("the store reads");
    let mut before = BEGINNING;
    for (number, page) in (1..).zip(&read) {
        before = chained(before, number, &page.page);
        assert_eq!((page.number, page.hash), (number, before));
    }
    assert_eq!(read.len(), 24);
}

/// What users' profiles make wanted is written with them, or not at all; a reset leaves it alone.
pub async fn wanted_situations_are_written_with_their_users(place: &impl StorePlace) {
    let store = place.open().await;
    let users = vec![plain("a", None, "1")];
    let batch = Batch { users, wanted: vec![wanted("a", 1)], ..Batch::default() };
    let rows = store.write(batch).await.expect("the store writes");
    assert_eq!(store.waiting().await.expect("the store reads"), 1);
    // Row and user don't belong together: nothing of the batch stays.
    let users = vec![plain("b", Some(rows[0]), "2")];
    let batch = Batch { users, wanted: vec![wanted("b", 1)], ..Batch::default() };
    store.write(batch).await.expect_err("a row of another user");
    assert_eq!(store.waiting().await.expect("the store reads"), 1);
    store.write_pages(vec![page("one", Kind::Ruling)]).await.expect("the store writes");
    store.reset().await.expect("the store resets");
    assert_eq!(store.waiting().await.expect("the store reads"), 1);
    assert_eq!(store.pages(ALL).await.expect("the store reads").len(), 1);
}

/// The queue is bounded: what is worth least is dropped.
pub async fn the_queue_is_bounded(place: &impl StorePlace) {
    let store = place.open().await;
    let all: Vec<Wanted> = (0..MOST_WAITING).map(|n| wanted(&format!("s{n}"), 2)).collect();
    want(&*store, &all).await;
    want(&*store, &[wanted("least", 1), wanted("most", 9)]).await;
    assert_eq!(store.waiting().await.expect("the store reads"), MOST_WAITING as u64);
    assert_eq!(next_brief(&*store, NEXT).await, brief("most", 9));
    let mut turn = NEXT;
    turn.least_traffic = 3;
    assert_eq!(next(&*store, turn).await, None);
    let rest = all.len() - 1;
    let one = next(&*store, NEXT).await.expect("many wait");
    assert_eq!((one.wanted.job.traffic, rest), (2, MOST_WAITING - 1));
}

/// Workers that reserve at once never pass a cap by a micro-dollar, whatever becomes of their calls; the ledger survives a restart
/// and agrees with books that are kept without it.
pub async fn a_budget_is_never_passed(place: &impl StorePlace) {
    let mut store = place.open().await;
    let mut workers = JoinSet::new();
    for worker in 0..32 {
        workers.spawn(spends(Arc::clone(&store), worker));
    }
    let mut books = Books::default();
    for of_worker in workers.join_all().await {
        for (provider, amount) in of_worker.billed {
            *books.billed.entry(provider).or_default() += amount;
        }
        books.denied += of_worker.denied;
        books.lost += of_worker.lost;
    }
    assert!(books.denied > 0 && books.lost > 0, "{books:?}");
    let ledger = look(&*store, NOW).await;
    assert_eq!(ledger.reserved(), MicroUsd::new(books.lost));
    store.close().await;
    store = place.open().await;
    assert_eq!(look(&*store, NOW).await, ledger);
    let lapsed = look(&*store, LATER).await;
    let caps = caps();
    assert_eq!(lapsed.reserved(), MicroUsd::ZERO);
    let all: u64 = books.billed.values().sum();
    assert_eq!(
        (lapsed.spent_in_month(), lapsed.spent_in_day()),
        (MicroUsd::new(all), MicroUsd::new(all))
    );
    assert!(lapsed.spent_in_month() <= caps.month && Some(lapsed.spent_in_day()) <= caps.day);
    for (name, amount) in books.billed {
        let provider = provider(name);
        assert_eq!(lapsed.spent_with(&provider), MicroUsd::new(amount));
        assert!(caps.providers.get(&provider).is_none_or(|cap| MicroUsd::new(amount) <= *cap));
    }
}

/// What workers know of their calls, without the ledger.
#[derive(Debug, Default)]
struct Books {
    /// By provider, in micro-dollars: what was billed, and what may have been.
    billed: BTreeMap<&'static str, u64>,
    /// Of that, what nobody has settled.
    lost: u64,
    /// Calls that were not made.
    denied: usize,
}

fn provider(name: &str) -> ProviderId {
    ProviderId::new(name).expect("an identifier")
}

fn caps() -> Caps {
    let providers = BTreeMap::from([(provider("main"), MicroUsd::new(500))]);
    Caps { day: Some(MicroUsd::new(990)), month: MicroUsd::new(1_000), providers }
}

async fn look(store: &dyn Store, now: Timestamp) -> Ledger {
    store.step_budget(caps(), Command::Look, now).await.expect("the store writes").0
}

/// Calls one after the other, each of another price and with another end.
async fn spends(store: Arc<dyn Store>, worker: u64) -> Books {
    let mut books = Books::default();
    for call in 0..6 {
        let bits = scattered(worker * 6 + call);
        let name = ["main", "other"][(bits & 1) as usize];
        let worst = 1 + (bits >> 8) % 60;
        let reserve = Command::Reserve {
            provider: provider(name),
            worst: MicroUsd::new(worst),
            until: LATER,
        };
        let stepped = store.step_budget(caps(), reserve, NOW).await;
        let (ledger, effects) = stepped.expect("the store writes");
        let used = ledger.spent_in_month().plus(ledger.reserved());
        assert!(used <= caps().month && Some(used) <= caps().day, "{ledger:?}");
        let held = effects.iter().find_map(|effect| match effect {
            Effect::Granted(held) => Some(*held),
            _ => None,
        });
        let Some(held) = held else {
            books.denied += 1;
            continue;
        };
        let (cost, command) = match (bits >> 1) % 3 {
            0 => (0, Some(Command::Release(held))),
            1 => {
                let cost = (bits >> 16) % (worst + 1);
                (cost, Some(Command::Settle(held, MicroUsd::new(cost))))
            }
            // It dies without a word: its reservation stays, and lapses.
            _ => (worst, None),
        };
        *books.billed.entry(name).or_default() += cost;
        match command {
            Some(command) => {
                store.step_budget(caps(), command, NOW).await.expect("the store writes");
            }
            None => books.lost += cost,
        }
    }
    books
}

/// Bits that are spread like chance, and the same in every run.
fn scattered(seed: u64) -> u64 {
    let mixed = (seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed ^ (mixed >> 27)
}
