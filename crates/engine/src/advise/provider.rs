//! A model that may be asked, with its breaker. Must not outlive its settings: other settings are another provider.

use std::sync::{Arc, Mutex, PoisonError};

use pilotage_domain::advise::breaker::{self, Breaker, Command, Effect, Health, Leave, Light};
use pilotage_domain::advise::price::{Price, PriceTable};
use pilotage_domain::advise::rate::Bucket;
use pilotage_domain::id::ProviderId;
use pilotage_domain::time::Timestamp;
use pilotage_wire::model::{Dialect, TokenLimit};
use tracing::{info, warn};

use crate::port::model::Model;

/// One model of one provider.
pub struct Provider {
    /// As the settings name it.
    pub id: ProviderId,
    /// How it is spoken to.
    pub dialect: Dialect,
    /// The model's name, as the provider and the price table know it.
    pub model: Box<str>,
    /// How the provider bounds an answer.
    pub limit: TokenLimit,
    port: Arc<dyn Model>,
    breaker: Mutex<Breaker>,
    /// How many tokens it may be sent, where that is bounded.
    rate: Option<Mutex<Bucket>>,
    /// Where it has another price than the table's.
    price: Option<Price>,
}

impl Provider {
    /// A provider that nobody has asked yet.
    pub fn new(
        id: ProviderId,
        dialect: Dialect,
        model: &str,
        limit: TokenLimit,
        port: Arc<dyn Model>,
    ) -> Self {
        let (model, breaker) = (model.into(), Mutex::default());
        Self { id, dialect, model, limit, port, breaker, rate: None, price: None }
    }

    /// The same, sent at most so many tokens in a minute by this process, requests and answers together.
    #[must_use]
    pub fn with_rate(self, tokens_per_minute: u32) -> Self {
        Self { rate: Some(Mutex::new(Bucket::new(tokens_per_minute))), ..self }
    }

    /// The same at a price of its own, whatever the table says of its model.
    #[must_use]
    pub fn with_price(self, price: Price) -> Self {
        Self { price: Some(price), ..self }
    }

    /// What its calls cost; `None` where nobody knows, and then it is not called.
    pub fn price(&self, table: &PriceTable) -> Option<Price> {
        self.price.or_else(|| table.get(&self.model))
    }

    /// Whether it may be sent so many tokens now, or when.
    pub(super) fn room(&self, tokens: u64, now: Timestamp) -> Result<(), Timestamp> {
        let Some(rate) = &self.rate else { return Ok(()) };
        rate.lock().unwrap_or_else(PoisonError::into_inner).take(tokens, now)
    }

    /// What its breaker looks like.
    pub fn light(&self) -> Light {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner).light()
    }

    pub(super) fn port(&self) -> &dyn Model {
        &*self.port
    }

    /// The leave to make a call now, or when it is worth asking again.
    pub(super) fn leave(&self, now: Timestamp) -> Result<Leave, Timestamp> {
        let answered = self.step(Command::Ask, now).into_iter().find_map(|effect| match effect {
            Effect::Go(leave) => Some(Ok(leave)),
            Effect::Stop { until } => Some(Err(until)),
            Effect::Opened | Effect::Closed => None,
        });
        answered.unwrap_or(Err(now))
    }

    /// Tells the breaker how a call ended.
    pub(super) fn ended(&self, leave: Leave, health: Health, now: Timestamp) {
        self.step(Command::Ended(leave, health), now);
    }

    fn step(&self, command: Command, now: Timestamp) -> Vec<Effect> {
        let mut breaker = self.breaker.lock().unwrap_or_else(PoisonError::into_inner);
        let (next, effects) = breaker::step(std::mem::take(&mut *breaker), command, now);
        *breaker = next;
        drop(breaker);
        for effect in &effects {
            match effect {
                Effect::Opened => warn!(provider = %self.id, "a model's breaker opened"),
                Effect::Closed => info!(provider = %self.id, "a model's breaker closed"),
                Effect::Go(_) | Effect::Stop { .. } => {}
            }
        }
        effects
    }
}
