//! Who may call: keys from the settings, or made on the first start and kept beside the data. Must never log a key,
//! nor print a secret one.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, bail};
use pilotage_domain::id::ProductId;
use pilotage_engine::port::clock::Entropy;
use pilotage_engine::{ClockMode, ProductSource};
use pilotage_http::{KeyKind, KeySpec, Keys, Rate};
use serde::{Deserialize, Serialize};

use crate::cli::UsageError;
use crate::command::say;
use crate::settings::{RawKey, Settings};
use crate::system::SystemEntropy;

const FILE: &str = "keys.toml";

/// The keys file: the same shape as the settings' `keys`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeysFile {
    keys: Vec<RawKey>,
}

/// Who may call this server.
pub(crate) fn access(settings: &Settings, products: &[ProductSource]) -> anyhow::Result<Keys> {
    if settings.dev {
        return Ok(Keys::dev());
    }
    let raw = if settings.keys.is_empty() {
        kept_or_made(settings, products)?
    } else {
        settings.keys.clone()
    };
    let specs = specs(&raw)?;
    Keys::new(specs).map_err(|faults| {
        let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
        UsageError(lines.join("\n          ")).into()
    })
}

fn kept_or_made(settings: &Settings, products: &[ProductSource]) -> anyhow::Result<Vec<RawKey>> {
    let path = settings.data.join(FILE);
    if path.exists() {
        let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
        let kept: KeysFile =
            toml::from_str(&text).with_context(|| format!("understand {}", path.display()))?;
        return Ok(kept.keys);
    }
    let made = make(settings.clock, products);
    keep(&settings.data, &path, &made)?;
    tell_made(&made, &path);
    Ok(made)
}

/// What the first start says. Never a secret key: what is printed stands in a collector's log for ever, in a terminal's too.
fn tell_made(made: &[RawKey], path: &Path) {
    say(&format!("made API keys, kept in {}, which its owner alone may read:", path.display()));
    for key in made {
        let told = if key.kind == "publishable" { &key.key } else { "in that file" };
        say(&format!("  {:<11} key of {}: {told}", key.kind, key.product));
    }
    if made.iter().any(|key| key.kind == "publishable") {
        say("No page may use them yet: list your pages' origins in that file, and start again.");
    }
}

/// A publishable and a secret key for each product. Browsers must not reach the event clock: no publishable one there.
fn make(clock: ClockMode, products: &[ProductSource]) -> Vec<RawKey> {
    let kinds = match clock {
        ClockMode::System => &[("publishable", "pk"), ("secret", "sk")][..],
        ClockMode::Events => &[("secret", "sk")][..],
    };
    let key = |product: &ProductSource, (kind, prefix): &(&str, &str)| RawKey {
        key: format!("{prefix}_{:032x}", SystemEntropy.bits()),
        kind: (*kind).to_owned(),
        product: product.definition.product.to_string(),
        origins: Vec::new(),
        requests_per_second: None,
        user_token_secret: None,
    };
    products.iter().flat_map(|product| kinds.iter().map(move |kind| key(product, kind))).collect()
}

fn keep(folder: &Path, path: &Path, keys: &[RawKey]) -> anyhow::Result<()> {
    let text = format!(
        "# The API keys of this installation. A publishable key may stand in a browser, and works there only from the\n\
         # pages whose origins it lists, for example origins = [\"https://notes.example\"]: list yours, and restart the\n\
         # server. A secret key may not stand in a browser.\n\n{}",
        toml::to_string_pretty(&KeysFile { keys: keys.to_vec() })?
    );
    fs::create_dir_all(folder)
        .with_context(|| format!("make the data folder {}", folder.display()))?;
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("write {}", path.display()))?;
    file.write_all(text.as_bytes())?;
    Ok(file.sync_all()?)
}

fn specs(raw: &[RawKey]) -> anyhow::Result<Vec<KeySpec>> {
    let mut faults = Vec::new();
    let mut specs = Vec::new();
    for (place, key) in raw.iter().enumerate().map(|(place, key)| (place + 1, key)) {
        match (kind_of(&key.kind), ProductId::new(&key.product)) {
            (Some(kind), Ok(product)) => specs.push(KeySpec {
                key: key.key.clone(),
                kind,
                product,
                origins: key.origins.clone(),
                rate: key.requests_per_second.map(rate),
                user_token_secret: key.user_token_secret.clone(),
            }),
            (kind, product) => {
                if kind.is_none() {
                    faults.push(format!("key {place}: kind is publishable or secret"));
                }
                if let Err(fault) = product {
                    faults.push(format!("key {place}: product {fault}"));
                }
            }
        }
    }
    if !faults.is_empty() {
        bail!(UsageError(faults.join("\n          ")));
    }
    Ok(specs)
}

fn kind_of(text: &str) -> Option<KeyKind> {
    match text {
        "publishable" => Some(KeyKind::Publishable),
        "secret" => Some(KeyKind::Secret),
        _ => None,
    }
}

fn rate(per_second: u32) -> Rate {
    Rate { per_second, burst: per_second.saturating_mul(2) }
}
