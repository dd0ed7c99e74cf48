//! What a job does next, whatever the providers do; and that it always ends.

use proptest::prelude::*;

use super::*;
use crate::advise::refusal::{Form, Protocol, Provenance, Transport};
use crate::rules::fixture::t;

const LATE: u32 = u32::MAX;

fn refused(fault: impl Into<Fault>) -> Command {
    Command::Refused { refusal: Refusal::whole(fault), retry_after: None, draw: LATE }
}

fn asked_to_wait(fault: Transport, seconds: u64) -> Command {
    let retry_after = Some(Millis::seconds(seconds));
    Command::Refused { refusal: Refusal::whole(fault), retry_after, draw: LATE }
}

/// Plays commands at moments and gives the effects.
fn play(providers: usize, commands: &[(u64, Command)]) -> Vec<Option<Effect>> {
    let mut asking = Asking::new(providers, t(0));
    let mut effects = Vec::new();
    for (ms, command) in commands {
        let (next, effect) = step(asking, command.clone(), t(*ms));
        asking = next;
        effects.push(effect);
    }
    effects
}

/// A call at that moment, in a turn that ends with the job.
fn call(provider: usize, repair: Option<Rung>, ms: u64) -> Option<Effect> {
    call_within(provider, repair, 20_000 - ms)
}

fn call_within(provider: usize, repair: Option<Rung>, ms: u64) -> Option<Effect> {
    Some(Effect::Call { provider, repair, within: Millis::new(ms) })
}

fn wait(ms: u64) -> Option<Effect> {
    Some(Effect::Wait(Millis::new(ms)))
}

fn gave_up(fault: impl Into<Fault>, not_before: Option<u64>) -> Option<Effect> {
    Some(Effect::GaveUp { last: Some(Refusal::whole(fault)), not_before: not_before.map(t) })
}

#[test]
fn an_answer_that_passes_ends_it() {
    let effects = play(1, &[(0, Command::Go), (200, Command::Passed), (300, Command::Go)]);
    assert_eq!(effects, [call(0, None, 0), Some(Effect::Done { provider: 0 }), None]);
}

#[test]
fn a_provider_is_tried_three_times_with_growing_waits() {
    let fault = Transport::Status(503);
    let commands = [
        (0, Command::Go),
        (100, refused(fault)),
        (350, Command::Go),
        (400, refused(fault)),
        (900, Command::Go),
        (950, refused(fault)),
    ];
    let expected = [
        call(0, None, 0),
        wait(249),
        call(0, None, 350),
        wait(499),
        call(0, None, 900),
        gave_up(fault, None),
    ];
    assert_eq!(play(1, &commands), expected);
}

#[test]
fn the_wait_is_jittered_but_never_shorter_than_asked() {
    let waits = |draw: u32, retry_after: Option<Millis>| {
        let refusal = Refusal::whole(Transport::Status(429));
        let refused = Command::Refused { refusal, retry_after, draw };
        play(1, &[(0, Command::Go), (0, refused)]).pop().flatten()
    };
    assert_eq!(waits(0, None), wait(0));
    assert_eq!(waits(1 << 31, None), wait(125));
    assert_eq!(waits(0, Some(Millis::seconds(7))), wait(7_000));
}

#[test]
fn a_pause_that_is_longer_than_the_job_leads_to_the_next_provider() {
    let commands = [
        (0, Command::Go),
        (10, asked_to_wait(Transport::Status(429), 60)),
        (20, asked_to_wait(Transport::Status(503), 40)),
    ];
    let expected = [
        call_within(0, None, 10_000),
        call(1, None, 10),
        gave_up(Transport::Status(503), Some(40_020)),
    ];
    assert_eq!(play(2, &commands), expected);
}

#[test]
fn a_wrong_form_is_repaired_once_in_a_job() {
    let commands = [
        (0, Command::Go),
        (10, refused(Form::NotJson)),
        (20, refused(Protocol::Sum)),
        (30, refused(Form::Schema)),
    ];
    let expected = [
        call_within(0, None, 10_000),
        call_within(0, Some(Rung::Form), 9_990),
        call(1, None, 20),
        gave_up(Form::Schema, None),
    ];
    assert_eq!(play(2, &commands), expected);
}

#[test]
fn what_no_repair_helps_leads_to_the_next_provider() {
    let faults: [Fault; 6] = [
        Transport::Status(401).into(),
        Transport::Declined.into(),
        Transport::CutOff.into(),
        Transport::OutOfQuota.into(),
        Fault::Membership,
        Provenance::Paused.into(),
    ];
    for fault in faults {
        let effects = play(2, &[(0, Command::Go), (10, refused(fault))]);
        assert_eq!(effects, [call_within(0, None, 10_000), call(1, None, 10)], "{fault:?}");
    }
}

#[test]
fn a_barred_provider_is_passed_over() {
    let barred = Command::Barred(Some(t(30_000)));
    let effects = play(2, &[(0, Command::Go), (0, barred), (0, Command::Barred(None))]);
    let end = Effect::GaveUp { last: None, not_before: Some(t(30_000)) };
    assert_eq!(effects, [call_within(0, None, 10_000), call(1, None, 0), Some(end)]);
    let nobody = Effect::GaveUp { last: None, not_before: None };
    assert_eq!(play(0, &[(0, Command::Go)]), [Some(nobody)]);
}

#[test]
fn no_call_begins_that_has_no_time() {
    let effects = play(2, &[(0, Command::Go), (19_600, refused(Transport::TimedOut))]);
    assert_eq!(effects, [call_within(0, None, 10_000), gave_up(Transport::TimedOut, None)]);
}

#[test]
fn a_provider_that_hangs_leaves_the_others_their_time() {
    let late = || refused(Transport::TimedOut);
    let commands = [(0, Command::Go), (6_666, late()), (6_666 + 6_667, late())];
    let expected =
        [call_within(0, None, 6_666), call_within(1, None, 6_667), call(2, None, 13_333)];
    assert_eq!(play(3, &commands), expected);
    // What a provider leaves unused is the next one's.
    let effects = play(2, &[(0, Command::Go), (1_000, refused(Transport::Declined))]);
    assert_eq!(effects, [call_within(0, None, 10_000), call(1, None, 1_000)]);
}

fn command() -> impl Strategy<Value = Command> {
    let faults: Vec<Fault> = vec![
        Transport::Unreachable.into(),
        Transport::Status(429).into(),
        Transport::Status(400).into(),
        Form::NotJson.into(),
        Protocol::Sum.into(),
        Fault::Membership,
        Provenance::Catalogue.into(),
    ];
    let refused = (prop::sample::select(faults), prop::option::of(0u64..90), any::<u32>());
    prop_oneof![
        1 => Just(Command::Barred(None)),
        6 => refused.prop_map(|(fault, seconds, draw)| Command::Refused {
            refusal: Refusal::whole(fault),
            retry_after: seconds.map(Millis::seconds),
            draw,
        }),
    ]
}

proptest! {
    /// Whatever the providers do: so many calls at most, none too late, none twice after the end, pauses kept.
    #[test]
    fn it_ends(providers in 0usize..4, commands in prop::collection::vec((0u64..9_000, command()), 60)) {
        let mut asking = Asking::new(providers, t(0));
        let (mut ms, mut calls, mut repairs, mut over) = (0, 0, 0, false);
        let mut command = Command::Go;
        let mut commands = commands.into_iter();
        while !over {
            let (next, effect) = step(asking, command.clone(), t(ms));
            asking = next;
            match effect.expect("a job that is not over asks for something") {
                Effect::Call { provider, repair, within } => {
                    prop_assert!(provider < providers);
                    prop_assert!(within <= Millis::new(20_000 - ms));
                    let shares = (providers - provider) as u64;
                    prop_assert!(provider + 1 < providers || within == Millis::new(20_000 - ms));
                    prop_assert!(within.get() <= 20_000 - ms - (shares - 1) * 500);
                    calls += 1;
                    repairs += usize::from(repair.is_some());
                    let (took, answer) = commands.next().expect("enough of them");
                    ms += took.min(within.get());
                    command = answer;
                }
                Effect::Wait(pause) => {
                    if let Command::Refused { retry_after: Some(asked), .. } = command {
                        prop_assert!(pause >= asked);
                    }
                    ms += pause.get();
                    command = Command::Go;
                }
                Effect::Done { .. } => prop_assert!(false, "nothing passed"),
                Effect::GaveUp { .. } => over = true,
            }
        }
        prop_assert!(calls <= 3 * providers + 1 && repairs <= 1, "{calls} {repairs}");
        prop_assert!(ms <= 20_000);
        prop_assert_eq!(step(asking, Command::Go, t(ms)).1, None);
    }
}
