//! Situations that are met and about which nothing fresh is known: gathered here until they are written with the users, or by
//! themselves. Must stay bounded, and must not make anybody wait.

use std::collections::BTreeMap;

use bytes::Bytes;
use pilotage_domain::advise::queue::{Job, Knows};
use pilotage_domain::advise::{Brief, NoCall};
use pilotage_domain::hash::ContentHash;
use pilotage_domain::id::{GuideId, ProductId, PromptId};
use pilotage_domain::number::Probability;
use pilotage_domain::rules::Situation;
use pilotage_domain::time::Timestamp;
use pilotage_wire::model::brief::BriefBody;

use crate::port::book::Wanted;

/// The most situations that are gathered; one more waits until it is met again.
const MOST_GATHERED: usize = 1_024;

/// Situations that were met, each once.
#[derive(Debug, Default)]
pub(crate) struct Met {
    all: BTreeMap<(ProductId, ContentHash), Wanted>,
}

/// A situation that was met, and what is known of it.
pub(super) struct Encounter<'a> {
    pub(super) product: &'a ProductId,
    pub(super) prompt: &'a PromptId,
    pub(super) signature: ContentHash,
    pub(super) situation: &'a Situation<'a>,
    pub(super) guides: &'a [&'a GuideId],
    pub(super) knows: Knows,
    pub(super) uncertainty: Probability,
    pub(super) now: Timestamp,
}

impl Met {
    /// Counts a situation; the question is put into words the first time.
    ///
    /// # Errors
    /// Why nobody is asked about it.
    pub(super) fn note(&mut self, met: &Encounter<'_>) -> Result<(), NoCall> {
        let key = (met.product.clone(), met.signature);
        if let Some(known) = self.all.get_mut(&key) {
            known.job.traffic += 1;
            return Ok(());
        }
        if self.all.len() >= MOST_GATHERED {
            return Ok(());
        }
        let brief = Brief::of(met.prompt, met.situation, met.guides)?;
        // Text, numbers and lists: nothing in it can fail to be written to memory.
        let body =
            serde_json::to_vec(&BriefBody::from(&brief)).expect("a brief is always writable");
        let job = Job {
            signature: met.signature,
            traffic: 1,
            uncertainty: met.uncertainty,
            knows: met.knows,
            since: met.now,
            not_before: met.now,
        };
        let wanted = Wanted { product: met.product.clone(), job, brief: Bytes::from(body) };
        self.all.insert(key, wanted);
        Ok(())
    }

    /// Everything that was gathered; from now on there is nothing.
    pub(crate) fn take(&mut self) -> Vec<Wanted> {
        std::mem::take(&mut self.all).into_values().collect()
    }
}
