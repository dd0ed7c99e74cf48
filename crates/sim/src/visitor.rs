//! One visitor: a state machine over moments. Must not see the engine: it says events, asks, and hears decisions.

use std::mem;

use pilotage_domain::decide::{Group, Reason};
use pilotage_domain::event::EventContext;
use pilotage_domain::group::group_of;
use pilotage_domain::id::{DecisionId, EventId, SessionId, UserId};
use pilotage_domain::time::{Millis, Timestamp};
use pilotage_engine::{DecideCall, MAX_WAIT};
use pilotage_wire::event::IncomingEvent;
use pilotage_wire::guide::GuideBody;
use pilotage_wire::record::decision::{StoredDecision, SurfaceBody};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

use crate::draw::Draws;
use crate::nature::{Effect, Nature};
use crate::persona::{Baggage, Persona};
use crate::product::{Page, Purpose, Sample, Step};
use crate::truth::{Invalid, Truth};
use crate::visited::{Fate, Tally};

/// Nobody does anything twice within this time: what happens inside it, happens to different visitors.
pub(crate) const LEAST_PAUSE: Millis = Millis::seconds(2);
/// A guide at which one of these is wrong opens its page at most: whoever follows it knows no more than before what to do.
const OF_NO_USE: [Invalid; 5] = [
    Invalid::UnknownGuide,
    Invalid::Reached,
    Invalid::Locked,
    Invalid::NothingInTheWay,
    Invalid::DeadLink,
];
/// What the SDK can draw.
const COMPONENTS: [&str; 4] = ["tooltip", "hotspot", "banner", "modal"];

/// Somebody who uses the sample product, and what they have to tell.
pub(crate) struct Visitor {
    pub(crate) user: UserId,
    group: Group,
    persona: Persona,
    baggage: Baggage,
    nature: Nature,
    draws: Draws,
    signed_up: Timestamp,
    pub(crate) tally: Tally,
    truth: Truth,
    /// Visits so far, and still to come.
    visit: u32,
    visits_left: u32,
    moves_left: u32,
    page: Page,
    screen: Option<OnScreen>,
    /// The step that a clicked guide leads to.
    led: Option<Step>,
    /// Has read what the import wants.
    taught: bool,
    next: Next,
    outbox: Vec<IncomingEvent>,
}

/// What the visitor does next.
#[derive(Debug, Clone, Copy)]
enum Next {
    Arrive,
    See,
    Move,
    Nothing,
}

/// A guide that was offered.
struct OnScreen {
    decision: DecisionId,
    purpose: Option<Purpose>,
    effect: Effect,
    leads_to: Option<Page>,
    /// What spoke against it when it was offered.
    faults: Vec<Invalid>,
}

/// What a visitor is told of a decision.
pub(crate) struct Heard<'a> {
    pub(crate) decision: DecisionId,
    pub(crate) at: Timestamp,
    pub(crate) guide: Option<&'a GuideBody>,
    pub(crate) reason: Option<Reason>,
}

impl<'a> From<&'a StoredDecision> for Heard<'a> {
    fn from(decision: &'a StoredDecision) -> Self {
        let StoredDecision { decision_id, at, guide, reason, .. } = decision;
        Self { decision: *decision_id, at: *at, guide: guide.as_ref(), reason: *reason }
    }
}

/// What a visitor did in one moment.
pub(crate) struct Acted {
    /// To be ingested, in order.
    pub(crate) events: Vec<IncomingEvent>,
    /// To be decided after them.
    pub(crate) ask: Option<DecideCall>,
}

impl Visitor {
    /// The visitor of that number under that seed, who signs up at some time in the span before `until`.
    pub(crate) fn new(
        (sample, nature): (&Sample, Nature),
        (seed, number): (u64, u32),
        (span, until): (Millis, Timestamp),
    ) -> Self {
        let mut draws = Draws::new(seed, number);
        let user = uuid(&mut draws);
        let baggage = Baggage::draw(&mut draws);
        let group = group_of(&sample.definition, &user);
        Self {
            persona: Persona::draw(&mut draws, nature.personas),
            nature,
            truth: Truth::new(baggage.app, group == Group::Holdout),
            signed_up: until - draws.between(Millis::ZERO, span),
            visits_left: draws.below(5) as u32,
            user,
            group,
            baggage,
            draws,
            tally: Tally::default(),
            visit: 0,
            moves_left: 0,
            page: Page::Projects,
            screen: None,
            led: None,
            taught: false,
            next: Next::Arrive,
            outbox: Vec::new(),
        }
    }

    /// When the visitor signs up: the first moment to act in.
    pub(crate) fn first(&self) -> Timestamp {
        self.signed_up
    }

    /// How it ended.
    pub(crate) fn fate(&self) -> Fate<'_> {
        let report = self.truth.reached(Step::Report);
        (self.group, &self.tally, report.map(|at| at.since(self.signed_up)))
    }

    /// Does what is next.
    pub(crate) fn act(&mut self, now: Timestamp) -> Acted {
        match mem::replace(&mut self.next, Next::Move) {
            Next::Arrive => self.arrive(now),
            Next::See => self.see(now),
            Next::Move => self.go_on(now),
            Next::Nothing => self.next = Next::Nothing,
        }
        let events = mem::take(&mut self.outbox);
        self.tally.events += events.len() as u64;
        // As in the SDK: facts ask for a decision, what became of a guide does not.
        let news = events.iter().rev().find(|event| !event.kind.starts_with("guide_"));
        let ask = news.map(|news| self.question(news, now));
        Acted { events, ask }
    }

    /// Hears what was decided.
    pub(crate) fn hear(&mut self, sample: &Sample, heard: &Heard<'_>) {
        self.tally.decisions += 1;
        if let Some(reason) = heard.reason {
            *self.tally.withheld.entry(reason).or_default() += 1;
        }
        let Some(guide) = heard.guide else { return };
        self.tally.guides.offered += 1;
        let action = guide.action.as_ref();
        self.screen = Some(OnScreen {
            decision: heard.decision,
            effect: self.nature.effect(&guide.variant, heard.at),
            purpose: sample.purposes.get(&guide.id).copied(),
            leads_to: action.and_then(|action| Page::at(&action.path, self.baggage.app)),
            faults: self.truth.faults(sample, guide, self.page, self.visit, heard.at),
        });
        self.next = Next::See;
    }

    /// When the visitor acts again; never sooner than `LEAST_PAUSE` from now.
    pub(crate) fn rest(&mut self, now: Timestamp) -> Option<Timestamp> {
        let (least, end) = match self.next {
            Next::See => (LEAST_PAUSE, Millis::seconds(4)),
            Next::Move if self.screen.is_some() => (Millis::seconds(3), Millis::seconds(25)),
            Next::Move => (Millis::seconds(8), Millis::seconds(100)),
            Next::Arrive => (Millis::hours(3), Millis::hours(60)),
            Next::Nothing => return None,
        };
        Some(now + self.draws.between(least, end))
    }

    fn arrive(&mut self, now: Timestamp) {
        self.visit += 1;
        self.baggage.app = self.nature.app(self.baggage.app, now);
        self.truth.app = self.baggage.app;
        self.moves_left = 4 + self.draws.below(12) as u32;
        if self.visit == 1 {
            let Baggage { tier, first_name, .. } = self.baggage;
            let mut attributes = json!({ "tier": tier });
            if let Some(name) = first_name {
                attributes["firstName"] = name.into();
            }
            self.say(now, "signed_up", json!({}));
            if let Some(event) = self.outbox.last_mut() {
                event.attributes = Some(raw(&attributes));
            }
        }
        self.open(Page::Projects, now);
    }

    /// A guide becomes visible, unless the visitor scrolls away first.
    fn see(&mut self, now: Timestamp) {
        let Some(screen) = self.screen.take() else { return };
        if self.draws.chance(4) {
            return;
        }
        self.tally.guides.shown += 1;
        for fault in &screen.faults {
            *self.tally.invalid.entry(*fault).or_default() += 1;
        }
        self.truth.expose(now, self.visit);
        self.tell("guide_shown", &screen, now);
        self.screen = Some(screen);
    }

    fn go_on(&mut self, now: Timestamp) {
        let clicked = self.react(now);
        if (clicked.is_none() || self.moves_left == 0) && self.leaves(now) {
            return;
        }
        // To follow a guide is a move like any other: guides make no visit longer.
        self.moves_left = self.moves_left.saturating_sub(1);
        if let Some(page) = clicked.filter(|page| *page != self.page) {
            return self.open(page, now);
        }
        self.led = self.led.filter(|step| self.truth.can_take(*step));
        let step = self.led.or_else(|| self.wanted());
        let willing = self.led.is_some() || self.draws.chance(self.persona.traits().knows);
        match step {
            Some(step) if willing && self.page.serves(step) => self.attempt(step, now),
            Some(step) if willing => self.open(step.page(), now),
            _ => self.wander(now),
        }
    }

    /// Clicks, closes or passes over the guide on the screen; where the click leads.
    fn react(&mut self, now: Timestamp) -> Option<Page> {
        let screen = self.screen.take()?;
        let traits = self.persona.traits();
        let Effect { follows, leads } = screen.effect;
        if self.draws.chance(traits.follows * follows / 100) {
            self.tally.guides.clicked += 1;
            self.tell("guide_clicked", &screen, now);
            if leads < 100 && !self.draws.chance(leads) {
                return None;
            }
            let useful = !screen.faults.iter().any(|fault| OF_NO_USE.contains(fault));
            self.led = screen.purpose.filter(|_| useful).map(|purpose| purpose.step);
            return screen.leads_to;
        }
        if self.draws.chance(traits.closes) {
            self.tally.guides.dismissed += 1;
            self.tell("guide_dismissed", &screen, now);
            if let Some(purpose) = screen.purpose {
                self.truth.dismiss(purpose.step, now);
            }
        }
        None
    }

    /// Whether the visit ends here; what does not work out, or gets in the way, ends it sooner, perhaps for good.
    fn leaves(&mut self, now: Timestamp) -> bool {
        let stuck = self.led.is_none()
            && self.wanted().is_some_and(|step| self.truth.failures(step, now) >= 2);
        let done = self.truth.reached(Step::Report).is_some();
        let seen = u32::try_from(self.truth.exposures()).unwrap_or(u32::MAX);
        let tired = (self.persona.traits().tires * self.nature.tires).saturating_mul(seen) / 100;
        let wish = 3 + tired + if stuck { 14 } else { 0 } + if done { 12 } else { 0 };
        let lot = self.draws.below(100);
        if self.moves_left > 0 && lot >= u64::from(wish) {
            return false;
        }
        self.led = None;
        // The guides have driven them out, and nothing else has.
        let driven_out = lot < u64::from(tired);
        let for_good = self.visits_left == 0 || ((stuck || driven_out) && self.draws.chance(40));
        self.visits_left = self.visits_left.saturating_sub(1);
        self.next = if for_good { Next::Nothing } else { Next::Arrive };
        true
    }

    /// The step that the visitor would take next.
    fn wanted(&self) -> Option<Step> {
        let pays_first = self.persona == Persona::CardDeclined;
        let plan = [
            Some(Step::Project),
            pays_first.then_some(Step::Billing),
            Some(Step::Data),
            Some(Step::Report),
            self.baggage.pays.then_some(Step::Billing),
        ];
        plan.into_iter().flatten().find(|step| self.truth.can_take(*step))
    }

    fn attempt(&mut self, step: Step, now: Timestamp) {
        self.led = None;
        match step {
            Step::Project => {
                self.submit(step, "new_project", None, now);
                self.open(Page::Import, now);
            }
            Step::Data if self.import_fails(now) => {
                self.submit(step, "import", Some("import_failed"), now);
            }
            Step::Data => {
                self.submit(step, "import", None, now);
                let rows = 20 + self.draws.below(400);
                self.say(now, "data_imported", json!({ "rows": rows }));
                self.open(Page::Projects, now);
            }
            Step::Billing => {
                let error = self.card_fails().then_some("card_declined");
                self.submit(step, "billing", error, now);
            }
            Step::Report => self.open(Page::Reports, now),
        }
    }

    fn import_fails(&mut self, now: Timestamp) -> bool {
        let percent = match (self.persona, self.truth.failures(Step::Data, now)) {
            (Persona::ImportTrouble, _) if self.taught => 8,
            (Persona::ImportTrouble, 0 | 1) => 100,
            (Persona::ImportTrouble, _) => 80,
            _ => 10,
        };
        self.draws.chance(percent)
    }

    fn card_fails(&mut self) -> bool {
        let percent = match (self.persona, self.page) {
            (Persona::CardDeclined, Page::BillingRetry) => 15,
            (Persona::CardDeclined, _) => 100,
            _ => 5,
        };
        self.draws.chance(percent)
    }

    /// Sends a form; it works where no error is given.
    fn submit(&mut self, step: Step, form: &str, error: Option<&str>, now: Timestamp) {
        let mut payload = json!({ "form": form, "ok": error.is_none() });
        match error {
            Some(error) => {
                payload["error"] = error.into();
                self.truth.fail(step, now);
            }
            None => self.truth.take(step, now),
        }
        self.say(now, "form_submit", payload);
    }

    fn wander(&mut self, now: Timestamp) {
        let page = self.draws.pick(&[
            (5, Page::Projects),
            (3, Page::Import),
            (1, Page::Reports),
            (2, Page::Billing),
            (1, Page::Support),
        ]);
        if page != self.page {
            self.open(page, now);
        }
    }

    fn open(&mut self, page: Page, now: Timestamp) {
        self.page = page;
        self.say(now, "page_view", json!({ "path": page.path() }));
        if page == Page::Support && self.truth.failures(Step::Data, now) > 0 {
            self.taught = true;
        }
        if page == Page::Reports && self.truth.reached(Step::Data).is_some() {
            self.truth.take(Step::Report, now);
            self.say(now, "report_viewed", json!({}));
        }
    }

    fn tell(&mut self, kind: &str, screen: &OnScreen, now: Timestamp) {
        self.say(now, kind, json!({ "decisionId": screen.decision.to_string() }));
    }

    fn say(&mut self, now: Timestamp, kind: &str, payload: Value) {
        let number = self.tally.events + self.outbox.len() as u64;
        let id = EventId::new(&format!("{}-e{number}", self.user));
        self.outbox.push(IncomingEvent {
            id: Some(id.expect("a user id and a number are short and printable")),
            user: self.user.clone(),
            session: self.session(),
            kind: kind.into(),
            claimed: Some(now),
            anonymous: None,
            attributes: None,
            context: EventContext {
                app_version: Some(self.baggage.app.text().into()),
                locale: Some(self.baggage.locale.into()),
                path: Some(self.page.path().into()),
                timezone: None,
            },
            payload: Some(raw(&payload)),
            api_version: None,
            trace_parent: None,
        });
    }

    fn question(&self, news: &IncomingEvent, now: Timestamp) -> DecideCall {
        DecideCall {
            user: self.user.clone(),
            session: self.session(),
            surface: SurfaceBody {
                path: Some(self.page.path().to_owned()),
                app_version: Some(self.baggage.app.text()),
                locale: Some(self.baggage.locale.to_owned()),
                components: Some(COMPONENTS.map(str::to_owned).to_vec()),
            },
            after: news.id.clone(),
            wait: MAX_WAIT,
            at: Some(now),
        }
    }

    fn session(&self) -> SessionId {
        let id = SessionId::new(&format!("{}-v{}", self.user, self.visit));
        id.expect("a user id and a number are short and printable")
    }
}

fn raw(value: &Value) -> Box<RawValue> {
    to_raw_value(value).expect("a JSON value is always writable")
}

/// A UUID of version 4.
fn uuid(draws: &mut Draws) -> UserId {
    let (high, low) = (draws.bits(), draws.bits());
    let text = format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        0x8000 | (low >> 50),
        low & 0xffff_ffff_ffff,
    );
    UserId::new(&text).expect("36 printable characters are a user id")
}

#[cfg(test)]
mod tests;
