//! What is kept of asking models, in memory. Must not differ from the contract in anything but durability.

use std::collections::BTreeMap;

use pilotage_domain::advise::budget::{self, Caps, Command, Effect, Ledger};
use pilotage_domain::hash::ContentHash;
use pilotage_domain::id::ProductId;
use pilotage_domain::time::Timestamp;

use super::MemoryStore;
use crate::port::Answer;
use crate::port::book::{
    BEGINNING, Book, Ended, Ending, Kind, MOST_WAITING, NewPage, Page, Reading, Turn, Waiting,
    Wanted, chained,
};
use crate::port::store::StoreError;

/// Situations, pages, ledger.
#[derive(Debug, Default)]
pub(super) struct Kept {
    waiting: BTreeMap<(ProductId, ContentHash), Taken>,
    pages: Vec<Page>,
    ledger: Ledger,
}

/// A situation, and until when it is somebody's.
#[derive(Debug)]
struct Taken {
    waiting: Waiting,
    until: Option<Timestamp>,
}

impl Kept {
    pub(super) fn want(&mut self, wanted: Vec<Wanted>) {
        for told in wanted {
            let key = (told.product.clone(), told.job.signature);
            match self.waiting.get_mut(&key) {
                Some(Taken { waiting, .. }) => {
                    let job = &mut waiting.wanted.job;
                    job.traffic = job.traffic.saturating_add(told.job.traffic);
                    (job.uncertainty, job.knows) = (told.job.uncertainty, told.job.knows);
                    waiting.wanted.brief = told.brief;
                }
                None => {
                    let waiting = Waiting { wanted: told, failures: 0 };
                    self.waiting.insert(key, Taken { waiting, until: None });
                }
            }
        }
        while self.waiting.len() > MOST_WAITING {
            let rank = |taken: &Taken| taken.waiting.wanted.job.rank();
            let last = self.waiting.iter().max_by_key(|(_, taken)| rank(taken));
            let Some(key) = last.map(|(key, _)| key.clone()) else { return };
            self.waiting.remove(&key);
        }
    }

    fn next(&mut self, turn: Turn) -> Option<Waiting> {
        let due = |taken: &&mut Taken| {
            let job = &taken.waiting.wanted.job;
            job.traffic >= turn.least_traffic
                && turn.now >= job.not_before
                && taken.until.is_none_or(|until| turn.now >= until)
        };
        let first = self.waiting.values_mut().filter(due);
        let first = first.min_by_key(|taken| taken.waiting.wanted.job.rank())?;
        first.until = Some(turn.until);
        Some(first.waiting.clone())
    }

    fn end(&mut self, ended: Ended) -> u64 {
        let key = (ended.product, ended.signature);
        match ended.ending {
            Ending::Over => drop(self.waiting.remove(&key)),
            Ending::Rests { until, failures } => {
                if let Some(taken) = self.waiting.get_mut(&key) {
                    taken.waiting.wanted.job.not_before = until;
                    taken.waiting.failures = failures;
                    taken.until = None;
                }
            }
        }
        self.write(ended.pages)
    }

    fn write(&mut self, pages: Vec<NewPage>) -> u64 {
        for page in pages {
            let number = self.pages.len() as u64 + 1;
            let before = self.pages.last().map_or(BEGINNING, |page| page.hash);
            let hash = chained(before, number, &page);
            self.pages.push(Page { number, page, hash });
        }
        self.pages.len() as u64
    }

    fn read(&self, reading: Reading) -> Vec<Page> {
        let Reading { after, answers_since, limit } = reading;
        let young = |page: &&Page| {
            page.page.kind != Kind::Answer || answers_since.is_none_or(|at| page.page.at >= at)
        };
        let behind = self.pages.iter().filter(|page| page.number > after);
        behind.filter(young).take(limit).cloned().collect()
    }

    fn step(&mut self, caps: &Caps, command: Command, now: Timestamp) -> (Ledger, Vec<Effect>) {
        let (ledger, effects) = budget::step(std::mem::take(&mut self.ledger), caps, command, now);
        self.ledger = ledger.clone();
        (ledger, effects)
    }
}

impl Book for MemoryStore {
    fn want(&self, wanted: Vec<Wanted>) -> Answer<'_, Result<(), StoreError>> {
        self.writing(move |contents| {
            contents.kept.want(wanted);
            Ok(())
        })
    }

    fn next_job(&self, turn: Turn) -> Answer<'_, Result<Option<Waiting>, StoreError>> {
        self.writing(move |contents| Ok(contents.kept.next(turn)))
    }

    fn end_job(&self, ended: Ended) -> Answer<'_, Result<u64, StoreError>> {
        self.writing(move |contents| Ok(contents.kept.end(ended)))
    }

    fn waiting(&self) -> Answer<'_, Result<u64, StoreError>> {
        self.reading(|contents| contents.kept.waiting.len() as u64)
    }

    fn write_pages(&self, pages: Vec<NewPage>) -> Answer<'_, Result<u64, StoreError>> {
        self.writing(move |contents| Ok(contents.kept.write(pages)))
    }

    fn pages(&self, reading: Reading) -> Answer<'_, Result<Vec<Page>, StoreError>> {
        self.reading(move |contents| contents.kept.read(reading))
    }

    fn answers(
        &self,
        product: &ProductId,
        before: Option<u64>,
        limit: usize,
    ) -> Answer<'_, Result<Vec<Page>, StoreError>> {
        let product = product.clone();
        self.reading(move |contents| {
            let ours =
                |page: &&Page| page.page.kind == Kind::Answer && page.page.product == product;
            let before = |page: &&Page| before.is_none_or(|number| page.number < number);
            let pages = contents.kept.pages.iter().rev();
            pages.filter(ours).filter(before).take(limit).cloned().collect()
        })
    }

    fn page_of(&self, number: u64) -> Answer<'_, Result<Option<Page>, StoreError>> {
        self.reading(move |contents| {
            contents.kept.pages.iter().find(|page| page.number == number).cloned()
        })
    }

    fn step_budget(
        &self,
        caps: Caps,
        command: Command,
        now: Timestamp,
    ) -> Answer<'_, Result<(Ledger, Vec<Effect>), StoreError>> {
        self.writing(move |contents| Ok(contents.kept.step(&caps, command, now)))
    }
}
