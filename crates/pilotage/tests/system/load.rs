//! Callers who send all the time, and books of what they were answered. Must not forgive a lost or a doubled event.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};

use rand::rngs::StdRng;
use rand::seq::IteratorRandom;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

use crate::client::Client;
use crate::user::{User, user_id};

/// How many users there are: few, so that callers meet on each of them.
const USERS: u32 = 8;
/// How many callers send at once.
const CALLERS: u64 = 4;

/// What was sent and what was answered, over all runs of the server.
#[derive(Default)]
pub(crate) struct Books(Mutex<Entries>);

#[derive(Default)]
struct Entries {
    /// Every event that was ever sent, with its user.
    sent: BTreeMap<String, u32>,
    /// Those that were answered for.
    acknowledged: BTreeSet<String>,
    /// Those that were not, when an earlier run of the server ended.
    given_up: BTreeSet<String>,
    /// Decisions whose exposure was answered for.
    shown: BTreeSet<String>,
}

impl Books {
    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().expect("no caller has failed")
    }

    /// How many events were answered for.
    pub(crate) fn acknowledged(&self) -> usize {
        self.entries().acknowledged.len()
    }

    /// Whether something that was sent has no answer.
    pub(crate) fn has_unanswered(&self) -> bool {
        let entries = self.entries();
        entries.sent.len() > entries.acknowledged.len()
    }

    /// The server is gone: what has no answer by now gets none.
    fn give_up(&self) {
        let entries = &mut *self.entries();
        let unanswered = entries.sent.keys().filter(|id| !entries.acknowledged.contains(*id));
        entries.given_up = unanswered.cloned().collect();
    }

    /// An event that may be sent again: nobody waits for an answer to it.
    fn any_settled(&self, chance: &mut StdRng) -> Option<(String, u32)> {
        let entries = self.entries();
        let id = entries.acknowledged.union(&entries.given_up).choose(chance)?;
        Some((id.clone(), *entries.sent.get(id)?))
    }

    /// Compares the books with what the server knows.
    pub(crate) fn check(&self, client: &Client) {
        let entries = self.entries();
        for number in 0..USERS {
            let of_user = |id: &&String| entries.sent.get(*id) == Some(&number);
            let acknowledged: BTreeSet<&String> =
                entries.acknowledged.iter().filter(of_user).collect();
            if acknowledged.is_empty() {
                continue;
            }
            let user = User::new(client, number);
            let listed = user.events();
            let distinct: BTreeSet<&String> = listed.iter().collect();
            assert_eq!(listed.len(), distinct.len(), "an event of {} is there twice", user.id);
            let lost: Vec<_> = acknowledged.difference(&distinct).collect();
            assert!(lost.is_empty(), "{} lost {lost:?}", user.id);
            assert!(distinct.iter().all(of_user), "{} has an event that it never sent", user.id);
            assert_eq!(user.profile()["events"], json!(distinct.len()), "events of {}", user.id);
        }
        for decision in &entries.shown {
            let record = client.get(&format!("/api/v1/decisions/{decision}")).expect(200);
            assert_eq!(record["outcome"], "show", "{record}");
        }
    }
}

/// Lets callers send until the server is gone or `enough` says so. `going` tells that an end of the connection is in
/// order; before, it is a fault. `meanwhile` runs beside them.
pub(crate) fn send_until_gone(
    books: &Books,
    seed: u64,
    new_client: impl Fn() -> Client + Sync,
    going: &AtomicBool,
    meanwhile: impl FnOnce(),
) {
    std::thread::scope(|scope| {
        for number in 0..CALLERS {
            let client = new_client();
            scope.spawn(move || {
                let chance = StdRng::seed_from_u64(seed ^ number);
                let name = format!("{seed:x}-{number}");
                let mut caller = Caller { books, client, chance, name, count: 0 };
                let end = loop {
                    if let Err(end) = caller.act() {
                        break end;
                    }
                };
                assert!(going.load(Ordering::SeqCst), "the connection broke: {end}");
            });
        }
        meanwhile();
    });
    books.give_up();
}

/// One caller.
struct Caller<'a> {
    books: &'a Books,
    client: Client,
    chance: StdRng,
    name: String,
    count: u32,
}

impl Caller<'_> {
    /// One thing that a page or a server does.
    fn act(&mut self) -> io::Result<()> {
        match self.chance.random_range(0..10) {
            0..=3 => self.event(),
            4 | 5 => self.batch(Form::Json),
            6 => self.batch(Form::Lines),
            7 | 8 => self.decision(),
            _ => self.again(),
        }
    }

    fn event(&mut self) -> io::Result<()> {
        let (id, user) = self.fresh();
        self.send(&id, &body(&id, user, self.count))
    }

    /// An event that was sent before, answered for or not.
    fn again(&mut self) -> io::Result<()> {
        match self.books.any_settled(&mut self.chance) {
            Some((id, user)) => self.send(&id, &body(&id, user, self.count)),
            None => Ok(()),
        }
    }

    fn send(&self, id: &str, body: &Value) -> io::Result<()> {
        let reply = self.client.try_post("/api/v1/events", body)?;
        assert_eq!(reply.expect(202)["eventId"], id);
        self.books.entries().acknowledged.insert(id.to_owned());
        Ok(())
    }

    fn batch(&mut self, form: Form) -> io::Result<()> {
        let size = self.chance.random_range(2..=20);
        let (ids, events): (Vec<String>, Vec<Value>) = (0..size)
            .map(|_| {
                let (id, user) = self.fresh();
                let event = body(&id, user, self.count);
                (id, event)
            })
            .unzip();
        let (media, text) = form.write(&events);
        let reply = self.client.call("POST", "/api/v1/events/batch", Some((media, &text)))?;
        let answer = reply.expect(202);
        let results = answer["results"].as_array().expect("results");
        assert_eq!(results.len(), ids.len());
        for (id, result) in ids.into_iter().zip(results) {
            assert_eq!((&result["eventId"], &result["status"]), (&json!(id), &json!("queued")));
            self.books.entries().acknowledged.insert(id);
        }
        Ok(())
    }

    /// A decision, and its exposure where it shows a guide.
    fn decision(&mut self) -> io::Result<()> {
        let (id, number) = self.fresh();
        let ask = json!({ "userId": user_id(number), "sessionId": self.name });
        let decision = self.client.try_post("/api/v1/decisions", &ask)?.expect(200);
        let mut event = body(&id, number, self.count);
        if decision["outcome"] == "show" {
            event["eventType"] = json!("guide_shown");
            event["payload"] = json!({ "decisionId": decision["decisionId"] });
        }
        self.send(&id, &event)?;
        if decision["outcome"] == "show" {
            let decision = decision["decisionId"].as_str().expect("an id").to_owned();
            self.books.entries().shown.insert(decision);
        }
        Ok(())
    }

    /// A new event id and whose it is, in the books before it is sent.
    fn fresh(&mut self) -> (String, u32) {
        self.count += 1;
        let id = format!("{}-{}", self.name, self.count);
        let user = self.chance.random_range(0..USERS);
        self.books.entries().sent.insert(id.clone(), user);
        (id, user)
    }
}

/// How a batch is written.
enum Form {
    Json,
    Lines,
}

impl Form {
    fn write(&self, events: &[Value]) -> (&'static str, String) {
        match self {
            Self::Json => ("application/json", json!({ "events": events }).to_string()),
            Self::Lines => {
                let lines: Vec<String> = events.iter().map(Value::to_string).collect();
                ("application/x-ndjson", lines.join("\n"))
            }
        }
    }
}

/// An event that moves the profile: milestones, attributes, counters.
fn body(id: &str, user: u32, count: u32) -> Value {
    let (kind, payload) = match count % 5 {
        0 => ("form_submit", json!({ "form": "new_project", "ok": count.is_multiple_of(2) })),
        1 => ("form_submit", json!({ "form": "billing", "ok": false, "error": "card_declined" })),
        2 => ("signed_up", json!({})),
        3 => ("data_imported", json!({})),
        _ => ("page_view", json!({})),
    };
    json!({
        "eventId": id, "userId": user_id(user), "sessionId": "s1", "eventType": kind,
        "payload": payload, "attributes": { "tier": "trial", "seats": count },
    })
}
