//! Reading product files. Must report every fault of every file before anything starts.

use std::fs;
use std::path::Path;

use anyhow::{Context, bail};
use pilotage_engine::ProductSource;
use pilotage_wire::yaml;
use tracing::warn;

use crate::settings::Settings;

/// The sample product's definition.
pub(crate) const ACME: &str = include_str!("../../../examples/acme.yaml");

/// The products of the settings, tuned as these say.
pub(crate) fn of_settings(settings: &Settings) -> anyhow::Result<Vec<ProductSource>> {
    let products = load_all(&settings.products)?;
    Ok(products.into_iter().map(|product| tuned(product, settings)).collect())
}

/// The product as the settings tune it.
pub(crate) fn tuned(product: ProductSource, settings: &Settings) -> ProductSource {
    let ProductSource { definition, text } = product;
    ProductSource { definition: definition.tuned(settings.tuning), text }
}

/// Reads and checks the files; every fault of every file in one error.
pub(crate) fn load_all(files: &[impl AsRef<Path>]) -> anyhow::Result<Vec<ProductSource>> {
    let mut products = Vec::new();
    let mut faults = String::new();
    for file in files {
        let file = file.as_ref();
        let text = fs::read_to_string(file)
            .with_context(|| format!("read the product definition {}", file.display()))?;
        match load(&file.display().to_string(), text) {
            Ok(product) => products.push(product),
            Err(report) => faults.push_str(&report),
        }
    }
    if !faults.is_empty() {
        bail!("the product definition has faults\n\n{faults}");
    }
    Ok(products)
}

/// Checks one definition; its faults as a report for people.
pub(crate) fn load(name: &str, text: String) -> Result<ProductSource, String> {
    match yaml::load(&text) {
        Ok(checked) => {
            for warning in &checked.warnings {
                warn!(
                    file = name,
                    code = warning.code.as_str(),
                    line = warning.span.start.line,
                    "the definition has a warning"
                );
            }
            Ok(ProductSource { definition: checked.definition, text })
        }
        Err(faults) => Err(yaml::render(name, &text, &faults, yaml::Colour::Plain)),
    }
}
