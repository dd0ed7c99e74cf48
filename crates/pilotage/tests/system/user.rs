//! A user of the product, as pages and operators see one. Must not hide what a test checks.

use serde_json::{Value, json};

use crate::client::Client;

/// The id of the user of that number.
pub(crate) fn user_id(number: u32) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

/// A user in front of a page.
pub(crate) struct User<'a> {
    pub(crate) client: &'a Client,
    pub(crate) id: String,
}

impl<'a> User<'a> {
    pub(crate) fn new(client: &'a Client, number: u32) -> Self {
        Self { client, id: user_id(number) }
    }

    /// Signs up the first user who belongs to that group.
    pub(crate) fn of_group(client: &'a Client, group: &str) -> Self {
        let mut users = (1..1_000).map(|number| Self::new(client, number));
        let found = users.find(|user| {
            user.event("signed_up", json!({}));
            user.profile()["group"] == group
        });
        found.unwrap_or_else(|| panic!("no user of a thousand belongs to {group}"))
    }

    /// An event's body.
    pub(crate) fn body(&self, kind: &str, payload: Value) -> Value {
        json!({
            "userId": self.id, "sessionId": "s1", "eventType": kind, "payload": payload,
            "context": { "appVersion": "2.1.0" },
        })
    }

    /// Sends an event that is to be taken; its id.
    pub(crate) fn send(&self, body: &Value) -> String {
        let taken = self.client.post("/api/v1/events", body).expect(202);
        assert_eq!(taken["status"], "queued");
        taken["eventId"].as_str().expect("an id").to_owned()
    }

    pub(crate) fn event(&self, kind: &str, payload: Value) -> String {
        self.send(&self.body(kind, payload))
    }

    /// What a page asks once an event has been sent.
    pub(crate) fn ask(&self, path: &str, after: &str) -> Value {
        json!({
            "userId": self.id, "sessionId": "s1", "after": after, "waitMs": 1000,
            "context": { "path": path, "appVersion": "2.1.0" },
        })
    }

    /// The decision, with its trace, on what holds after the event.
    pub(crate) fn decision(&self, path: &str, after: &str) -> Value {
        let ask = self.ask(path, after);
        self.client.post("/api/v1/decisions?explain=true", &ask).expect(200)
    }

    pub(crate) fn profile(&self) -> Value {
        self.client.get(&format!("/api/v1/users/{}", self.id)).expect(200)
    }

    /// The status of a milestone.
    pub(crate) fn milestone(&self, id: &str) -> Value {
        let profile = self.profile();
        let milestones = profile["milestones"].as_array().expect("milestones");
        let found = milestones.iter().find(|milestone| milestone["id"] == id);
        found.expect("a milestone of the journey")["status"].clone()
    }

    /// The whole timeline, read in pages.
    pub(crate) fn timeline(&self) -> Vec<Value> {
        let mut items = Vec::new();
        let mut cursor = String::new();
        loop {
            let path = format!("/api/v1/users/{}/timeline?limit=100{cursor}", self.id);
            let page = self.client.get(&path).expect(200);
            items.extend(page["items"].as_array().expect("items").iter().cloned());
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return items,
            }
        }
    }

    /// The ids of the events in the timeline, in order.
    pub(crate) fn events(&self) -> Vec<String> {
        let items = self.timeline();
        items.iter().filter_map(|item| item["eventId"].as_str().map(str::to_owned)).collect()
    }
}

/// The gate at which a decision's trace says that a guide was stopped.
pub(crate) fn gate(decision: &Value, guide: &str) -> Value {
    let guides = decision["trace"]["guides"].as_array().expect("a trace");
    let found = guides.iter().find(|told| told["id"] == guide);
    found.expect("every guide is told of")["gate"].clone()
}
