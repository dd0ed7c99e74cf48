//! What each route asks and answers, for the OpenAPI document. Must name the very types that the handlers write.

use pilotage_wire::api::decision::{AskBody, DecisionBody, DecisionRecord};
use pilotage_wire::api::ingest::{BatchAnswer, BatchBody, EventBody, Queued};
use pilotage_wire::api::model::{ModeBody, ModelBody, ProposalItem, ProposalsBody, ReviewBody};
use pilotage_wire::api::operate::{GuideState, HealthBody};
use pilotage_wire::api::report::ReportBody;
use pilotage_wire::api::timeline::TimelineBody;
use pilotage_wire::api::user::UserBody;
use pilotage_wire::problem::ErrorCode;
use schemars::JsonSchema;
use serde_json::{Value, json};

use super::Schemas;
use crate::routes::RouteId;

/// What a route asks and answers.
pub(super) struct Operation {
    pub(super) summary: &'static str,
    pub(super) parameters: Vec<Parameter>,
    pub(super) request: Option<Request>,
    pub(super) answers: Vec<Answer>,
    pub(super) problems: &'static [ErrorCode],
}

pub(super) struct Parameter {
    pub(super) name: &'static str,
    /// `query` or `header`.
    pub(super) place: &'static str,
    pub(super) description: &'static str,
    pub(super) schema: Value,
}

pub(super) struct Request {
    /// Media types, each with whether the schema speaks of the whole body.
    pub(super) media: &'static [(&'static str, bool)],
    pub(super) schema: Value,
}

pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) description: &'static str,
    pub(super) media: Option<&'static str>,
    pub(super) schema: Value,
}

const JSON: &str = "application/json";
const SCRIPT: &str = "text/javascript";
const TEXT: &str = "text/plain";
const INVALID: ErrorCode = ErrorCode::ValidationFailed;
const LATE: ErrorCode = ErrorCode::RequestTimeout;
const LARGE: ErrorCode = ErrorCode::PayloadTooLarge;
const MEDIA: ErrorCode = ErrorCode::UnsupportedMediaType;

pub(super) fn operation(id: RouteId, schemas: &mut Schemas) -> Operation {
    match id {
        RouteId::Event => event(schemas),
        RouteId::Batch => batch(schemas),
        RouteId::Decide => decide(schemas),
        RouteId::Decision => Operation {
            problems: &[ErrorCode::UnknownDecision, ErrorCode::Unavailable],
            ..get::<DecisionRecord<'static>>(
                schemas,
                "A decision, with its full trace",
                "The decision.",
            )
        },
        RouteId::User => Operation {
            problems: &[ErrorCode::UnknownUser, ErrorCode::Unavailable],
            ..get::<UserBody>(schemas, "What is known of a user", "The user.")
        },
        RouteId::Timeline => timeline(schemas),
        RouteId::Pause => switch(schemas, "Pause a guide: effective with the next decision"),
        RouteId::Resume => switch(schemas, "Resume a paused guide"),
        RouteId::Report => {
            get::<ReportBody>(schemas, "Users and activations by group", "The report.")
        }
        RouteId::Model => Operation {
            problems: &[ErrorCode::Unavailable],
            ..get::<ModelBody>(schemas, "How asking models goes", "It goes like this.")
        },
        RouteId::ModelMode => Operation {
            request: Some(Request { media: &[(JSON, true)], schema: asked::<ModeBody>(schemas) }),
            problems: &[
                INVALID,
                LATE,
                LARGE,
                MEDIA,
                ErrorCode::UnknownGuide,
                ErrorCode::Unavailable,
            ],
            ..get::<ModelBody>(schemas, "Set how much say advice has", "It is so now.")
        },
        RouteId::Proposals => proposals(schemas),
        RouteId::Proposal => Operation {
            problems: &[ErrorCode::UnknownProposal, ErrorCode::Unavailable],
            ..get::<ProposalItem>(schemas, "One answer of a model", "The proposal.")
        },
        RouteId::Approve => reviewed(schemas, "Approve a proposal: its advice may be used"),
        RouteId::Reject => reviewed(schemas, "Reject a proposal: its advice is used no more"),
        RouteId::Healthz => get::<HealthBody>(schemas, "Whether the process answers", "It does."),
        RouteId::Readyz => Operation {
            problems: &[ErrorCode::NotReady],
            ..get::<HealthBody>(schemas, "Whether the server can serve", "It can.")
        },
        RouteId::Metrics => plain("Metrics in Prometheus' text format", TEXT),
        RouteId::Openapi => Operation {
            answers: vec![answer(200, "This document.", JSON, json!({ "type": "object" }))],
            ..plain("This document", JSON)
        },
        RouteId::ErrorPage => missing(plain("What an error code means", TEXT)),
        RouteId::Sdk => script(plain("The browser SDK", SCRIPT)),
        RouteId::SdkModule => missing(script(plain("A module of the browser SDK", SCRIPT))),
        RouteId::Unmatched => plain("Nothing", TEXT),
    }
}

fn event(schemas: &mut Schemas) -> Operation {
    Operation {
        summary: "Take one event; answered once it is durable",
        parameters: vec![api_version(), trace_parent(), user_token()],
        request: Some(Request { media: &[(JSON, true)], schema: asked::<EventBody>(schemas) }),
        answers: vec![answered::<Queued>(
            schemas,
            202,
            "The event is durable; the same answer for one that is known already.",
        )],
        problems: &[INVALID, LATE, LARGE, MEDIA, ErrorCode::Overloaded, ErrorCode::Unavailable],
    }
}

fn batch(schemas: &mut Schemas) -> Operation {
    Operation {
        summary: "Take up to 2,500 events; answered once all that are good are durable",
        parameters: vec![api_version(), trace_parent(), user_token()],
        request: Some(Request {
            media: &[(JSON, true), ("application/x-ndjson", false)],
            schema: asked::<BatchBody>(schemas),
        }),
        answers: vec![answered::<BatchAnswer>(
            schemas,
            202,
            "One result for each event, in request order.",
        )],
        problems: &[
            INVALID,
            LATE,
            LARGE,
            ErrorCode::BatchTooLarge,
            MEDIA,
            ErrorCode::Overloaded,
            ErrorCode::Unavailable,
        ],
    }
}

fn decide(schemas: &mut Schemas) -> Operation {
    let explain = Parameter {
        name: "explain",
        place: "query",
        description: "`true` adds the trace; needs a secret key.",
        schema: json!({ "type": "boolean" }),
    };
    Operation {
        summary: "Decide what a user is shown now",
        parameters: vec![explain, user_token()],
        request: Some(Request { media: &[(JSON, true)], schema: asked::<AskBody>(schemas) }),
        answers: vec![answered::<DecisionBody<'static>>(
            schemas,
            200,
            "What to show, or why nothing is shown.",
        )],
        problems: &[INVALID, LATE, LARGE, MEDIA],
    }
}

fn timeline(schemas: &mut Schemas) -> Operation {
    let limit = Parameter {
        name: "limit",
        place: "query",
        description: "The most items.",
        schema: json!({ "type": "integer", "minimum": 1, "maximum": 10_000, "default": 100 }),
    };
    let cursor = Parameter {
        name: "cursor",
        place: "query",
        description: "The `next` of the answer before.",
        schema: json!({ "type": "string" }),
    };
    Operation {
        parameters: vec![limit, cursor],
        problems: &[INVALID, ErrorCode::UnknownUser, ErrorCode::Unavailable],
        ..get::<TimelineBody>(
            schemas,
            "A user's events, decisions and outcomes, in order",
            "A part of the timeline.",
        )
    }
}

fn proposals(schemas: &mut Schemas) -> Operation {
    let limit = Parameter {
        name: "limit",
        place: "query",
        description: "The most proposals.",
        schema: json!({ "type": "integer", "minimum": 1, "maximum": 500, "default": 50 }),
    };
    let cursor = Parameter {
        name: "cursor",
        place: "query",
        description: "The `next` of the answer before.",
        schema: json!({ "type": "string" }),
    };
    Operation {
        parameters: vec![limit, cursor],
        problems: &[INVALID, ErrorCode::Unavailable],
        ..get::<ProposalsBody>(schemas, "What models have proposed, newest first", "Proposals.")
    }
}

fn reviewed(schemas: &mut Schemas, summary: &'static str) -> Operation {
    let problems = &[
        INVALID,
        LATE,
        LARGE,
        ErrorCode::UnknownProposal,
        ErrorCode::ProposalRefused,
        ErrorCode::Unavailable,
    ];
    Operation {
        request: Some(Request { media: &[(JSON, true)], schema: asked::<ReviewBody>(schemas) }),
        problems,
        ..get::<ProposalItem>(schemas, summary, "The proposal as it is now.")
    }
}

fn switch(schemas: &mut Schemas, summary: &'static str) -> Operation {
    Operation {
        problems: &[ErrorCode::UnknownGuide, ErrorCode::Unavailable],
        ..get::<GuideState>(schemas, summary, "It is so now.")
    }
}

/// Asks nothing, answers 200.
fn get<T: JsonSchema>(
    schemas: &mut Schemas,
    summary: &'static str,
    description: &'static str,
) -> Operation {
    Operation {
        summary,
        parameters: Vec::new(),
        request: None,
        answers: vec![answered::<T>(schemas, 200, description)],
        problems: &[],
    }
}

fn plain(summary: &'static str, media: &'static str) -> Operation {
    Operation {
        summary,
        parameters: Vec::new(),
        request: None,
        answers: vec![answer(200, "The text.", media, json!({ "type": "string" }))],
        problems: &[],
    }
}

fn missing(operation: Operation) -> Operation {
    Operation { problems: &[ErrorCode::NotFound], ..operation }
}

fn script(mut operation: Operation) -> Operation {
    let unchanged = Answer {
        status: 304,
        description: "What the caller has, by its `If-None-Match`, is what there is.",
        media: None,
        schema: Value::Null,
    };
    operation.answers.push(unchanged);
    operation
}

fn asked<T: JsonSchema>(schemas: &mut Schemas) -> Value {
    schemas.asked.subschema_for::<T>().into()
}

fn answered<T: JsonSchema>(
    schemas: &mut Schemas,
    status: u16,
    description: &'static str,
) -> Answer {
    answer(status, description, JSON, schemas.answered.subschema_for::<T>().into())
}

fn answer(status: u16, description: &'static str, media: &'static str, schema: Value) -> Answer {
    Answer { status, description, media: Some(media), schema }
}

fn api_version() -> Parameter {
    Parameter {
        name: "x-api-version",
        place: "header",
        description: "The version of the API that the caller speaks; recorded with its events.",
        schema: json!({ "type": "string", "examples": ["2024-10-01"] }),
    }
}

fn trace_parent() -> Parameter {
    Parameter {
        name: "traceparent",
        place: "header",
        description: "The caller's trace (W3C Trace Context); recorded with its events, and a header of their records in Kafka.",
        schema: json!({
            "type": "string", "examples": ["00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"],
        }),
    }
}

fn user_token() -> Parameter {
    Parameter {
        name: "x-pilotage-user-token",
        place: "header",
        description: "A signed user (JWT, HS256, `sub` is the user id), where the key demands one.",
        schema: json!({ "type": "string" }),
    }
}
