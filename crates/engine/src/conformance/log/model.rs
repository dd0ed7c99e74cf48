//! Any sequence of calls against a model of a few lines. Part of the log's suite.

use std::collections::HashMap;
use std::sync::Arc;

use pilotage_domain::event::Position;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::{append, assert_is, read_all};
use crate::conformance::{LogPlace, decision, event, naming};
use crate::port::log::{Appended, Entry, EntryName, Log};

/// One step; names are drawn from so few that many are doubled.
#[derive(Debug, Clone)]
enum Step {
    Append(Vec<(u8, u8)>),
    Enqueue(u8, u8),
    Decide(u8),
    Name(u8, u8),
    Barrier,
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let name = || (0..3u8, 0..12u8);
    prop_oneof![
        4 => prop::collection::vec(name(), 0..6).prop_map(Step::Append),
        2 => name().prop_map(|(user, id)| Step::Enqueue(user, id)),
        2 => (0..3u8).prop_map(Step::Decide),
        2 => name().prop_map(|(anonymous, known)| Step::Name(anonymous, known)),
        1 => Just(Step::Barrier),
        1 => Just(Step::Restart),
    ]
}

/// What the log should hold, in order.
#[derive(Default)]
struct Model {
    entries: Vec<Entry>,
    /// By user and id: the index of the entry.
    events: HashMap<(u8, u8), usize>,
    /// By anonymous and known user: the index of the entry.
    namings: HashMap<(u8, u8), usize>,
}

impl Model {
    /// Takes the event; the index of the first of that name, and whether this one is it.
    fn event(&mut self, name: (u8, u8)) -> (usize, bool) {
        let next = self.entries.len();
        let index = *self.events.entry(name).or_insert(next);
        if index == next {
            self.entries.push(event_of(name));
        }
        (index, index == next)
    }

    /// The same of a naming.
    fn name(&mut self, users: (u8, u8)) -> (usize, bool) {
        let next = self.entries.len();
        let index = *self.namings.entry(users).or_insert(next);
        if index == next {
            self.entries.push(naming_of(users));
        }
        (index, index == next)
    }

    fn decide(&mut self, user: u8) -> Entry {
        let entry = decision(&user.to_string(), self.entries.len() as u128);
        self.entries.push(entry.clone());
        entry
    }
}

fn event_of((user, id): (u8, u8)) -> Entry {
    event(&user.to_string(), &id.to_string())
}

fn naming_of((anonymous, known): (u8, u8)) -> Entry {
    naming(&anonymous.to_string(), &known.to_string())
}

/// Whatever is done, the log holds what the model holds and answers as it does.
pub fn follows_its_model<P: LogPlace>(make: impl Fn() -> P) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let mut runner =
        TestRunner::new(Config { cases: 48, failure_persistence: None, ..Config::default() });
    let steps = prop::collection::vec(step(), 1..30);
    let outcome = runner.run(&steps, |steps| {
        runtime.block_on(run(&make(), steps));
        Ok(())
    });
    outcome.expect("the log follows its model");
}

async fn run(place: &impl LogPlace, steps: Vec<Step>) {
    let (mut log, mut model) = (place.open().await, Model::default());
    // The answers to `append`, to be compared once it is known where each record stands.
    let mut answers: Vec<(usize, Appended)> = Vec::new();
    for step in steps {
        match step {
            Step::Append(names) => {
                let entries = names.iter().map(|name| event_of(*name)).collect();
                let appended = append(&*log, entries).await;
                for (name, appended) in names.into_iter().zip(appended) {
                    let (index, new) = model.event(name);
                    assert_eq!(matches!(appended, Appended::New(_)), new, "{name:?}");
                    answers.push((index, appended));
                }
            }
            Step::Enqueue(user, id) => {
                log.enqueue(event_of((user, id))).expect("the queue has room");
                model.event((user, id));
            }
            Step::Decide(user) => {
                log.enqueue(model.decide(user)).expect("the queue has room");
            }
            Step::Name(anonymous, known) => {
                let appended = append(&*log, vec![naming_of((anonymous, known))]).await;
                let (index, new) = model.name((anonymous, known));
                assert_eq!(matches!(appended[0], Appended::New(_)), new, "{anonymous} is {known}");
                answers.push((index, appended[0]));
            }
            Step::Barrier => log.barrier().await.expect("the log goes on"),
            Step::Restart => {
                log.close().await;
                log = place.open().await;
            }
        }
    }
    log.barrier().await.expect("the log goes on");
    compare(log, &model, &answers).await;
}

async fn compare(log: Arc<dyn Log>, model: &Model, answers: &[(usize, Appended)]) {
    let stored = read_all(&*log).await;
    assert_eq!(stored.len(), model.entries.len());
    let positions: Vec<Position> = stored.iter().map(|stored| stored.position).collect();
    assert!(positions.is_sorted_by(|a, b| a < b));
    for (stored, entry) in stored.iter().zip(&model.entries) {
        assert_is(stored, stored.position, entry);
        let found = match &entry.name {
            EntryName::Event(id) => log.find_event(&entry.product, &entry.user, id).await,
            EntryName::Decision(id) => log.find_decision(*id).await,
            EntryName::Named(_) | EntryName::Carried(..) => continue,
        };
        assert_eq!(found.expect("the log reads"), Some(stored.position));
    }
    for (index, appended) in answers {
        assert_eq!(appended.position(), positions[*index]);
    }
    let got = log.get(positions.clone()).await.expect("the log reads");
    assert_eq!(got.iter().map(|stored| stored.position).collect::<Vec<_>>(), positions);
}
