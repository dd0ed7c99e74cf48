//! The model of the settings, ready to be asked. Must be the only place that reads its key's file.

mod scripted;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use pilotage_adapters::model::{HttpModel, Key, Options};
use pilotage_domain::advise::price::PriceTable;
use pilotage_domain::id::ProviderId;
use pilotage_engine::advise::{Provider, Setup};
use pilotage_engine::port::model::Model;
use pilotage_wire::model::Prompt;

use crate::cli::UsageError;
use crate::settings::{KeyFrom, ModelSettings, Reach, Settings};

/// The provider; nothing is connected yet.
pub(crate) fn provider(settings: &ModelSettings) -> anyhow::Result<Provider> {
    let id = match settings.reach {
        Reach::Http => settings.dialect.name(),
        Reach::Scripted => &settings.name,
    };
    let (id, port) = (ProviderId::new(id)?, port(settings)?);
    let provider = Provider::new(id, settings.dialect, &settings.name, settings.limit, port);
    Ok(match settings.say.tokens_per_minute {
        Some(tokens) => provider.with_rate(tokens),
        None => provider,
    })
}

/// Whom a serving engine asks; nobody where the settings name no model.
pub(crate) fn setup(settings: &Settings) -> anyhow::Result<Option<Arc<Setup>>> {
    let Some(model) = &settings.model else { return Ok(None) };
    if model.reach == Reach::Scripted && !settings.dev {
        bail!(UsageError("model_provider: `scripted` is for --dev alone".to_owned()));
    }
    let prices = prices(model);
    if prices.get(&model.name).is_none() {
        let name = &model.name;
        bail!(UsageError(format!("model_price: the price of `{name}` is not known")));
    }
    Ok(Some(Arc::new(Setup {
        providers: vec![provider(model)?],
        prices,
        caps: model.say.caps.clone(),
        mode: model.say.mode,
        canary: model.say.canary,
        prompt: Prompt::newest(),
        workers: model.say.workers,
    })))
}

fn port(settings: &ModelSettings) -> anyhow::Result<Arc<dyn Model>> {
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
    let port = HttpModel::new(&options).map_err(|fault| UsageError(format!("model: {fault}")))?;
    Ok(Arc::new(port))
}

/// The built-in prices, with that of the settings.
pub(crate) fn prices(settings: &ModelSettings) -> PriceTable {
    let table = PriceTable::built_in();
    match settings.price {
        Some(price) => table.with(&settings.name, price),
        None => table,
    }
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
