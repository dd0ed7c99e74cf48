//! What becomes of events that brokers refuse, or take without saying so. Must not run on real brokers: they can't be made to
//! fail so.

use std::time::Duration;

use rdkafka::types::RDKafkaRespErr;

use super::callers::Callers;
use super::fleet::Fleet;
use super::played::Played;
use super::{SOME, doors, settle, turn};
use crate::installation::Installation;

/// These pass: the client tries again by itself, and nobody hears of them.
const PASSING: [RDKafkaRespErr; 5] = [
    RDKafkaRespErr::RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
    RDKafkaRespErr::RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
    RDKafkaRespErr::RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND,
    RDKafkaRespErr::RD_KAFKA_RESP_ERR__TRANSPORT,
    RDKafkaRespErr::RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
];

/// These don't: whoever sent the event is told. With the last one the client fails for good and is replaced.
const LASTING: [RDKafkaRespErr; 4] = [
    RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
    RDKafkaRespErr::RD_KAFKA_RESP_ERR_INVALID_RECORD,
    RDKafkaRespErr::RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE,
    RDKafkaRespErr::RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER,
];

/// Longer than anybody who writes waits for an answer.
const TOO_LATE: Duration = Duration::from_secs(60);

/// A fleet on these brokers, whose processes learn.
fn fleet(brokers: &Played, counts: [usize; 3]) -> Fleet {
    let installation = Installation::shared(brokers.shared())
        .set("PILOTAGE_POLICY", "learner")
        // They keep the first member of a group waiting for longer than other tests' sessions last.
        .set("PILOTAGE_KAFKA_SESSION_MS", "5000");
    Fleet::start(installation, counts)
}

#[test]
fn events_that_brokers_refuse_are_there_once_when_they_are_answered_for() {
    let _turn = turn();
    let brokers = Played::start();
    let fleet = fleet(&brokers, [2, 1, 1]);
    let callers = Callers::start(&doors(&fleet));
    callers.wait_for(SOME);
    for _ in 0..2 {
        brokers.refuse(&PASSING);
        callers.wait_for(SOME);
    }
    for error in LASTING {
        // More than whoever decides uses up.
        brokers.refuse(&[error; 16]);
        callers.wait_for_refusals(2);
        brokers.refuse_no_more();
        callers.wait_for(SOME);
    }
    settle(callers, fleet);
}

#[test]
fn events_that_may_be_stored_are_sent_again_and_count_once() {
    let _turn = turn();
    let brokers = Played::start();
    let fleet = fleet(&brokers, [1, 1, 1]);
    let (_, topic) = fleet.installation.topic();
    let callers = Callers::start(&doors(&fleet));
    callers.wait_for(SOME);
    brokers.answer_after(TOO_LATE);
    callers.wait_for_refusals(4);
    brokers.answer_after(Duration::ZERO);
    callers.wait_for(SOME);
    settle(callers, fleet);
    let doubled = brokers.copies(&topic).values().filter(|copies| **copies > 1).count();
    assert!(doubled > 0, "nothing was stored that was not answered for");
}
