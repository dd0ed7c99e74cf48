//! One provider of the settings: who, where, as whom, at what price. Must not connect to anything, read a file, or show a
//! key.

use std::path::PathBuf;

use pilotage_adapters::model::{Key, Through};
use pilotage_domain::advise::MicroUsd;
use pilotage_domain::advise::price::Price;
use pilotage_domain::id::ProviderId;
use pilotage_wire::model::{Dialect, TokenLimit};
use serde::Deserialize;

use super::{Faults, dollars};

/// A model of our own that names the first guides of every question: to try things without any provider.
const SCRIPTED: &str = "scripted";

/// A model that may be asked.
#[derive(Debug, Clone)]
pub(crate) struct ProviderSettings {
    /// As pages and metrics name it; no two have the same.
    pub(crate) id: ProviderId,
    pub(crate) reach: Reach,
    pub(crate) dialect: Dialect,
    /// The base URL, which ends with the version.
    pub(crate) url: String,
    /// As the provider and the price table know it.
    pub(crate) name: String,
    pub(crate) key: KeyFrom,
    /// Certificates of further authorities, as PEM.
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) proxy: Through,
    pub(crate) limit: TokenLimit,
    /// In place of the built-in table's.
    pub(crate) price: Option<Price>,
    pub(crate) tokens_per_minute: Option<u32>,
    /// What may be spent with it in a month, where that has a cap of its own.
    pub(crate) budget_month: Option<MicroUsd>,
}

/// Where a model is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// At a provider, over HTTP.
    Http,
    /// In this process; for trying alone.
    Scripted,
}

/// Where the provider's key is.
#[derive(Debug, Clone)]
pub(crate) enum KeyFrom {
    /// The provider wants none.
    Nowhere,
    /// The environment held it.
    Given(Key),
    /// In a file, which is read when the key is needed.
    File(PathBuf),
}

/// A provider of the list `models`. The key itself can't stand there, because a fault would show its line.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::settings) struct Listed {
    id: Option<String>,
    provider: String,
    url: Option<String>,
    name: Option<String>,
    key_file: Option<PathBuf>,
    ca_file: Option<PathBuf>,
    proxy: Option<String>,
    token_limit: Option<String>,
    price: Option<String>,
    tokens_per_minute: Option<u64>,
    budget_usd_month: Option<f64>,
}

/// A provider as it is written, wherever that was.
#[derive(Debug, Default)]
pub(super) struct Written {
    pub(super) id: Option<String>,
    pub(super) provider: String,
    pub(super) url: Option<String>,
    pub(super) name: Option<String>,
    /// The key itself, from the environment.
    pub(super) key: Option<String>,
    pub(super) key_file: Option<PathBuf>,
    pub(super) ca_file: Option<PathBuf>,
    pub(super) proxy: Option<String>,
    pub(super) token_limit: Option<String>,
    pub(super) price: Option<String>,
    pub(super) rate: Option<String>,
    pub(super) budget_month: Option<String>,
}

impl Listed {
    /// The entry, with its key from the environment: `MODEL_…_KEY` with its id in capitals.
    pub(super) fn written(self, set: &impl Fn(&str) -> Option<String>) -> Written {
        let id = self.id.as_deref().unwrap_or(&self.provider);
        let key = set(&format!("MODEL_{}_KEY", id.to_ascii_uppercase().replace('-', "_")));
        Written {
            id: self.id,
            provider: self.provider,
            url: self.url,
            name: self.name,
            key,
            key_file: self.key_file,
            ca_file: self.ca_file,
            proxy: self.proxy,
            token_limit: self.token_limit,
            price: self.price,
            // As text, like the environment's: one place says what a number may be.
            rate: self.tokens_per_minute.map(|tokens| tokens.to_string()),
            budget_month: self.budget_usd_month.map(|dollars| dollars.to_string()),
        }
    }
}

impl Written {
    /// What is meant, or every fault of it, each behind what stands before its key's name in the settings.
    pub(super) fn typed(self, before: &str, faults: &mut Faults) -> Option<ProviderSettings> {
        let terms = self.terms(before, faults);
        let id = self.id.as_deref().unwrap_or(&self.provider);
        let read_id = |text: &str| ProviderId::new(text).ok();
        let id = match &self.id {
            Some(text) => faults.parse(&format!("{before}id"), text, read_id),
            None => read_id(id),
        };
        if self.provider == SCRIPTED {
            return Some(scripted(id?, terms.tokens_per_minute));
        }
        let dialect = faults.parse(&format!("{before}provider"), &self.provider, Dialect::parse);
        let key = key(before, self.key, self.key_file, faults);
        let name = self.name.filter(|name| !name.is_empty());
        let mut needed = |key: &str, why: &str| {
            let key = format!("{before}{key}");
            if !faults.has(&key) {
                faults.about(&key, why);
            }
        };
        if name.is_none() {
            needed("name", "is needed where a model is asked");
        }
        let url = self.url.filter(|url| !url.is_empty());
        let url = url.or_else(|| dialect.and_then(usual_url).map(str::to_owned));
        if url.is_none() && dialect.is_some() {
            needed("url", &format!("is needed for `{}`", self.provider));
        }
        Some(ProviderSettings {
            id: id?,
            reach: Reach::Http,
            dialect: dialect?,
            url: url?,
            name: name?,
            key,
            ca_file: self.ca_file,
            proxy: terms.proxy,
            limit: terms.limit,
            price: terms.price,
            tokens_per_minute: terms.tokens_per_minute,
            budget_month: terms.budget_month,
        })
    }

    /// What can be held to its bounds whoever is asked, and where nobody is.
    pub(super) fn terms(&self, before: &str, faults: &mut Faults) -> Terms {
        let name_of = |key: &str| format!("{before}{key}");
        let proxied = self.proxy.as_deref();
        let proxied = proxied.and_then(|text| faults.parse(&name_of("proxy"), text, proxy));
        let limit = self.token_limit.as_deref();
        let limit = limit.and_then(|t| faults.parse(&name_of("token_limit"), t, token_limit));
        let price = self.price.as_deref();
        let price = price.and_then(|text| faults.parse(&name_of("price"), text, read_price));
        let rate = self.rate.as_deref();
        let rate = rate.and_then(|t| faults.parse(&name_of("tokens_per_minute"), t, at_least_one));
        let budget = self.budget_month.as_deref();
        let budget = budget.and_then(|t| faults.parse(&name_of("budget_usd_month"), t, dollars));
        Terms {
            proxy: proxied.unwrap_or(Through::Environment),
            limit: limit.unwrap_or_default(),
            price,
            tokens_per_minute: rate,
            budget_month: budget,
        }
    }
}

/// What a provider is asked under.
pub(super) struct Terms {
    proxy: Through,
    limit: TokenLimit,
    price: Option<Price>,
    tokens_per_minute: Option<u32>,
    budget_month: Option<MicroUsd>,
}

/// A model of our own, free of charge.
fn scripted(id: ProviderId, tokens_per_minute: Option<u32>) -> ProviderSettings {
    ProviderSettings {
        id,
        reach: Reach::Scripted,
        dialect: Dialect::OpenAi,
        url: String::new(),
        name: SCRIPTED.to_owned(),
        key: KeyFrom::Nowhere,
        ca_file: None,
        proxy: Through::Nothing,
        limit: TokenLimit::default(),
        price: Some(Price { input: MicroUsd::ZERO, output: MicroUsd::ZERO }),
        tokens_per_minute,
        budget_month: None,
    }
}

/// Where the inventors of a dialect serve it themselves.
const fn usual_url(dialect: Dialect) -> Option<&'static str> {
    match dialect {
        Dialect::OpenAi | Dialect::LabelLogprobs => Some("https://api.openai.com/v1"),
        Dialect::Anthropic => Some("https://api.anthropic.com/v1"),
        Dialect::SystemOne | Dialect::Decisions => None,
    }
}

fn key(before: &str, given: Option<String>, file: Option<PathBuf>, faults: &mut Faults) -> KeyFrom {
    match (given, file) {
        (Some(_), Some(_)) => {
            faults.say(&format!("{before}key, {before}key_file: one of them, not both"));
            KeyFrom::Nowhere
        }
        (Some(text), None) => match Key::new(&text) {
            Ok(key) => KeyFrom::Given(key),
            Err(fault) => {
                faults.about(&format!("{before}key"), &fault.to_string());
                KeyFrom::Nowhere
            }
        },
        (None, Some(file)) => KeyFrom::File(file),
        (None, None) => KeyFrom::Nowhere,
    }
}

fn proxy(text: &str) -> Option<Through> {
    match text {
        "environment" => Some(Through::Environment),
        "off" => Some(Through::Nothing),
        url => url.contains("://").then(|| Through::Proxy(url.to_owned())),
    }
}

fn token_limit(text: &str) -> Option<TokenLimit> {
    match text {
        "max_tokens" => Some(TokenLimit::MaxTokens),
        "max_completion_tokens" => Some(TokenLimit::MaxCompletionTokens),
        _ => None,
    }
}

/// `0.10/0.50`: dollars for a million tokens read, and written.
fn read_price(text: &str) -> Option<Price> {
    let (input, output) = text.split_once('/')?;
    Some(Price { input: dollars(input)?, output: dollars(output)? })
}

fn at_least_one(text: &str) -> Option<u32> {
    text.parse().ok().filter(|number| *number > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_exact() {
        let price = |text: &str| read_price(text).map(|p| (p.input.get(), p.output.get()));
        assert_eq!(price("0.10/0.5"), Some((100_000, 500_000)));
        assert_eq!(price("0/12"), Some((0, 12_000_000)));
        assert_eq!(price("0.000001/1."), Some((1, 1_000_000)));
        for text in ["", "1", "/", "1/", "-1/1", "1/0.0000001", "1e3/1", "1/1/1", "9999999/1"] {
            assert_eq!(price(text), None, "{text}");
        }
    }
}
