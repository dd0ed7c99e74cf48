//! Projection at scale: `load` a million users with a kilobyte of facts each, `live` traffic spread evenly over them,
//! and `recover` after a kill. Must use the engine as the server does.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use pilotage_bench::{engine, event, first_event, mix, product, resident_mb};
use pilotage_engine::Engine;
use tokio::task::JoinSet;

const BATCH: u64 = 2_500;
/// How many batches of live traffic are under way at once: a server's callers do not wait for each other's commits.
const PRODUCERS: usize = 2;
/// How many events may be taken and not yet folded; the producers wait beyond that.
const MOST_BEHIND: u64 = 20_000;

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let usage = "project load FOLDER USERS | live FOLDER USERS SECONDS | recover FOLDER";
    let number = |place: usize| arguments.get(place).and_then(|n| n.parse::<u64>().ok());
    let folder = Path::new(arguments.get(1).expect(usage));
    let users_mb = 6_144;
    let opened = Instant::now();
    let engine = engine(folder, users_mb).await;
    match arguments.first().map(String::as_str) {
        Some("load") => load(&engine, number(2).expect(usage)).await,
        Some("live") => {
            engine.caught_up().await;
            let users = number(2).expect(usage);
            wake(&engine, users).await;
            live(&engine, users, number(3).expect(usage)).await;
        }
        Some("recover") => {
            let at = applied(&engine);
            engine.caught_up().await;
            let (took, end) = (opened.elapsed().as_secs_f64(), applied(&engine));
            println!(
                "recovered {} records in {took:.2} s, {:.0} a second, {} MiB resident",
                end - at,
                (end - at) as f64 / took,
                resident_mb()
            );
        }
        _ => panic!("{usage}"),
    }
    engine.close().await;
}

async fn load(engine: &Engine, users: u64) {
    let start = Instant::now();
    for first in (0..users).step_by(BATCH as usize) {
        let events = (first..(first + BATCH).min(users)).map(first_event).collect();
        engine.ingest(&product(), events).await.expect("taken");
    }
    engine.settled().await.expect("folded");
    let seconds = start.elapsed().as_secs_f64();
    println!("loaded {users} users in {seconds:.1} s, {:.0} a second", users as f64 / seconds);
}

/// An event of everyone, in an order that is not the store's: each meets a user who is not in memory.
async fn wake(engine: &Engine, users: u64) {
    let start = Instant::now();
    let first = applied(engine);
    for begin in (0..users).step_by(BATCH as usize) {
        // 7,919 is a prime, so that nobody comes twice.
        let events = (begin..users.min(begin + BATCH)).map(|n| event(n * 7_919 % users)).collect();
        engine.ingest(&product(), events).await.expect("taken");
        keep_up(engine, first + begin + BATCH).await;
    }
    engine.settled().await.expect("folded");
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "{users} users came into memory in {seconds:.1} s, {:.0} a second",
        users as f64 / seconds
    );
}

/// Waits until not too much is behind.
async fn keep_up(engine: &Engine, taken: u64) {
    while taken > applied(engine) + MOST_BEHIND {
        tokio::time::sleep(Duration::from_micros(200)).await;
    }
}

/// Traffic for so long, from several producers.
async fn live(engine: &Engine, users: u64, seconds: u64) {
    let (start, first) = (Instant::now(), applied(engine));
    let sent = Arc::new(AtomicU64::new(0));
    let mut producers = JoinSet::new();
    for _ in 0..PRODUCERS {
        let (engine, sent) = (engine.clone(), Arc::clone(&sent));
        producers.spawn(async move {
            while start.elapsed() < Duration::from_secs(seconds) {
                let begin = sent.fetch_add(BATCH, Ordering::Relaxed);
                let events = (begin..begin + BATCH).map(|n| event(mix(n) % users)).collect();
                engine.ingest(&product(), events).await.expect("taken");
                keep_up(&engine, first + sent.load(Ordering::Relaxed)).await;
            }
        });
    }
    let telling = tokio::spawn(tell(engine.clone()));
    producers.join_all().await;
    telling.abort();
    engine.settled().await.expect("folded");
    let total = (applied(engine) - first) as f64;
    println!("sustained {:.0} events/s over {seconds} s", total / start.elapsed().as_secs_f64());
}

/// Says every five seconds how many events were folded in them.
async fn tell(engine: Engine) {
    let window = Duration::from_secs(5);
    for passed in 1.. {
        let (told, at) = (applied(&engine), Instant::now());
        tokio::time::sleep(window).await;
        let rate = (applied(&engine) - told) as f64 / at.elapsed().as_secs_f64();
        println!("{:>4} s: {rate:>8.0} events/s, {} MiB resident", passed * 5, resident_mb());
    }
}

/// The last record that is in the profiles.
fn applied(engine: &Engine) -> u64 {
    engine.figures().expect("a log of its own").applied.0
}
