//! What people see and say of asking models: figures, proposals, reviews, modes. Must not ask a model.

use axum::http::StatusCode;
use pilotage_domain::advise::MicroUsd;
use pilotage_domain::advise::breaker::Light;
use pilotage_domain::advise::budget::{Caps, Ledger, Level};
use pilotage_domain::advise::mode::Mode;
use pilotage_domain::id::ProductId;
use pilotage_engine::advise::{ModelView, Proposal, ProviderView, ReviewError};
use pilotage_wire::api::model::{
    BudgetBody, DEFAULT_LIMIT, MAX_LIMIT, ModelBody, ModelProviderBody, ProposalItem,
    ProposalsBody, Reviewed, read_mode, read_review,
};
use pilotage_wire::model::record::ReviewName;
use pilotage_wire::problem::{ErrorCode, Fault};
use tracing::warn;

use super::json;
use super::lookup::segment;
use crate::access::{query, unknown_product};
use crate::app::App;
use crate::body::{self, Media};
use crate::edge::{Answer, Call};
use crate::problem::Problem;

const MAX_BYTES: usize = 4 << 10;

/// `GET /api/v1/model`
pub(super) async fn model(call: Call) -> Answer {
    shown(&call.app, &call.caller.product).await
}

/// `POST /api/v1/model/mode`
pub(super) async fn mode(mut call: Call) -> Answer {
    if body::media(&call.parts.headers)? != Media::Json {
        let detail = "send the request as application/json";
        return Err(Problem::new(ErrorCode::UnsupportedMediaType, detail));
    }
    let bytes = taken(&mut call).await?;
    let asked = read_mode(body::text(&bytes)?).map_err(Problem::invalid)?;
    let product = &call.caller.product;
    call.app.engine.set_mode(product, asked.guide, asked.mode, asked.by).await.map_err(refused)?;
    shown(&call.app, product).await
}

async fn shown(app: &App, product: &ProductId) -> Answer {
    let view = app.engine.model(product).await.map_err(refused)?;
    Ok(json(StatusCode::OK, &view.map_or_else(off, |view| model_body(&view))))
}

/// `GET /api/v1/proposals`
pub(super) async fn proposals(call: Call) -> Answer {
    let (limit, before) = window(&call).map_err(Problem::invalid)?;
    let product = &call.caller.product;
    let mut found = call.app.engine.proposals(product, before, limit + 1).await.map_err(refused)?;
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|last| last.number.to_string());
    let body = ProposalsBody { items: found.into_iter().map(item).collect(), next };
    Ok(json(StatusCode::OK, &body))
}

/// `GET /api/v1/proposals/{id}`
pub(super) async fn proposal(mut call: Call) -> Answer {
    let number = number(&mut call).await?;
    let found = call.app.engine.proposal(&call.caller.product, number).await.map_err(refused)?;
    Ok(json(StatusCode::OK, &item(found)))
}

/// `POST /api/v1/proposals/{id}/approve`
pub(super) async fn approve(call: Call) -> Answer {
    review(call, ReviewName::Approved).await
}

/// `POST /api/v1/proposals/{id}/reject`
pub(super) async fn reject(call: Call) -> Answer {
    review(call, ReviewName::Rejected).await
}

async fn review(mut call: Call, review: ReviewName) -> Answer {
    let number = number(&mut call).await?;
    let bytes = taken(&mut call).await?;
    let asked = read_review(body::text(&bytes)?).map_err(Problem::invalid)?;
    let product = &call.caller.product;
    let done = call.app.engine.review(product, number, review, asked.by).await.map_err(refused)?;
    Ok(json(StatusCode::OK, &item(done)))
}

async fn taken(call: &mut Call) -> Result<bytes::Bytes, Problem> {
    let body = std::mem::take(&mut call.body);
    body::read(body, &call.parts.headers, MAX_BYTES, call.app.settings.body_timeout).await
}

async fn number(call: &mut Call) -> Result<u64, Problem> {
    let number = segment(&mut call.parts).await.and_then(|id| id.parse().ok());
    number.ok_or_else(|| refused(ReviewError::UnknownProposal))
}

/// `limit` and `cursor`.
fn window(call: &Call) -> Result<(usize, Option<u64>), Vec<Fault>> {
    let mut faults = Vec::new();
    let limit = match query(&call.parts, "limit").map(|text| text.parse()) {
        None => DEFAULT_LIMIT,
        Some(Ok(limit)) if (1..=MAX_LIMIT).contains(&limit) => limit,
        Some(_) => {
            let message = format!("must be a number from 1 to {MAX_LIMIT}");
            faults.push(Fault::new("query.limit", message));
            DEFAULT_LIMIT
        }
    };
    let before = match query(&call.parts, "cursor").map(|text| text.parse()) {
        None => None,
        Some(Ok(number)) => Some(number),
        Some(Err(_)) => {
            faults.push(Fault::new("query.cursor", "must be the `next` of an earlier answer"));
            None
        }
    };
    if faults.is_empty() { Ok((limit, before)) } else { Err(faults) }
}

fn refused(error: ReviewError) -> Problem {
    match error {
        ReviewError::UnknownProduct => unknown_product(),
        ReviewError::UnknownProposal => {
            Problem::new(ErrorCode::UnknownProposal, "no model has proposed this here")
        }
        ReviewError::UnknownGuide => {
            Problem::new(ErrorCode::UnknownGuide, "the catalogue has no such guide")
        }
        ReviewError::NoModel => Problem::fault(
            "mode",
            "no model is configured, so no advice can have a say: set model_provider or models, and start again",
        ),
        ReviewError::NoAdvice => {
            Problem::new(ErrorCode::ProposalRefused, "the rules have refused it already")
        }
        ReviewError::Book(error) => {
            warn!(error, "what is kept of models can't be read");
            Problem::internal()
        }
        ReviewError::Store(error) => {
            warn!(%error, "what is kept of models can't be reached");
            Problem::new(ErrorCode::Unavailable, "the store does not answer now; nothing changed")
        }
    }
}

fn item(proposal: Proposal) -> ProposalItem {
    let Proposal { number, record, review, by, reviewed_at } = proposal;
    ProposalItem::new(number, record, Reviewed { review, by, at: reviewed_at })
}

/// No model is configured.
fn off() -> ModelBody {
    ModelBody {
        mode: Mode::Off,
        guides: std::collections::BTreeMap::new(),
        providers: Vec::new(),
        budget: budget(&Ledger::default(), &Caps::default()),
        waiting: 0,
        calls: 0,
        calls_avoided: 0,
        per_event_micro_usd: 0,
        decisions: std::collections::BTreeMap::new(),
    }
}

fn model_body(view: &ModelView) -> ModelBody {
    let calls = view.providers.iter().map(|provider| provider.counted.calls()).sum();
    ModelBody {
        mode: view.mode,
        guides: view.guides.clone(),
        providers: view.providers.iter().map(provider_body).collect(),
        budget: budget(&view.ledger, &view.caps),
        waiting: view.waiting,
        calls,
        calls_avoided: view.counted.events.saturating_sub(calls),
        per_event_micro_usd: view.per_event.get(),
        decisions: view.counted.heard.clone(),
    }
}

fn provider_body(provider: &ProviderView) -> ModelProviderBody {
    let counted = &provider.counted;
    ModelProviderBody {
        id: provider.id.to_string(),
        model: provider.model.clone(),
        breaker: match provider.light {
            Light::Closed => "closed",
            Light::Open => "open",
            Light::HalfOpen => "half_open",
        },
        verdicts: counted.verdicts().collect(),
        barred: counted.barred,
        tokens_read: counted.tokens_read,
        tokens_written: counted.tokens_written,
        cost_micro_usd: counted.cost.get(),
    }
}

fn budget(ledger: &Ledger, caps: &Caps) -> BudgetBody {
    BudgetBody {
        day_micro_usd: ledger.spent_in_day().get(),
        day_cap_micro_usd: caps.day.map(MicroUsd::get),
        month_micro_usd: ledger.spent_in_month().get(),
        month_cap_micro_usd: caps.month.get(),
        reserved_micro_usd: ledger.reserved().get(),
        level: match ledger.level() {
            Level::Plenty => "plenty",
            Level::Sparing => "sparing",
            Level::HeadOnly => "head_only",
            Level::Spent => "spent",
        },
    }
}
