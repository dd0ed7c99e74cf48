//! Calls and money in a month: simulated visitors on the real engine, whose model is a script, beside one call for each event.
//! Must count what the engine did, not what it should do.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use pilotage_domain::advise::price::{PriceTable, Usage};
use pilotage_domain::time::Timestamp;
use pilotage_engine::memory::model::Line;
use pilotage_engine::memory::{ManualClock, MemoryLog, MemoryStore, Scripted, SeededEntropy};
use pilotage_engine::port::book::Book;
use pilotage_engine::{ClockMode, Engine, Options, Parts, ProductSource};
use pilotage_sim::{Plan, visit};

use crate::world::{ACME, acme, advised, answer, product};

const UNTIL: Timestamp = Timestamp::from_millis(1_780_000_000_000);
const DAYS: u32 = 30;
/// The clock of budgets and of advice's age follows the visitors' this often.
const FOLLOW: Duration = Duration::from_millis(2);

pub(crate) async fn run(visitors: u32) {
    let bytes = Arc::new(AtomicU64::new(0));
    let sent = Arc::clone(&bytes);
    let script = Arc::new(Scripted::of(move |_, request| {
        sent.fetch_add(request.len() as u64, Ordering::Relaxed);
        Line::Says(answer(request))
    }));
    let begin = Timestamp::from_millis(UNTIL.as_millis() - i64::from(DAYS) * 86_400_000);
    let (clock, store) = (Arc::new(ManualClock::new(begin)), Arc::new(MemoryStore::default()));
    let parts = Parts {
        log: Arc::new(MemoryLog::default()),
        store: store.clone(),
        clock: clock.clone(),
        entropy: Arc::new(SeededEntropy::new(1)),
        products: vec![ProductSource { definition: acme(), text: ACME.to_owned() }],
        options: Options {
            clock: ClockMode::Events,
            write_back_every: Duration::from_millis(50),
            ..advised(script, 2)
        },
    };
    let engine = Engine::open(parts).await.expect("memory opens");
    let following = tokio::spawn(follow(engine.clone(), clock));
    let start = Instant::now();
    let plan = Plan { visitors, seed: 1, until: UNTIL, days: DAYS };
    let visited = visit(&engine, &product(), &plan).await.expect("the visit ends");
    println!(
        "{visitors} visitors in {DAYS} days, simulated in {:.0} s",
        start.elapsed().as_secs_f64()
    );
    // What the last of them met is asked about as well.
    engine.settled().await.expect("the engine folds");
    while store.waiting().await.expect("memory answers") > 0 {
        tokio::time::sleep(FOLLOW).await;
    }
    following.abort();
    let counted = engine.model_counts().expect("a model is configured");
    engine.close().await;
    let of: Vec<_> = counted.providers.values().collect();
    let calls: u64 = of.iter().map(|p| p.passed + p.refused.values().sum::<u64>()).sum();
    let (input, output) = of
        .iter()
        .fold((0, 0), |(read, written), p| (read + p.tokens_read, written + p.tokens_written));
    assert_eq!(visited.invalid_exposures(), 0, "nothing invalid is shown");
    let (events, share) = (visited.events, calls as f64 / visited.events as f64);
    println!(
        "events {events}, calls {calls}: {:.3} % of one call per event (goal 0.5 %)",
        100.0 * share
    );
    println!(
        "of situations met: known {}, nothing to choose {}, wanted {}",
        counted.known, counted.nothing_to_ask, counted.wanted
    );
    println!("sent {} bytes, {input} tokens read, {output} written", bytes.load(Ordering::Relaxed));
    table(events, Usage { input, output });
}

/// Lets the machine's time be the visitors'.
async fn follow(engine: Engine, clock: Arc<ManualClock>) {
    use pilotage_engine::port::clock::Clock;
    loop {
        let now = engine.now();
        if now > clock.now() {
            clock.set(now);
        }
        tokio::time::sleep(FOLLOW).await;
    }
}

fn table(events: u64, usage: Usage) {
    let prices = PriceTable::built_in();
    println!(
        "\nprices of {}; one call per event reads 1,500 tokens and writes 250\n",
        prices.as_of
    );
    println!("| model | a call per event | a call per situation | of it |");
    println!("|---|---|---|---|");
    for (model, price) in prices.iter() {
        let (naive, ours) = (price.per_event(events), price.of(usage));
        let share = 100.0 * ours.get() as f64 / naive.get().max(1) as f64;
        println!("| `{model}` | {naive} | {ours} | {share:.3} % |");
    }
}
