//! The SDK and the pages about errors. Must be loadable by a page of any origin.

use axum::body::Body;
use axum::http::Request;

use crate::world::World;

#[tokio::test]
async fn the_sdk_is_served_with_a_tag_to_pages_of_any_origin() {
    let world = World::new().await;
    let sdk = world.get("/sdk.js").await;
    assert_eq!(sdk.header("content-type"), "text/javascript; charset=utf-8");
    assert_eq!(sdk.header("access-control-allow-origin"), "*");
    assert_eq!(sdk.header("cross-origin-resource-policy"), "cross-origin");
    assert!(sdk.text.contains("export function start"));
    let again = |tag: &str| {
        let request = Request::get("/sdk.js").header("if-none-match", tag);
        world.send(request.body(Body::empty()).expect("a request"))
    };
    assert_eq!(again(sdk.header("etag")).await.status.as_u16(), 304);
    assert_eq!(again(&format!("\"x\", W/{}", sdk.header("etag"))).await.status.as_u16(), 304);
    assert_eq!(again("\"x\"").await.status.as_u16(), 200);
}

#[tokio::test]
async fn modules_are_served_and_nothing_beside_them() {
    let world = World::new().await;
    assert!(world.get("/sdk/queue.js").await.text.contains("openQueue"));
    for path in ["/sdk/sdk.js", "/sdk/types.d.ts", "/sdk/nothing.js", "/sdk/..%2fsdk.js", "/sdk/"] {
        assert_eq!(world.get(path).await.problem(), (404, "not_found".to_owned()), "{path}");
    }
}

#[tokio::test]
async fn a_problem_leads_to_a_page_that_explains_it() {
    let world = World::new().await;
    let problem = world.get("/nowhere").await.json();
    let page = world.get(problem["type"].as_str().expect("a path")).await;
    assert_eq!(page.header("content-type"), "text/plain; charset=utf-8");
    assert!(page.text.starts_with("# not_found (404)"));
    assert_eq!(world.get("/docs/errors/nothing").await.problem().0, 404);
}
