//! Several products in one process: what one knows the other does not. Must not share a user, an id or a key by accident.

use serde_json::json;

use crate::client::Client;
use crate::installation::{Installation, acme};
use crate::user::{User, user_id};

const SHORTLINK: &str = include_str!("../../../../examples/single.yaml");

#[test]
fn a_header_names_the_product_under_dev() {
    let installation = Installation::of(&[&acme(), SHORTLINK]).flag("--dev");
    let server = installation.start();
    let of = |product: &str| server.client().with("x-pilotage-product", product);
    let (acme, shortlink, default) = (of("acme"), of("shortlink"), server.client());
    assert_eq!(of("nothing").get("/api/v1/report").problem(), (404, "unknown_product".to_owned()));

    let page_view = |client: &Client| {
        let mut body = User::new(client, 1).body("page_view", json!({}));
        body["eventId"] = json!("the-same-id");
        let batch = client.post("/api/v1/events/batch", &json!({ "events": [body] }));
        batch.expect(202)["results"][0]["status"].clone()
    };
    assert_eq!(page_view(&acme), "queued");
    assert_eq!(page_view(&shortlink), "queued", "an id belongs to a product");
    assert_eq!(page_view(&default), installation.again(), "acme is the first");

    let user = User::new(&shortlink, 1);
    let event = user.event("page_view", json!({}));
    let decision = user.decision("/", &event);
    assert_eq!(decision["guide"]["id"], "paste-an-address");
    assert_eq!(
        (&user.profile()["events"], &user.profile()["product"]),
        (&json!(2), &json!("shortlink"))
    );
    assert_eq!(User::new(&acme, 1).profile()["events"], 1);
    let path = format!("/api/v1/decisions/{}", decision["decisionId"].as_str().expect("an id"));
    assert_eq!(acme.get(&path).problem(), (404, "unknown_decision".to_owned()));
    server.stop();
    let rebuilt = installation.rebuild();
    assert_eq!((&rebuilt["users"], &rebuilt["same"]), (&json!(2), &json!(true)));
}

#[test]
fn a_key_belongs_to_one_product() {
    let installation = Installation::of(&[&acme(), SHORTLINK]);
    let server = installation.start();
    let secret =
        |product: &str| server.client().with_key(&installation.kept_key("secret", product));
    let (acme, shortlink) = (secret("acme"), secret("shortlink"));
    User::new(&acme, 1).event("signed_up", json!({}));
    let path = format!("/api/v1/users/{}", user_id(1));
    acme.get(&path).expect(200);
    assert_eq!(shortlink.get(&path).problem(), (404, "unknown_user".to_owned()));
    let turned = shortlink.with("x-pilotage-product", "acme");
    assert_eq!(turned.get("/api/v1/report").expect(200)["product"], "shortlink");
}
