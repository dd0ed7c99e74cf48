//! The ceiling: a bare axum server that answers with the body that it was sent. Must do nothing else.

use axum::Router;
use axum::body::Bytes;
use axum::http::StatusCode;
use axum::routing::post;
// Links the allocator that the product has.
use pilotage_bench as _;

#[tokio::main]
async fn main() {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:7801".to_owned());
    let echo = |body: Bytes| async move { (StatusCode::ACCEPTED, body) };
    let router =
        Router::new().route("/api/v1/events", post(echo)).route("/api/v1/decisions", post(echo));
    let listener = tokio::net::TcpListener::bind(&address).await.expect("the address is free");
    println!("echo serves http://{address}");
    axum::serve(listener, router).await.expect("serves");
}
