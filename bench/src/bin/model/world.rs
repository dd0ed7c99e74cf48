//! The sample product on an engine that asks a script. Must measure nothing.

use std::sync::Arc;
use std::time::Duration;

use pilotage_domain::advise::MicroUsd;
use pilotage_domain::advise::budget::Caps;
use pilotage_domain::advise::mode::Mode;
use pilotage_domain::advise::price::{Price, PriceTable};
use pilotage_domain::definition::Definition;
use pilotage_domain::event::EventContext;
use pilotage_domain::id::{ProductId, ProviderId, SessionId, UserId};
use pilotage_domain::number::Probability;
use pilotage_domain::policy::Policy;
use pilotage_domain::time::Millis;
use pilotage_engine::advise::{Provider, Setup};
use pilotage_engine::memory::Scripted;
use pilotage_engine::port::model::Raw;
use pilotage_engine::{DecideCall, Options};
use pilotage_wire::event::IncomingEvent;
use pilotage_wire::model::{Dialect, Prompt, TokenLimit};
use pilotage_wire::record::decision::SurfaceBody;
use pilotage_wire::yaml;
use serde_json::value::RawValue;
use serde_json::{Value, json};

pub(crate) const ACME: &str = include_str!("../../../../examples/acme.yaml");
const FREE: Price = Price { input: MicroUsd::ZERO, output: MicroUsd::ZERO };

pub(crate) fn acme() -> Definition {
    yaml::load(ACME).expect("the sample product loads").definition
}

/// acme with everybody guided and nothing explored, so that every decision is the policy's.
pub(crate) fn guided() -> String {
    let text =
        ACME.replace("holdout: 0.1 ", "holdout: 0 ").replace("explore: 0.02 ", "explore: 0 ");
    assert_ne!(text, ACME, "the shares have another form now");
    text
}

pub(crate) fn product() -> ProductId {
    ProductId::new("acme").expect("an identifier")
}

/// An engine that asks this script, with as many jobs at a time.
pub(crate) fn advised(script: Arc<Scripted>, workers: usize) -> Options {
    let id = ProviderId::new("script").expect("an identifier");
    let provider = Provider::new(id, Dialect::OpenAi, "script", TokenLimit::MaxTokens, script);
    let setup = Setup {
        providers: vec![provider.with_price(FREE)],
        prices: PriceTable::built_in(),
        caps: Caps { month: MicroUsd::dollars(1), ..Caps::default() },
        mode: Mode::Live,
        canary: Probability::ONE,
        prompt: Prompt::newest(),
        workers,
    };
    Options {
        policy: Policy::Model,
        users_bytes: 4 << 30,
        write_back_every: Duration::from_secs(5),
        advisor: Some(Arc::new(setup)),
        ..Options::default()
    }
}

/// What a sound model answers: the first guides that were offered.
pub(crate) fn answer(request: &[u8]) -> Raw {
    let request: Value = serde_json::from_slice(request).expect("JSON");
    let names = &request["response_format"]["json_schema"]["schema"]["properties"]["first"]["enum"];
    let content = json!({ "first": names[0], "second": names[1] }).to_string();
    let body = json!({
        "choices": [{ "finish_reason": "stop", "message": { "content": content } }],
        // At three bytes to a token, as everywhere.
        "usage": { "prompt_tokens": request.to_string().len() / 3, "completion_tokens": content.len() / 3 },
    });
    Raw {
        status: 200,
        content_type: Some("application/json".into()),
        body: body.to_string().into(),
        ..Raw::default()
    }
}

/// What a user of the trial with a project has done; each of these versions is another situation.
pub(crate) fn trial(user: &UserId, version: &str) -> Vec<IncomingEvent> {
    let event = |kind: &str, payload: &str, attributes: Option<&str>| IncomingEvent {
        id: None,
        user: user.clone(),
        session: SessionId::new("s").expect("valid"),
        kind: kind.into(),
        claimed: None,
        anonymous: None,
        attributes: attributes.and_then(|text| RawValue::from_string(text.to_owned()).ok()),
        context: EventContext { app_version: Some(version.into()), ..EventContext::default() },
        payload: RawValue::from_string(payload.to_owned()).ok(),
        api_version: None,
        trace_parent: None,
    };
    vec![
        event("signed_up", "{}", Some(r#"{"tier":"trial"}"#)),
        event("form_submit", r#"{"form":"new_project","ok":true}"#, None),
    ]
}

pub(crate) fn user(n: u64) -> UserId {
    UserId::new(&format!("00000000-0000-4000-8000-{n:012x}")).expect("valid")
}

/// An app's version; each has situations of its own.
pub(crate) fn version(n: u64) -> String {
    format!("{}.1.0", n + 2)
}

pub(crate) fn question(user: UserId, version: &str) -> DecideCall {
    let surface = SurfaceBody {
        path: Some("/import".into()),
        app_version: Some(version.into()),
        ..SurfaceBody::default()
    };
    let session = SessionId::new("s").expect("valid");
    DecideCall { user, session, surface, after: None, wait: Millis::ZERO, at: None }
}

/// The value below which that share of the sorted ones lies.
pub(crate) fn quantile(sorted: &[u64], share: f64) -> u64 {
    let place = (sorted.len() as f64 * share) as usize;
    sorted.get(place.min(sorted.len().saturating_sub(1))).copied().unwrap_or(0)
}
