//! Which model is asked, and how it is reached. Must not connect to anything, read a file, or show a key.

use std::path::PathBuf;

use pilotage_adapters::model::{Key, Through};
use pilotage_domain::advise::MicroUsd;
use pilotage_domain::advise::budget::Caps;
use pilotage_domain::advise::mode::Mode;
use pilotage_domain::advise::price::Price;
use pilotage_domain::number::Probability;
use pilotage_wire::model::{Dialect, TokenLimit};

use super::Faults;

/// What may be spent in a month where the settings don't say.
const USUAL_BUDGET: MicroUsd = MicroUsd::dollars(10);
const USUAL_WORKERS: usize = 2;
const MOST_WORKERS: usize = 64;
/// A model of our own that names the first guides of every question: to try things without any provider.
const SCRIPTED: &str = "scripted";

/// A model that may be asked.
#[derive(Debug, Clone)]
pub(crate) struct ModelSettings {
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
    pub(crate) say: SaySettings,
}

/// Where a model is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// At a provider, over HTTP.
    Http,
    /// In this process; for trying alone.
    Scripted,
}

/// How much say its advice has, and what it may cost.
#[derive(Debug, Clone)]
pub(crate) struct SaySettings {
    pub(crate) mode: Mode,
    pub(crate) canary: Probability,
    pub(crate) caps: Caps,
    /// Situations that are asked about at a time.
    pub(crate) workers: usize,
    pub(crate) tokens_per_minute: Option<u32>,
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
}

/// What is meant, the environment before the file, or every fault of it. `None` where no model is to be asked.
pub(super) fn typed(
    mut written: Written,
    set: impl Fn(&str) -> Option<String>,
    faults: &mut Faults,
) -> Option<ModelSettings> {
    let provider = set("MODEL_PROVIDER").or(written.provider.take())?;
    if provider == "off" {
        return None;
    }
    let say = say(&mut written, &set, faults);
    if provider == SCRIPTED {
        return Some(scripted(say));
    }
    let dialect = faults.parse("model_provider", &provider, Dialect::parse);
    let limit = set("MODEL_TOKEN_LIMIT").or(written.token_limit);
    let limit = limit.and_then(|text| faults.parse("model_token_limit", &text, token_limit));
    let price = set("MODEL_PRICE").or(written.price);
    let price = price.and_then(|text| faults.parse("model_price", &text, read_price));
    let key_file = set("MODEL_KEY_FILE").map(PathBuf::from).or(written.key_file);
    let key = key(set("MODEL_KEY"), key_file, faults);
    let name = set("MODEL_NAME").or(written.name).filter(|name| !name.is_empty());
    if name.is_none() {
        faults.say("model_name: is needed where a model is asked");
    }
    let url = set("MODEL_URL").or(written.url).filter(|url| !url.is_empty());
    let url = url.or_else(|| dialect.and_then(usual_url).map(str::to_owned));
    if url.is_none() && dialect.is_some() {
        faults.say(&format!("model_url: is needed for `{provider}`"));
    }
    Some(ModelSettings {
        reach: Reach::Http,
        say,
        dialect: dialect?,
        url: url?,
        name: name?,
        key,
        ca_file: set("MODEL_CA_FILE").map(PathBuf::from).or(written.ca_file),
        proxy: proxy(set("MODEL_PROXY").or(written.proxy)),
        limit: limit.unwrap_or_default(),
        price,
    })
}

/// A model of our own, free of charge.
fn scripted(say: SaySettings) -> ModelSettings {
    ModelSettings {
        reach: Reach::Scripted,
        dialect: Dialect::OpenAi,
        url: String::new(),
        name: SCRIPTED.to_owned(),
        key: KeyFrom::Nowhere,
        ca_file: None,
        proxy: Through::Nothing,
        limit: TokenLimit::default(),
        price: Some(Price { input: MicroUsd::ZERO, output: MicroUsd::ZERO }),
        say,
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
    let rate = set("MODEL_TOKENS_PER_MINUTE").or(written.rate.take());
    let at_least_one = |text: &str| text.parse().ok().filter(|tokens: &u32| *tokens > 0);
    let rate = rate.and_then(|text| faults.parse("model_tokens_per_minute", &text, at_least_one));
    SaySettings {
        mode: mode.unwrap_or(Mode::Shadow),
        canary: canary.or(Probability::new(0.1)).unwrap_or(Probability::ZERO),
        caps: Caps { day, month: month.unwrap_or(USUAL_BUDGET), ..Caps::default() },
        workers: workers.unwrap_or(USUAL_WORKERS),
        tokens_per_minute: rate,
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

fn key(given: Option<String>, file: Option<PathBuf>, faults: &mut Faults) -> KeyFrom {
    match (given, file) {
        (Some(_), Some(_)) => {
            faults.say("model_key, model_key_file: one of them, not both");
            KeyFrom::Nowhere
        }
        (Some(text), None) => match Key::new(&text) {
            Ok(key) => KeyFrom::Given(key),
            Err(fault) => {
                faults.say(&format!("model_key: {fault}"));
                KeyFrom::Nowhere
            }
        },
        (None, Some(file)) => KeyFrom::File(file),
        (None, None) => KeyFrom::Nowhere,
    }
}

fn proxy(text: Option<String>) -> Through {
    match text.as_deref() {
        None | Some("environment") => Through::Environment,
        Some("off") => Through::Nothing,
        Some(url) => Through::Proxy(url.to_owned()),
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
mod tests {
    use super::*;

    fn told(pairs: &[(&str, &str)]) -> (Option<ModelSettings>, String) {
        let mut faults = Faults::default();
        let set = |name: &str| {
            pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        let model = typed(Written::default(), set, &mut faults);
        (model, faults.0.join("; "))
    }

    #[test]
    fn nothing_and_off_ask_nobody() {
        for pairs in [&[][..], &[("MODEL_PROVIDER", "off"), ("MODEL_PRICE", "x")]] {
            let (model, faults) = told(pairs);
            assert!(model.is_none() && faults.is_empty(), "{faults}");
        }
    }

    #[test]
    fn a_model_with_its_usual_address() {
        let key = ("MODEL_KEY", "sk-0f3c");
        let (model, faults) =
            told(&[("MODEL_PROVIDER", "anthropic"), ("MODEL_NAME", "claude-haiku-5-5"), key]);
        let model = model.expect(&faults);
        assert_eq!(
            (&*model.url, model.dialect),
            ("https://api.anthropic.com/v1", Dialect::Anthropic)
        );
        assert_eq!((model.proxy.clone(), model.price), (Through::Environment, None));
        assert!(!format!("{model:?}").contains("0f3c"));
    }

    #[test]
    fn a_scripted_model_needs_nothing_and_has_no_say_unless_it_is_given() {
        let (model, faults) = told(&[("MODEL_PROVIDER", "scripted")]);
        let model = model.expect(&faults);
        assert_eq!((model.reach, &*model.name), (Reach::Scripted, "scripted"));
        assert_eq!((model.say.mode, model.say.caps.month), (Mode::Shadow, USUAL_BUDGET));
        let (model, faults) = told(&[
            ("MODEL_PROVIDER", "scripted"),
            ("MODEL_MODE", "canary"),
            ("MODEL_CANARY", "0.25"),
            ("MODEL_BUDGET_USD_MONTH", "2.5"),
            ("MODEL_BUDGET_USD_DAY", "0.1"),
            ("MODEL_WORKERS", "4"),
            ("MODEL_TOKENS_PER_MINUTE", "20000"),
        ]);
        let SaySettings { mode, canary, caps, workers, tokens_per_minute } =
            model.expect(&faults).say;
        assert_eq!(tokens_per_minute, Some(20_000));
        assert_eq!((mode, canary.get(), workers), (Mode::Canary, 0.25, 4));
        assert_eq!((caps.month.get(), caps.day.map(MicroUsd::get)), (2_500_000, Some(100_000)));
        let wrong = [
            ("MODEL_PROVIDER", "scripted"),
            ("MODEL_MODE", "on"),
            ("MODEL_CANARY", "1.5"),
            ("MODEL_BUDGET_USD_MONTH", "much"),
            ("MODEL_BUDGET_USD_DAY", "-1"),
            ("MODEL_WORKERS", "0"),
            ("MODEL_TOKENS_PER_MINUTE", "0"),
        ];
        let (_, faults) = told(&wrong);
        for (name, _) in &wrong[1..] {
            assert!(faults.contains(&name.to_ascii_lowercase()), "{name}: {faults}");
        }
    }

    #[test]
    fn every_fault_is_named_and_no_key_repeated() {
        let (_, faults) = told(&[
            ("MODEL_PROVIDER", "decisions"),
            ("MODEL_TOKEN_LIMIT", "48"),
            ("MODEL_PRICE", "free"),
            ("MODEL_KEY", "0f3c 0f3c"),
        ]);
        for name in ["model_url", "model_name", "model_token_limit", "model_price", "model_key"] {
            assert!(faults.contains(name), "{faults}");
        }
        assert!(!faults.contains("0f3c"), "{faults}");
        let (_, faults) = told(&[("MODEL_PROVIDER", "guess"), ("MODEL_NAME", "m")]);
        assert!(faults.contains("model_provider") && !faults.contains("model_url"), "{faults}");
        let both = [("MODEL_KEY", "a"), ("MODEL_KEY_FILE", "b")];
        let (_, faults) =
            told(&[&[("MODEL_PROVIDER", "openai"), ("MODEL_NAME", "m")], &both[..]].concat());
        assert!(faults.contains("not both"), "{faults}");
    }

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
