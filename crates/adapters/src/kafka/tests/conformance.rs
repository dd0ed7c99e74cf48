//! The port's suite on real brokers.

use std::sync::Arc;

use pilotage_engine::conformance::JournalPlace;
use pilotage_engine::port::Answer;
use pilotage_engine::port::log::Journal;

use super::{open, options};
use crate::kafka::{Compression, Options, ensure_topics};

/// A topic of its own.
struct Place(Options);

impl JournalPlace for Place {
    fn open(&self) -> Answer<'_, Arc<dyn Journal>> {
        Box::pin(async {
            ensure_topics(&self.0).await.expect("the topics are there");
            Arc::new(open(&self.0)) as Arc<dyn Journal>
        })
    }
}

mod journal {
    use super::{Place, options};

    pilotage_engine::journal_conformance!(|| Place(options()));
}

/// Records are pressed together, and stand side by side.
mod journal_pressed {
    use super::{Compression, Options, Place, options};

    pilotage_engine::journal_conformance!(|| Place(Options {
        compression: Compression::Lz4,
        partitions: 1,
        ..options()
    }));
}
