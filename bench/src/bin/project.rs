//! Projection at scale: `load` a million users with a kilobyte of facts each, `live` traffic spread evenly over them,
//! and `recover` after a kill. Must use the engine as the server does.

use std::path::Path;
use std::time::{Duration, Instant};

use pilotage_bench::{engine, event, first_event, mix, product, resident_mb};
use pilotage_engine::Engine;

const BATCH: u64 = 2_500;
/// How many events may be taken and not yet folded; the producer waits beyond that.
const MOST_BEHIND: u64 = 10_000;

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

async fn live(engine: &Engine, users: u64, seconds: u64) {
    let start = Instant::now();
    let first = applied(engine);
    let (mut sent, mut told, mut told_at) = (0u64, first, start);
    while start.elapsed() < Duration::from_secs(seconds) {
        let events = (sent..sent + BATCH).map(|n| event(mix(n) % users)).collect();
        engine.ingest(&product(), events).await.expect("taken");
        sent += BATCH;
        keep_up(engine, first + sent).await;
        if told_at.elapsed() >= Duration::from_secs(5) {
            let applied = applied(engine);
            let rate = (applied - told) as f64 / told_at.elapsed().as_secs_f64();
            println!(
                "{:>4} s: {rate:>8.0} events/s, {} MiB resident",
                start.elapsed().as_secs(),
                resident_mb()
            );
            (told, told_at) = (applied, Instant::now());
        }
    }
    engine.settled().await.expect("folded");
    let total = (applied(engine) - first) as f64;
    println!("sustained {:.0} events/s over {seconds} s", total / start.elapsed().as_secs_f64());
}

/// The last record that is in the profiles.
fn applied(engine: &Engine) -> u64 {
    engine.figures().expect("a log of its own").applied.0
}
