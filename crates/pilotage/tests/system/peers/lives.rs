//! Users of acme in as many situations as are wanted, each with what may be shown then, by the words of the definition. Must not
//! ask the engine what may be shown.

use serde_json::{Value, json};

use crate::user::user_id;

/// How many situations a real model is asked about.
pub(crate) const SITUATIONS: u32 = 40;

/// How far somebody is with data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Data {
    Untried,
    FailedTwice,
    Imported,
}

/// Somebody with a project, who may be guided to two things.
#[derive(Debug)]
pub(crate) struct Life {
    /// The user's.
    number: u32,
    /// Which of the two guides has its page.
    is_second: bool,
    data: Data,
    /// A card was declined twice; else billing was never tried, in a trial.
    is_declined: bool,
    locale: &'static str,
    /// The last error was another one.
    is_denied: bool,
    tier: &'static str,
    major: u32,
}

impl Life {
    /// The one of that number; the first hundred and forty are all in different situations.
    pub(crate) fn of(number: u32) -> Self {
        let round = number / 24;
        let is_declined = number / 3 % 2 == 1;
        let (tier, major) = match is_declined {
            // The way out is there in these versions alone.
            true => (["free", "pro", "trial"][round as usize / 2 % 3], 2 + round % 2),
            false => ("trial", 2 + round),
        };
        Self {
            number,
            is_second: number / 2 % 2 == 1,
            data: [Data::Untried, Data::FailedTwice, Data::Imported][number as usize % 3],
            is_declined,
            locale: ["en", "de"][number as usize / 6 % 2],
            is_denied: number / 12 % 2 == 1,
            tier,
            major,
        }
    }

    /// The same of another user.
    pub(crate) fn by_user(self, number: u32) -> Self {
        Self { number, ..self }
    }

    pub(crate) fn user(&self) -> String {
        user_id(self.number + 1)
    }

    /// What has happened, in order.
    pub(crate) fn events(&self) -> Vec<Value> {
        let form = |form: &str, ok: bool, error: Option<&str>| {
            self.event("form_submit", json!({ "form": form, "ok": ok, "error": error }))
        };
        let mut signup = self.event("signed_up", json!({}));
        signup["attributes"] = json!({ "tier": self.tier });
        let mut events = vec![signup, form("new_project", true, None)];
        match self.data {
            Data::Untried => {}
            Data::FailedTwice => {
                events.extend((0..2).map(|_| form("import", false, Some("import_failed"))));
            }
            Data::Imported => events.push(self.event("data_imported", json!({}))),
        }
        if self.is_declined {
            events.extend((0..2).map(|_| form("billing", false, Some("card_declined"))));
        }
        if self.is_denied {
            events.push(self.event("page_view", json!({ "error": "permission_denied" })));
        }
        events
    }

    /// An event of this user.
    pub(crate) fn event(&self, kind: &str, payload: Value) -> Value {
        json!({
            "userId": self.user(), "sessionId": "s", "eventType": kind, "payload": payload,
            "context": self.context(),
        })
    }

    fn context(&self) -> Value {
        json!({ "appVersion": format!("{}.1.0", self.major), "locale": self.locale })
    }

    /// The only guides that this user may see, whatever a model says: the definition's `serves`, `when` and `never` in words.
    pub(crate) fn may_see(&self) -> [&'static str; 2] {
        let of_data = match self.data {
            Data::Untried => "import-data",
            Data::FailedTwice => "import-help",
            Data::Imported => "open-report",
        };
        [of_data, if self.is_declined { "retry-billing" } else { "connect-billing" }]
    }

    /// Where it stands among questions that begin alike, as they are worded.
    pub(crate) fn as_asked(&self) -> ([&'static str; 2], u32, bool, &'static str, &'static str) {
        (self.may_see(), self.major, self.is_denied, self.locale, self.tier)
    }

    /// What a page asks on which one of them fits: now the one, now the other.
    pub(crate) fn ask(&self) -> Value {
        let page = match self.may_see()[usize::from(self.is_second)] {
            "import-data" => "/import",
            "open-report" => "/projects",
            "connect-billing" => "/settings/billing",
            _ => "/reports",
        };
        let mut context = self.context();
        context["path"] = json!(page);
        json!({ "userId": self.user(), "sessionId": "s", "context": context })
    }
}
