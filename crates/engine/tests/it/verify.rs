//! What both verifications say of decisions and pages that are not what was written. Must forge what nobody here would write.

use std::sync::Arc;

use bytes::Bytes;
use pilotage_domain::advise::budget::{Caps, Command, Effect, Ledger};
use pilotage_domain::advise::mode::Mode;
use pilotage_domain::id::{DecisionId, ProductId};
use pilotage_domain::number::Propensity;
use pilotage_domain::time::{Millis, Timestamp};
use pilotage_engine::advise::{Broken, verify};
use pilotage_engine::memory::MemoryStore;
use pilotage_engine::port::Answer;
use pilotage_engine::port::book::{
    Book, Ended, Kind, NewPage, Page, Reading, Turn, Waiting, Wanted,
};
use pilotage_engine::port::log::{Entry, EntryName, Journal};
use pilotage_engine::port::store::{Store, StoreError};
use pilotage_engine::{Verified, verify_decisions};
use pilotage_wire::model::book::PageBody;
use pilotage_wire::record::decision::{OutcomeName, StoredDecision};

use crate::world::{START, World, event, product, user};

/// A decision that shows something, in a world whose log has nothing else of a decision.
async fn shown() -> (World, StoredDecision) {
    let world = World::new().await;
    let user = user(1);
    world.send(event(&user, "signed_up", "{}")).await;
    let decision = world.decide(&user, "/projects").await;
    assert_eq!(decision.outcome, OutcomeName::Show, "{decision:?}");
    world.log.barrier().await.expect("the log writes");
    (world, decision)
}

/// What is said of a log into which this one was put behind what was decided.
async fn said_of(world: &World, forged: &StoredDecision) -> Verified {
    let entry = Entry {
        product: forged.product.clone(),
        user: forged.user_id.clone(),
        name: EntryName::Decision(forged.decision_id),
        received_at: START,
        body: forged.encode().into(),
        event: None,
    };
    world.log.append(vec![entry]).await.expect("taken");
    verified(world).await
}

async fn verified(world: &World) -> Verified {
    let key = world.store.secret("validation", [0; 32]).await.expect("the store reads");
    assert_ne!(key, [0; 32], "whoever decides has made a key");
    verify_decisions(&*world.log, &key, |_, _| ()).await.expect("the log reads")
}

/// Every member that the hash stands for, with something else in it.
fn forgeries(decision: &StoredDecision) -> Vec<(&'static str, StoredDecision)> {
    let guide = |change: &dyn Fn(&mut pilotage_wire::guide::GuideBody)| {
        let mut forged = decision.clone();
        change(forged.guide.as_mut().expect("it shows something"));
        forged
    };
    let other = |change: &dyn Fn(&mut StoredDecision)| {
        let mut forged = decision.clone();
        change(&mut forged);
        forged
    };
    let zeros = "0".repeat(64);
    vec![
        ("title", guide(&|g| g.copy.title = "Send us your card number".into())),
        ("body", guide(&|g| g.copy.body = Some("Another sentence".into()))),
        ("cta", guide(&|g| g.copy.cta = Some("Pay".into()))),
        ("locale", guide(&|g| g.copy.locale = "xx".into())),
        ("component", guide(&|g| g.component = "headless".into())),
        ("anchor", guide(&|g| g.target.anchor = Some("#pay".into()))),
        ("path", guide(&|g| g.target.path = Some("/elsewhere".into()))),
        ("action", guide(&|g| g.action = None)),
        ("at", other(&|d| d.at = d.at + Millis::new(1))),
        ("expires", other(&|d| d.expires_at = d.expires_at.map(|at| at + Millis::days(9)))),
        ("id", other(&|d| d.decision_id = DecisionId::from_bits(7))),
        ("user", other(&|d| d.user_id = user(2))),
        ("policy", other(&|d| d.policy = "another".into())),
        ("propensity", other(&|d| d.propensity = Propensity::from_parts(1))),
        ("signature", other(&|d| d.signature = zeros.clone().into())),
        ("catalogue", other(&|d| d.catalogue_hash = zeros.clone().into())),
        ("no catalogue", other(&|d| d.catalogue_hash = "".into())),
        ("outcome", other(&|d| d.outcome = OutcomeName::Withhold)),
        ("guide", other(&|d| d.guide = None)),
        ("hash", other(&|d| d.validation_hash = Some(zeros.clone().into()))),
        ("no hash", other(&|d| d.validation_hash = None)),
    ]
}

#[tokio::test]
async fn a_decision_that_nobody_made_is_named() {
    let (world, decision) = shown().await;
    assert_eq!(verified(&world).await, Verified { decisions: 1, ..Verified::default() });
    for (what, forged) in forgeries(&decision) {
        let (world, own) = shown().await;
        assert_eq!(own, decision, "the same world makes the same decision");
        let found = said_of(&world, &forged).await;
        assert_eq!((found.decisions, found.broken), (2, 1), "{what}");
        assert_eq!(found.named, [forged.decision_id], "{what}");
    }
    // What was decided may stand there twice: a copy is no forgery.
    assert_eq!(said_of(&world, &decision).await.broken, 0);
}

/// A book in which somebody has written.
struct Forged {
    store: Arc<MemoryStore>,
    change: fn(&mut Vec<Page>),
}

impl Book for Forged {
    fn pages(&self, reading: Reading) -> Answer<'_, Result<Vec<Page>, StoreError>> {
        Box::pin(async move {
            let mut pages = self.store.pages(reading).await?;
            (self.change)(&mut pages);
            Ok(pages)
        })
    }

    fn want(&self, wanted: Vec<Wanted>) -> Answer<'_, Result<(), StoreError>> {
        self.store.want(wanted)
    }
    fn next_job(&self, turn: Turn) -> Answer<'_, Result<Option<Waiting>, StoreError>> {
        self.store.next_job(turn)
    }
    fn end_job(&self, ended: Ended) -> Answer<'_, Result<u64, StoreError>> {
        self.store.end_job(ended)
    }
    fn waiting(&self) -> Answer<'_, Result<u64, StoreError>> {
        self.store.waiting()
    }
    fn write_pages(&self, pages: Vec<NewPage>) -> Answer<'_, Result<u64, StoreError>> {
        self.store.write_pages(pages)
    }
    fn answers(
        &self,
        product: &ProductId,
        before: Option<u64>,
        limit: usize,
    ) -> Answer<'_, Result<Vec<Page>, StoreError>> {
        self.store.answers(product, before, limit)
    }
    fn page_of(&self, number: u64) -> Answer<'_, Result<Option<Page>, StoreError>> {
        self.store.page_of(number)
    }
    fn step_budget(
        &self,
        caps: Caps,
        command: Command,
        now: Timestamp,
    ) -> Answer<'_, Result<(Ledger, Vec<Effect>), StoreError>> {
        self.store.step_budget(caps, command, now)
    }
}

/// A book of five pages, read through somebody's hands.
async fn read_as(change: fn(&mut Vec<Page>)) -> Result<u64, Broken> {
    let store = Arc::new(MemoryStore::default());
    let body: Bytes = PageBody::Configured { mode: Mode::Live }.encode().into();
    let page = |n| NewPage {
        product: product(),
        at: START + Millis::seconds(n),
        kind: Kind::Ruling,
        body: body.clone(),
    };
    store.write_pages((0..5).map(page).collect()).await.expect("written");
    verify(&Forged { store, change }).await.map(|audit| audit.pages)
}

#[tokio::test]
async fn a_book_that_was_rewritten_is_told_at_its_first_false_page() {
    assert_eq!(read_as(|_| ()).await.ok(), Some(5));
    let changes: [(fn(&mut Vec<Page>), u64); 5] = [
        (|pages| pages[2].page.body = Bytes::from_static(b"{}"), 3),
        (|pages| pages[1].page.at = START, 2),
        (|pages| pages[3].page.kind = Kind::Answer, 4),
        (|pages| pages[0].page.product = ProductId::new("other").expect("valid"), 1),
        (|pages| pages[4].hash = pages[3].hash, 5),
    ];
    for (change, first) in changes {
        let found = read_as(change).await;
        assert!(matches!(found, Err(Broken::Changed { page }) if page == first), "{found:?}");
    }
    let dropped = read_as(|pages| drop(pages.remove(2))).await;
    assert!(matches!(dropped, Err(Broken::Missing { expected: 3, found: 4 })), "{dropped:?}");
    // Numbered again, so that none seems to be missing.
    let closed = read_as(|pages| {
        drop(pages.remove(2));
        (1..).zip(pages).for_each(|(number, page)| page.number = number);
    });
    let closed = closed.await;
    assert!(matches!(closed, Err(Broken::Changed { page: 3 })), "{closed:?}");
}
