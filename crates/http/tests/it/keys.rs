//! Keys, origins, signed users, rates. Must hold that what is not allowed has no effect.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use pilotage_domain::id::ProductId;
use pilotage_engine::ClockMode;
use pilotage_http::{KeyKind, KeySpec, Keys, Rate, SetupFault};
use serde_json::json;
use sha2::Sha256;

use crate::world::{
    ORIGIN, OTHER, PUBLISHABLE, Plan, Reply, SECRET, USER, World, acme, ask, bearer, key,
    page_view, post, two_keys, with_header,
};

const TOKEN_SECRET: &str = "a secret that only the two of us know";

async fn keyed() -> World {
    World::with(Plan { keys: two_keys(), ..Plan::default() }).await
}

fn get(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).expect("a request")
}

#[tokio::test]
async fn a_key_is_read_wherever_it_may_stand() {
    let world = keyed().await;
    let event = || post("/api/v1/events", &page_view());
    let basic = format!("Basic {}", STANDARD.encode(format!("{PUBLISHABLE}:")));
    let requests = [
        bearer(event(), PUBLISHABLE),
        with_header(event(), "authorization", &format!("bearer  {PUBLISHABLE}")),
        with_header(event(), "authorization", &basic),
        post(&format!("/api/v1/events?key={PUBLISHABLE}"), &page_view()),
    ];
    for request in requests {
        assert_eq!(world.send(request).await.status, StatusCode::ACCEPTED);
    }
}

#[tokio::test]
async fn no_key_or_an_unknown_one_is_refused() {
    let world = keyed().await;
    let event = || post("/api/v1/events", &page_view());
    let requests = [
        event(),
        bearer(event(), "pk_0123456789abcdeX"),
        with_header(event(), "authorization", "Basic !!!"),
        with_header(event(), "authorization", "Digest x"),
        with_header(
            post(&format!("/api/v1/events?key={PUBLISHABLE}"), &page_view()),
            "authorization",
            "Bearer x",
        ),
        post("/api/v1/events?key=", &page_view()),
    ];
    for request in requests {
        let reply = world.send(request).await;
        assert_eq!(reply.problem(), (401, "unauthorized".to_owned()));
        assert_eq!(reply.header("www-authenticate"), "Bearer");
    }
    for open in ["/healthz", "/readyz", "/openapi.json", "/sdk.js", "/metrics"] {
        assert_eq!(world.get(open).await.status, StatusCode::OK, "{open}");
    }
}

#[tokio::test]
async fn a_publishable_key_sends_and_asks_and_no_more() {
    let world = keyed().await;
    assert_eq!(
        world.send(bearer(post("/api/v1/decisions", &ask("/")), PUBLISHABLE)).await.status,
        StatusCode::OK
    );
    for path in [
        "/api/v1/report",
        &format!("/api/v1/users/{USER}"),
        &format!("/api/v1/users/{USER}/timeline"),
        "/api/v1/decisions/dec_00000000000000000000000000000000",
    ] {
        let reply = world.send(bearer(get(path), PUBLISHABLE)).await;
        assert_eq!(reply.problem(), (403, "forbidden".to_owned()), "{path}");
        assert_ne!(
            world.send(bearer(get(path), SECRET)).await.status,
            StatusCode::FORBIDDEN,
            "{path}"
        );
    }
    let pause = bearer(post("/api/v1/guides/create-project/pause", &json!({})), PUBLISHABLE);
    assert_eq!(world.send(pause).await.problem(), (403, "forbidden".to_owned()));
}

#[tokio::test]
async fn a_page_may_use_the_key_that_lists_it() {
    let world = keyed().await;
    let from = |origin: &str, key: &str| {
        let request = bearer(post("/api/v1/events", &page_view()), key);
        world.send(with_header(
            with_header(request, "origin", origin),
            "host",
            "guides.example.com",
        ))
    };
    let reply = from(ORIGIN, PUBLISHABLE).await;
    assert_eq!(reply.status, StatusCode::ACCEPTED);
    assert_eq!(reply.header("access-control-allow-origin"), ORIGIN);
    assert_eq!(reply.header("vary"), "origin");
    assert!(reply.header("access-control-expose-headers").contains("retry-after"));

    let own = from("https://guides.example.com", PUBLISHABLE).await;
    assert_eq!(own.status, StatusCode::ACCEPTED, "the server's own page");
    for (origin, key) in
        [("https://evil.example", PUBLISHABLE), (ORIGIN, SECRET), ("null", PUBLISHABLE)]
    {
        let reply = from(origin, key).await;
        assert_eq!(reply.problem(), (403, "origin_not_allowed".to_owned()), "{origin}");
        assert_eq!(reply.header("access-control-allow-origin").is_empty(), origin != ORIGIN);
    }
    let refused = from(ORIGIN, "pk_0123456789abcdeX").await;
    assert_eq!(
        refused.header("access-control-allow-origin"),
        ORIGIN,
        "so that the page learns why"
    );
}

#[tokio::test]
async fn a_browser_that_asks_first_is_told() {
    let world = keyed().await;
    let preflight = |origin: &str| {
        let request = Request::options("/api/v1/events/batch").header("origin", origin);
        let request = request.header("access-control-request-method", "POST").body(Body::empty());
        world.send(request.expect("a request"))
    };
    let reply = preflight(ORIGIN).await;
    assert_eq!(reply.status, StatusCode::NO_CONTENT);
    assert_eq!(reply.header("access-control-allow-origin"), ORIGIN);
    assert_eq!(reply.header("access-control-allow-methods"), "POST");
    for name in ["authorization", "content-type", "x-pilotage-product", "x-pilotage-user-token"] {
        assert!(reply.header("access-control-allow-headers").contains(name), "{name}");
    }
    assert_eq!(reply.header("access-control-max-age"), "7200");
    assert_eq!(preflight("https://evil.example").await.header("access-control-allow-origin"), "");
    let secret = Request::options("/api/v1/report").header("origin", ORIGIN).body(Body::empty());
    assert_eq!(world.send(secret.expect("a request")).await.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn under_dev_only_this_machine_may_call() {
    let world = World::new().await;
    let from = |name: &'static str, value: &str| {
        world.send(with_header(post("/api/v1/events", &page_view()), name, value))
    };
    for (name, value) in
        [("origin", "http://localhost:5173"), ("host", "127.0.0.1:7700"), ("host", "[::1]:7700")]
    {
        assert_eq!(from(name, value).await.status, StatusCode::ACCEPTED, "{value}");
    }
    for (name, value) in [("origin", "https://evil.example"), ("host", "evil.example:7700")] {
        assert_eq!(
            from(name, value).await.problem(),
            (403, "origin_not_allowed".to_owned()),
            "{value}"
        );
    }
}

#[tokio::test]
async fn under_dev_a_header_names_the_product() {
    let second = acme().replace("product: acme", "product: second");
    let world = World::with(Plan { further_products: vec![second], ..Plan::default() }).await;
    let at = |product: &str| {
        world.send(with_header(get("/api/v1/report"), "x-pilotage-product", product))
    };
    world.event("signed_up", json!({})).await;
    assert_eq!(at("acme").await.json()["groups"][0]["users"], 1);
    assert_eq!(at("second").await.json()["groups"][0]["users"], 0);
    assert_eq!(at("second").await.json()["product"], "second");
    assert_eq!(at("third").await.problem(), (404, "unknown_product".to_owned()));
}

#[tokio::test]
async fn a_key_keeps_to_its_product() {
    let second = acme().replace("product: acme", "product: second");
    let other = KeySpec {
        product: ProductId::new("second").expect("valid"),
        ..key("sk_second_0123456789", KeyKind::Secret)
    };
    let keys = Keys::new(vec![key(SECRET, KeyKind::Secret), other]).expect("valid");
    let world = World::with(Plan { keys, further_products: vec![second], ..Plan::default() }).await;
    world.send(bearer(post("/api/v1/events", &page_view()), SECRET)).await;
    let user = format!("/api/v1/users/{USER}");
    assert_eq!(world.send(bearer(get(&user), SECRET)).await.json()["product"], "acme");
    let elsewhere =
        with_header(bearer(get(&user), "sk_second_0123456789"), "x-pilotage-product", "acme");
    assert_eq!(world.send(elsewhere).await.problem(), (404, "unknown_user".to_owned()));
}

#[tokio::test]
async fn keys_products_and_clock_must_go_together() {
    let stranger = KeySpec {
        product: ProductId::new("stranger").expect("valid"),
        ..key(SECRET, KeyKind::Secret)
    };
    let keys = Keys::new(vec![stranger, key(PUBLISHABLE, KeyKind::Publishable)]).expect("valid");
    let plan = Plan { keys, clock: ClockMode::Events, ..Plan::default() };
    let faults = World::try_with(plan).await.err().expect("faults");
    assert!(faults.contains(&SetupFault::EventClockInBrowsers));
    assert!(
        faults.contains(&SetupFault::UnknownProduct(ProductId::new("stranger").expect("valid")))
    );
}

#[tokio::test]
async fn a_rate_is_kept() {
    let limited =
        KeySpec { rate: Some(Rate { per_second: 1, burst: 3 }), ..key(SECRET, KeyKind::Secret) };
    let keys =
        Keys::new(vec![limited, key("sk_unlimited_0123456789", KeyKind::Secret)]).expect("valid");
    let world = World::with(Plan { keys, ..Plan::default() }).await;
    let mut refused = Vec::new();
    for _ in 0..20 {
        let reply = world.send(bearer(post("/api/v1/events", &page_view()), SECRET)).await;
        if reply.status != StatusCode::ACCEPTED {
            refused.push(reply);
        }
    }
    assert!(refused.len() >= 10, "{}", refused.len());
    for reply in refused {
        assert_eq!(reply.problem(), (429, "rate_limited".to_owned()));
        assert_eq!(reply.header("retry-after"), "1");
    }
    let other =
        world.send(bearer(post("/api/v1/events", &page_view()), "sk_unlimited_0123456789")).await;
    assert_eq!(other.status, StatusCode::ACCEPTED);
}

fn token(user: &str, expires: u64) -> String {
    let part = |json: serde_json::Value| URL_SAFE_NO_PAD.encode(json.to_string());
    let signed = format!(
        "{}.{}",
        part(json!({ "alg": "HS256" })),
        part(json!({ "sub": user, "exp": expires }))
    );
    let mac = Hmac::<Sha256>::new_from_slice(TOKEN_SECRET.as_bytes()).expect("any length");
    let signature = mac.chain_update(signed.as_bytes()).finalize().into_bytes();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

const NEVER: u64 = 99_999_999_999;

async fn signed() -> World {
    let demanding = KeySpec {
        user_token_secret: Some(TOKEN_SECRET.to_owned()),
        ..key(PUBLISHABLE, KeyKind::Publishable)
    };
    let keys = Keys::new(vec![demanding, key(SECRET, KeyKind::Secret)]).expect("valid");
    World::with(Plan { keys, ..Plan::default() }).await
}

#[tokio::test]
async fn a_signed_user_may_speak_for_itself_alone() {
    let world = signed().await;
    let paths = [("/api/v1/events", page_view(), 202), ("/api/v1/decisions", ask("/"), 200)];
    for (path, body, good) in paths {
        let send = |token: Option<String>| {
            let request = bearer(post(path, &body), PUBLISHABLE);
            let request = match token {
                Some(token) => with_header(request, "x-pilotage-user-token", &token),
                None => request,
            };
            world.send(request)
        };
        assert_eq!(send(Some(token(USER, NEVER))).await.status.as_u16(), good, "{path}");
        assert_eq!(send(Some(token(OTHER, NEVER))).await.problem(), (403, "wrong_user".to_owned()));
        for bad in [None, Some(token(USER, 1)), Some("nonsense".to_owned())] {
            assert_eq!(send(bad).await.problem(), (401, "invalid_user_token".to_owned()));
        }
        let mut with_token = body.clone();
        with_token["userToken"] = json!(token(USER, NEVER));
        let reply: Reply = world.send(bearer(post(path, &with_token), PUBLISHABLE)).await;
        assert_eq!(reply.status.as_u16(), good, "{path}: in the body");
        assert_eq!(
            world.send(bearer(post(path, &body), SECRET)).await.status.as_u16(),
            good,
            "{path}: secret"
        );
    }
}

#[tokio::test]
async fn in_a_batch_the_events_of_others_are_refused_one_by_one() {
    let world = signed().await;
    let mut other = page_view();
    other["userId"] = json!(OTHER);
    let body = json!({ "events": [page_view(), other], "userToken": token(USER, NEVER) });
    let results = world.send(bearer(post("/api/v1/events/batch", &body), PUBLISHABLE)).await.json()
        ["results"]
        .clone();
    assert_eq!(
        (&results[0]["status"], &results[1]["status"]),
        (&json!("queued"), &json!("rejected"))
    );
    assert_eq!(results[1]["code"], "wrong_user");
    assert_eq!(
        world.send(bearer(get(&format!("/api/v1/users/{OTHER}")), SECRET)).await.problem().0,
        404
    );
}
