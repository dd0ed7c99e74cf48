//! Answers against the OpenAPI document, and the document against the routes. Must fail for an answer that it does not know.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use jsonschema::Validator;
use serde_json::{Value, json};

use crate::world::{Reply, World};

static DOCUMENT: LazyLock<Value> = LazyLock::new(pilotage_http::openapi_document);

/// The document's path that a request's path is of.
fn template(path: &str) -> Option<&'static str> {
    let fits = |template: &&String| {
        let (ours, theirs) = (template.split('/'), path.split('/'));
        ours.clone().count() == theirs.clone().count()
            && ours.zip(theirs).all(|(a, b)| a == b || a.starts_with('{'))
    };
    DOCUMENT["paths"].as_object().expect("paths").keys().find(fits).map(String::as_str)
}

/// Panics where the answer is not what the document says of such an answer.
pub(crate) fn check(method: &Method, path: &str, reply: &Reply) {
    let is_problem = reply.header("content-type") == "application/problem+json";
    assert_eq!(is_problem, reply.status.as_u16() >= 400, "{} {}", reply.status, reply.text);
    if is_problem {
        fits(&json!({ "$ref": "#/components/schemas/Problem" }), &reply.json());
        assert_eq!(reply.json()["requestId"], reply.header("x-request-id"));
        assert_eq!(reply.json()["status"], reply.status.as_u16());
    }
    let Some(template) = template(path) else { return };
    let operation = &DOCUMENT["paths"][template][method.as_str().to_lowercase()];
    if operation.is_null() {
        return;
    }
    let answer = &operation["responses"][reply.status.as_str()];
    assert!(
        answer.is_object(),
        "{method} {template} may not answer {}: {}",
        reply.status,
        reply.text
    );
    if is_problem {
        let code = reply.json()["code"].as_str().expect("a code").to_owned();
        let known =
            answer["description"].as_str().is_some_and(|said| said.contains(&format!("`{code}`")));
        assert!(known, "{method} {template} may not answer {code}");
    }
    let media = reply.header("content-type").split(';').next().unwrap_or_default();
    if answer["content"].is_null() {
        assert_eq!(reply.text, "", "{method} {template} answers {} without a body", reply.status);
    } else if media.ends_with("json") {
        fits(&answer["content"][media]["schema"], &reply.json());
    } else {
        assert!(answer["content"][media].is_object(), "{method} {template} may not answer {media}");
    }
}

/// Panics where the value is not of the schema, or has a member that the schema does not name.
pub(crate) fn fits(schema: &Value, value: &Value) {
    static VALIDATORS: LazyLock<Mutex<BTreeMap<String, Arc<Validator>>>> =
        LazyLock::new(Mutex::default);
    assert!(schema.is_object(), "there is no schema for {value}");
    let known =
        VALIDATORS.lock().unwrap_or_else(PoisonError::into_inner).get(&schema.to_string()).cloned();
    let validator = known.unwrap_or_else(|| {
        let mut whole = schema.clone();
        whole["components"] = closed(&DOCUMENT["components"]);
        let made = Arc::new(jsonschema::draft202012::new(&whole).expect("a schema"));
        let mut all = VALIDATORS.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(schema.to_string(), made.clone());
        made
    });
    let faults: Vec<String> =
        validator.iter_errors(value).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(faults.is_empty(), "{faults:#?}\n{value:#}");
}

/// The schemas, with every object closed: what the document does not name must not be answered. A schema that another
/// one builds upon stays open, and the other one is closed.
fn closed(components: &Value) -> Value {
    let bases = bases(components);
    let mut components = components.clone();
    for (name, schema) in components["schemas"].as_object_mut().expect("schemas") {
        if !bases.contains(&format!("#/components/schemas/{name}")) {
            close(schema);
        }
    }
    components
}

/// References that stand beside members of the schema's own.
fn bases(schema: &Value) -> Vec<String> {
    let own = schema["properties"].is_object().then(|| schema["$ref"].as_str()).flatten();
    let inner = schema.as_object().into_iter().flat_map(|members| members.values());
    let inner = inner.chain(schema.as_array().into_iter().flatten());
    own.map(str::to_owned).into_iter().chain(inner.flat_map(bases)).collect()
}

fn close(schema: &mut Value) {
    if schema["properties"].is_object() && schema.get("additionalProperties").is_none() {
        schema["unevaluatedProperties"] = Value::Bool(false);
    }
    match schema {
        Value::Object(members) => members.values_mut().for_each(close),
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

#[tokio::test]
async fn every_route_of_the_document_is_served_and_takes_no_other_method() {
    let world = World::new().await;
    for (path, item) in DOCUMENT["paths"].as_object().expect("paths") {
        let methods: Vec<_> = item.as_object().expect("methods").keys().collect();
        let concrete =
            path.replace("{code}", "internal").replace("{file}", "queue.js").replace("{id}", "x");
        for (method, documented) in
            [("GET", "get"), ("POST", "post"), ("DELETE", "delete"), ("PUT", "put")]
        {
            let request = Request::builder().method(method).uri(&concrete).body(Body::empty());
            let reply = world.send(request.expect("a request")).await;
            let refused = reply.status == StatusCode::METHOD_NOT_ALLOWED;
            assert_eq!(refused, !methods.iter().any(|m| *m == documented), "{method} {path}");
            if refused {
                let allowed = reply.header("allow").to_lowercase();
                assert!(methods.iter().all(|m| allowed.contains(*m)), "{path}: {allowed}");
            } else if reply.status == StatusCode::NOT_FOUND {
                assert_ne!(reply.problem().1, "not_found", "{method} {path}");
            }
        }
    }
}

#[tokio::test]
async fn what_is_not_in_the_document_is_not_served() {
    let world = World::new().await;
    for path in [
        "/",
        "/api",
        "/api/v1/events/",
        "/api/v2/events",
        "/dashboard",
        "/api/v1/users",
        "/sdk/../sdk.js",
    ] {
        assert_eq!(world.get(path).await.problem(), (404, "not_found".to_owned()), "{path}");
    }
}

#[tokio::test]
async fn the_document_is_what_is_served_and_speaks_of_31() {
    let reply = World::new().await.get("/openapi.json").await;
    assert_eq!(reply.json(), *DOCUMENT);
    assert_eq!(reply.json()["openapi"], "3.1.0");
}

#[test]
fn the_schemas_catch_what_is_wrong() {
    let schema = json!({ "$ref": "#/components/schemas/Queued" });
    fits(&schema, &json!({ "status": "queued", "eventId": "e" }));
    let wrong = [
        json!({ "status": "lost", "eventId": "e" }),
        json!({ "status": "queued" }),
        json!({ "status": "queued", "eventId": "e", "more": 1 }),
    ];
    for value in wrong {
        let refused = std::panic::catch_unwind(|| fits(&schema, &value));
        assert!(refused.is_err(), "{value}");
    }
}
