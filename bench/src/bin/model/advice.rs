//! The time from a situation that nobody has met to a decision that hears advice about it, with a provider that takes 200 ms.
//! Must begin at the event and end at the decision.

use std::sync::Arc;
use std::time::{Duration, Instant};

use pilotage_adapters::sqlite;
use pilotage_bench::Wall;
use pilotage_domain::time::Millis;
use pilotage_engine::memory::model::Line;
use pilotage_engine::memory::{Scripted, SeededEntropy};
use pilotage_engine::{Engine, Options, Parts, ProductSource};

use crate::world::{advised, answer, guided, product, quantile, question, trial, user, version};

const PROVIDER: Millis = Millis::new(200);
const SITUATIONS: u64 = 9;
const LOOK: Duration = Duration::from_millis(5);

pub(crate) async fn run() {
    println!(
        "ms from a user's first event in a situation to a decision with advice; a provider of {} ms",
        PROVIDER.get()
    );
    for (what, write_back, asks) in [
        ("profiles stored every 5 s (the default), nobody decides before", 5_000, false),
        ("the same, and a decision meets the situation at once", 5_000, true),
        ("profiles stored every 250 ms", 250, false),
    ] {
        let mut taken = measured(Duration::from_millis(write_back), asks).await;
        taken.sort_unstable();
        let of = |share| quantile(&taken, share);
        println!("p50 {:>6}  p90 {:>6}  most {:>6}   {what}", of(0.5), of(0.9), of(1.0));
    }
}

/// One situation after the other, at moments of the write-back's pause that are spread evenly.
async fn measured(write_back: Duration, asks: bool) -> Vec<u64> {
    let folder = tempfile::tempdir().expect("a folder");
    let script = Scripted::of(|_, request| Line::SaysAfter(PROVIDER, answer(request)));
    let options = Options { write_back_every: write_back, ..advised(Arc::new(script), 2) };
    let engine = open(folder.path(), options).await;
    let mut taken = Vec::new();
    for n in 0..SITUATIONS {
        // What one is shown uses up the limits: whoever decides at once is another in the same situation.
        let (one, other, version) = (user(n), user(SITUATIONS + n), version(n));
        let start = Instant::now();
        let events = [trial(&one, &version), trial(&other, &version)].concat();
        engine.ingest(&product(), events).await.expect("taken");
        engine.settled().await.expect("folded");
        // Looking is deciding: where nobody is to decide before, the count of passed answers tells when to.
        let passed =
            || engine.model_counts().map_or(0, |c| c.providers.values().map(|p| p.passed).sum());
        let before: u64 = passed();
        if asks {
            engine.decide(&product(), question(other, &version)).await.expect("decided");
        }
        while passed() == before {
            tokio::time::sleep(LOOK).await;
        }
        loop {
            let decided = engine.decide(&product(), question(one.clone(), &version)).await;
            if decided.expect("decided").decision.trace.advice.is_some() {
                break;
            }
            tokio::time::sleep(LOOK).await;
        }
        taken.push(start.elapsed().as_millis() as u64);
        tokio::time::sleep(write_back * (n % 7) as u32 / 7).await;
    }
    engine.close().await;
    taken
}

pub(crate) async fn open(folder: &std::path::Path, options: Options) -> Engine {
    let embedded = sqlite::open(folder, &sqlite::Options::default()).expect("the folder opens");
    let definition = pilotage_wire::yaml::load(&guided()).expect("it loads").definition;
    let parts = Parts {
        log: embedded.log,
        store: embedded.store,
        clock: Arc::new(Wall),
        entropy: Arc::new(SeededEntropy::new(7)),
        products: vec![ProductSource { definition, text: guided() }],
        options,
    };
    Engine::open(parts).await.expect("the engine opens")
}
