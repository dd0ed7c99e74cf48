//! Settings of models as people write them, and every fault that is told. Must not repeat a key.

use pilotage_adapters::model::Through;
use pilotage_domain::advise::price::Price;
use pilotage_wire::model::Dialect;

use super::*;

fn told(pairs: &[(&str, &str)]) -> (Option<ModelSettings>, String) {
    listed("", pairs)
}

/// What a list of models in a file and the environment come to.
fn listed(file: &str, pairs: &[(&str, &str)]) -> (Option<ModelSettings>, String) {
    #[derive(serde::Deserialize, Default)]
    struct File {
        #[serde(default)]
        models: Vec<Listed>,
    }
    let mut faults = Faults::default();
    let File { models } = toml::from_str(file).expect("TOML with known keys");
    let set = |name: &str| {
        pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    };
    let model = typed(Written { listed: models, ..Written::default() }, set, &mut faults);
    (model, faults.told.join("; "))
}

#[test]
fn nothing_and_off_ask_nobody() {
    for pairs in [&[][..], &[("MODEL_PROVIDER", "off"), ("MODEL_PRICE", "1/2")]] {
        let (model, faults) = told(pairs);
        assert!(model.is_none() && faults.is_empty(), "{faults}");
    }
}

#[test]
fn a_slip_is_told_whoever_is_asked_and_where_nobody_is() {
    let slips = [
        ("MODEL_PRICE", "x"),
        ("MODEL_TOKEN_LIMIT", "x"),
        ("MODEL_PROXY", "zz"),
        ("MODEL_TOKENS_PER_MINUTE", "0"),
        ("MODEL_CANARY", "5"),
        ("MODEL_WORKERS", "999"),
        ("MODEL_BUDGET_USD_MONTH", "-1"),
    ];
    for provider in [&[][..], &[("MODEL_PROVIDER", "off")], &[("MODEL_PROVIDER", "scripted")]] {
        let (_, faults) = told(&[provider, &slips].concat());
        for (name, _) in slips {
            let key = name.to_ascii_lowercase();
            assert_eq!(faults.matches(&format!("{key}:")).count(), 1, "{key}: {faults}");
        }
    }
    let (model, faults) = listed("[[models]]\nprovider = \"scripted\"\nprice = \"x\"", &[]);
    assert!(model.is_some() && faults.contains("models[0].price"), "{faults}");
}

#[test]
fn a_model_with_its_usual_address() {
    let key = ("MODEL_KEY", "sk-0f3c");
    let (model, faults) =
        told(&[("MODEL_PROVIDER", "anthropic"), ("MODEL_NAME", "claude-haiku-5-5"), key]);
    let model = model.expect(&faults);
    let [provider] = &model.providers[..] else { panic!("{model:?}") };
    assert_eq!(
        (&*provider.url, provider.dialect),
        ("https://api.anthropic.com/v1", Dialect::Anthropic)
    );
    assert_eq!((provider.proxy.clone(), provider.price), (Through::Environment, None));
    assert!(!format!("{model:?}").contains("0f3c"));
}

#[test]
fn a_scripted_model_needs_nothing_and_has_no_say_unless_it_is_given() {
    let (model, faults) = told(&[("MODEL_PROVIDER", "scripted")]);
    let model = model.expect(&faults);
    assert_eq!(
        (model.providers[0].reach, &*model.providers[0].name),
        (Reach::Scripted, "scripted")
    );
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
    let model = model.expect(&faults);
    assert_eq!(model.providers[0].tokens_per_minute, Some(20_000));
    let SaySettings { mode, canary, caps, workers } = model.say;
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

const THREE: &str = r#"
[[models]]
id = "main"
provider = "openai"
url = "https://models.example/v1"
name = "gpt-6-luna"
tokens_per_minute = 60000

[[models]]
id = "spare-eu"
provider = "anthropic"
name = "claude-haiku-5-5"
key_file = "key"
price = "0.11/0.55"
budget_usd_month = 2.5

[[models]]
provider = "systemone"
url = "http://127.0.0.1:8092/v1"
name = "jev-1.13.0"
"#;

#[test]
fn several_are_asked_in_the_order_of_the_list() {
    let (model, faults) = listed(THREE, &[("MODEL_MAIN_KEY", "sk-0f3c")]);
    let model = model.expect(&faults);
    let ids: Vec<&str> = model.providers.iter().map(|provider| provider.id.as_str()).collect();
    assert_eq!(ids, ["main", "spare-eu", "systemone"]);
    let [main, spare, local] = &model.providers[..] else { panic!("{model:?}") };
    assert!(matches!(main.key, KeyFrom::Given(_)), "its own variable has its key");
    assert!(matches!(&spare.key, KeyFrom::File(path) if path.as_os_str() == "key"));
    assert!(matches!(local.key, KeyFrom::Nowhere));
    let price = Price { input: MicroUsd::new(110_000), output: MicroUsd::new(550_000) };
    assert_eq!((main.price, spare.price), (None, Some(price)));
    assert_eq!((main.tokens_per_minute, spare.tokens_per_minute), (Some(60_000), None));
    let caps: Vec<_> =
        model.say.caps.providers.iter().map(|(id, cap)| (id.as_str(), cap.get())).collect();
    assert_eq!(caps, [("spare-eu", 2_500_000)]);
    assert!(!format!("{model:?}").contains("0f3c"));
}

#[test]
fn the_one_of_the_environment_comes_first_and_off_is_off() {
    let (model, faults) =
        listed(THREE, &[("MODEL_PROVIDER", "openai"), ("MODEL_NAME", "gpt-5-nano")]);
    let model = model.expect(&faults);
    let ids: Vec<&str> = model.providers.iter().map(|provider| provider.id.as_str()).collect();
    assert_eq!(ids, ["openai", "main", "spare-eu", "systemone"]);
    let (model, faults) = listed(THREE, &[("MODEL_PROVIDER", "off")]);
    assert!(model.is_none() && faults.is_empty(), "{faults}");
}

#[test]
fn every_fault_of_every_provider_is_told_with_its_place() {
    let faulty = r#"
[[models]]
provider = "decisions"
price = "free"
proxy = "off"
[[models]]
provider = "guess"
name = "m"
tokens_per_minute = 0
[[models]]
provider = "openai"
id = "two words"
key_file = "key"
budget_usd_month = -1.0
[[models]]
provider = "decisions"
name = "m"
url = "http://127.0.0.1/v1"
[[models]]
provider = "anthropic"
id = "decisions"
name = "m"
"#;
    let (_, faults) = listed(faulty, &[]);
    for fault in [
        "models[0].url: is needed for `decisions`",
        "models[0].name: is needed",
        "models[0].price: `free`",
        "models[1].provider: `guess`",
        "models[1].tokens_per_minute: `0`",
        "models[2].id: `two words`",
        "models[2].name: is needed",
        "models[2].budget_usd_month: `-1`",
        "models[4].id: `decisions` is another provider's",
    ] {
        assert!(faults.contains(fault), "{fault} is not in: {faults}");
    }
    let both = "[[models]]\nprovider = \"openai\"\nname = \"m\"\nkey_file = \"key\"\n";
    let (_, faults) = listed(both, &[("MODEL_OPENAI_KEY", "0f3c")]);
    assert!(faults.contains("models[0].key, models[0].key_file: one of them"), "{faults}");
    assert!(!faults.contains("0f3c"), "{faults}");
    let many = "[[models]]\nprovider = \"openai\"\nname = \"m\"\n".repeat(9);
    let (_, faults) = listed(&many, &[]);
    assert!(faults.contains("models: at most 8"), "{faults}");
}
