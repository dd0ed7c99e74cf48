//! The contact ledger: what was offered, shown, clicked and dismissed. Must not hold copy or anything personal.

use serde::{Deserialize, Serialize};

use crate::decide::{Decision, Outcome};
use crate::id::{DecisionId, GuideId, MilestoneId, SessionId, VariantId};
use crate::profile::session_hash;
use crate::time::{Millis, Timestamp};

/// How long an offer counts against the limits before anyone has seen the guide.
pub const RESERVATION: Millis = Millis::minutes(1);
/// How long after the offer a guide may still be shown: the decision's `expiresAt`.
pub const OFFER_LIFE: Millis = Millis::minutes(10);
/// How many of the newest offers the ledger remembers, to know what a decision id stands for.
pub const OFFERS_KEPT: usize = 32;
/// How many of the newest exposure times the ledger keeps: as many as the largest limit that a definition can name.
pub const RECENT_KEPT: usize = 1_000;
/// A day's worth of exposures: what the limit of 24 hours looks back on.
pub(super) const DAY: Millis = Millis::days(1);
/// Silence after a dismissal never grows past this.
pub const LONGEST_SILENCE: Millis = Millis::days(14);

/// What a user was offered and did with it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ContactLedger {
    /// The newest offers in log order, at most `OFFERS_KEPT`.
    pub offers: Vec<Offer>,
    /// Exposure times, ascending, each with the hash of the session that asked: those of the 24 hours before the newest
    /// and those of the newest's session, at most `RECENT_KEPT`.
    pub recent: Vec<(Timestamp, u64)>,
    /// Totals by guide, sorted by id.
    pub guides: Vec<(GuideId, GuideContact)>,
    /// Dismissals by milestone, sorted by id.
    pub dismissed: Vec<(MilestoneId, Dismissals)>,
    /// Guide events whose decision id the ledger does not know.
    pub unknown_decisions: u32,
}

/// A decision that showed a guide, as the ledger remembers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// The decision.
    #[serde(with = "super::stored::decision")]
    pub decision: DecisionId,
    /// What it offers.
    pub guide: GuideId,
    /// In which wording.
    pub variant: VariantId,
    /// For which milestone.
    pub milestone: MilestoneId,
    /// Hash of the session that asked.
    pub session: u64,
    /// When it was made.
    pub at: Timestamp,
    /// When it was shown: the time of the first such event in log order, but never before the offer, whatever the
    /// caller's clock says. So for the two below.
    pub shown: Option<Timestamp>,
    /// When it was clicked.
    pub clicked: Option<Timestamp>,
    /// When it was dismissed.
    pub dismissed: Option<Timestamp>,
}

/// What became of one guide's exposures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct GuideContact {
    /// Exposures.
    pub shows: u32,
    /// Exposures that were clicked.
    pub clicks: u32,
    /// Exposures that were dismissed.
    pub dismissals: u32,
    /// The latest exposure.
    pub last_shown: Option<Timestamp>,
}

/// The dismissals of guides that serve one milestone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dismissals {
    /// How many.
    pub count: u32,
    /// The latest.
    pub last: Timestamp,
}

/// What a guide's own event says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Contact {
    Shown,
    Clicked,
    Dismissed,
}

/// The ledger does not know the decision that an event names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct UnknownDecision;

/// What an event made of an offer. A click or a dismissal is news only of an exposure: one that comes before its
/// `guide_shown` becomes news together with the exposure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contacted {
    /// The decision.
    pub decision: DecisionId,
    /// What it offered.
    pub guide: GuideId,
    /// In which wording.
    pub variant: VariantId,
    /// It became an exposure; at most once for a decision.
    pub exposed: bool,
    /// The exposure is clicked; at most once for a decision.
    pub clicked: bool,
    /// The exposure is dismissed; at most once for a decision.
    pub dismissed: bool,
}

impl Offer {
    /// What the decision offers in that session; `None` where it shows nothing.
    pub fn of(decision: &Decision, session: &SessionId) -> Option<Self> {
        let Outcome::Show { guide, .. } = &decision.outcome else {
            return None;
        };
        let arm = (guide.id().clone(), guide.variant().clone());
        Some(Self::new(decision.id, arm, guide.milestone().clone(), session, decision.at))
    }

    /// A fresh offer: a guide in a wording, for a milestone, to whoever is in that session.
    pub fn new(
        decision: DecisionId,
        (guide, variant): (GuideId, VariantId),
        milestone: MilestoneId,
        session: &SessionId,
        at: Timestamp,
    ) -> Self {
        let session = session_hash(session);
        Self {
            decision,
            guide,
            variant,
            milestone,
            session,
            at,
            shown: None,
            clicked: None,
            dismissed: None,
        }
    }

    /// Notes the first such event; `None` where it is not the first.
    fn note(&mut self, contact: Contact, at: Timestamp) -> Option<Contacted> {
        let at = at.max(self.at);
        let slot = match contact {
            Contact::Shown => &mut self.shown,
            Contact::Clicked => &mut self.clicked,
            Contact::Dismissed => &mut self.dismissed,
        };
        if slot.is_some() {
            return None;
        }
        *slot = Some(at);
        let exposed = contact == Contact::Shown;
        let news = |of: Contact, when: Option<Timestamp>| {
            self.shown.is_some() && when.is_some() && (exposed || contact == of)
        };
        Some(Contacted {
            decision: self.decision,
            guide: self.guide.clone(),
            variant: self.variant.clone(),
            exposed,
            clicked: news(Contact::Clicked, self.clicked),
            dismissed: news(Contact::Dismissed, self.dismissed),
        })
    }
}

impl ContactLedger {
    /// The offer that the decision made, while the ledger remembers it.
    pub fn offer(&self, decision: DecisionId) -> Option<&Offer> {
        self.offers.iter().rev().find(|offer| offer.decision == decision)
    }

    /// What became of the guide; all zero where it was never shown.
    pub fn guide(&self, guide: &GuideId) -> GuideContact {
        let place = self.guides.binary_search_by(|(id, _)| id.cmp(guide)).ok();
        place.and_then(|at| self.guides.get(at)).map(|(_, contact)| *contact).unwrap_or_default()
    }

    /// The dismissals of guides that serve the milestone, where there are any.
    pub fn dismissals(&self, milestone: &MilestoneId) -> Option<Dismissals> {
        let place = self.dismissed.binary_search_by(|(id, _)| id.cmp(milestone)).ok();
        place.and_then(|at| self.dismissed.get(at)).map(|(_, dismissals)| *dismissals)
    }

    /// The latest exposure.
    pub fn last_shown(&self) -> Option<Timestamp> {
        self.recent.last().map(|(at, _)| *at)
    }

    /// Remembers the offer, and forgets the oldest beyond `OFFERS_KEPT`; whether it was not there.
    pub(super) fn keep(&mut self, offer: Offer) -> bool {
        if self.offer(offer.decision).is_some() {
            return false;
        }
        if self.offers.len() >= OFFERS_KEPT {
            self.offers.remove(0);
        }
        self.offers.push(offer);
        true
    }

    /// Notes a guide's own event on the offer that it names. The first dismissal keeps the milestone silent, whether or
    /// not the guide is known to have been seen; all else that counts, counts exposures.
    pub(super) fn record(
        &mut self,
        contact: Contact,
        decision: Option<DecisionId>,
        at: Timestamp,
    ) -> Result<Option<Contacted>, UnknownDecision> {
        let mut offers = self.offers.iter_mut().rev();
        let Some(offer) = offers.find(|offer| Some(offer.decision) == decision) else {
            self.unknown_decisions = self.unknown_decisions.saturating_add(1);
            return Err(UnknownDecision);
        };
        let Some(news) = offer.note(contact, at) else {
            return Ok(None);
        };
        let at = at.max(offer.at);
        if contact == Contact::Dismissed {
            silence(&mut self.dismissed, &offer.milestone, at);
        }
        if news.exposed {
            expose(&mut self.recent, offer.session, at);
        }
        if !(news.exposed || news.clicked || news.dismissed) {
            return Ok(None);
        }
        tally(&mut self.guides, &news, at);
        Ok(Some(news))
    }
}

fn silence(dismissed: &mut Vec<(MilestoneId, Dismissals)>, milestone: &MilestoneId, at: Timestamp) {
    match dismissed.binary_search_by(|(id, _)| id.cmp(milestone)) {
        Err(place) => {
            dismissed.insert(place, (milestone.clone(), Dismissals { count: 1, last: at }))
        }
        Ok(place) => {
            if let Some((_, dismissals)) = dismissed.get_mut(place) {
                dismissals.count = dismissals.count.saturating_add(1);
                dismissals.last = dismissals.last.max(at);
            }
        }
    }
}

fn expose(recent: &mut Vec<(Timestamp, u64)>, session: u64, at: Timestamp) {
    let place = recent.partition_point(|(earlier, _)| *earlier <= at);
    recent.insert(place, (at, session));
    keep_recent(recent);
}

/// Lets go of exposures that no limit asks for any more.
pub(super) fn keep_recent(recent: &mut Vec<(Timestamp, u64)>) {
    let Some((newest, current)) = recent.last().copied() else {
        return;
    };
    recent.retain(|(shown, of)| *shown + DAY > newest || *of == current);
    recent.drain(..recent.len().saturating_sub(RECENT_KEPT));
}

fn tally(guides: &mut Vec<(GuideId, GuideContact)>, news: &Contacted, at: Timestamp) {
    let place = match guides.binary_search_by(|(id, _)| id.cmp(&news.guide)) {
        Ok(place) => place,
        Err(place) => {
            guides.insert(place, (news.guide.clone(), GuideContact::default()));
            place
        }
    };
    let Some((_, guide)) = guides.get_mut(place) else {
        return;
    };
    guide.shows = guide.shows.saturating_add(u32::from(news.exposed));
    guide.clicks = guide.clicks.saturating_add(u32::from(news.clicked));
    guide.dismissals = guide.dismissals.saturating_add(u32::from(news.dismissed));
    if news.exposed {
        guide.last_shown = guide.last_shown.max(Some(at));
    }
}

#[cfg(test)]
mod tests;
