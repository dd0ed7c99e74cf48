//! The ceiling of ingest over Kafka: a bare axum server that hands each body to the producer as it is, and answers once all
//! replicas in step have it. Must do nothing else.

use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::StatusCode;
use axum::routing::post;
// Links the allocator that the product has.
use pilotage_bench as _;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::producer::{FutureProducer, FutureRecord};

/// The topic that the source document's stack writes too. Made here where it is missing.
const TOPIC: &str = "user_behavior_events";
const PARTITIONS: i32 = 12;

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let (Some(brokers), Some(address)) = (arguments.next(), arguments.next()) else {
        panic!("usage: produce BROKERS ADDRESS")
    };
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &brokers);
    let admin: AdminClient<DefaultClientContext> = config.create().expect("a client");
    let topic = NewTopic::new(TOPIC, PARTITIONS, TopicReplication::Fixed(1));
    // It may be there already.
    let _ = admin.create_topics([&topic], &AdminOptions::new()).await.expect("brokers answer");
    let producer: FutureProducer = config
        .set("acks", "all")
        .set("enable.idempotence", "true")
        .set("linger.ms", "2")
        .create()
        .expect("a producer");
    let produce = move |body: Bytes| {
        let producer = producer.clone();
        async move {
            let record = FutureRecord::<(), _>::to(TOPIC).payload(&body[..]);
            match producer.send(record, Duration::from_secs(1)).await {
                Ok(_) => StatusCode::ACCEPTED,
                Err(_) => StatusCode::SERVICE_UNAVAILABLE,
            }
        }
    };
    let router = Router::new().route("/api/v1/events", post(produce));
    let listener = tokio::net::TcpListener::bind(&address).await.expect("the address is free");
    println!("produce serves http://{address}");
    axum::serve(listener, router).await.expect("serves");
}
