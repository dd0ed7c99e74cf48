//! Asking models and reading their answers, on the product files of `examples/`: what is sent, what comes of any bytes, and that
//! nothing is shown that the oracle of `decisions` would not show. Must not call a model.

#[path = "../decisions/compare.rs"]
mod compare;
#[allow(dead_code, reason = "shared with the tests of decisions, which use the rest")]
#[path = "../decisions/life.rs"]
mod life;
#[allow(dead_code, reason = "shared with the tests of decisions, which use the rest")]
#[path = "../decisions/oracle.rs"]
mod oracle;
#[path = "../decisions/story.rs"]
mod story;

mod canary;
mod golden;
mod pages;
mod reading;
mod record;
mod replies;
mod safety;
mod scene;
mod size;
