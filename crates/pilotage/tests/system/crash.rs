//! The process killed at random moments under load. Must find every acknowledged event exactly once afterwards.

use std::sync::atomic::{AtomicBool, Ordering};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::installation::{Installation, Server};
use crate::load::{Books, send_until_gone};
use crate::process::eventually;

const ROUNDS: u32 = 5;

/// `CRASH_SEED`, or a new one; either way it is told, so that a failure can be had again.
fn seed() -> u64 {
    let given = std::env::var("CRASH_SEED").ok();
    let seed = given.map_or_else(rand::random, |text| text.parse().expect("a number"));
    #[expect(clippy::print_stderr, reason = "shown with a failure, which it lets come again")]
    {
        eprintln!("CRASH_SEED={seed}");
    }
    seed
}

/// Sends to the server until it is killed, once that many more events are answered for.
fn crash(server: Server, books: &Books, seed: u64, more: usize) {
    let address = server.address;
    let going = AtomicBool::new(false);
    let enough = books.acknowledged() + more;
    let new_client = || crate::client::Client::new(address);
    send_until_gone(books, seed, new_client, &going, || {
        eventually("enough is acknowledged", || (books.acknowledged() >= enough).then_some(()));
        going.store(true, Ordering::SeqCst);
        server.kill();
    });
}

#[test]
fn every_acknowledged_event_survives_any_kill_exactly_once() {
    let seed = seed();
    let mut chance = StdRng::seed_from_u64(seed);
    // Profiles are written back all the time, so that kills fall between log and store too.
    let installation = Installation::dev().set("PILOTAGE_WRITE_BACK_MS", "20");
    let books = Books::default();
    for _ in 0..ROUNDS {
        let server = installation.start();
        books.check(&server.client());
        crash(server, &books, chance.random(), chance.random_range(40..250));
        match chance.random_range(0..3) {
            0 => drop(installation.begin()),
            1 => Server::of(installation.begin()).kill(),
            _ => {}
        }
    }
    assert!(books.has_unanswered(), "no kill met a request: the load is too light");
    assert_eq!(installation.rebuild()["same"], true, "the profiles are the log's fold");
    books.check(&installation.start().client());
}
