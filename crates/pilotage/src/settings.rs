//! Settings: raw from file, environment and flags, then typed. Must report every fault at once, before anything starts.

mod back_end;
mod file;
mod model;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use clap::ValueEnum;
use pilotage_domain::learn::{Credit, Tuning};
use pilotage_domain::policy::Policy;
use pilotage_engine::ClockMode;
use serde::Deserialize;

use crate::cli::{ClockArg, CommonArgs, PolicyArg, RoleArg, UsageError};

pub(crate) use back_end::{BackEnd, Role, Shared};
pub(crate) use model::{KeyFrom, ModelSettings, ProviderSettings, Reach};

const DEFAULT_PORT: u16 = 7700;
/// Ten minutes: whoever waits longer for an end has mistaken the unit.
const LONGEST_UNREADY_MS: u64 = 600_000;

/// Settings as they are written; every key is optional, unknown ones are refused.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Raw {
    listen: Option<String>,
    data: Option<PathBuf>,
    products: Option<Vec<PathBuf>>,
    dev: Option<bool>,
    clock: Option<String>,
    policy: Option<String>,
    learner_credit: Option<String>,
    learner_scale: Option<f64>,
    log: Option<String>,
    store: Option<String>,
    kafka_brokers: Option<String>,
    kafka_topic: Option<String>,
    kafka_group: Option<String>,
    kafka_partitions: Option<u64>,
    kafka_replication: Option<u64>,
    kafka_session_ms: Option<u64>,
    #[serde(default)]
    kafka: BTreeMap<String, String>,
    database_url: Option<String>,
    role: Option<String>,
    users_mb: Option<u64>,
    remembered_events: Option<u64>,
    write_back_ms: Option<u64>,
    unready_for_ms: Option<u64>,
    model_provider: Option<String>,
    model_url: Option<String>,
    model_name: Option<String>,
    model_key_file: Option<PathBuf>,
    model_ca_file: Option<PathBuf>,
    model_proxy: Option<String>,
    model_token_limit: Option<String>,
    model_price: Option<String>,
    model_mode: Option<String>,
    model_canary: Option<f64>,
    model_budget_usd_month: Option<f64>,
    model_budget_usd_day: Option<f64>,
    model_workers: Option<u64>,
    model_tokens_per_minute: Option<u64>,
    #[serde(default)]
    models: Vec<model::Listed>,
    #[serde(default)]
    keys: Vec<RawKey>,
}

impl Raw {
    /// What the file says of the model.
    fn model(&mut self) -> model::Written {
        model::Written {
            provider: self.model_provider.take(),
            url: self.model_url.take(),
            name: self.model_name.take(),
            key_file: self.model_key_file.take(),
            ca_file: self.model_ca_file.take(),
            proxy: self.model_proxy.take(),
            token_limit: self.model_token_limit.take(),
            price: self.model_price.take(),
            mode: self.model_mode.take(),
            // As text, like the environment's: one place says what a number may be.
            canary: self.model_canary.map(|share| share.to_string()),
            budget_month: self.model_budget_usd_month.map(|dollars| dollars.to_string()),
            budget_day: self.model_budget_usd_day.map(|dollars| dollars.to_string()),
            workers: self.model_workers.map(|workers| workers.to_string()),
            rate: self.model_tokens_per_minute.map(|tokens| tokens.to_string()),
            listed: std::mem::take(&mut self.models),
        }
    }
}

/// An API key as a settings file holds it.
#[derive(Debug, Clone, Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawKey {
    pub(crate) key: String,
    pub(crate) kind: String,
    pub(crate) product: String,
    #[serde(default)]
    pub(crate) origins: Vec<String>,
    pub(crate) requests_per_second: Option<u32>,
    pub(crate) user_token_secret: Option<String>,
}

/// Typed settings.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) listen: SocketAddr,
    pub(crate) data: PathBuf,
    pub(crate) products: Vec<PathBuf>,
    pub(crate) dev: bool,
    pub(crate) clock: ClockMode,
    pub(crate) policy: Policy,
    pub(crate) tuning: Tuning,
    pub(crate) back_end: BackEnd,
    pub(crate) role: Role,
    pub(crate) users_bytes: usize,
    pub(crate) remembered_events: Option<u64>,
    pub(crate) write_back_every: Duration,
    pub(crate) unready_for: Duration,
    /// The models that are asked, where there are any.
    pub(crate) model: Option<ModelSettings>,
    pub(crate) keys: Vec<RawKey>,
}

/// Defaults, then the file, then the environment, then flags.
pub(crate) fn settle(
    args: &CommonArgs,
    dev: bool,
    role: Option<RoleArg>,
) -> anyhow::Result<Settings> {
    let environment = std::env::vars().filter(|(name, _)| name.starts_with("PILOTAGE_")).collect();
    settle_with(args, dev, role, &environment)
}

fn settle_with(
    args: &CommonArgs,
    dev: bool,
    role: Option<RoleArg>,
    environment: &BTreeMap<String, String>,
) -> anyhow::Result<Settings> {
    let named =
        args.config.clone().or_else(|| environment.get("PILOTAGE_CONFIG").map(PathBuf::from));
    let mut faults =
        Faults { variables: environment.keys().cloned().collect(), ..Faults::default() };
    let raw = match named {
        Some(file) => {
            let text = fs::read_to_string(&file)
                .with_context(|| format!("read the settings file {}", file.display()))?;
            file::read(&text, &file.display().to_string(), &mut faults)?
        }
        None => Raw::default(),
    };
    let settings = typed(raw, args, (dev, role), &Environment(environment), &mut faults);
    faults.finish()?;
    Ok(settings)
}

/// What is wrong, all of it.
#[derive(Default)]
struct Faults {
    told: Vec<String>,
    /// The keys that something was told about.
    keys: BTreeSet<String>,
    /// The environment's variables, by their whole names.
    variables: BTreeSet<String>,
}

impl Faults {
    fn say(&mut self, fault: &str) {
        self.told.push(fault.to_owned());
    }

    /// Says what is wrong with a key, by the name that its value came under.
    fn about(&mut self, key: &str, fault: &str) {
        let variable = format!("PILOTAGE_{}", key.to_ascii_uppercase());
        let name = if self.variables.contains(&variable) { &variable } else { key };
        self.told.push(format!("{name}: {fault}"));
        self.keys.insert(key.to_owned());
    }

    /// Whether something was told about the key, so that what is missed for want of it need not be.
    fn has(&self, key: &str) -> bool {
        self.keys.contains(key)
    }

    fn parse<T>(&mut self, key: &str, text: &str, read: impl Fn(&str) -> Option<T>) -> Option<T> {
        let value = read(text);
        if value.is_none() {
            self.about(key, &format!("`{text}` is not a value that it takes"));
        }
        value
    }

    /// The number, which must not be below this.
    fn at_least(&mut self, key: &str, least: u64, number: u64) -> u64 {
        if number < least {
            self.about(key, &format!("must be at least {least}"));
        }
        number.max(least)
    }

    /// The number, which must be within these.
    fn within(&mut self, key: &str, (least, most): (u64, u64), number: u64) -> u64 {
        if !(least..=most).contains(&number) {
            self.about(key, &format!("must be from {least} to {most}"));
        }
        number.clamp(least, most)
    }

    fn finish(self) -> Result<(), UsageError> {
        if self.told.is_empty() { Ok(()) } else { Err(UsageError(self.told.join("\n          "))) }
    }
}

/// The environment's variables, by their names without `PILOTAGE_`.
struct Environment<'a>(&'a BTreeMap<String, String>);

impl Environment<'_> {
    fn text(&self, name: &str) -> Option<String> {
        self.0.get(&format!("PILOTAGE_{name}")).cloned()
    }

    fn number(&self, name: &str, faults: &mut Faults) -> Option<u64> {
        let key = name.to_ascii_lowercase();
        self.text(name).and_then(|text| faults.parse(&key, &text, |t| t.parse().ok()))
    }
}

fn written(raw: &mut Raw, from: &Environment<'_>, faults: &mut Faults) -> back_end::Written {
    back_end::Written {
        log: from.text("LOG").or(raw.log.take()),
        store: from.text("STORE").or(raw.store.take()),
        brokers: from.text("KAFKA_BROKERS").or(raw.kafka_brokers.take()),
        topic: from.text("KAFKA_TOPIC").or(raw.kafka_topic.take()),
        group: from.text("KAFKA_GROUP").or(raw.kafka_group.take()),
        partitions: from.number("KAFKA_PARTITIONS", faults).or(raw.kafka_partitions),
        replication: from.number("KAFKA_REPLICATION", faults).or(raw.kafka_replication),
        session_ms: from.number("KAFKA_SESSION_MS", faults).or(raw.kafka_session_ms),
        kafka: std::mem::take(&mut raw.kafka),
        database_url: from.text("DATABASE_URL").or(raw.database_url.take()),
        role: from.text("ROLE").or(raw.role.take()),
    }
}

fn typed(
    mut raw: Raw,
    args: &CommonArgs,
    (dev, role): (bool, Option<RoleArg>),
    environment: &Environment<'_>,
    faults: &mut Faults,
) -> Settings {
    let set = |name: &str| environment.text(name);
    let model = model::typed(raw.model(), set, faults);
    let (back_end, role) = back_end::typed(written(&mut raw, environment, faults), role, faults);
    let tuning = tuning(&mut raw, environment, faults);
    let listen = set("LISTEN").or(raw.listen);
    let listen = listen.and_then(|text| faults.parse("listen", &text, |t| t.parse().ok()));
    let clock = set("CLOCK").or(raw.clock);
    let clock =
        clock.and_then(|text| faults.parse("clock", &text, |t| ClockArg::from_str(t, false).ok()));
    let policy = set("POLICY").or(raw.policy);
    let policy = policy
        .and_then(|text| faults.parse("policy", &text, |t| PolicyArg::from_str(t, false).ok()));
    let chosen = args.policy.or(policy);
    let policy = policy_of(chosen, model.is_some(), faults);
    let users_mb = environment.number("USERS_MB", faults).or(raw.users_mb).unwrap_or(512);
    let users_mb = faults.at_least("users_mb", 1, users_mb);
    let remembered = environment.number("REMEMBERED_EVENTS", faults).or(raw.remembered_events);
    let remembered_events = remembered.map(|n| faults.at_least("remembered_events", 1, n));
    let write_back_ms = environment.number("WRITE_BACK_MS", faults).or(raw.write_back_ms);
    let write_back_ms = faults.at_least("write_back_ms", 10, write_back_ms.unwrap_or(5_000));
    let unready_for_ms = environment.number("UNREADY_FOR_MS", faults).or(raw.unready_for_ms);
    let bounds = (0, LONGEST_UNREADY_MS);
    let unready_for_ms = faults.within("unready_for_ms", bounds, unready_for_ms.unwrap_or(0));
    let dev_set = set("DEV").and_then(|text| faults.parse("dev", &text, |t| t.parse().ok()));
    let products = match set("PRODUCT") {
        _ if !args.product.is_empty() => args.product.clone(),
        Some(list) => std::env::split_paths(&list).collect(),
        None => raw.products.unwrap_or_default(),
    };
    Settings {
        listen: args
            .listen
            .or(listen)
            .unwrap_or_else(|| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), DEFAULT_PORT)),
        data: args
            .data
            .clone()
            .or_else(|| set("DATA").map(PathBuf::from))
            .or(raw.data)
            .unwrap_or_else(|| PathBuf::from("data")),
        products,
        dev: dev || dev_set.or(raw.dev).unwrap_or(false),
        clock: match args.clock.or(clock) {
            Some(ClockArg::Events) => ClockMode::Events,
            _ => ClockMode::System,
        },
        policy,
        tuning,
        back_end,
        role,
        users_bytes: usize::try_from(users_mb).unwrap_or(usize::MAX).saturating_mul(1 << 20),
        remembered_events,
        write_back_every: Duration::from_millis(write_back_ms),
        unready_for: Duration::from_millis(unready_for_ms),
        model,
        keys: raw.keys,
    }
}

/// How the learner credits and explores.
fn tuning(raw: &mut Raw, from: &Environment<'_>, faults: &mut Faults) -> Tuning {
    let default = Tuning::default();
    let credit = from.text("LEARNER_CREDIT").or(raw.learner_credit.take());
    let credit = credit.and_then(|text| {
        faults.parse("learner_credit", &text, |text| match text {
            "last" => Some(Credit::Last),
            "first" => Some(Credit::First),
            "all" => Some(Credit::All),
            _ => None,
        })
    });
    let scale = from.text("LEARNER_SCALE").or(raw.learner_scale.map(|scale| scale.to_string()));
    let scale = scale.and_then(|text| {
        let scale = faults.parse("learner_scale", &text, |text| text.parse::<f64>().ok())?;
        let is_within = scale > 0.0 && scale <= 1.0;
        if !is_within {
            faults.about("learner_scale", "must be above 0 and at most 1");
        }
        is_within.then_some(scale)
    });
    Tuning { credit: credit.unwrap_or(default.credit), scale: scale.unwrap_or(default.scale) }
}

/// The policy, where a model is there for it.
fn policy_of(chosen: Option<PolicyArg>, has_model: bool, faults: &mut Faults) -> Policy {
    if matches!(chosen, Some(PolicyArg::Model)) && !has_model {
        faults.about("policy", "`model` needs a model: model_provider or models");
    }
    match chosen {
        Some(PolicyArg::Random) => Policy::Random,
        Some(PolicyArg::Learner) => Policy::Learner,
        Some(PolicyArg::Model) => Policy::Model,
        Some(PolicyArg::Static) | None => Policy::Static,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn flags_win_over_the_environment_and_that_over_the_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("pilotage.toml");
        fs::write(&file, "listen = \"127.0.0.1:1\"\npolicy = \"random\"\nclock = \"events\"\n")
            .expect("written");
        let args = CommonArgs {
            config: Some(file),
            clock: Some(ClockArg::System),
            ..CommonArgs::default()
        };
        let settings =
            settle_with(&args, false, None, &environment(&[("PILOTAGE_LISTEN", "127.0.0.1:2")]))
                .expect("valid");
        assert_eq!(settings.listen.port(), 2);
        assert_eq!(settings.policy, Policy::Random);
        assert_eq!(settings.clock, ClockMode::System);
        assert!(!settings.dev);
    }

    #[test]
    fn the_learner_is_tuned_within_bounds() {
        let tuned = |pairs: &[(&str, &str)]| {
            settle_with(&CommonArgs::default(), false, None, &environment(pairs))
        };
        assert_eq!(tuned(&[]).expect("valid").tuning, Tuning::default());
        let given = [("PILOTAGE_LEARNER_CREDIT", "all"), ("PILOTAGE_LEARNER_SCALE", "1")];
        let expected = Tuning { credit: Credit::All, scale: 1.0 };
        assert_eq!(tuned(&given).expect("valid").tuning, expected);
        let wrong = [("PILOTAGE_LEARNER_CREDIT", "most"), ("PILOTAGE_LEARNER_SCALE", "0")];
        let told = tuned(&wrong).expect_err("two faults").to_string();
        assert!(told.contains("LEARNER_CREDIT: `most` is not"), "{told}");
        assert!(told.contains("LEARNER_SCALE: must be above 0 and at most 1"), "{told}");
        assert!(tuned(&[("PILOTAGE_LEARNER_SCALE", "NaN")]).is_err());
    }

    #[test]
    fn the_policy_of_a_model_needs_one() {
        let named = |policy| environment(&[("PILOTAGE_POLICY", policy)]);
        let settle = |policy| settle_with(&CommonArgs::default(), false, None, &named(policy));
        assert_eq!(settle("learner").expect("valid").policy, Policy::Learner);
        let error = settle("model").expect_err("there is no model").to_string();
        assert!(error.contains("PILOTAGE_POLICY: `model`"), "{error}");
    }

    #[test]
    fn every_fault_is_named_at_once() {
        let faulty = environment(&[
            ("PILOTAGE_LISTEN", "here"),
            ("PILOTAGE_POLICY", "best"),
            ("PILOTAGE_LOG", "kafka"),
            ("PILOTAGE_UNREADY_FOR_MS", "600001"),
        ]);
        let error =
            settle_with(&CommonArgs::default(), false, None, &faulty).expect_err("four faults");
        let text = error.to_string();
        for name in
            ["PILOTAGE_LISTEN:", "PILOTAGE_POLICY:", "log, store:", "PILOTAGE_UNREADY_FOR_MS:"]
        {
            assert!(text.contains(name), "{text}");
        }
        assert!(error.is::<UsageError>());
    }

    #[test]
    fn every_key_stands_in_the_page_about_settings() {
        let fault = toml::from_str::<Raw>("unknown = 1").expect_err("no such key").to_string();
        let (_, keys) = fault.split_once("expected one of").expect("serde names the known ones");
        let page = include_str!("../../../docs/settings.md");
        let keys: Vec<&str> = keys.split('`').skip(1).step_by(2).collect();
        assert!(keys.contains(&"unready_for_ms"), "{keys:?}");
        for key in keys {
            assert!(page.contains(&format!("| `{key}` |")), "{key} is not in docs/settings.md");
        }
        let fault = toml::from_str::<Raw>("[[models]]\nunknown = 1").expect_err("no such key");
        let fault = fault.to_string();
        let (_, keys) = fault.split_once("expected one of").expect("serde names the known ones");
        for key in keys.split('`').skip(1).step_by(2) {
            assert!(
                page.contains(&format!("| `models[].{key}` |")),
                "{key} is not in docs/settings.md"
            );
        }
    }

    /// What is told of a file and an environment at fault.
    fn told(text: &str, pairs: &[(&str, &str)]) -> String {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("pilotage.toml");
        fs::write(&file, text).expect("written");
        let args = CommonArgs { config: Some(file), ..CommonArgs::default() };
        let settled = settle_with(&args, false, None, &environment(pairs));
        let error = settled.expect_err("faults");
        assert!(error.is::<UsageError>());
        error.to_string()
    }

    #[test]
    fn an_unknown_key_of_the_file_is_refused() {
        let told = told("lisen = \"127.0.0.1:1\"\n", &[]);
        assert!(told.contains("lisen: there is no setting `lisen`"), "{told}");
        assert!(told.ends_with("line 1)"), "one line, without all keys that there are: {told}");
    }

    #[test]
    fn every_fault_of_a_file_is_told_with_those_of_the_environment() {
        let file = "listen = 5\nfoo = 1\nwrite_back_ms = 1\nlog = 7\nstore = \"postgres\"\n\
            kafka_partitions = 0\nmodel_price = \"x\"\n[[keys]]\nkey = 7\nkind = \"secret\"\ncolour = 1\n\
            [[models]]\nname = 1\n";
        let told = told(file, &[("PILOTAGE_USERS_MB", "0"), ("PILOTAGE_REMEMBERED_EVENTS", "x")]);
        let expected = [
            "listen: invalid type: integer `5`, expected a string (",
            "line 1)",
            "foo: there is no setting `foo`",
            "write_back_ms: must be at least 10",
            "log: invalid type",
            "kafka_partitions: must be from 1 to 4096",
            "model_price: `x`",
            "keys: entry 1: key: invalid type",
            "keys: entry 1: there is no setting `colour`",
            "keys: entry 1: product: is needed",
            "models: entry 1: name: invalid type",
            "models: entry 1: provider: is needed",
            "PILOTAGE_USERS_MB: must be at least 1",
            "PILOTAGE_REMEMBERED_EVENTS: `x`",
        ];
        for part in expected {
            assert!(told.contains(part), "{part}\n{told}");
        }
        // What follows from a fault that is told already is not: one line for each.
        assert_eq!(told.lines().count(), expected.len() - 1, "{told}");
    }

    #[test]
    fn what_is_no_toml_is_told_alone() {
        let told = told("listen = \n", &[("PILOTAGE_USERS_MB", "0")]);
        assert!(told.contains("line 1") && !told.contains("USERS_MB"), "{told}");
    }
}
