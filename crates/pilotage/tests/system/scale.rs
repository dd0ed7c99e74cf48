//! Several processes over Kafka and PostgreSQL, and what happens to them: killed, put to sleep, thrown about, cut off. After
//! each, every event that was answered for is there once, in its user's order, and the profiles are the log's fold. Must run
//! on real services (save `produce_errors`), one test at a time: each is a crowd by itself.

mod callers;
mod fleet;
mod full;
mod played;
mod produce_errors;
mod stack;

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::json;

use crate::client::Client;
use crate::installation::{Installation, Server};
use crate::process::eventually;
use crate::shared::Shared;
use crate::user::User;
use callers::{Callers, Doors};
use fleet::{Fleet, partitions};
use full::{Full, REFUSAL};
use stack::Stack;

/// How much happens between two blows.
const SOME: usize = 60;

/// The machine, for one of these tests.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn doors(fleet: &Fleet) -> Arc<Doors> {
    let doors = Arc::new(Doors::default());
    open(&doors, fleet);
    doors
}

/// The doors are those of the fleet as it is now.
fn open(doors: &Doors, fleet: &Fleet) {
    *doors.ingest.lock().expect("no caller has failed") = fleet.ingest_addresses();
    *doors.decide.lock().expect("no caller has failed") = fleet.decide_addresses();
}

/// A fleet on the services of the run.
fn fleet(counts: [usize; 3]) -> Fleet {
    Fleet::start(Installation::shared(Shared::new()), counts)
}

/// The same, whose processes learn: what is learnt is compared with a rebuild as the profiles are.
fn learning_fleet(shared: Shared, counts: [usize; 3]) -> Fleet {
    Fleet::start(Installation::shared(shared).set("PILOTAGE_POLICY", "learner"), counts)
}

/// What is one installation's own, on services of its own.
fn shared_on(stack: &Stack) -> Shared {
    Shared::on(stack.env("PILOTAGE_TEST_KAFKA"), stack.env("PILOTAGE_TEST_POSTGRES"))
}

/// A fleet on services of its own.
fn fleet_on(stack: &Stack, counts: [usize; 3]) -> Fleet {
    Fleet::start(Installation::shared(shared_on(stack)), counts)
}

/// The callers end, and all that they were answered for is there.
fn settle(callers: Callers, fleet: Fleet) -> usize {
    let answered = callers.end();
    answered.check(&fleet.reader());
    fleet.end();
    answered.refused
}

/// How many exposures the published state of the learner counts, once one is published.
fn learnt(reader: &Client) -> u64 {
    eventually("what is learnt is published", || {
        let report = reader.get("/api/v1/report").json();
        let arms = report["arms"].as_array()?.iter();
        let shown: u64 = arms.filter_map(|arm| arm["shown"].as_u64()).sum();
        (shown > 0).then_some(shown)
    })
}

#[test]
fn processes_that_are_killed_lose_nothing() {
    let _turn = turn();
    let mut fleet = learning_fleet(Shared::new(), [2, 2, 1]);
    let doors = doors(&fleet);
    let callers = Callers::start(&doors);
    for round in 0..4 {
        callers.wait_for(SOME);
        if round % 2 == 0 {
            fleet.workers.remove(0).kill();
            fleet.workers.push(fleet.one_more("worker"));
        } else {
            fleet.ingests.remove(0).kill();
            fleet.ingests.push(fleet.one_more("ingest"));
            open(&doors, &fleet);
        }
    }
    callers.wait_for(SOME);
    let learnt = learnt(&fleet.reader());
    let refused = settle(callers, fleet);
    assert!(refused > 0, "no kill met a call: the load is too light");
    assert!(learnt > 0, "nothing was learnt that could be lost");
}

#[test]
fn a_worker_that_wakes_up_after_it_was_replaced_writes_nothing() {
    let _turn = turn();
    let fleet = learning_fleet(Shared::new(), [1, 2, 1]);
    let callers = Callers::start(&doors(&fleet));
    callers.wait_for(SOME);
    let (sleeper, other) = match &fleet.workers[..] {
        [first, second] if partitions(first) > 0 => (first, second),
        [first, second] => (second, first),
        _ => panic!("there are two workers"),
    };
    assert!(partitions(sleeper) > 0, "it has something to lose");
    for _ in 0..2 {
        sleeper.process.signal("STOP");
        fleet.wait_until_folding(&[other]);
        callers.wait_for(SOME);
        sleeper.process.signal("CONT");
        callers.wait_for(SOME);
        fleet.wait_until_folding(&[sleeper, other]);
        eventually("the woken one has partitions again", || {
            (partitions(sleeper) > 0).then_some(())
        });
    }
    settle(callers, fleet);
}

#[test]
fn workers_that_come_and_go_all_the_time_lose_nothing() {
    let _turn = turn();
    let fleet = fleet([1, 1, 1]);
    let callers = Callers::start(&doors(&fleet));
    for round in 0..6 {
        let guest = fleet.one_more("worker");
        if round % 3 == 0 {
            eventually("the guest has partitions", || (partitions(&guest) > 0).then_some(()));
        }
        callers.wait_for(SOME / 4);
        if round % 2 == 0 {
            guest.stop();
        } else {
            guest.kill();
        }
    }
    fleet.wait_until_folding(&fleet.workers.iter().collect::<Vec<_>>());
    settle(callers, fleet);
}

#[test]
fn a_broker_that_is_away_is_told_at_once_and_waited_for() {
    let _turn = turn();
    let stack = Stack::hold("it-broker", 1);
    let fleet = fleet_on(&stack, [1, 1, 1]);
    let callers = Callers::start(&doors(&fleet));
    callers.wait_for(SOME);
    for how in ["stop kafka-1", "stop kafka-1 --how crash"] {
        stack.order(how);
        callers.wait_for_refusals(8);
        let ingest = &fleet.ingests[0];
        let not_ready = || (ingest.client().get("/readyz").status == 503).then_some(());
        eventually("it says that it is cut off", not_ready);
        let event = User::new(&ingest.client(), 999).body("page_view", json!({}));
        let reply = ingest.client().post("/api/v1/events", &event);
        assert_eq!(reply.problem(), (503, "unavailable".to_owned()));
        stack.order("start kafka-1");
        callers.wait_for(SOME);
    }
    settle(callers, fleet);
}

#[test]
fn leaders_that_move_lose_nothing() {
    let _turn = turn();
    let stack = Stack::hold("it-leaders", 3);
    let installation =
        Installation::shared(shared_on(&stack)).set("PILOTAGE_KAFKA_REPLICATION", "3");
    let fleet = Fleet::start(installation, [1, 1, 1]);
    let callers = Callers::start(&doors(&fleet));
    for broker in ["kafka-2", "kafka-3"] {
        callers.wait_for(SOME);
        stack.order(&format!("stop {broker} --how crash"));
        callers.wait_for(SOME);
        stack.order(&format!("start {broker}"));
    }
    callers.wait_for(SOME);
    settle(callers, fleet);
}

#[test]
fn a_database_that_is_away_is_waited_for() {
    let _turn = turn();
    let stack = Stack::hold("it-database", 1);
    let fleet = fleet_on(&stack, [1, 1, 1]);
    let callers = Callers::start(&doors(&fleet));
    for how in ["stop postgres", "stop postgres --how crash"] {
        callers.wait_for(SOME);
        stack.order(how);
        // The log is there: events are taken all the same.
        callers.wait_for(SOME);
        stack.order("start postgres");
    }
    callers.wait_for(SOME);
    settle(callers, fleet);
}

#[test]
fn a_database_without_room_is_waited_for() {
    let _turn = turn();
    let stack = Stack::hold("it-full", 1);
    let mut fleet = learning_fleet(shared_on(&stack), [1, 2, 1]);
    let callers = Callers::start(&doors(&fleet));
    let refusals = |workers: &[Server]| -> usize {
        workers.iter().map(|worker| worker.process.said().matches(REFUSAL).count()).sum()
    };
    for round in 0..2 {
        callers.wait_for(SOME);
        let full = Full::of(&stack, &fleet.installation);
        let told = refusals(&fleet.workers);
        // The log is there: events are taken all the same.
        callers.wait_for(SOME);
        eventually("the workers are told again and again", || {
            (refusals(&fleet.workers) > told + 4).then_some(())
        });
        if round == 1 {
            fleet.workers.remove(0).kill();
            callers.wait_for(SOME);
        }
        full.end();
    }
    fleet.workers.push(fleet.one_more("worker"));
    callers.wait_for(SOME);
    settle(callers, fleet);
}

#[test]
fn sessions_of_the_database_that_are_cut_are_made_again() {
    let _turn = turn();
    let fleet = fleet([1, 1, 1]);
    let callers = Callers::start(&doors(&fleet));
    for _ in 0..5 {
        callers.wait_for(SOME / 2);
        fleet.installation.cut_sessions();
    }
    callers.wait_for(SOME);
    settle(callers, fleet);
}

#[test]
fn two_processes_together_keep_to_a_limit_and_to_a_pause() {
    let _turn = turn();
    let fleet = fleet([1, 1, 2]);
    let ingest = fleet.ingests[0].client();
    let user = User::new(&ingest, 1);
    let event = user.event("signed_up", json!({}));
    let (reader, path) = (fleet.reader(), format!("/api/v1/users/{}", user.id));
    eventually("the event is folded", || (reader.get(&path).status == 200).then_some(()));
    let ask = user.ask("/projects", &event);
    let shown = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for number in 0..8 {
            let (server, ask, shown) = (&fleet.decides[number % 2], &ask, &shown);
            scope.spawn(move || {
                let decision = server.client().post("/api/v1/decisions", ask).expect(200);
                shown.fetch_add(usize::from(decision["outcome"] == "show"), Ordering::SeqCst);
            });
        }
    });
    assert_eq!(
        shown.into_inner(),
        1,
        "eight asked at once, and one may be shown a guide in five minutes"
    );

    let [first, second] = &fleet.decides[..] else { panic!("two decide") };
    let other = User::new(&ingest, 2);
    let event = other.event("signed_up", json!({}));
    first.client().post("/api/v1/guides/create-project/pause", &json!({})).expect(200);
    let paused = |server: &Server, is_paused: bool| {
        let user = User { client: &server.client(), id: other.id.clone() };
        let decision = user.decision("/projects", &event);
        (crate::user::gate(&decision, "create-project") == "lifecycle") == is_paused
    };
    eventually("the other process knows", || paused(second, true).then_some(()));
    second.client().post("/api/v1/guides/create-project/resume", &json!({})).expect(200);
    eventually("the first process knows", || paused(first, false).then_some(()));
    fleet.end();
}
