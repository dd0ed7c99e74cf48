//! Which models are asked, and how much say they have. Must not connect to anything, read a file, or show a key.

mod provider;

use std::collections::BTreeMap;
use std::path::PathBuf;

use pilotage_domain::advise::MicroUsd;
use pilotage_domain::advise::budget::Caps;
use pilotage_domain::advise::mode::Mode;
use pilotage_domain::number::Probability;

use super::Faults;

pub(super) use provider::Listed;
pub(crate) use provider::{KeyFrom, ProviderSettings, Reach};

/// What may be spent in a month where the settings don't say.
const USUAL_BUDGET: MicroUsd = MicroUsd::dollars(10);
const USUAL_WORKERS: usize = 2;
const MOST_WORKERS: usize = 64;
/// More have no time left in a job.
const MOST_PROVIDERS: usize = 8;

/// Whom to ask, and what the answers count for.
#[derive(Debug, Clone)]
pub(crate) struct ModelSettings {
    /// In the order in which they are asked; the next one where one fails. Never empty.
    pub(crate) providers: Vec<ProviderSettings>,
    pub(crate) say: SaySettings,
}

/// How much say advice has, and what it may cost.
#[derive(Debug, Clone)]
pub(crate) struct SaySettings {
    pub(crate) mode: Mode,
    pub(crate) canary: Probability,
    pub(crate) caps: Caps,
    /// Situations that are asked about at a time.
    pub(crate) workers: usize,
}

/// The settings as the file has them; the key itself can't stand there, because a fault would show its line.
#[derive(Debug, Default)]
pub(super) struct Written {
    pub(super) provider: Option<String>,
    pub(super) url: Option<String>,
    pub(super) name: Option<String>,
    pub(super) key_file: Option<PathBuf>,
    pub(super) ca_file: Option<PathBuf>,
    pub(super) proxy: Option<String>,
    pub(super) token_limit: Option<String>,
    pub(super) price: Option<String>,
    pub(super) mode: Option<String>,
    pub(super) canary: Option<String>,
    pub(super) budget_month: Option<String>,
    pub(super) budget_day: Option<String>,
    pub(super) workers: Option<String>,
    pub(super) rate: Option<String>,
    /// Who is asked behind that provider, in order.
    pub(super) listed: Vec<Listed>,
}

/// What is meant, the environment before the file, or every fault of it. `None` where no model is to be asked.
pub(super) fn typed(
    mut written: Written,
    set: impl Fn(&str) -> Option<String>,
    faults: &mut Faults,
) -> Option<ModelSettings> {
    let listed = std::mem::take(&mut written.listed);
    let named = set("MODEL_PROVIDER").or(written.provider.take());
    let mut say = say(&mut written, &set, faults);
    let is_off = named.as_deref() == Some("off");
    let is_named = named.is_some();
    let first = ("model_".to_owned(), first(named.unwrap_or_default(), written, &set));
    let listed = listed
        .into_iter()
        .enumerate()
        .map(|(place, listed)| (format!("models[{place}]."), listed.written(&set)));
    let mut all: Vec<_> = [first].into_iter().chain(listed).collect();
    // Where nobody is asked by it, a slip is a slip all the same.
    let idle = if is_off { all.len() } else { usize::from(!is_named) };
    for (before, written) in all.drain(..idle) {
        written.terms(&before, faults);
    }
    if all.is_empty() {
        return None;
    }
    if all.len() > MOST_PROVIDERS {
        faults.say(&format!("models: at most {MOST_PROVIDERS} can be asked one after the other"));
    }
    let mut providers: Vec<ProviderSettings> = Vec::with_capacity(all.len());
    for (before, written) in all {
        let Some(provider) = written.typed(&before, faults) else { continue };
        let id = &provider.id;
        if providers.iter().any(|known| known.id == *id) {
            faults.say(&format!("{before}id: `{id}` is another provider's: give each its own"));
        }
        say.caps.providers.extend(provider.budget_month.map(|cap| (id.clone(), cap)));
        providers.push(provider);
    }
    (!providers.is_empty()).then_some(ModelSettings { providers, say })
}

/// The provider that the keys `model_…` describe.
fn first(
    provider: String,
    written: Written,
    set: &impl Fn(&str) -> Option<String>,
) -> provider::Written {
    provider::Written {
        id: None,
        provider,
        url: set("MODEL_URL").or(written.url),
        name: set("MODEL_NAME").or(written.name),
        key: set("MODEL_KEY"),
        key_file: set("MODEL_KEY_FILE").map(PathBuf::from).or(written.key_file),
        ca_file: set("MODEL_CA_FILE").map(PathBuf::from).or(written.ca_file),
        proxy: set("MODEL_PROXY").or(written.proxy),
        token_limit: set("MODEL_TOKEN_LIMIT").or(written.token_limit),
        price: set("MODEL_PRICE").or(written.price),
        rate: set("MODEL_TOKENS_PER_MINUTE").or(written.rate),
        budget_month: None,
    }
}

fn say(
    written: &mut Written,
    set: &impl Fn(&str) -> Option<String>,
    faults: &mut Faults,
) -> SaySettings {
    let mode = set("MODEL_MODE").or(written.mode.take());
    let mode = mode.and_then(|text| faults.parse("model_mode", &text, Mode::parse));
    let canary = set("MODEL_CANARY").or(written.canary.take());
    let share = |text: &str| text.parse().ok().and_then(Probability::new);
    let canary = canary.and_then(|text| faults.parse("model_canary", &text, share));
    let month = set("MODEL_BUDGET_USD_MONTH").or(written.budget_month.take());
    let month = month.and_then(|text| faults.parse("model_budget_usd_month", &text, dollars));
    let day = set("MODEL_BUDGET_USD_DAY").or(written.budget_day.take());
    let day = day.and_then(|text| faults.parse("model_budget_usd_day", &text, dollars));
    let workers = set("MODEL_WORKERS").or(written.workers.take());
    let number = |text: &str| text.parse().ok().filter(|n| (1..=MOST_WORKERS).contains(n));
    let workers = workers.and_then(|text| faults.parse("model_workers", &text, number));
    SaySettings {
        mode: mode.unwrap_or(Mode::Shadow),
        canary: canary.or(Probability::new(0.1)).unwrap_or(Probability::ZERO),
        caps: Caps { day, month: month.unwrap_or(USUAL_BUDGET), providers: BTreeMap::new() },
        workers: workers.unwrap_or(USUAL_WORKERS),
    }
}

/// A decimal number of dollars, with at most six digits behind the point.
fn dollars(text: &str) -> Option<MicroUsd> {
    let (whole, part) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || part.len() > 6 || !is_number(whole) || !is_number(part) {
        return None;
    }
    let micros: u64 = format!("{part:0<6}").parse().ok()?;
    let whole: u64 = whole.parse().ok().filter(|dollars| *dollars <= 1_000_000)?;
    Some(MicroUsd::dollars(whole).plus(MicroUsd::new(micros)))
}

#[cfg(test)]
mod tests;
