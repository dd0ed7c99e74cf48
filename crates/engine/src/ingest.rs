//! Taking events: give each a name, put it in the log, answer once it is durable. Must not fold or decide.

use pilotage_domain::id::{EventId, ProductId};
use pilotage_wire::event::IncomingEvent;
use pilotage_wire::record;
use thiserror::Error;

use crate::port::log::{AppendError, Appended, Entry, EntryName};
use crate::{Common, Engine};

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
        if common.products.get(product).is_none() {
            return Err(IngestError::UnknownProduct);
        }
        let (ids, entries): (Vec<EventId>, Vec<Entry>) =
            events.into_iter().map(|event| common.entry(product, event)).unzip();
        let appended = common.journal.append(entries).await?;
        Ok(ids
            .into_iter()
            .zip(appended)
            .map(|(event_id, appended)| Ingested {
                event_id,
                duplicate: matches!(appended, Appended::Duplicate(_)),
            })
            .collect())
    }
}

impl Common {
    fn entry(&self, product: &ProductId, event: IncomingEvent) -> (EventId, Entry) {
        let received_at = self.clock.arrival(event.claimed);
        let id = event.id.clone().unwrap_or_else(|| self.fresh_event_id());
        let body = record::event::encode(product, &id, &event, received_at);
        let entry = Entry {
            product: product.clone(),
            user: event.user,
            name: EntryName::Event(id.clone()),
            received_at,
            body: body.into(),
        };
        (id, entry)
    }

    /// `evt_` and 128 random bits in hexadecimal.
    fn fresh_event_id(&self) -> EventId {
        let text = format!("evt_{:032x}", self.entropy.bits());
        // 36 printable bytes are always a caller-owned id.
        EventId::new(&text).expect("a fresh id is well formed")
    }
}
