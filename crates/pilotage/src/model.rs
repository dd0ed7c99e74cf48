//! The model of the settings, ready to be asked. Must be the only place that reads its key's file.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use pilotage_adapters::model::{HttpModel, Key, Options};
use pilotage_domain::advise::price::PriceTable;
use pilotage_domain::id::ProviderId;
use pilotage_engine::advise::Provider;

use crate::cli::UsageError;
use crate::settings::{KeyFrom, ModelSettings};

/// The provider; nothing is connected yet.
pub(crate) fn provider(settings: &ModelSettings) -> anyhow::Result<Provider> {
    let options = Options {
        base: settings.url.clone(),
        dialect: settings.dialect,
        key: key(&settings.key)?,
        authorities: settings.ca_file.as_deref().map(read).transpose()?,
        proxy: settings.proxy.clone(),
    };
    let port = HttpModel::new(&options).map_err(|fault| UsageError(format!("model: {fault}")))?;
    let id = ProviderId::new(settings.dialect.name())?;
    Ok(Provider::new(id, settings.dialect, &settings.name, settings.limit, Arc::new(port)))
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
