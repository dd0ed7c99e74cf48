//! What asking models has come to in this process, as plain numbers. Must count in bounded memory, by names of our own.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use pilotage_domain::advise::history::Source;
use pilotage_domain::advise::{MicroUsd, Rung};
use pilotage_domain::id::ProviderId;

use super::{Call, Outcome, Provider};

/// What came of meeting a situation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meeting {
    /// Something fresh is known about it.
    Known,
    /// Fewer than two guides fit, or too many: nobody is asked.
    NothingToAsk,
    /// It waits for advice.
    Wanted,
}

/// The numbers, since the start.
#[derive(Debug)]
pub(crate) struct Counts {
    known: AtomicU64,
    nothing_to_ask: AtomicU64,
    wanted: AtomicU64,
    events: AtomicU64,
    /// Decisions that a draw by advice was possible for, by where it came from; the last one had none.
    heard: [AtomicU64; 4],
    providers: Mutex<BTreeMap<ProviderId, OfProvider>>,
}

/// What came of asking one provider, since the start.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OfProvider {
    /// Answers that the ladder passed.
    pub passed: u64,
    /// Answers that it refused, by the rung's code; L0 is an answer that never came.
    pub refused: BTreeMap<&'static str, u64>,
    /// Calls that were not made: no price, no money, an open breaker.
    pub barred: u64,
    /// Options that were refused while others stood.
    pub passed_over: u64,
    /// Tokens that were read.
    pub tokens_read: u64,
    /// Tokens that were written.
    pub tokens_written: u64,
    /// What the calls have cost.
    pub cost: MicroUsd,
}

/// All of them, as they are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counted {
    /// Situations that were met and about which something fresh was known.
    pub known: u64,
    /// Situations with nothing to choose, or too much.
    pub nothing_to_ask: u64,
    /// Situations that were met and wait for advice.
    pub wanted: u64,
    /// Events that were folded.
    pub events: u64,
    /// Decisions that may go by advice, by where their advice came from.
    pub heard: BTreeMap<&'static str, u64>,
    /// By provider.
    pub providers: BTreeMap<ProviderId, OfProvider>,
}

const SOURCES: [Option<Source>; 4] =
    [Some(Source::Newest), Some(Source::LastGood), Some(Source::Parent), None];

impl Counts {
    pub(super) fn of(providers: &[Provider]) -> Self {
        let all = providers.iter().map(|p| (p.id.clone(), OfProvider::default())).collect();
        Self {
            known: AtomicU64::new(0),
            nothing_to_ask: AtomicU64::new(0),
            wanted: AtomicU64::new(0),
            events: AtomicU64::new(0),
            heard: Default::default(),
            providers: Mutex::new(all),
        }
    }

    pub(crate) fn met(&self, meeting: Meeting) {
        let count = match meeting {
            Meeting::Known => &self.known,
            Meeting::NothingToAsk => &self.nothing_to_ask,
            Meeting::Wanted => &self.wanted,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn event(&self) {
        self.events.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn heard(&self, source: Option<Source>) {
        let place = SOURCES.iter().position(|known| *known == source);
        if let Some(count) = place.and_then(|place| self.heard.get(place)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Counts what a job came to.
    pub(super) fn asked(&self, outcome: &Outcome) {
        let mut providers = self.providers.lock().unwrap_or_else(PoisonError::into_inner);
        for call in &outcome.calls {
            if let Some(of) = providers.get_mut(&call.provider) {
                of.count(call);
            }
        }
        for (provider, _) in &outcome.barred {
            if let Some(of) = providers.get_mut(provider) {
                of.barred += 1;
            }
        }
    }

    pub(super) fn read(&self) -> Counted {
        let number = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let name = |source: &Option<Source>| source.map_or("none", Source::name);
        Counted {
            known: number(&self.known),
            nothing_to_ask: number(&self.nothing_to_ask),
            wanted: number(&self.wanted),
            events: number(&self.events),
            heard: SOURCES.iter().map(name).zip(self.heard.iter().map(number)).collect(),
            providers: self.providers.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }
}

impl OfProvider {
    fn count(&mut self, call: &Call) {
        match &call.verdict.advice {
            Ok(_) => self.passed += 1,
            Err(refusal) => *self.refused.entry(refusal.rung().code()).or_default() += 1,
        }
        self.passed_over += call.verdict.passed_over.len() as u64;
        let usage = call.record.usage.as_ref();
        self.tokens_read += usage.map_or(0, |usage| usage.input);
        self.tokens_written += usage.map_or(0, |usage| usage.output);
        self.cost = self.cost.plus(call.cost);
    }

    /// Calls that were made.
    pub fn calls(&self) -> u64 {
        self.passed + self.refused.values().sum::<u64>()
    }

    /// Every rung that an answer can be refused at when it arrives, with how many were.
    pub fn verdicts(&self) -> impl Iterator<Item = (&'static str, u64)> {
        const RUNGS: [Rung; 5] =
            [Rung::Transport, Rung::Form, Rung::Protocol, Rung::Membership, Rung::Provenance];
        let refused = |rung: &Rung| self.refused.get(rung.code()).copied().unwrap_or(0);
        let rungs = RUNGS.iter().map(move |rung| (rung.code(), refused(rung)));
        std::iter::once(("passed", self.passed)).chain(rungs.collect::<Vec<_>>())
    }
}
