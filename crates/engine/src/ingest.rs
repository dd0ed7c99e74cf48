//! Taking events: give each a name, put it in the log, answer once it is durable. Must not fold or decide.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pilotage_domain::event::Event;
use pilotage_domain::hash::tagged;
use pilotage_domain::id::{EventId, ProductId};
use pilotage_domain::kin::may_name;
use pilotage_wire::event::IncomingEvent;
use pilotage_wire::record;
use pilotage_wire::record::merge::{self, Named};
use thiserror::Error;

use crate::port::log::{AppendError, Appended, Entry, EntryName};
use crate::port::store::UserKey;
use crate::{Common, Engine, Seat};

/// An event that is durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ingested {
    /// Its name: the caller's, or the one that it was given.
    pub event_id: EventId,
    /// It was known already; it counts once.
    pub duplicate: bool,
}

/// Why events were not taken. Those that may be stored all the same are made harmless by their ids.
#[derive(Debug, Error)]
pub enum IngestError {
    /// The product is not served here.
    #[error("the product is not served here")]
    UnknownProduct,
    /// The log did not take them.
    #[error(transparent)]
    Log(#[from] AppendError),
}

impl Engine {
    /// Takes the events, in order; when it resolves with `Ok` every one of them is durable, and with `Err` the caller
    /// may send them all again under the same ids.
    pub async fn ingest(
        &self,
        product: &ProductId,
        events: Vec<IncomingEvent>,
    ) -> Result<Vec<Ingested>, IngestError> {
        let common = &*self.common;
        let served = common.products.get(product).ok_or(IngestError::UnknownProduct)?;
        // In a fleet it is another process that folds.
        let heeded = matches!(self.seat, Seat::Alone(_)).then_some(&served.heeded[..]);
        let mut taking = Taking::of(events.len());
        for event in events {
            common.take((product, heeded), event, &mut taking);
        }
        let Taking { entries, ids, named } = taking;
        let appended = common.journal.append(entries).await?;
        common.namings.note(named);
        let is_duplicate =
            |place: usize| matches!(appended.get(place), Some(Appended::Duplicate(_)));
        Ok(ids
            .into_iter()
            .map(|(place, event_id)| Ingested { event_id, duplicate: is_duplicate(place) })
            .collect())
    }
}

/// The members of payloads that a fold heeds, where this process folds what it takes.
type Heeded<'a> = Option<&'a [Box<str>]>;

/// What a call puts on record.
struct Taking {
    entries: Vec<Entry>,
    /// The events' names, and where their entries stand among the others.
    ids: Vec<(usize, EventId)>,
    /// Who is named in it.
    named: HashSet<UserKey>,
}

impl Taking {
    /// Room for so many events.
    fn of(events: usize) -> Self {
        let (entries, ids) = (Vec::with_capacity(events), Vec::with_capacity(events));
        Self { entries, ids, named: HashSet::new() }
    }
}

/// Anonymous users who are known to be named on record, so that a caller who names one with each event does not double the log.
/// The first naming counts for ever: whoever names one of these changes nothing. Forgetting one costs a record.
#[derive(Debug, Default)]
pub(crate) struct Namings(Mutex<[HashSet<UserKey>; 2]>);

/// How many of them are known, at least; at most twice as many.
const KNOWN_NAMINGS: usize = 16_384;

impl Namings {
    fn known(&self) -> MutexGuard<'_, [HashSet<UserKey>; 2]> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn knows(&self, key: &UserKey) -> bool {
        self.known().iter().any(|known| known.contains(key))
    }

    fn note(&self, named: HashSet<UserKey>) {
        if named.is_empty() {
            return;
        }
        let mut known = self.known();
        let [young, old] = &mut *known;
        for key in named {
            if young.len() >= KNOWN_NAMINGS {
                *old = std::mem::take(young);
            }
            young.insert(key);
        }
    }
}

impl Common {
    /// The event's entry, and that of the naming that it holds, where it names an anonymous user who is not known to be named.
    fn take(
        &self,
        (product, heeded): (&ProductId, Heeded<'_>),
        event: IncomingEvent,
        taking: &mut Taking,
    ) {
        let anonymous = event.anonymous.clone();
        let anonymous = anonymous.filter(|anonymous| may_name(&event.user, anonymous));
        let (user, session, claimed) = (event.user.clone(), event.session.clone(), event.claimed);
        let (id, entry) = self.entry((product, heeded), event);
        let received_at = entry.received_at;
        taking.ids.push((taking.entries.len(), id));
        taking.entries.push(entry);
        let Some(anonymous) = anonymous else { return };
        let key = UserKey { product: product.clone(), user: anonymous };
        if taking.named.contains(&key) || self.namings.knows(&key) {
            return;
        }
        let at = Event::effective_time(claimed, received_at);
        let body = merge::encode_named(&Named { into: user.clone(), session, at });
        taking.entries.push(Entry {
            product: product.clone(),
            user: key.user.clone(),
            name: EntryName::Named(user),
            received_at,
            body: body.into(),
            event: None,
        });
        taking.named.insert(key);
    }

    fn entry(
        &self,
        (product, heeded): (&ProductId, Heeded<'_>),
        event: IncomingEvent,
    ) -> (EventId, Entry) {
        let received_at = self.clock.arrival(event.claimed);
        let id = event.id.clone().unwrap_or_else(|| self.fresh_event_id());
        let body = record::event::encode(product, &id, &event, received_at);
        let user = event.user.clone();
        let event = heeded
            .and_then(|heeded| record::event::heeding(&id, event, received_at, heeded))
            .map(Arc::new);
        let entry = Entry {
            product: product.clone(),
            user,
            name: EntryName::Event(id.clone()),
            received_at,
            body: body.into(),
            event,
        };
        (id, entry)
    }

    /// `evt_` and 128 random bits in hexadecimal.
    fn fresh_event_id(&self) -> EventId {
        let text = tagged::<36>(*b"evt_", self.entropy.bits());
        // 36 printable bytes are always a caller-owned id.
        let text = std::str::from_utf8(&text).expect("digits and letters");
        EventId::new(text).expect("a fresh id is well formed")
    }
}
