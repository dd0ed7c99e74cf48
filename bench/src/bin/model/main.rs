//! What asking a model costs: calls and money in a month, nanoseconds in a decision, the time until there is advice, and what a
//! provider that hangs does to decisions. Must ask no provider: the models are scripts.

mod advice;
mod gates;
mod hang;
mod month;
mod world;

const USAGE: &str = "model month [VISITORS] | gates | advice | hang";

#[tokio::main]
async fn main() {
    let mut args = std::env::args().skip(1);
    match args.next().as_deref() {
        Some("month") => {
            let visitors =
                args.next().map_or(100_000, |n| n.parse().expect("a number of visitors"));
            month::run(visitors).await;
        }
        Some("gates") => gates::run(),
        Some("advice") => advice::run().await,
        Some("hang") => hang::run().await,
        _ => panic!("{USAGE}"),
    }
}
