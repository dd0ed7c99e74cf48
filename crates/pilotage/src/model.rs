//! The models of the settings, ready to be asked. Must be the only place that reads their keys' files.

mod scripted;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use pilotage_adapters::model::{HttpModel, Key, Options};
use pilotage_domain::advise::price::PriceTable;
use pilotage_engine::advise::{Provider, Setup};
use pilotage_engine::port::model::Model;
use pilotage_wire::model::Prompt;

use crate::cli::UsageError;
use crate::settings::{KeyFrom, ModelSettings, ProviderSettings, Reach, Settings};

/// The providers in their order; nothing is connected yet.
pub(crate) fn providers(settings: &ModelSettings) -> anyhow::Result<Vec<Provider>> {
    settings.providers.iter().map(provider).collect()
}

fn provider(settings: &ProviderSettings) -> anyhow::Result<Provider> {
    let (id, port) = (settings.id.clone(), port(settings)?);
    let mut provider = Provider::new(id, settings.dialect, &settings.name, settings.limit, port);
    if let Some(tokens) = settings.tokens_per_minute {
        provider = provider.with_rate(tokens);
    }
    if let Some(price) = settings.price {
        provider = provider.with_price(price);
    }
    Ok(provider)
}

/// Whom a serving engine asks; nobody where the settings name no model.
pub(crate) fn setup(settings: &Settings) -> anyhow::Result<Option<Arc<Setup>>> {
    let Some(model) = &settings.model else { return Ok(None) };
    let is_scripted = |provider: &ProviderSettings| provider.reach == Reach::Scripted;
    if model.providers.iter().any(is_scripted) && !settings.dev {
        bail!(UsageError("model_provider: `scripted` is for --dev alone".to_owned()));
    }
    let (providers, prices) = (providers(model)?, PriceTable::built_in());
    let unpriced = providers.iter().filter(|provider| provider.price(&prices).is_none());
    let unpriced: Vec<String> = unpriced
        .map(|p| format!("model_price: the price of `{}` ({}) is not known", p.model, p.id))
        .collect();
    if !unpriced.is_empty() {
        bail!(UsageError(unpriced.join("\n          ")));
    }
    Ok(Some(Arc::new(Setup {
        providers,
        prices,
        caps: model.say.caps.clone(),
        mode: model.say.mode,
        canary: model.say.canary,
        prompt: Prompt::newest(),
        workers: model.say.workers,
    })))
}

fn port(settings: &ProviderSettings) -> anyhow::Result<Arc<dyn Model>> {
    if settings.reach == Reach::Scripted {
        return Ok(Arc::new(scripted::FirstOfAll));
    }
    let options = Options {
        base: settings.url.clone(),
        dialect: settings.dialect,
        key: key(&settings.key)?,
        authorities: settings.ca_file.as_deref().map(read).transpose()?,
        proxy: settings.proxy.clone(),
    };
    let port = HttpModel::new(&options)
        .map_err(|fault| UsageError(format!("the model `{}`: {fault}", settings.id)))?;
    Ok(Arc::new(port))
}

fn key(from: &KeyFrom) -> anyhow::Result<Option<Key>> {
    Ok(match from {
        KeyFrom::Nowhere => None,
        KeyFrom::Given(key) => Some(key.clone()),
        KeyFrom::File(path) => {
            let text = String::from_utf8_lossy(&read(path)?).into_owned();
            Some(Key::new(&text).with_context(|| path.display().to_string())?)
        }
    })
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("read {}", path.display()))
}
