//! Two profiles of one person become one. Must not count anything twice, nor leave room under a limit that one user alone would
//! not have.
//!
//! The profile that is taken over is the fold of other records: how those of the two would have followed each other is not
//! known. So times say what came first, and where there are none, the own word stands. What the definition does not know is
//! passed over.

use super::contact::{ContactLedger, Dismissals, GuideContact, OFFERS_KEPT, Offer, keep_recent};
use super::fold::{self, FoldOutcome, Folded, IDS_KEPT};
use super::{Count, Profile, Sessions, attribute};
use crate::definition::Definition;
use crate::event::Position;
use crate::id::{ErrorName, MilestoneId};
use crate::time::Timestamp;

impl Profile {
    /// Takes over the profile of another user who is the same person, as of the record at that position.
    ///
    /// What was counted adds up; of times the earliest or the latest stands; the own attributes win over the other's.
    /// Milestones are judged again as of the latest event time of the two, which goes on record for those that neither of the
    /// two had reached alone.
    pub fn absorb(&mut self, definition: &Definition, other: Self, at: Position) -> Folded {
        let outcome = fold::advance(self, at);
        let mut folded = Folded { outcome, ..Folded::default() };
        if outcome != FoldOutcome::New {
            return folded;
        }
        let activation = &definition.milestones[definition.activation].id;
        let was_activated = self.reached_at(activation).is_some();
        let signup = earliest(self.signup, other.signup);
        folded.signed_up = signup.filter(|_| signup != self.signup);
        self.signup = signup;
        self.join_visits(other.sessions, other.last_seen);
        self.events = self.events.saturating_add(other.events);
        self.first_seen = earliest(self.first_seen, other.first_seen);
        self.last_seen = self.last_seen.max(other.last_seen);
        attribute::fill(self, definition, other.attributes);
        self.add_counters(definition, other.counters);
        self.join_error(other.last_error);
        self.contact.join(other.contact);
        join_newest(&mut self.recent_ids, other.recent_ids);
        self.dropped_values = self.dropped_values.saturating_add(other.dropped_values);
        self.join_reached(definition, other.reached, &mut folded);
        if let Some(now) = self.last_seen {
            fold::reach(self, definition, now, &mut folded);
        }
        folded.activated = self.reached_at(activation).filter(|_| !was_activated);
        folded
    }

    /// Visits add up; one in which both were newest is one. The current one is that of whoever was seen last.
    fn join_visits(&mut self, other: Sessions, other_seen: Option<Timestamp>) {
        let own = &mut self.sessions;
        let count = own.count.saturating_add(other.count);
        if own.started.is_some() && other.started.is_some() && own.current == other.current {
            own.count = count.saturating_sub(1);
            own.started = earliest(own.started, other.started);
        } else if other_seen > self.last_seen {
            *own = Sessions { count, ..other };
        } else {
            own.count = count;
        }
    }

    fn add_counters(&mut self, definition: &Definition, others: Vec<(u64, Count)>) {
        for (key, count) in others {
            let Some(counter) = definition.counters.iter().find(|known| known.key == key) else {
                continue;
            };
            match self.counters.binary_search_by_key(&key, |(known, _)| *known) {
                Err(place) => self.counters.insert(place, (key, count)),
                Ok(place) => {
                    if let Some((_, own)) = self.counters.get_mut(place) {
                        own.add(count, counter.count);
                    }
                }
            }
        }
    }

    /// The later error stands.
    fn join_error(&mut self, other: Option<(ErrorName, Timestamp)>) {
        let when = |error: &Option<(ErrorName, Timestamp)>| error.as_ref().map(|(_, at)| *at);
        if when(&other) > when(&self.last_error) {
            self.last_error = other;
        }
    }

    /// A milestone that both have reached was reached when the first of them did.
    fn join_reached(
        &mut self,
        definition: &Definition,
        others: Vec<(MilestoneId, Timestamp)>,
        folded: &mut Folded,
    ) {
        for (id, at) in others {
            let Some(ix) = definition.milestones.find(|known| known.id == id) else { continue };
            match self.reached.binary_search_by(|(known, _)| known.cmp(&id)) {
                Err(place) => {
                    self.reached.insert(place, (id, at));
                    folded.reached.push(ix);
                }
                Ok(place) => {
                    if let Some((_, own)) = self.reached.get_mut(place) {
                        *own = at.min(*own);
                    }
                }
            }
        }
    }
}

impl Count {
    /// Adds what another counter of that form has seen; the form asks for at most so many.
    fn add(&mut self, other: Self, most: u32) {
        match (self, other) {
            (Self::Ever(own), Self::Ever(more)) => *own = own.saturating_add(more).min(most),
            (Self::Newest(own), Self::Newest(more)) => {
                for at in more {
                    fold::keep_newest(own, at, most);
                }
            }
            // A counter's key tells its kind: there are no two of one key.
            _ => {}
        }
    }
}

impl ContactLedger {
    /// All that either was offered, shown, clicked on or dismissed. A decision is one user's: none is in both.
    fn join(&mut self, other: Self) {
        join_offers(&mut self.offers, other.offers);
        self.recent.extend(other.recent);
        self.recent.sort_by_key(|(at, _)| *at);
        keep_recent(&mut self.recent);
        join_sorted(&mut self.guides, other.guides, GuideContact::add);
        join_sorted(&mut self.dismissed, other.dismissed, Dismissals::add);
        self.unknown_decisions = self.unknown_decisions.saturating_add(other.unknown_decisions);
    }
}

impl GuideContact {
    fn add(&mut self, other: Self) {
        self.shows = self.shows.saturating_add(other.shows);
        self.clicks = self.clicks.saturating_add(other.clicks);
        self.dismissals = self.dismissals.saturating_add(other.dismissals);
        self.last_shown = self.last_shown.max(other.last_shown);
    }
}

impl Dismissals {
    fn add(&mut self, other: Self) {
        self.count = self.count.saturating_add(other.count);
        self.last = self.last.max(other.last);
    }
}

/// The newest of both, in the order of their times as far as each list is.
fn join_offers(own: &mut Vec<Offer>, others: Vec<Offer>) {
    let mut place = 0;
    for offer in others {
        let later = own.iter().skip(place).position(|known| known.at > offer.at);
        place = later.map_or(own.len(), |steps| place + steps);
        own.insert(place, offer);
        place += 1;
    }
    own.drain(..own.len().saturating_sub(OFFERS_KEPT));
}

/// The newest of both, the other's first; half of the room for each, and more where one does not fill its half.
fn join_newest(own: &mut Vec<u64>, mut others: Vec<u64>) {
    const HALF: usize = IDS_KEPT / 2;
    others.retain(|id| !own.contains(id));
    let kept = own.len().min(HALF.max(IDS_KEPT.saturating_sub(others.len())));
    own.drain(..own.len() - kept);
    others.drain(..others.len().saturating_sub(IDS_KEPT - kept));
    others.append(own);
    *own = others;
}

/// Two lists that are sorted by key, in one.
fn join_sorted<K: Ord, V>(own: &mut Vec<(K, V)>, others: Vec<(K, V)>, add: fn(&mut V, V)) {
    for (key, value) in others {
        match own.binary_search_by(|(known, _)| known.cmp(&key)) {
            Err(place) => own.insert(place, (key, value)),
            Ok(place) => {
                if let Some((_, known)) = own.get_mut(place) {
                    add(known, value);
                }
            }
        }
    }
}

fn earliest(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    one.into_iter().chain(other).min()
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
