//! Decisions while every call to the provider hangs, beside the same decisions with a provider that answers, and with none. Must
//! take the three in turn, on the same users and situations.

use std::sync::Arc;
use std::time::{Duration, Instant};

use pilotage_domain::policy::Policy;
use pilotage_engine::memory::Scripted;
use pilotage_engine::memory::model::Line;
use pilotage_engine::{Engine, Options};

use crate::advice::open;
use crate::world::{advised, answer, product, quantile, question, trial, user, version};

const USERS: u64 = 2_000;
/// So many situations, which is as many jobs as wait.
const SITUATIONS: u64 = 400;
const DECISIONS: u64 = 40_000;
const ROUNDS: usize = 3;

#[derive(Debug, Clone, Copy)]
enum Provider {
    None,
    Answers,
    Hangs,
}

pub(crate) async fn run() {
    println!(
        "{DECISIONS} decisions one after the other, {USERS} users, {SITUATIONS} situations, 8 jobs at a time; µs"
    );
    for round in 1..=ROUNDS {
        for provider in [Provider::None, Provider::Answers, Provider::Hangs] {
            let (taken, under_way) = measured(provider).await;
            let of = |share| quantile(&taken, share) / 1_000;
            println!(
                "round {round}: {:<8} p50 {:>5}  p99 {:>5}  p99.9 {:>6}   calls begun {under_way}",
                format!("{provider:?}"),
                of(0.5),
                of(0.99),
                of(0.999)
            );
        }
    }
}

/// Nanoseconds of each decision, sorted, and how many calls had been begun by the end.
async fn measured(provider: Provider) -> (Vec<u64>, usize) {
    let folder = tempfile::tempdir().expect("a folder");
    let script = Arc::new(match provider {
        Provider::Hangs => Scripted::of(|_, _| Line::Hangs),
        _ => Scripted::of(|_, request| Line::Says(answer(request))),
    });
    let options = match provider {
        Provider::None => {
            Options { policy: Policy::Random, advisor: None, ..advised(script.clone(), 8) }
        }
        _ => advised(script.clone(), 8),
    };
    let engine = open(folder.path(), options).await;
    settle(&engine, provider, &script).await;
    let mut taken = Vec::with_capacity(DECISIONS as usize);
    for n in 0..DECISIONS {
        let who = n % USERS;
        let call = question(user(who), &version(who % SITUATIONS));
        let start = Instant::now();
        engine.decide(&product(), call).await.expect("decided");
        taken.push(start.elapsed().as_nanos() as u64);
    }
    taken.sort_unstable();
    let begun = script.asked().len();
    engine.close().await;
    (taken, begun)
}

/// Lets the users come, and waits until calls are under way or have been answered.
async fn settle(engine: &Engine, provider: Provider, script: &Scripted) {
    for who in 0..USERS {
        let events = trial(&user(who), &version(who % SITUATIONS));
        engine.ingest(&product(), events).await.expect("taken");
    }
    engine.settled().await.expect("folded");
    let enough = match provider {
        Provider::None => 0,
        // Every job hangs, and another can begin only once one has given up.
        Provider::Hangs => 8,
        Provider::Answers => SITUATIONS as usize,
    };
    while script.asked().len() < enough {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
