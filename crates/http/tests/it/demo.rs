//! The sample product's pages beside the API. Must see that they are as careful as the API's answers.

use axum::body::Body;
use axum::http::Request;

use crate::world::World;

#[tokio::test]
async fn pages_and_files_are_dressed_as_every_answer_is() {
    let world = World::new().await.with_demo();
    let table = [
        ("/", "text/html; charset=utf-8"),
        ("/settings/billing/retry", "text/html; charset=utf-8"),
        ("/demo/app.js", "text/javascript; charset=utf-8"),
        ("/demo/app.css", "text/css; charset=utf-8"),
        ("/demo/icon.svg", "image/svg+xml"),
        ("/demo/config.json", "application/json"),
    ];
    for (path, media) in table {
        let request = Request::get(path).header("x-request-id", "walk-1").body(Body::empty());
        let reply = world.send(request.expect("a request")).await;
        let headers = ["content-type", "x-content-type-options", "x-request-id", "cache-control"];
        let found = headers.map(|name| reply.header(name));
        assert_eq!(found, [media, "nosniff", "walk-1", "no-cache"], "{path}");
        assert!(reply.header("content-security-policy").starts_with("default-src 'self'"));
    }
    assert!(world.get("/").await.header("x-request-id").starts_with("req_"));
    assert_eq!(world.get("/healthz").await.status.as_u16(), 200, "the API is there, too");
}

#[tokio::test]
async fn what_the_sample_product_lacks_is_refused_as_the_api_refuses() {
    let world = World::new().await.with_demo();
    for path in ["/demo/nothing.js", "/demo/index.html/", "/demo/..%2fCargo.toml", "/nowhere"] {
        assert_eq!(world.get(path).await.problem(), (404, "not_found".to_owned()), "{path}");
    }
    for path in ["/", "/demo/app.js", "/demo/config.json"] {
        let reply = world.post_empty(path.to_owned()).await;
        assert_eq!(reply.problem(), (405, "method_not_allowed".to_owned()), "{path}");
        assert_eq!(reply.header("allow"), "GET,HEAD", "{path}");
    }
}
