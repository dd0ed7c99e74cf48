//! What must be so whatever a request's body holds: the fuzz target and `wire/tests/fuzz_event.rs` run it. Must not know who
//! calls it.

use std::sync::LazyLock;

use pilotage_domain::definition::Definition;
use pilotage_domain::id::{EventId, ProductId};
use pilotage_domain::time::Timestamp;
use pilotage_wire::api::decision::read_ask;
use pilotage_wire::api::ingest::{read_batch, read_lines};
use pilotage_wire::{event, record, yaml};

/// The example, for users of any name: a fuzzer finds no UUIDs.
static ACME: LazyLock<Definition> = LazyLock::new(|| {
    let text = include_str!("../../examples/acme.yaml").replace("userId: uuid ", "userId: any ");
    yaml::load(&text).expect("the example is valid").definition
});

/// Reads the bytes as an event, as a batch of either form and as a request for a decision.
///
/// # Panics
/// Where a promise of the readers is broken.
pub(crate) fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    take(text);
    if let Ok(batch) = read_batch(text) {
        batch.events.into_iter().for_each(take);
    }
    read_lines(text).events.into_iter().for_each(take);
    if let Err(faults) = read_ask(text, &ACME) {
        assert!(!faults.is_empty(), "refused without a reason");
    }
}

fn take(text: &str) {
    match event::read(text, &ACME) {
        Err(refused) => assert!(!refused.faults.is_empty(), "refused without a reason"),
        Ok(received) => {
            let product = ProductId::new("acme").expect("valid");
            let id = EventId::new("e").expect("valid");
            let now = Timestamp::from_millis(1_795_378_500_123);
            let body = record::event::encode(&product, &id, &received.event, now);
            let stored = record::event::decode(&body).expect("what is taken can be read again");
            assert_eq!(stored.user, received.event.user);
        }
    }
}
