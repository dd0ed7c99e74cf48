//! An orderly end under load. Must not cost anyone an answer that was promised.

use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;

use crate::client::Client;
use crate::installation::Installation;
use crate::load::{Books, send_until_gone};
use crate::process::eventually;
use crate::user::User;

#[test]
fn a_server_says_that_it_will_go_while_it_still_serves() {
    let installation = Installation::dev().set("PILOTAGE_UNREADY_FOR_MS", "600000");
    let server = installation.start();
    server.process.terminate();
    eventually("it is not ready any more", || {
        let reply = server.client().get("/readyz");
        (reply.status != 200).then(|| assert_eq!(reply.problem(), (503, "not_ready".to_owned())))
    });
    let client = server.client();
    let late = User::new(&client, 1).event("page_view", json!({}));
    server.kill();

    let server = installation.start();
    let client = server.client();
    assert_eq!(User::new(&client, 1).events(), [late]);
    server.kill();
}

#[test]
fn a_server_that_is_asked_to_stop_loses_nothing() {
    let installation = Installation::dev();
    let books = Books::default();
    let server = installation.start();
    let address = server.address;
    let going = AtomicBool::new(false);
    send_until_gone(
        &books,
        7,
        || Client::new(address),
        &going,
        || {
            eventually("there is load", || (books.acknowledged() >= 300).then_some(()));
            going.store(true, Ordering::SeqCst);
            server.process.terminate();
            eventually("it is not ready any more", || {
                let reply = Client::new(address).call("GET", "/readyz", None);
                (!reply.is_ok_and(|reply| reply.status == 200)).then_some(())
            });
            let ended = server.process.ended();
            assert_eq!(ended.code, Some(0), "{ended:?}");
            assert!(ended.errors.contains("stopped, with everything written"), "{}", ended.errors);
            assert!(!ended.errors.contains("\"level\":\"WARN\""), "{}", ended.errors);
        },
    );
    let server = installation.start();
    books.check(&server.client());
    server.stop();
    assert_eq!(installation.rebuild()["same"], true);
}
