//! Deciding what a user is shown. Must not choose: the engine does.

use axum::http::StatusCode;
use pilotage_engine::{DecideCall, DecideError};
use pilotage_wire::api::decision::{DecisionBody, Explain, read_ask};
use pilotage_wire::problem::ErrorCode;

use super::json;
use crate::access::{query, speaker, unknown_product};
use crate::body::{self, Media};
use crate::edge::{Answer, Call};
use crate::problem::Problem;

const MAX_BYTES: usize = 64 << 10;

/// `POST /api/v1/decisions`
pub(super) async fn decide(call: Call) -> Answer {
    let Call { app, caller, parts, body } = call;
    if body::media(&parts.headers)? != Media::Json {
        let detail = "send the request as application/json";
        return Err(Problem::new(ErrorCode::UnsupportedMediaType, detail));
    }
    let explain = match query(&parts, "explain").as_deref() {
        None | Some("false") => Explain::None,
        Some("true") if caller.is_trusted() => Explain::Full,
        Some("true") => {
            return Err(Problem::new(ErrorCode::Forbidden, "explain=true needs a secret key"));
        }
        Some(_) => return Err(Problem::fault("query.explain", "must be true or false")),
    };
    let bytes = body::read(body, &parts.headers, MAX_BYTES, app.settings.body_timeout).await?;
    let definition = app.engine.definition(&caller.product).ok_or_else(unknown_product)?;
    let ask = read_ask(body::text(&bytes)?, &definition).map_err(Problem::invalid)?;
    speaker(&app, &caller, &parts.headers, ask.user_token.as_deref())?.check(&ask.user)?;
    let call = DecideCall {
        user: ask.user,
        session: ask.session,
        surface: ask.surface,
        after: ask.after,
        wait: ask.wait,
        at: ask.at,
    };
    let decided = app.engine.decide(&caller.product, call).await.map_err(|error| match error {
        DecideError::UnknownProduct => unknown_product(),
        DecideError::NotTheEventClock => Problem::fault("at", "is for the event clock alone"),
    })?;
    let answer = json(StatusCode::OK, &DecisionBody::new(&decided.decision, explain));
    // Those who wait are decided for first, and their answers leave one right after the other: a caller that is woken for
    // each by itself costs more than its decision's rules.
    tokio::task::yield_now().await;
    Ok(answer)
}
