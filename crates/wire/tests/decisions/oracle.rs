//! The rules once more, read off the product file's plain tree and the whole history at every question: slow, and written
//! without a look at the domain. Must not share code with what it checks.

use std::collections::BTreeMap;

use pilotage_domain::decide::Gate;
use pilotage_domain::definition::ContactRules;
use pilotage_domain::value::Value;

use crate::compare::{duration, in_range, on_page, passes, unordered, version_order};
use crate::life::{Ask, Deed, Life};

const DAY: i64 = 86_400_000;
const RESERVATION: i64 = 60_000;
const LONGEST_SILENCE: i64 = 14 * DAY;

/// Texts that no copy may hold; `property` puts them into slots.
pub(crate) const SMUGGLED: [&str; 5] =
    ["http://evil.example", "<b>x</b>", "a\u{202e}b", "a\u{200b}b", "a\u{7}b"];

/// The product file as it stands.
pub(crate) struct Oracle<'a> {
    pub(crate) file: &'a Value,
    pub(crate) contact: ContactRules,
    pub(crate) limits: [usize; 3],
}

/// The copy of a wording, as a user should read it.
#[derive(Debug, PartialEq)]
pub(crate) struct Words {
    pub(crate) variant: String,
    pub(crate) locale: String,
    pub(crate) parts: [Option<String>; 3],
}

/// A user's history as of now, and what it has reached.
pub(crate) struct Past<'a> {
    deeds: &'a [Deed],
    reached: BTreeMap<&'a str, i64>,
    now: i64,
}

fn items<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    match value.member(key) {
        Some(Value::List(items)) => items,
        _ => &[],
    }
}

fn members<'a>(value: &'a Value, key: &str) -> &'a [(Box<str>, Value)] {
    match value.member(key) {
        Some(Value::Map(members)) => members,
        _ => &[],
    }
}

pub(crate) fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.member(key).and_then(Value::as_text)
}

fn number(value: &Value, key: &str) -> Option<f64> {
    match value.member(key) {
        Some(Value::Number(n)) => Some(*n),
        _ => None,
    }
}

impl<'a> Oracle<'a> {
    pub(crate) fn guides(&self) -> &'a [Value] {
        items(self.file, "guides")
    }

    fn milestones(&self) -> &'a [Value] {
        self.file.member("journey").map_or(&[], |journey| items(journey, "milestones"))
    }

    fn place(&self, kind: &str, id: &str) -> &'a Value {
        self.file.member(kind).and_then(|all| all.member(id)).expect("declared")
    }

    /// The first gate that stops the guide.
    pub(crate) fn stops(
        &self,
        guide: &Value,
        past: &Past<'_>,
        life: &Life<'_>,
        ask: &Ask,
    ) -> Option<Gate> {
        let wanted = if text(guide, "intent") == Some("unblock") { "blocked" } else { "open" };
        if self.status(past, text(guide, "serves").expect("required")) != wanted {
            return Some(Gate::State);
        }
        if guide.member("when").is_some_and(|when| !self.holds(past, when)) {
            return Some(Gate::When);
        }
        if guide.member("never").is_some_and(|never| self.holds(past, never)) {
            return Some(Gate::Never);
        }
        // No example's guide expires within the lives that are lived here.
        let id = text(guide, "id").expect("required");
        if !is_live(guide) || ask.paused.iter().any(|paused| paused.as_str() == id) {
            return Some(Gate::Lifecycle);
        }
        if !self.has_surface(past, guide, ask) {
            return Some(Gate::Surface);
        }
        if let Err(gate) = self.words(guide, life, ask) {
            return Some(gate);
        }
        if self.is_used_up(guide, life) {
            return Some(Gate::Limits);
        }
        self.asks_for_silence(guide, life).then_some(Gate::Contact)
    }

    /// Milestones are judged after each deed, at the latest time seen, again and again until nothing more is reached.
    pub(crate) fn past<'l>(&self, deeds: &'l [Deed], now: i64) -> Past<'l>
    where
        'a: 'l,
    {
        let mut reached = BTreeMap::new();
        for until in 1..=deeds.len() {
            let deeds = &deeds[..until];
            let latest = deeds.iter().map(|deed| deed.at).max().expect("one at least");
            loop {
                let past = Past { deeds, reached: reached.clone(), now: latest };
                let mut fresh = self.milestones().iter().filter(|milestone| {
                    let id = text(milestone, "id").expect("required");
                    !past.reached.contains_key(id)
                        && self.holds(&past, milestone.member("reached").expect("required"))
                });
                let Some(milestone) = fresh.next() else { break };
                reached.insert(text(milestone, "id").expect("required"), deeds[until - 1].at);
            }
        }
        Past { deeds, reached, now }
    }

    fn status(&self, past: &Past<'_>, id: &str) -> &'static str {
        let named = |milestone: &&Value| text(milestone, "id") == Some(id);
        let milestone = self.milestones().iter().find(named).expect("declared");
        let requires = items(milestone, "requires").iter().filter_map(Value::as_text);
        if past.reached.contains_key(id) {
            "reached"
        } else if requires.into_iter().any(|required| !past.reached.contains_key(required)) {
            "locked"
        } else if milestone.member("blocked").is_some_and(|blocked| self.holds(past, blocked)) {
            "blocked"
        } else {
            "open"
        }
    }

    fn holds(&self, past: &Past<'_>, condition: &Value) -> bool {
        let Value::Map(keys) = condition else { panic!("a condition is a mapping") };
        let within = text(condition, "within").map(duration);
        let recent = |at: i64, most: Option<i64>| most.is_none_or(|most| past.now - at <= most);
        let find = |key: &str| keys.iter().find(|(k, _)| &**k == key).map(|(_, v)| v);
        if let Some(parts) = find("all") {
            list(parts).iter().all(|part| self.holds(past, part))
        } else if let Some(parts) = find("any") {
            list(parts).iter().any(|part| self.holds(past, part))
        } else if let Some(part) = find("not") {
            !self.holds(past, part)
        } else if let Some(kind) = text(condition, "event") {
            let of_kind =
                past.deeds.iter().filter(|deed| deed.kind == kind && recent(deed.at, within));
            let count = of_kind.filter(|deed| {
                members(condition, "where").iter().all(|(path, wanted)| {
                    passes(wanted, deed.payload.at_path(path.split('.')), unordered)
                })
            });
            count.count() as f64 >= number(condition, "count").unwrap_or(1.0)
        } else if let Some(name) = text(condition, "attribute") {
            let ordered =
                if self.attribute_type(name) == "version" { version_order } else { unordered };
            passes(condition, self.attribute(past.deeds, name), ordered)
        } else if let Some(id) = text(condition, "milestone") {
            self.status(past, id) == text(condition, "status").unwrap_or("reached")
        } else if let Some(anchor) = text(condition, "since") {
            let elapsed = self.anchored(past, anchor).map(|then| (past.now - then).max(0));
            let bound = |key: &str| text(condition, key).map(duration);
            elapsed.is_some_and(|elapsed| {
                bound("gte").is_none_or(|least| elapsed >= least)
                    && bound("lte").is_none_or(|most| elapsed <= most)
            })
        } else {
            let name = text(condition, "error").expect("the last form");
            let last = past
                .deeds
                .iter()
                .rev()
                .find_map(|deed| Some((text(&deed.payload, "error")?, deed.at)));
            let declared =
                |name: &str| items(self.file, "errors").iter().any(|e| e.as_text() == Some(name));
            last.is_some_and(|(error, at)| {
                let error = if declared(error) { error } else { "other" };
                error == name && recent(at, within.or(Some(7 * DAY)))
            })
        }
    }

    fn anchored(&self, past: &Past<'_>, anchor: &str) -> Option<i64> {
        match anchor {
            "signup" => {
                let signup =
                    self.file.member("journey").and_then(|journey| journey.member("signup"));
                let kind = signup.and_then(|signup| text(signup, "event"));
                let starts = |deed: &&Deed| kind.is_none_or(|kind| deed.kind == kind);
                past.deeds.iter().find(starts).map(|deed| deed.at)
            }
            "last_event" => past.deeds.iter().map(|deed| deed.at).max(),
            milestone => past.reached.get(milestone).copied(),
        }
    }

    fn attribute_type(&self, name: &str) -> &str {
        let declared = self.file.member("attributes").and_then(|all| all.member(name));
        declared.and_then(|declared| text(declared, "type")).unwrap_or(match name {
            "appVersion" => "version",
            _ => "locale",
        })
    }

    fn attribute<'v>(&'v self, deeds: &'v [Deed], name: &str) -> Option<&'v Value> {
        let set = deeds.iter().rev().flat_map(|deed| deed.attributes.iter().rev());
        let set = set.into_iter().find(|(known, _)| known == name).map(|(_, value)| value);
        let declared = self.file.member("attributes").and_then(|all| all.member(name));
        set.or_else(|| declared.and_then(|declared| declared.member("default")))
    }

    fn has_surface(&self, past: &Past<'_>, guide: &Value, ask: &Ask) -> bool {
        let component = text(guide, "component").expect("required");
        if ask.components.as_ref().is_some_and(|known| !known.iter().any(|name| name == component))
        {
            return false;
        }
        let target = self.place("targets", text(guide, "target").expect("required"));
        let route =
            text(target, "route").filter(|route| *route != "*").map(|id| self.place("routes", id));
        let action = guide.member("action").and_then(|action| text(action, "route"));
        let action = action.map(|id| self.place("routes", id));
        let known = self.attribute(past.deeds, "appVersion").and_then(Value::as_text);
        let version = ask.app_version.as_deref().or(known);
        let in_app = [Some(target), route, action].into_iter().flatten();
        in_app
            .into_iter()
            .all(|place| text(place, "app").is_none_or(|range| in_range(range, version)))
            && ask.path.as_deref().is_none_or(|path| {
                let page = |route| text(route, "path").expect("required");
                route.is_none_or(|route| on_page(page(route), path))
                    && (text(target, "anchor").is_some()
                        || action.is_none_or(|action| !on_page(page(action), path))
                        || route.map(page) == action.map(page))
            })
    }

    /// What each wording that may be shown says, or the gate that stops them all.
    pub(crate) fn words(
        &self,
        guide: &Value,
        life: &Life<'_>,
        ask: &Ask,
    ) -> Result<Vec<Words>, Gate> {
        let mut gate = Gate::Copy;
        let mut good = Vec::new();
        for variant in items(guide, "variants").iter().filter(|variant| is_live(variant)) {
            let Some(words) = self.rendered(variant, life, ask) else { continue };
            if words
                .parts
                .iter()
                .zip(self.limits)
                .all(|(part, most)| part.as_deref().is_none_or(|t| fits(t, most)))
            {
                good.push(words);
            } else {
                gate = Gate::Text;
            }
        }
        if good.is_empty() { Err(gate) } else { Ok(good) }
    }

    fn rendered(&self, variant: &Value, life: &Life<'_>, ask: &Ask) -> Option<Words> {
        let known = self.attribute(&life.deeds, "locale").and_then(Value::as_text);
        let wanted =
            ask.locale.as_deref().or(known).unwrap_or_default().replace('_', "-").to_lowercase();
        let default = self.file.member("attributes").and_then(|all| all.member("locale"));
        let default = default.and_then(|locale| text(locale, "default")).unwrap_or("en");
        let copies = members(variant, "copy");
        let steps = wanted.split('-').count();
        let cut = |n: usize| wanted.split('-').take(n).collect::<Vec<_>>().join("-");
        let nearest = (1..=steps).rev().map(cut).chain([default.to_lowercase()]);
        let (locale, copy) = nearest
            .filter_map(|tag| copies.iter().find(|(written, _)| written.to_lowercase() == tag))
            .next()?;
        let mut parts = [None, None, None];
        for (slot, name) in parts.iter_mut().zip(["title", "body", "cta"]) {
            if let Some(template) = text(copy, name) {
                *slot = Some(self.filled(template, &life.deeds)?);
            }
        }
        let variant = text(variant, "id").expect("required").to_owned();
        Some(Words { variant, locale: locale.to_string(), parts })
    }

    fn filled(&self, template: &str, deeds: &[Deed]) -> Option<String> {
        let mut out = String::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{') {
            let (slot, after) = after.split_once('}').expect("a checked template");
            let (name, fallback) = slot.split_once('|').map_or((slot, None), |(n, f)| (n, Some(f)));
            let value = self.attribute(deeds, name).map(|value| match value {
                Value::Number(n) => n.to_string(),
                Value::Bool(b) => b.to_string(),
                other => other.as_text().unwrap_or_default().to_owned(),
            });
            let value = value.filter(|value| !value.trim().is_empty());
            out.push_str(before);
            out.push_str(&value.or(fallback.map(str::to_owned))?);
            rest = after;
        }
        Some(out + rest)
    }

    fn is_used_up(&self, guide: &Value, life: &Life<'_>) -> bool {
        let Some(limits) = guide.member("limits") else { return false };
        let own = |offer: &&crate::life::Offered| text(guide, "id") == Some(offer.guide.as_str());
        let charged = life
            .offers
            .iter()
            .filter(own)
            .filter(|offer| is_charged(offer.shown, offer.at, life.now));
        let most = number(limits, "shows");
        most.is_some_and(|most| charged.count() as f64 >= most)
            || text(limits, "gap").is_some_and(|gap| {
                life.offers
                    .iter()
                    .filter(own)
                    .any(|offer| too_soon(offer.shown, offer.at, duration(gap), life.now))
            })
    }

    fn asks_for_silence(&self, guide: &Value, life: &Life<'_>) -> bool {
        let charged =
            || life.offers.iter().filter(|offer| is_charged(offer.shown, offer.at, life.now));
        let session = charged().filter(|offer| offer.session == life.session).count();
        let day =
            charged().filter(|offer| offer.shown.unwrap_or(offer.at) + DAY > life.now).count();
        let gap = i64::try_from(self.contact.gap.get()).expect("short");
        let close = life.offers.iter().any(|offer| too_soon(offer.shown, offer.at, gap, life.now));
        let about = life
            .offers
            .iter()
            .filter(|offer| text(guide, "serves") == Some(offer.milestone.as_str()));
        let dismissals: Vec<i64> = about.filter_map(|offer| offer.dismissed).collect();
        let silent = dismissals.iter().max().is_some_and(|last| {
            let first = i64::try_from(self.contact.dismissed.get()).expect("short");
            let silence =
                (1..dismissals.len()).fold(first, |silence, _| (2 * silence).min(LONGEST_SILENCE));
            life.now < last + silence.min(LONGEST_SILENCE)
        });
        let over =
            |most: Option<u32>, count: usize| most.is_some_and(|most| count >= most as usize);
        over(self.contact.session, session) || over(self.contact.day, day) || close || silent
    }
}

fn list(value: &Value) -> &[Value] {
    match value {
        Value::List(items) => items,
        _ => panic!("a list"),
    }
}

fn is_live(node: &Value) -> bool {
    text(node, "lifecycle").is_none_or(|lifecycle| lifecycle == "live")
}

/// An exposure for ever, an offer for a minute.
fn is_charged(shown: Option<i64>, offered: i64, now: i64) -> bool {
    shown.is_some() || offered + RESERVATION > now
}

fn too_soon(shown: Option<i64>, offered: i64, gap: i64, now: i64) -> bool {
    match shown {
        Some(shown) => now < shown + gap,
        None => now < offered + gap.min(RESERVATION),
    }
}

/// The texts of these tests have a grapheme for each character.
fn fits(text: &str, most: usize) -> bool {
    text.chars().count() <= most && !SMUGGLED.iter().any(|bad| text.contains(bad))
}
