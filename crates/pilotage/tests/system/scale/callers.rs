//! Callers who don't give up: each sends its users' events one after the other, again and again until each is answered for,
//! to whichever process answers. Must not forgive a lost, a doubled or an overtaken event.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde_json::{Value, json};

use crate::client::{Client, Reply};
use crate::process::eventually;
use crate::user::{User, user_id};

const CALLERS: u32 = 4;
/// Each user is one caller's alone: so its events have an order.
const USERS_OF_EACH: u32 = 3;
/// Before a refused or broken call is tried again.
const PAUSE: Duration = Duration::from_millis(20);

/// Where the callers may turn to; a test changes it as processes come and go.
#[derive(Default)]
pub(super) struct Doors {
    pub(super) ingest: Mutex<Vec<SocketAddr>>,
    pub(super) decide: Mutex<Vec<SocketAddr>>,
}

/// What all callers have in common.
struct Street {
    doors: Arc<Doors>,
    stop: AtomicBool,
    answered: AtomicUsize,
    refused: AtomicUsize,
    decided: AtomicUsize,
}

/// Callers at work.
pub(super) struct Callers {
    street: Arc<Street>,
    threads: Vec<JoinHandle<BTreeMap<u32, Vec<String>>>>,
}

/// What was answered for.
pub(super) struct Answered {
    /// Each user's events in their order.
    events: BTreeMap<u32, Vec<String>>,
    /// How many calls were refused or broken.
    pub(super) refused: usize,
}

impl Callers {
    /// Begins to call.
    pub(super) fn start(doors: &Arc<Doors>) -> Self {
        let street = Arc::new(Street {
            doors: doors.clone(),
            stop: AtomicBool::new(false),
            answered: AtomicUsize::new(0),
            refused: AtomicUsize::new(0),
            decided: AtomicUsize::new(0),
        });
        let threads = (0..CALLERS).map(|number| {
            let street = street.clone();
            let calls = move || Caller::new(number, street).run();
            thread::Builder::new().name(format!("caller {number}")).spawn(calls).expect("a thread")
        });
        let threads = threads.collect();
        Self { street, threads }
    }

    /// Waits until so many more events are answered for.
    pub(super) fn wait_for(&self, more: usize) {
        let enough = self.street.answered.load(Ordering::SeqCst) + more;
        eventually("enough is answered for", || {
            (self.street.answered.load(Ordering::SeqCst) >= enough).then_some(())
        });
    }

    /// Waits until so many more calls are refused or broken.
    pub(super) fn wait_for_refusals(&self, more: usize) {
        let enough = self.street.refused.load(Ordering::SeqCst) + more;
        eventually("enough is refused", || {
            (self.street.refused.load(Ordering::SeqCst) >= enough).then_some(())
        });
    }

    /// Ends, once what each caller has begun is answered for.
    pub(super) fn end(self) -> Answered {
        self.street.stop.store(true, Ordering::SeqCst);
        let mut events = BTreeMap::new();
        for thread in self.threads {
            events.extend(thread.join().expect("no caller has failed"));
        }
        assert!(self.street.decided.load(Ordering::SeqCst) > 0, "nobody has decided anything");
        Answered { events, refused: self.street.refused.load(Ordering::SeqCst) }
    }
}

impl Answered {
    /// Compares with what the installation knows, once it has caught up: every event once, in order.
    pub(super) fn check(&self, reader: &Client) {
        for (number, sent) in &self.events {
            let user = User::new(reader, *number);
            let path = format!("/api/v1/users/{}", user.id);
            eventually("all of a user's events are folded", || {
                let reply = reader.get(&path);
                let events = (reply.status == 200).then(|| reply.json()["events"].as_u64())?;
                (events? >= sent.len() as u64).then_some(())
            });
            assert_eq!(user.profile()["events"], json!(sent.len()), "events of user {number}");
            assert_eq!(&user.events(), sent, "the timeline of user {number}");
        }
    }
}

struct Caller {
    number: u32,
    street: Arc<Street>,
    ingest: Line,
    decide: Line,
    sent: BTreeMap<u32, Vec<String>>,
}

impl Caller {
    fn new(number: u32, street: Arc<Street>) -> Self {
        let turn = number as usize;
        let (ingest, decide) = (Line { client: None, turn }, Line { client: None, turn });
        Self { number, street, ingest, decide, sent: BTreeMap::new() }
    }

    fn run(mut self) -> BTreeMap<u32, Vec<String>> {
        let mut count = 0;
        while !self.street.stop.load(Ordering::SeqCst) {
            let user = self.number * USERS_OF_EACH + count % USERS_OF_EACH;
            count += 1;
            self.event(user, count);
            if count % 7 == 0 {
                self.decision(user, count);
            }
        }
        self.sent
    }

    /// Sends an event until it is answered for.
    fn event(&mut self, user: u32, count: u32) {
        let (kind, payload) = match count % 4 {
            0 => ("form_submit", json!({ "form": "new_project", "ok": count.is_multiple_of(3) })),
            1 => ("signed_up", json!({})),
            2 => ("data_imported", json!({})),
            _ => ("page_view", json!({})),
        };
        self.send(user, count, kind, &payload);
    }

    fn send(&mut self, user: u32, count: u32, kind: &str, payload: &Value) {
        let id = format!("{}-{count}-{kind}", self.number);
        let body = json!({
            "eventId": id, "userId": user_id(user), "sessionId": "s1", "eventType": kind, "payload": payload,
            "attributes": { "seats": count },
        });
        while !self.try_once("/api/v1/events", &body, 202) {
            thread::sleep(PAUSE);
        }
        self.street.answered.fetch_add(1, Ordering::SeqCst);
        self.sent.entry(user).or_default().push(id);
    }

    /// Asks once; where it is answered with a guide, tells that it was seen.
    fn decision(&mut self, user: u32, count: u32) {
        let ask = json!({ "userId": user_id(user), "sessionId": "s1", "context": { "path": "/projects" } });
        let doors = self.street.doors.decide.lock().expect("no caller has failed").clone();
        let Some(reply) = self.decide.ask(&doors, "/api/v1/decisions", &ask) else { return };
        if reply.status == 503 {
            return;
        }
        assert_eq!(reply.status, 200, "{}", reply.text);
        self.street.decided.fetch_add(1, Ordering::SeqCst);
        let decision = reply.json();
        if decision["outcome"] == "show" {
            self.send(user, count, "guide_shown", &json!({ "decisionId": decision["decisionId"] }));
        }
    }

    fn try_once(&mut self, path: &str, body: &Value, status: u16) -> bool {
        let doors = self.street.doors.ingest.lock().expect("no caller has failed").clone();
        let reply = self.ingest.ask(&doors, path, body);
        let answered = reply.as_ref().is_some_and(|reply| reply.status == status);
        if !answered {
            let refusal = reply.map_or(503, |reply| reply.status);
            assert_eq!(refusal, 503, "an event that could not be taken now");
            self.street.refused.fetch_add(1, Ordering::SeqCst);
        }
        answered
    }
}

/// A line to one process of several.
struct Line {
    client: Option<Client>,
    turn: usize,
}

impl Line {
    /// The answer; `None` where the process did not answer, and then another one is asked next time.
    fn ask(&mut self, doors: &[SocketAddr], path: &str, body: &Value) -> Option<Reply> {
        let client = match &self.client {
            Some(client) => client,
            None => self.client.insert(Client::new(*doors.get(self.turn % doors.len().max(1))?)),
        };
        let reply = client.try_post(path, body).ok();
        if reply.as_ref().is_none_or(|reply| reply.status == 503) {
            self.client = None;
            self.turn += 1;
        }
        reply
    }
}
