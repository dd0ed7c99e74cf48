//! The event clock: days of a user's life on the unchanged contact rules, in a moment. Must not look at the machine's time.

use serde_json::{Value, json};

use crate::installation::Installation;
use crate::user::User;

/// A user who comes at known times, in a known visit.
struct Visitor<'a> {
    user: User<'a>,
    day: u32,
    minute: u32,
}

impl Visitor<'_> {
    fn instant(&self) -> String {
        let (hour, minute) = (9 + self.minute / 60, self.minute % 60);
        format!("2026-02-{:02}T{hour:02}:{minute:02}:00.000Z", self.day)
    }

    fn pass(&mut self, minutes: u32) {
        self.minute += minutes;
    }

    fn next_day(&mut self) {
        (self.day, self.minute) = (self.day + 1, 0);
    }

    fn event(&self, kind: &str, payload: Value) -> String {
        let mut body = self.user.body(kind, payload);
        body["timestamp"] = json!(self.instant());
        body["sessionId"] = json!(format!("day {}", self.day));
        self.user.send(&body)
    }

    /// What the page at that path is answered.
    fn looks_at(&self, path: &str) -> Value {
        let event = self.event("page_view", json!({}));
        let mut ask = self.user.ask(path, &event);
        ask["sessionId"] = json!(format!("day {}", self.day));
        self.user.client.post("/api/v1/decisions", &ask).expect(200)
    }

    /// The guide of that name is offered, seen and followed.
    fn follows(&self, path: &str, guide: &str) {
        let decision = self.looks_at(path);
        assert_eq!(decision["guide"]["id"], guide, "{decision}");
        for kind in ["guide_shown", "guide_clicked"] {
            self.event(kind, json!({ "decisionId": decision["decisionId"] }));
        }
    }

    fn is_spared(&self, path: &str, reason: &str) {
        let decision = self.looks_at(path);
        assert_eq!(decision["reason"], reason, "{decision}");
    }
}

#[test]
fn a_new_user_follows_guides_to_the_first_report() {
    let server = Installation::dev().flag("--clock").flag("events").start();
    let client = server.client();
    let mut visitor = Visitor { user: User::new(&client, 1), day: 2, minute: 0 };
    visitor.event("signed_up", json!({}));
    assert_eq!(visitor.user.profile()["group"], "guided");
    visitor.follows("/projects", "create-project");
    visitor.event("form_submit", json!({ "form": "new_project", "ok": true }));
    assert_eq!(visitor.user.milestone("project"), "reached");

    visitor.pass(4);
    visitor.is_spared("/import", "contact");
    visitor.pass(2);
    visitor.follows("/import", "import-data");
    visitor.event("data_imported", json!({}));
    visitor.pass(30);
    visitor.is_spared("/projects", "contact");

    visitor.next_day();
    visitor.follows("/projects", "open-report");
    assert_eq!(visitor.user.profile()["activatedAt"], Value::Null);
    visitor.event("report_viewed", json!({}));
    let profile = visitor.user.profile();
    assert_eq!(profile["activatedAt"], "2026-02-03T09:00:00.000Z");
    assert_eq!(profile["signupAt"], "2026-02-02T09:00:00.000Z");
    assert_eq!(profile["events"], 15);
    visitor.is_spared("/projects", "no_candidate");

    let outcomes: Vec<Value> =
        visitor.user.timeline().into_iter().filter(|item| item["kind"] == "outcome").collect();
    let kinds: Vec<&Value> = outcomes.iter().map(|item| &item["outcome"]).collect();
    assert_eq!(kinds, ["shown", "clicked", "shown", "clicked", "shown", "clicked"]);
    let report = client.get("/api/v1/report").expect(200);
    assert_eq!(
        report["groups"][0],
        json!({ "group": "guided", "users": 1, "signedUp": 1, "activated": 1, "rate": 1.0 })
    );
}

#[test]
fn a_decision_can_be_asked_for_another_moment() {
    let server = Installation::dev().flag("--clock").flag("events").start();
    let client = server.client();
    let visitor = Visitor { user: User::new(&client, 1), day: 2, minute: 0 };
    visitor.event("signed_up", json!({}));
    visitor.follows("/projects", "create-project");
    visitor.is_spared("/projects", "no_candidate");
    let mut ask = visitor.user.ask("/projects", "");
    ask["after"] = Value::Null;
    ask["at"] = json!("2026-02-03T09:00:00.000Z");
    let decision = client.post("/api/v1/decisions", &ask).expect(200);
    assert_eq!(decision["guide"]["id"], "create-project", "a day later it may be shown again");
    let path = format!("/api/v1/decisions/{}", decision["decisionId"].as_str().expect("an id"));
    assert_eq!(client.get(&path).expect(200)["at"], "2026-02-03T09:00:00.000Z");

    let machine = Installation::dev().start();
    assert_eq!(machine.client().post("/api/v1/decisions", &ask).problem().0, 400);
}
