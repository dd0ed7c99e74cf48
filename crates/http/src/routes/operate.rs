//! Operating a server: the kill switch, the report, health, metrics. Must not need a body.

use axum::http::StatusCode;
use pilotage_domain::id::GuideId;
use pilotage_engine::port::store::Pause;
use pilotage_engine::{PauseError, Readiness};
use pilotage_wire::api::operate::{GuideState, HealthBody, HealthStatus};
use pilotage_wire::api::report::{Parts, ReportBody};
use pilotage_wire::problem::ErrorCode;
use tracing::warn;

use super::lookup::{segment, settle, unavailable};
use super::{json, typed};
use crate::access::unknown_product;
use crate::edge::{Answer, Call};
use crate::metrics;
use crate::problem::Problem;

/// `POST /api/v1/guides/{id}/pause`
pub(super) async fn pause(call: Call) -> Answer {
    set_paused(call, Pause::Pause).await
}

/// `POST /api/v1/guides/{id}/resume`
pub(super) async fn resume(call: Call) -> Answer {
    set_paused(call, Pause::Resume).await
}

async fn set_paused(mut call: Call, pause: Pause) -> Answer {
    let unknown = || Problem::new(ErrorCode::UnknownGuide, "the catalogue has no such guide");
    let guide = segment(&mut call.parts).await.and_then(|id| GuideId::new(&id).ok());
    let guide = guide.ok_or_else(unknown)?;
    let done = call.app.engine.pause(&call.caller.product, &guide, pause).await;
    done.map_err(|error| match error {
        PauseError::UnknownProduct => unknown_product(),
        PauseError::UnknownGuide => unknown(),
        PauseError::Store(error) => {
            warn!(%error, "a guide could not be paused or resumed");
            Problem::new(ErrorCode::Unavailable, "the store can't be written now; nothing changed")
        }
    })?;
    let state = GuideState { id: guide.to_string(), paused: pause == Pause::Pause };
    Ok(json(StatusCode::OK, &state))
}

/// `GET /api/v1/report`
pub(super) async fn report(call: Call) -> Answer {
    settle(&call.app).await;
    let product = &call.caller.product;
    let report = call.app.engine.report(product).await.map_err(unavailable)?;
    let report = report.ok_or_else(unknown_product)?;
    let body = ReportBody::of(&Parts {
        product,
        at: report.at,
        window: report.window,
        summary: &report.summary,
        milestones: &report.milestones,
        arms: &report.arms,
        guard: report.guard,
        spent: report.spent,
        gain: report.gain,
    });
    Ok(json(StatusCode::OK, &body))
}

/// `GET /healthz`
pub(super) async fn healthz(_: Call) -> Answer {
    Ok(json(StatusCode::OK, &HealthBody { status: HealthStatus::Alive }))
}

/// `GET /readyz`
pub(super) async fn readyz(call: Call) -> Answer {
    let not_ready = |detail: String| Err(Problem::new(ErrorCode::NotReady, detail));
    if call.app.is_draining() {
        return not_ready("the server is draining".to_owned());
    }
    match call.app.engine.readiness() {
        Readiness::Ready => Ok(json(StatusCode::OK, &HealthBody { status: HealthStatus::Ready })),
        Readiness::Starting { applied, of } => not_ready(format!(
            "the server is starting: {} of {} records are folded",
            applied.0, of.0
        )),
        Readiness::Draining => not_ready("the server is draining".to_owned()),
        // What it is stands in the engine's log: it may hold more than a stranger should read.
        Readiness::CutOff { .. } => not_ready(
            "the server is cut off from a part that it needs; its log says which".to_owned(),
        ),
    }
}

/// `GET /metrics`
pub(super) async fn exposition(call: Call) -> Answer {
    let engine = &call.app.engine;
    let measured = match engine.figures() {
        Some(figures) => metrics::engine::render(&figures),
        None => {
            engine.folding().await.as_ref().map(metrics::engine::render_folding).unwrap_or_default()
        }
    };
    let asked = engine.model_counts();
    let asked = asked.map(|counted| metrics::model::render(&engine.model_providers(), &counted));
    let text = call.app.exposition.render() + &measured + &asked.unwrap_or_default();
    Ok(typed(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", text))
}
