//! What a process knows and does of asking models, beside requests and folds. Must answer both from memory.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use pilotage_domain::advise::budget::Level;
use pilotage_domain::advise::history::{OUT_OF_DATE, STALE};
use pilotage_domain::advise::ladder::InForce;
use pilotage_domain::advise::mode::Mode;
use pilotage_domain::advise::queue::{Knows, stale_after};
use pilotage_domain::decide::{Group, Request, Surface};
use pilotage_domain::hash::ContentHash;
use pilotage_domain::id::{DecisionId, GuideId, ProductId, SessionId};
use pilotage_domain::number::Probability;
use pilotage_domain::profile::view::View;
use pilotage_domain::rules::{Situation, situational};
use pilotage_domain::signature::signature_for;
use pilotage_domain::time::{Millis, Timestamp};
use pilotage_wire::model::book::PageBody;
use pilotage_wire::record::RecordError;
use thiserror::Error;
use tokio::sync::Notify;
use tracing::warn;

use super::counts::{Counts, Meeting};
use super::governor::StoreGovernor;
use super::known::{Demotion, Known, Subject};
use super::meet::{Encounter, Met};
use super::outcomes::{Fared, Outcomes};
use super::setup::Setup;
use crate::port::book::{Kind, NewPage, Page, Reading, Wanted};
use crate::port::clock::{Clock, Entropy};
use crate::port::store::{Store, StoreError, UserKey};
use crate::product::{Product, Products};
use crate::users::User;

/// So many pages are read at a time.
const PAGES: usize = 256;

/// Asking models, as one process does it.
pub(crate) struct Advisor {
    pub(super) setup: Arc<Setup>,
    pub(super) store: Arc<dyn Store>,
    /// The machine's time, also where decisions go by the events'.
    pub(super) clock: Arc<dyn Clock>,
    pub(super) entropy: Arc<dyn Entropy>,
    pub(super) governor: StoreGovernor,
    pub(super) counts: Counts,
    known: RwLock<Known>,
    met: Mutex<Met>,
    outcomes: Mutex<Outcomes>,
    /// Pages that are to be written as soon as may be.
    rulings: Mutex<Vec<NewPage>>,
    /// The budget's level when it was looked at last.
    level: AtomicU8,
    /// Woken when there may be a situation to ask about.
    pub(super) awoken: Notify,
}

/// Why the book could not be read.
#[derive(Debug, Error)]
pub(crate) enum BookError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("page {page} of the book can't be read: {error}")]
    Page { page: u64, error: RecordError },
}

impl Advisor {
    /// Nothing is known yet: `refresh` reads the book.
    pub(crate) fn new(
        setup: Arc<Setup>,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        let governor = StoreGovernor { store: Arc::clone(&store), caps: setup.caps.clone() };
        Self {
            counts: Counts::of(&setup.providers),
            setup,
            store,
            clock,
            entropy,
            governor,
            known: RwLock::default(),
            met: Mutex::default(),
            outcomes: Mutex::default(),
            rulings: Mutex::default(),
            level: AtomicU8::new(0),
            awoken: Notify::new(),
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn known(&self) -> RwLockReadGuard<'_, Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn known_mut(&self) -> RwLockWriteGuard<'_, Known> {
        self.known.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn met(&self) -> MutexGuard<'_, Met> {
        self.met.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn outcomes(&self) -> MutexGuard<'_, Outcomes> {
        self.outcomes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How much say advice has for the product.
    pub(crate) fn mode(&self, product: &Product) -> Mode {
        let known = self.known();
        known.product(&product.definition.product).map_or(self.setup.mode, |of| of.mode())
    }

    pub(super) fn set_level(&self, level: Level) {
        let code = [Level::Plenty, Level::Sparing, Level::HeadOnly, Level::Spent];
        let place = code.iter().position(|known| *known == level).unwrap_or(0);
        self.level.store(place as u8, Ordering::Relaxed);
    }

    /// The age from which advice is asked for again; where money is scarce, only once it is out of force.
    fn stale(&self) -> Millis {
        let level = match self.level.load(Ordering::Relaxed) {
            0 => return STALE,
            1 => Level::Sparing,
            2 => Level::HeadOnly,
            _ => Level::Spent,
        };
        stale_after(level).unwrap_or(OUT_OF_DATE)
    }

    /// What is in force for the product now, by the machine's clock.
    pub(super) fn in_force<'a>(
        &'a self,
        product: &'a Product,
        paused: &'a [GuideId],
    ) -> InForce<'a> {
        let prompt = self.setup.prompt.id();
        InForce { definition: &product.definition, prompt, paused, at: self.now() }
    }

    /// Whether a situation should be asked about: what is known of it, and how unsure that is.
    pub(super) fn wants(
        &self,
        product: &Product,
        signature: &ContentHash,
    ) -> Option<(Knows, Probability)> {
        let known = self.known();
        let own = known.product(&product.definition.product).and_then(|of| of.own(signature));
        let Some(own) = own else { return Some((Knows::Nothing, Probability::ONE)) };
        let in_force = self.in_force(product, &[]);
        if !own.wants_asking(in_force, self.stale()) {
            return None;
        }
        let newest = own.entries().last().map(|entry| entry.advice.uncertainty());
        Some((Knows::Stale, newest.unwrap_or(Probability::ONE)))
    }

    /// Notes a situation that a decision has met and about which nothing fresh is known.
    pub(super) fn meet(&self, met: &Encounter<'_>) {
        let noted = self.met().note(met);
        self.counts.met(if noted.is_ok() { Meeting::Wanted } else { Meeting::NothingToAsk });
    }

    /// The situations of users that are being stored about which nothing fresh is known, each once: what goes into their
    /// transaction.
    pub(crate) fn gather(&self) -> Gathering<'_> {
        Gathering { advisor: self, met: Met::default() }
    }

    /// Writes what decisions have met and what alarms have ruled, and reads what others wrote. Called every now and then.
    pub(super) async fn catch_up(&self, products: &Products) -> Result<(), BookError> {
        let wanted = self.met().take();
        if !wanted.is_empty() {
            self.store.want(wanted).await?;
            self.awoken.notify_one();
        }
        let rulings = self.rulings().clone();
        if !rulings.is_empty() {
            let written = rulings.len();
            self.store.write_pages(rulings).await?;
            // What was ruled meanwhile stands behind them.
            self.rulings().drain(..written);
        }
        let demotions = self.refresh(products).await?;
        self.rule(demotions);
        self.known_mut().forget(self.now());
        Ok(())
    }

    /// Reads the pages that are new; who has lost its say by them.
    pub(crate) async fn refresh(&self, products: &Products) -> Result<Vec<Demotion>, BookError> {
        let mut demotions = Vec::new();
        loop {
            let reading = Reading {
                after: self.known().read,
                answers_since: Some(self.now() - OUT_OF_DATE),
                limit: PAGES,
            };
            let pages = self.store.pages(reading).await?;
            for page in &pages {
                demotions.extend(self.take(page, products)?);
            }
            if pages.len() < PAGES {
                return Ok(demotions);
            }
        }
    }

    fn take(&self, page: &Page, products: &Products) -> Result<Vec<Demotion>, BookError> {
        let fault = |error| BookError::Page { page: page.number, error };
        let body = PageBody::decode(&page.page.body).map_err(fault)?;
        let served = products.get(&page.page.product);
        let subject = served.map(|product| Subject {
            product: &product.definition.product,
            catalogue: product.definition.hash,
            prompt: self.setup.prompt.id(),
        });
        let mut known = self.known_mut();
        if page.number <= known.read {
            // Another task of this process was faster.
            return Ok(Vec::new());
        }
        known.take(page, &body, subject.as_ref()).map_err(fault)
    }

    /// Takes the settings' mode for every product where it is another than they gave before.
    pub(crate) async fn configure(&self, products: &Products) -> Result<(), BookError> {
        self.refresh(products).await?;
        let mode = self.setup.mode;
        let changed: Vec<NewPage> = {
            let known = self.known();
            let differs =
                |id: &&ProductId| known.product(id).and_then(|of| of.configured()) != Some(mode);
            let page =
                |id: &ProductId| ruling(id.clone(), self.now(), &PageBody::Configured { mode });
            products.ids().iter().filter(differs).map(page).collect()
        };
        if !changed.is_empty() {
            self.store.write_pages(changed).await?;
        }
        self.refresh(products).await?;
        Ok(())
    }

    /// What became of a guide that advice helped to choose.
    pub(super) fn fared(&self, outcomes: Vec<Fared>) {
        for Fared { product, guide, command } in outcomes {
            let demotions = self.known_mut().fared(&product, &guide, command);
            self.rule(demotions);
        }
    }

    fn rulings(&self) -> MutexGuard<'_, Vec<NewPage>> {
        self.rulings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells who has lost its say, and puts it down for the book. Of several processes that read the same page each does:
    /// what has lost its say once has lost it.
    pub(super) fn rule(&self, demotions: Vec<Demotion>) {
        let mut rulings = self.rulings();
        for Demotion { product, lost } in demotions {
            let guide = lost.guide.as_ref().map(GuideId::as_str);
            warn!(%product, guide, from = lost.from.name(), cause = ?lost.cause, "advice has lost its say");
            let (from, cause) = (lost.from, lost.cause);
            let body = PageBody::Demoted { guide: lost.guide, from, cause };
            rulings.push(ruling(product, self.clock.now(), &body));
        }
    }
}

pub(super) fn ruling(product: ProductId, at: Timestamp, body: &PageBody) -> NewPage {
    NewPage { product, at, kind: Kind::Ruling, body: body.encode().into() }
}

/// Situations of users that are being stored.
pub(crate) struct Gathering<'a> {
    advisor: &'a Advisor,
    met: Met,
}

impl Gathering<'_> {
    /// Looks at a user's situation as the profile has it, wherever the user may be.
    pub(crate) fn look(
        &mut self,
        product: &Product,
        (key, user): (&UserKey, &User),
        now: Timestamp,
    ) {
        let advisor = self.advisor;
        if user.group != Group::Guided || !advisor.mode(product).asks() {
            return;
        }
        let Ok(session) = SessionId::new("none") else { return };
        let paused = product.paused.load();
        let request = Request {
            id: DecisionId::from_bits(0),
            user: &key.user,
            session: &session,
            at: now,
            surface: Surface::default(),
            paused: &paused,
            pending: &[],
            kin: &user.record.kin,
        };
        let view = View { definition: &product.definition, profile: user.profile(), now };
        let situation = Situation::new(view, &request);
        let guides = situational(&situation);
        if guides.len() < 2 {
            return advisor.counts.met(Meeting::NothingToAsk);
        }
        let prompt = advisor.setup.prompt.id();
        let signature = signature_for(prompt, &situation, &guides);
        let Some((knows, uncertainty)) = advisor.wants(product, &signature) else {
            return advisor.counts.met(Meeting::Known);
        };
        let (product, guides, now) = (&key.product, &*guides, advisor.now());
        let situation = &situation;
        let met =
            Encounter { product, prompt, signature, situation, guides, knows, uncertainty, now };
        let noted = self.met.note(&met);
        advisor.counts.met(if noted.is_ok() { Meeting::Wanted } else { Meeting::NothingToAsk });
    }

    /// What the transaction takes along.
    pub(crate) fn done(mut self) -> Vec<Wanted> {
        let wanted = self.met.take();
        if !wanted.is_empty() {
            self.advisor.awoken.notify_one();
        }
        wanted
    }
}
