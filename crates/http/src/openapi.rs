//! The OpenAPI 3.1 document, put together from the route table and the bodies' own types. Must not say what is not served.

mod operation;

use std::sync::LazyLock;

use axum::routing::MethodFilter;
use pilotage_wire::problem::{ErrorCode, ProblemBody};
use schemars::generate::{Contract, SchemaGenerator, SchemaSettings};
use serde_json::{Map, Value, json};

use crate::access::Access;
use crate::problem::status_of;
use crate::routes::{ROUTES, Route};
use operation::{Answer, Operation, Parameter, Request, operation};

/// The document, as it is served.
pub fn document() -> Value {
    let mut schemas = Schemas::new();
    let mut paths = Map::new();
    for route in ROUTES {
        let item = paths.entry(route.path).or_insert_with(|| json!({}));
        item[method_of(route)] = described(route, operation(route.id, &mut schemas), &mut schemas);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Pilotage",
            "version": "1",
            "summary": "Guides the new users of a product to their first real value.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "paths": paths,
        "components": {
            "schemas": schemas.into_definitions(),
            "securitySchemes": {
                "bearer": { "type": "http", "scheme": "bearer" },
                "basic": { "type": "http", "scheme": "basic", "description": "The key as user name, no password." },
                "query": { "type": "apiKey", "in": "query", "name": "key", "description": "Where a browser can set no header." },
            },
        },
    })
}

/// The document as text.
pub(crate) fn text() -> &'static str {
    static TEXT: LazyLock<String> = LazyLock::new(|| format!("{:#}\n", document()));
    &TEXT
}

/// The schemas of what is asked and of what is answered: a body that is written has more required members.
struct Schemas {
    asked: SchemaGenerator,
    answered: SchemaGenerator,
}

impl Schemas {
    fn new() -> Self {
        let generator = |contract: Contract| {
            let settings = SchemaSettings::draft2020_12().with(|settings| {
                settings.definitions_path = "/components/schemas".into();
                settings.meta_schema = None;
                settings.contract = contract;
            });
            settings.into_generator()
        };
        Self { asked: generator(Contract::Deserialize), answered: generator(Contract::Serialize) }
    }

    fn into_definitions(mut self) -> Map<String, Value> {
        let mut all = self.asked.take_definitions(true);
        all.extend(self.answered.take_definitions(true));
        all.sort_keys();
        all
    }
}

fn method_of(route: &Route) -> &'static str {
    if route.method == MethodFilter::POST { "post" } else { "get" }
}

fn described(route: &Route, operation: Operation, schemas: &mut Schemas) -> Value {
    let security = match route.access {
        Access::Open => json!([]),
        Access::Publishable | Access::Secret => {
            json!([{ "bearer": [] }, { "basic": [] }, { "query": [] }])
        }
    };
    let key = match route.access {
        Access::Open => "Needs no key.",
        Access::Publishable => "Needs a publishable or a secret key.",
        Access::Secret => "Needs a secret key.",
    };
    let mut described = json!({
        "operationId": route.id.name(),
        "summary": operation.summary,
        "description": key,
        "security": security,
        "responses": responses(route, &operation, schemas),
    });
    let parameters: Vec<Value> =
        path_parameters(route.path).chain(operation.parameters.iter().map(parameter)).collect();
    if !parameters.is_empty() {
        described["parameters"] = Value::from(parameters);
    }
    if let Some(Request { media, schema }) = operation.request {
        let content: Map<String, Value> = media
            .iter()
            .map(|(media, whole)| ((*media).to_owned(), content(*whole, &schema)))
            .collect();
        described["requestBody"] = json!({ "required": true, "content": content });
    }
    described
}

/// NDJSON has no schema of its own: each line is an event.
fn content(whole: bool, schema: &Value) -> Value {
    if whole { json!({ "schema": schema }) } else { json!({}) }
}

fn path_parameters(path: &str) -> impl Iterator<Item = Value> {
    path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).map(|name| {
        json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } })
    })
}

fn parameter(parameter: &Parameter) -> Value {
    json!({
        "name": parameter.name,
        "in": parameter.place,
        "description": parameter.description,
        "schema": parameter.schema,
    })
}

fn responses(route: &Route, operation: &Operation, schemas: &mut Schemas) -> Value {
    let mut responses = Map::new();
    for Answer { status, description, media, schema } in &operation.answers {
        let mut answer = json!({ "description": description });
        if let Some(media) = media {
            answer["content"] = json!({ *media: { "schema": schema } });
        }
        responses.insert(status.to_string(), answer);
    }
    let problem = schemas.answered.subschema_for::<ProblemBody>();
    for code in general(route).iter().chain(operation.problems) {
        let status = status_of(*code).as_str().to_owned();
        let answer = responses.entry(status).or_insert_with(|| {
            json!({ "description": "", "content": { "application/problem+json": { "schema": problem } } })
        });
        let said = answer["description"].as_str().unwrap_or_default();
        let separator = if said.is_empty() { "" } else { ", " };
        answer["description"] = Value::from(format!("{said}{separator}`{code}`"));
    }
    responses.sort_keys();
    Value::Object(responses)
}

/// The problems that any route of such an access may answer with.
fn general(route: &Route) -> &'static [ErrorCode] {
    match route.access {
        Access::Open => &[ErrorCode::Internal],
        Access::Publishable => &[
            ErrorCode::Unauthorized,
            ErrorCode::InvalidUserToken,
            ErrorCode::Forbidden,
            ErrorCode::WrongUser,
            ErrorCode::OriginNotAllowed,
            ErrorCode::UnknownProduct,
            ErrorCode::RateLimited,
            ErrorCode::Internal,
        ],
        Access::Secret => &[
            ErrorCode::Unauthorized,
            ErrorCode::Forbidden,
            ErrorCode::OriginNotAllowed,
            ErrorCode::UnknownProduct,
            ErrorCode::RateLimited,
            ErrorCode::Internal,
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_in_docs_is_the_one_that_is_served() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(file, text()).expect("writable");
        }
        let kept = std::fs::read_to_string(file).unwrap_or_default();
        assert!(
            kept == text(),
            "docs/openapi.json is out of date: run this test with UPDATE_GOLDEN=1"
        );
    }

    #[test]
    fn every_reference_leads_somewhere_and_every_schema_is_used() {
        let document = document();
        let whole = document.to_string();
        for name in document["components"]["schemas"].as_object().expect("schemas").keys() {
            assert!(whole.contains(&format!("#/components/schemas/{name}\"")), "{name} is unused");
        }
        for reference in whole.split("\"$ref\":\"#").skip(1) {
            let pointer = reference.split('"').next().expect("a pointer");
            assert!(document.pointer(pointer).is_some(), "{pointer} leads nowhere");
        }
    }
}
