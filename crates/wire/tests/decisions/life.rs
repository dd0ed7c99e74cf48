//! A user's life with a product: what happened, in log order, told to the domain and kept for the oracle. Must not judge.

use pilotage_domain::decide::{Decision, Outcome, Request, Surface, decide};
use pilotage_domain::definition::Definition;
use pilotage_domain::event::{Event, EventContext, Position};
use pilotage_domain::id::{DecisionId, EventId, GuideId, SessionId, UserId};
use pilotage_domain::kin::ALONE;
use pilotage_domain::policy::Policy;
use pilotage_domain::profile::Profile;
use pilotage_domain::profile::contact::Offer;
use pilotage_domain::profile::fold::{fold_decision, fold_event};
use pilotage_domain::time::Timestamp;
use pilotage_domain::value::Value;

/// Something that the user did.
#[derive(Debug, Clone)]
pub(crate) struct Deed {
    pub(crate) kind: String,
    pub(crate) at: i64,
    pub(crate) payload: Value,
    pub(crate) attributes: Vec<(String, Value)>,
}

/// A guide that was offered, and what became of it.
#[derive(Debug, Clone)]
pub(crate) struct Offered {
    pub(crate) decision: DecisionId,
    pub(crate) guide: String,
    pub(crate) milestone: String,
    pub(crate) session: String,
    pub(crate) at: i64,
    pub(crate) shown: Option<i64>,
    pub(crate) dismissed: Option<i64>,
}

/// What a caller says with a question.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ask {
    pub(crate) path: Option<String>,
    pub(crate) app_version: Option<String>,
    pub(crate) locale: Option<String>,
    pub(crate) components: Option<Vec<String>>,
    pub(crate) paused: Vec<GuideId>,
}

/// One user.
pub(crate) struct Life<'d> {
    pub(crate) definition: &'d Definition,
    pub(crate) user: UserId,
    pub(crate) profile: Profile,
    pub(crate) deeds: Vec<Deed>,
    pub(crate) offers: Vec<Offered>,
    pub(crate) session: String,
    pub(crate) now: i64,
    /// Offers that the profile may not hold yet.
    pub(crate) pending: Vec<Offer>,
    end: u64,
    decisions: u128,
}

impl<'d> Life<'d> {
    /// Begins at an instant far from 1970.
    pub(crate) fn new(definition: &'d Definition, user: &str) -> Self {
        Self {
            definition,
            user: UserId::new(user).expect("an id"),
            profile: Profile::default(),
            deeds: Vec::new(),
            offers: Vec::new(),
            session: "s0".to_owned(),
            now: 1_700_000_000_000,
            pending: Vec::new(),
            end: 0,
            decisions: 0,
        }
    }

    /// Does something, that long ago.
    pub(crate) fn does(
        &mut self,
        kind: &str,
        ago: i64,
        payload: Value,
        attributes: Vec<(String, Value)>,
    ) {
        let deed = Deed { kind: kind.to_owned(), at: self.now - ago, payload, attributes };
        self.fold(&deed);
        self.deeds.push(deed);
    }

    fn fold(&mut self, deed: &Deed) {
        self.end += 1;
        let event = Event {
            id: EventId::new(&format!("e{}", self.end)).expect("an id"),
            user: self.user.clone(),
            session: SessionId::new(&self.session).expect("an id"),
            kind: deed.kind.as_str().into(),
            at: Timestamp::from_millis(deed.at),
            received_at: Timestamp::from_millis(self.now),
            attributes: deed
                .attributes
                .iter()
                .map(|(n, v)| (n.as_str().into(), v.clone()))
                .collect(),
            context: EventContext::default(),
            payload: deed.payload.clone(),
        };
        let folded = fold_event(&mut self.profile, self.definition, &event, Position(self.end));
        assert_eq!(folded.dropped_values, 0, "{deed:?}");
    }

    /// Lets so many decisions go by, so that the next is drawn otherwise.
    pub(crate) fn skip(&mut self, decisions: u128) {
        self.decisions += decisions;
    }

    /// Asks for a decision; the offer is pending until it is `kept`.
    pub(crate) fn asks(&mut self, policy: Policy, ask: &Ask) -> Decision {
        self.decisions += 1;
        let session = SessionId::new(&self.session).expect("an id");
        // A spread of bits, so that draws differ.
        let id = DecisionId::from_bits(
            self.decisions.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835),
        );
        let decision = decide(
            self.definition,
            policy,
            &self.profile,
            &Request {
                id,
                user: &self.user,
                session: &session,
                at: Timestamp::from_millis(self.now),
                surface: Surface {
                    path: ask.path.as_deref(),
                    app_version: ask.app_version.as_deref(),
                    locale: ask.locale.as_deref(),
                    components: ask.components.as_deref(),
                },
                paused: &ask.paused,
                pending: &self.pending,
                kin: &ALONE,
            },
        );
        if let Outcome::Show { guide, .. } = &decision.outcome {
            self.pending.extend(Offer::of(&decision, &session));
            self.offers.push(Offered {
                decision: id,
                guide: guide.id().to_string(),
                milestone: guide.milestone().to_string(),
                session: self.session.clone(),
                at: self.now,
                shown: None,
                dismissed: None,
            });
        }
        decision
    }

    /// The log has the offers now. They stay pending for a caller that does not know it yet.
    pub(crate) fn keeps(&mut self) {
        for offer in self.pending.clone() {
            self.end += 1;
            fold_decision(&mut self.profile, Some(offer), Position(self.end));
        }
    }

    /// The newest offer is seen, and perhaps dismissed, now.
    pub(crate) fn meets(&mut self, dismisses: Dismisses) {
        self.keeps();
        self.pending.clear();
        let now = self.now;
        let Some(offer) = self.offers.last_mut().filter(|offer| offer.shown.is_none()) else {
            return;
        };
        offer.shown = Some(now);
        if dismisses == Dismisses::Yes {
            offer.dismissed = Some(now);
        }
        let about =
            Value::Map(vec![("decisionId".into(), Value::Text(offer.decision.to_string().into()))]);
        self.does("guide_shown", 0, about.clone(), Vec::new());
        if dismisses == Dismisses::Yes {
            self.does("guide_dismissed", 0, about, Vec::new());
        }
    }
}

/// Whether a guide that is seen is waved away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dismisses {
    Yes,
    No,
}
