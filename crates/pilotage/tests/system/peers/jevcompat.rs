//! A decision endpoint that breaks one requirement of its protocol at a time. Must know of every fault what it may cost.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::asking::{answered, asking, calls, decide_for_all, ends_whole, live, tell};
use super::lives::Life;
use super::peer::{Peer, program, told};
use Asked::{Newest, Right, Stray, Unkeyed, Unknown, Usual, Wrong};
use Comes::{Advice, Form, Protocol, Transport};

/// So many installations at a time: mostly they wait.
const AT_ONCE: usize = 4;
/// So many situations for each fault: one of every pair of guides.
const LIVES: u32 = 6;
const KEY: &str = "key-0f3c";

/// In which way it is asked: so that the fault is met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// About a model that is served; no key is wanted, and none is sent.
    Usual,
    /// About a model that nobody knows.
    Unknown,
    /// About the model that moves with each release.
    Newest,
    /// With a key that nobody wants.
    Stray,
    /// With the key that is wanted.
    Right,
    /// With another one.
    Wrong,
    /// Without the key that is wanted.
    Unkeyed,
}

/// What comes of it: advice, or a refusal on that rung.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comes {
    Advice,
    Transport,
    Form,
    Protocol,
}

/// Every fault that there is. Those of questions that we do not ask, of requests that we do not send, and of members that we do
/// not read cost nothing.
const FAULTS: &[(&str, Asked, Comes)] = &[
    ("wrong-route", Usual, Transport),
    ("xssi-200", Usual, Form),
    ("plain-content-type", Usual, Transport),
    ("text-errors", Unknown, Transport),
    ("models-404", Usual, Advice),
    ("auth-rejects-header", Stray, Transport),
    ("auth-x-api-key", Right, Transport),
    ("auth-plain", Unkeyed, Transport),
    ("auth-invalid-403-text", Wrong, Transport),
    ("reject-array-state", Usual, Advice),
    ("reject-jev-latest", Newest, Transport),
    ("first-question-only", Usual, Advice),
    ("strict-ids", Usual, Advice),
    ("nfd-keys", Usual, Advice),
    ("forbid-extra", Usual, Advice),
    ("string-only-text", Usual, Advice),
    ("noul-two-sided", Usual, Advice),
    ("noul-needs-instructions", Usual, Advice),
    ("no-null-description", Usual, Advice),
    ("cap-64", Usual, Advice),
    ("cap-5-levels", Usual, Advice),
    ("accept-map-score", Usual, Advice),
    ("no-usage", Usual, Advice),
    ("float-usage", Usual, Advice),
    ("extra-answer", Usual, Protocol),
    ("boolean-type", Usual, Advice),
    ("nan", Usual, Form),
    ("unprefixed-extra", Usual, Advice),
    ("noul-range", Usual, Advice),
    ("choice-no-confidence", Usual, Advice),
    ("choice-key-case", Usual, Advice),
    ("choice-sum", Usual, Protocol),
    ("choice-second", Usual, Protocol),
    ("score-no-legend", Usual, Advice),
    ("legend-1-based", Usual, Advice),
    ("score-keys-1-based", Usual, Advice),
    ("score-sum", Usual, Advice),
    ("score-argmax", Usual, Advice),
    ("confidence-over", Usual, Advice),
    ("confidence-margin", Usual, Advice),
    ("500-on-unknown-type", Usual, Advice),
    ("accept-boolean", Usual, Advice),
    ("validation-400", Usual, Advice),
    ("error-flat", Unknown, Transport),
    ("id-leaks", Usual, Advice),
    ("batch-leaks", Usual, Advice),
    ("order-leaks", Usual, Advice),
];

#[test]
fn the_table_has_every_fault() {
    let listed = told(&mut program("jevcompat", &["mock", "--list-faults"]));
    assert_eq!(listed.code, Some(0), "{listed:?}");
    let listed: BTreeSet<&str> =
        listed.output.lines().filter_map(|line| line.split_whitespace().next()).collect();
    let known: BTreeSet<&str> = FAULTS.iter().map(|(fault, ..)| *fault).collect();
    assert_eq!((known, FAULTS.len()), (listed, 47));
}

#[test]
fn no_fault_exposes_what_may_not_be_shown_and_each_has_its_code() {
    let (next, exposed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some((fault, asked, comes)) =
                    FAULTS.get(next.fetch_add(1, Ordering::Relaxed))
                {
                    let shown = suffers(fault, *asked, *comes);
                    exposed.fetch_add(shown, Ordering::Relaxed);
                }
            });
        }
    });
    let exposed = exposed.into_inner();
    assert!(exposed > FAULTS.len(), "guides are shown, with or without a model: {exposed}");
    tell(&format!(
        "{} faults, {exposed} guides shown, none that the rules have not passed",
        FAULTS.len()
    ));
}

/// An installation of its own asks an endpoint with that fault; how many guides were shown.
fn suffers(fault: &str, asked: Asked, comes: Comes) -> usize {
    let mut words = vec!["mock", "--port", "0", "--fault", fault];
    if matches!(asked, Right | Wrong | Unkeyed) {
        words.extend(["--key", KEY]);
    }
    let peer = Peer::start(&mut program("jevcompat", &words));
    let model = match asked {
        Unknown => "nobody-knows",
        Newest => "jev-latest",
        _ => "jev-1.13.0",
    };
    let installation = asking("systemone", &peer.url("/v1"), model);
    let installation = match asked {
        Right | Stray => installation.set("PILOTAGE_MODEL_KEY", KEY),
        Wrong => installation.set("PILOTAGE_MODEL_KEY", "key-of-another"),
        Usual | Unknown | Newest | Unkeyed => installation,
    };
    let server = installation.start();
    let client = server.client();
    let lives: Vec<Life> = (0..LIVES).map(Life::of).collect();
    live(&client, &lives);
    answered(&client, &lives);
    let seen = decide_for_all(&client, &lives);
    for call in calls(&client) {
        let code = call["refusal"]["code"].as_str();
        let expected = match comes {
            Advice => None,
            Transport => Some("transport"),
            Form => Some("form"),
            Protocol => Some("protocol"),
        };
        assert_eq!(code, expected, "{fault}: {call}");
    }
    assert_eq!(seen.heard, if comes == Advice { seen.guided } else { 0 }, "{fault}");
    ends_whole(&installation, server);
    seen.exposed
}
