//! From the ports' records to those of the wire and back. Must not send or read anything.

use bytes::Bytes;
use pilotage_domain::event::Position;
use pilotage_engine::port::feed::{Fed, Partition};
use pilotage_engine::port::log::{Entry, EntryName, Stored};
use pilotage_wire::record::RecordError;
use pilotage_wire::record::kafka::{Incoming, Message, Name, Outgoing, decode, encode};
use rdkafka::message::{Header, OwnedHeaders};

/// What a record takes in memory beside key, headers and value.
const OVERHEAD: usize = 256;

/// The name as the wire has it.
pub(super) fn name(entry: &Entry) -> Name {
    match &entry.name {
        EntryName::Event(id) => Name::Event(id.clone()),
        EntryName::Decision(id) => Name::Decision(*id),
        EntryName::Named(into) => Name::Named(into.clone()),
        EntryName::Carried(from, fold) => Name::Carried(from.clone(), *fold),
    }
}

/// The entry as it will stand in the topic.
pub(super) fn message<'a>(entry: &'a Entry, name: &'a Name) -> Result<Message<'a>, RecordError> {
    encode(Outgoing {
        product: &entry.product,
        user: &entry.user,
        name,
        received_at: entry.received_at,
        body: &entry.body,
    })
}

/// About how much memory a record takes while it waits.
pub(super) fn bytes_of(message: &Message<'_>) -> usize {
    let headers = message.headers.iter().map(|(name, value)| name.len() + value.len());
    OVERHEAD + message.key.len() + message.value.len() + headers.sum::<usize>()
}

/// The headers as the library has them.
pub(super) fn headers(message: &Message<'_>) -> OwnedHeaders {
    let empty = OwnedHeaders::new_with_capacity(message.headers.len());
    message.headers.iter().fold(empty, |headers, (key, value)| {
        headers.insert(Header { key, value: Some(value.as_bytes()) })
    })
}

/// Where a record stands; `None` beyond what positions can say.
pub(super) fn position(partition: i32, offset: i64) -> Option<Position> {
    let partition = Partition(u16::try_from(partition).ok()?);
    partition.position(u64::try_from(offset).ok()?)
}

/// The record that stands there.
pub(super) fn fed(
    position: Position,
    key: Option<&[u8]>,
    value: Option<&[u8]>,
) -> Result<Fed, RecordError> {
    let Incoming { product, user, name, received_at, body } = decode(key, value)?;
    let name = match name {
        Name::Event(id) => EntryName::Event(id),
        Name::Decision(id) => EntryName::Decision(id),
        Name::Named(into) => EntryName::Named(into),
        Name::Carried(from, fold) => EntryName::Carried(from, fold),
    };
    let kind = name.kind();
    let body = Bytes::from(body.into_owned());
    Ok(Fed {
        stored: Stored { position, product, user, kind, received_at, body, event: None },
        name,
    })
}
