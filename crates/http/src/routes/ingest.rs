//! Taking events, one or many. Must not answer 202 for anything that is not durable.

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use pilotage_domain::definition::Definition;
use pilotage_domain::id::EventId;
use pilotage_engine::port::log::AppendError;
use pilotage_engine::{IngestError, Ingested};
use pilotage_wire::api::ingest::{
    Batch, BatchAnswer, BatchResult, BatchStatus, MAX_BATCH, Queued, QueuedStatus, read_batch,
    read_lines,
};
use pilotage_wire::event::{self, IncomingEvent, Refused};
use pilotage_wire::problem::{ErrorCode, Fault};
use tracing::warn;

use super::json;
use crate::access::{Speaker, speaker, unknown_product};
use crate::body::{self, Media};
use crate::edge::{Answer, Call};
use crate::problem::Problem;

const MAX_EVENT_BYTES: usize = 1 << 20;
const MAX_BATCH_BYTES: usize = 5 << 20;
const API_VERSION: HeaderName = HeaderName::from_static("x-api-version");
const TRACE_PARENT: HeaderName = HeaderName::from_static("traceparent");
const MAX_API_VERSION: usize = 32;

/// `POST /api/v1/events`
pub(super) async fn event(call: Call) -> Answer {
    let Call { app, caller, parts, body } = call;
    if body::media(&parts.headers)? != Media::Json {
        return Err(Problem::new(
            ErrorCode::UnsupportedMediaType,
            "send the event as application/json",
        ));
    }
    let bytes =
        body::read(body, &parts.headers, MAX_EVENT_BYTES, app.settings.body_timeout).await?;
    let definition = app.engine.definition(&caller.product).ok_or_else(unknown_product)?;
    let received = event::read(body::text(&bytes)?, &definition)
        .map_err(|refused| Problem::invalid(refused.faults))?;
    speaker(&app, &caller, &parts.headers, received.user_token.as_deref())?
        .check(&received.event.user)?;
    let event = Said::of(&parts.headers).about(received.event);
    let ingested = app.engine.ingest(&caller.product, vec![event]).await.map_err(one_not_taken)?;
    let Some(Ingested { event_id, duplicate }) = ingested.into_iter().next() else {
        return Err(Problem::internal());
    };
    (if duplicate { &app.metrics.duplicate } else { &app.metrics.queued }).increment(1);
    Ok(json(StatusCode::ACCEPTED, &Queued { status: QueuedStatus::Queued, event_id }))
}

/// `POST /api/v1/events/batch`
pub(super) async fn batch(call: Call) -> Answer {
    let Call { app, caller, parts, body } = call;
    let media = body::media(&parts.headers)?;
    let bytes =
        body::read(body, &parts.headers, MAX_BATCH_BYTES, app.settings.body_timeout).await?;
    let text = body::text(&bytes)?;
    let batch = match media {
        Media::Json => read_batch(text).map_err(Problem::invalid)?,
        Media::Lines => read_lines(text),
    };
    if batch.events.len() > MAX_BATCH {
        let detail = format!("a batch may hold at most {MAX_BATCH} events");
        return Err(Problem::new(ErrorCode::BatchTooLarge, detail));
    }
    let definition = app.engine.definition(&caller.product).ok_or_else(unknown_product)?;
    let speaker = speaker(&app, &caller, &parts.headers, batch.user_token.as_deref())?;
    let (good, places) = sort(&batch, &definition, &speaker, Said::of(&parts.headers));
    let ingested = if good.is_empty() {
        Vec::new()
    } else {
        app.engine.ingest(&caller.product, good).await.map_err(not_taken)?
    };
    let mut ingested = ingested.into_iter();
    let results: Option<Vec<BatchResult>> = (places.into_iter())
        .map(|place| place.map_or_else(|| ingested.next().map(taken), Some))
        .collect();
    let answer = BatchAnswer { results: results.ok_or_else(Problem::internal)? };
    for (status, counter) in [
        (BatchStatus::Queued, &app.metrics.queued),
        (BatchStatus::Duplicate, &app.metrics.duplicate),
        (BatchStatus::Rejected, &app.metrics.rejected),
    ] {
        counter.increment(answer.results.iter().filter(|r| r.status == status).count() as u64);
    }
    Ok(json(StatusCode::ACCEPTED, &answer))
}

/// The events that may be taken, and for each event of the batch, in order, its result where that is known already.
fn sort(
    batch: &Batch<'_>,
    definition: &Definition,
    speaker: &Speaker,
    said: Said<'_>,
) -> (Vec<IncomingEvent>, Vec<Option<BatchResult>>) {
    let mut good = Vec::with_capacity(batch.events.len());
    let mut places = Vec::with_capacity(batch.events.len());
    for text in &batch.events {
        if text.len() > MAX_EVENT_BYTES {
            places.push(Some(rejected(None, ErrorCode::PayloadTooLarge, None)));
            continue;
        }
        places.push(match event::read(text, definition) {
            Err(Refused { id, faults }) => {
                Some(rejected(id, ErrorCode::ValidationFailed, Some(faults)))
            }
            Ok(received) if !speaker.may_be(&received.event.user) => {
                Some(rejected(received.event.id, ErrorCode::WrongUser, None))
            }
            Ok(received) => {
                good.push(said.about(received.event));
                None
            }
        });
    }
    (good, places)
}

fn rejected(
    event_id: Option<EventId>,
    code: ErrorCode,
    details: Option<Vec<Fault>>,
) -> BatchResult {
    BatchResult { event_id, status: BatchStatus::Rejected, code: Some(code), details }
}

fn taken(ingested: Ingested) -> BatchResult {
    let status = if ingested.duplicate { BatchStatus::Duplicate } else { BatchStatus::Queued };
    BatchResult { event_id: Some(ingested.event_id), status, code: None, details: None }
}

/// What a call's headers say of all its events, as far as it is fit to be recorded; anything else is passed over.
#[derive(Clone, Copy)]
struct Said<'a> {
    api_version: Option<&'a str>,
    trace_parent: Option<&'a str>,
}

impl<'a> Said<'a> {
    fn of(headers: &'a HeaderMap) -> Self {
        let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        Self {
            api_version: text(API_VERSION).filter(|text| text.len() <= MAX_API_VERSION),
            trace_parent: text(TRACE_PARENT).and_then(event::trace_parent),
        }
    }

    fn about(self, event: IncomingEvent) -> IncomingEvent {
        let Self { api_version, trace_parent } = self;
        let (api_version, trace_parent) =
            (api_version.map(Into::into), trace_parent.map(Into::into));
        IncomingEvent { api_version, trace_parent, ..event }
    }
}

/// Of an event that was sent alone. Of several it is not known which one is too large, and whoever drops what is answered so would drop the
/// others with it.
fn one_not_taken(error: IngestError) -> Problem {
    match error {
        IngestError::Log(error @ AppendError::TooLarge(_)) => {
            warn!(%error, "an event was not taken");
            let detail = "the event is larger than the log of this installation takes";
            Problem::new(ErrorCode::PayloadTooLarge, detail)
        }
        error => not_taken(error),
    }
}

fn not_taken(error: IngestError) -> Problem {
    match error {
        IngestError::UnknownProduct => unknown_product(),
        IngestError::Log(AppendError::Full) => {
            Problem::new(ErrorCode::Overloaded, "the log's queue is full; nothing was taken")
        }
        IngestError::Log(error) => {
            warn!(%error, "events were not taken");
            let detail =
                "the log can't be written now; send the same events again, under the same ids";
            Problem::new(ErrorCode::Unavailable, detail)
        }
    }
}
