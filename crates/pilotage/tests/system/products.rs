//! Several products in one process: what one knows the other does not. Must not share a user, an id or a key by accident.

use serde_json::json;

use crate::client::Client;
use crate::installation::{Installation, Server, acme};
use crate::process::{Process, eventually, pilotage, run};
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

#[test]
fn another_products_folder_is_called_so_and_left_alone() {
    let installation = Installation::embedded();
    let server = installation.start();
    User::new(&server.client(), 1).event("page_view", json!({}));
    server.stop();
    let data = installation.data();
    let both =
        [installation.file("acme.yaml", &acme()), installation.file("other.yaml", SHORTLINK)];
    let on_it = |name: &str| {
        let mut command = pilotage();
        command.arg(name).arg("--data").arg(&data).arg("--product").arg(&both[1]);
        command
    };
    let serve = || {
        let mut command = on_it("serve");
        command.args(["--dev", "--listen", "127.0.0.1:0"]);
        command
    };
    for mut command in [serve(), on_it("rebuild")] {
        let ended = run(&mut command);
        assert_eq!((ended.code, &*ended.output), (Some(2), ""), "{ended:?}");
        for told in [data.to_str().expect("UTF-8"), "`acme`", "`shortlink`", "--product", "--data"]
        {
            assert!(ended.errors.contains(told), "{told} is not in: {}", ended.errors);
        }
    }
    assert_eq!(installation.rebuild(), installation.rebuild(), "the folder is as it was");
    let server = Server::of(Process::start(serve().arg("--product").arg(&both[0])));
    let acme = server.client().with("x-pilotage-product", "acme");
    let path = format!("/api/v1/users/{}", user_id(1));
    let known = eventually("the profile is folded", || {
        let answer = acme.get(&path);
        (answer.status == 200).then(|| answer.json())
    });
    assert_eq!(known["events"], 1, "both are served together");
}
