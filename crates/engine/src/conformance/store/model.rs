//! Any sequence of writes against a model of a few lines. Part of the store's suite.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use pilotage_domain::decide::Group;
use pilotage_domain::event::Position;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::folded::{cohort, counted, grid};
use super::{load, watermark};
use crate::conformance::{StorePlace, key};
use crate::port::store::{
    Batch, Cohort, Cohorts, Counting, RowId, Store, UserKey, UserWrite, Watermark,
};

/// A user of a batch, by number.
#[derive(Debug, Clone)]
struct Change {
    user: u8,
    body: Vec<u8>,
    spilled: Vec<(u8, u8)>,
    counting: Option<Option<(u8, bool)>>,
    /// Whether the caller tells the row, where it knows one.
    tells_row: bool,
}

#[derive(Debug, Clone)]
enum Step {
    Write(Vec<Change>, Option<u8>),
    Reset,
    Restart,
}

fn change() -> impl Strategy<Value = Change> {
    let body = prop_oneof![
        3 => prop::collection::vec(any::<u8>(), 0..40),
        1 => (any::<u8>(), 0..9_000usize).prop_map(|(byte, length)| vec![byte; length]),
    ];
    let spilled = prop::collection::vec((0..9u8, any::<u8>()), 0..3);
    let counting = prop::option::of(prop::option::of((0..4u8, any::<bool>())));
    (0..9u8, body, spilled, counting, any::<bool>()).prop_map(
        |(user, body, spilled, counting, tells_row)| Change {
            user,
            body,
            spilled,
            counting,
            tells_row,
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    let changes = prop::collection::vec(change(), 0..8);
    prop_oneof![
        10 => (changes, prop::option::of(any::<u8>())).prop_map(|(c, w)| Step::Write(c, w)),
        1 => Just(Step::Reset),
        2 => Just(Step::Restart),
    ]
}

/// What the store should hold.
#[derive(Default)]
struct Model {
    users: BTreeMap<UserKey, Held>,
    watermark: Watermark,
}

#[derive(Default)]
struct Held {
    row: Option<RowId>,
    body: Bytes,
    runs: BTreeMap<Position, Bytes>,
    cohort: Option<Cohort>,
}

/// Two products, so that keys and numbers are in different orders.
fn key_of(user: u8) -> UserKey {
    key(if user.is_multiple_of(3) { "q" } else { "p" }, &(100 - user).to_string())
}

fn group_of(number: u8) -> Group {
    [Group::Guided, Group::Holdout, Group::Random, Group::Static][usize::from(number)]
}

impl Model {
    /// The write that a caller makes of the change, and notes it.
    fn change(&mut self, change: Change) -> UserWrite {
        let key = key_of(change.user);
        let held = self.users.entry(key.clone()).or_default();
        let runs = change.spilled.into_iter();
        let spilled: Vec<(Position, Bytes)> =
            runs.map(|(at, byte)| (Position(u64::from(at)), vec![byte; 30].into())).collect();
        let counting = match change.counting {
            None => Counting::Unchanged,
            Some(None) => Counting::Not,
            Some(Some((g, active))) => Counting::As(cohort(group_of(g), active.then_some(1))),
        };
        held.body = change.body.into();
        held.runs.extend(spilled.iter().cloned());
        match counting {
            Counting::Unchanged => {}
            Counting::As(cohort) => held.cohort = Some(cohort),
            Counting::Not => held.cohort = None,
        }
        let row = held.row.filter(|_| change.tells_row);
        let (body, applied) = (held.body.clone(), Position(0));
        UserWrite { key, row, body, applied, spilled, counting }
    }

    fn counted(&self, product: &str) -> Cohorts {
        let mut counts = Cohorts::default();
        let own = self.users.iter().filter(|(key, _)| key.product.as_str() == product);
        own.filter_map(|(_, held)| held.cohort).for_each(|cohort| counts.add(&cohort, &grid()));
        counts
    }
}

/// Whatever is written, the store holds what the model holds.
pub fn follows_its_model<P: StorePlace>(make: impl Fn() -> P) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let mut runner =
        TestRunner::new(Config { cases: 48, failure_persistence: None, ..Config::default() });
    let steps = prop::collection::vec(step(), 1..16);
    let outcome = runner.run(&steps, |steps| {
        runtime.block_on(run(&make(), steps));
        Ok(())
    });
    outcome.expect("the store follows its model");
}

async fn run(place: &impl StorePlace, steps: Vec<Step>) {
    let (mut store, mut model) = (place.open().await, Model::default());
    for step in steps {
        match step {
            Step::Write(changes, position) => write(&*store, &mut model, changes, position).await,
            Step::Reset => {
                store.reset().await.expect("the store writes");
                model = Model::default();
            }
            Step::Restart => {
                store.close().await;
                store = place.open().await;
            }
        }
        compare(&store, &model).await;
    }
}

async fn write(store: &dyn Store, model: &mut Model, changes: Vec<Change>, position: Option<u8>) {
    let users: Vec<UserWrite> = changes.into_iter().map(|change| model.change(change)).collect();
    let keys: Vec<UserKey> = users.iter().map(|user| user.key.clone()).collect();
    let watermark = position.map(|position| watermark(u64::from(position)));
    model.watermark = watermark.clone().unwrap_or_else(|| model.watermark.clone());
    let rows = store
        .write(Batch { users, watermark, ..Batch::default() })
        .await
        .expect("the store writes");
    assert_eq!(rows.len(), keys.len());
    for (key, row) in keys.into_iter().zip(rows) {
        let known = model.users.entry(key).or_default().row.get_or_insert(row);
        assert_eq!(*known, row, "a row keeps its number");
    }
}

async fn compare(store: &Arc<dyn Store>, model: &Model) {
    let page = store.page(None, usize::MAX).await.expect("the store reads");
    let stored = page.iter().map(|(key, user)| (key, Some(user.row), &user.body));
    let expected = model.users.iter().map(|(key, held)| (key, held.row, &held.body));
    assert!(stored.eq(expected), "{page:?}");
    let keys: Vec<UserKey> = (0..9).map(key_of).collect();
    for (key, loaded) in keys.iter().zip(load(&**store, &keys).await) {
        let expected = model.users.get(key).map(|held| (held.row, &held.body));
        assert_eq!(loaded.as_ref().map(|user| (Some(user.row), &user.body)), expected);
    }
    for held in model.users.values() {
        let row = held.row.expect("it was written");
        let runs: Vec<_> = held.runs.iter().map(|(at, run)| (*at, run.clone())).collect();
        assert_eq!(store.spilled(row).await.expect("the store reads"), runs);
    }
    for product in ["p", "q"] {
        assert_eq!(counted(&**store, product).await, model.counted(product));
    }
    assert_eq!(store.watermark().await.expect("the store reads"), model.watermark);
}
