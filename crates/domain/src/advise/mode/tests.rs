//! What each mode lets advice do, how it is lost, and that only a person gives it back.

use proptest::prelude::*;

use super::*;
use crate::id::{ProductId, UserId};

const MODES: [Mode; 5] = [Mode::Off, Mode::Shadow, Mode::Review, Mode::Canary, Mode::Live];

fn product() -> ProductId {
    ProductId::new("acme").expect("an identifier")
}

fn user(n: u32) -> UserId {
    UserId::new(&format!("user-{n}")).expect("an id")
}

fn half() -> Probability {
    Probability::new(0.5).expect("in range")
}

fn set(mode: Mode) -> Say {
    step(Say::default(), Command::Set(mode)).0
}

fn after(say: Say, commands: &[Command]) -> (Say, Vec<Effect>) {
    commands.iter().fold((say, Vec::new()), |(say, mut effects), command| {
        let (say, more) = step(say, *command);
        effects.extend(more);
        (say, effects)
    })
}

#[test]
fn each_mode_allows_what_it_says() {
    let table = [
        (Mode::Off, false, false, Approval::NotNeeded),
        (Mode::Shadow, true, false, Approval::NotNeeded),
        (Mode::Review, true, true, Approval::Needed),
        (Mode::Live, true, true, Approval::NotNeeded),
    ];
    for (mode, asks, admits, approval) in table {
        assert_eq!(mode.asks(), asks, "{mode:?}");
        assert_eq!(mode.admits(half(), &product(), &user(1)), admits, "{mode:?}");
        assert_eq!(mode.approval(), approval, "{mode:?}");
    }
}

#[test]
fn a_canary_admits_its_share_of_users_and_keeps_them_as_it_grows() {
    let admitted = |share: f64| -> Vec<u32> {
        let share = Probability::new(share).expect("in range");
        (0..20_000).filter(|n| Mode::Canary.admits(share, &product(), &user(*n))).collect()
    };
    let (few, more) = (admitted(0.1), admitted(0.2));
    // Binomial(20000, 0.1): mean 2000, standard deviation 42; five of them on either side.
    assert!((1_790..=2_210).contains(&few.len()), "{}", few.len());
    assert!(few.iter().all(|user| more.binary_search(user).is_ok()));
    assert!(admitted(0.0).is_empty());
    assert_eq!(admitted(1.0).len(), 20_000);
}

#[test]
fn a_guide_has_no_more_say_than_the_product() {
    for guide in MODES {
        for product in MODES {
            assert_eq!(guide.under(product), guide.min(product));
        }
    }
}

#[test]
fn refusals_that_rise_lead_back_to_shadow() {
    let refused = [Command::Refused; 7];
    for from in [Mode::Review, Mode::Canary, Mode::Live] {
        let (say, effects) = after(set(from), &refused[..6]);
        assert_eq!((say.mode(), effects.as_slice()), (from, &[][..]));
        let (say, effects) = after(set(from), &refused);
        assert_eq!(say.mode(), Mode::Shadow);
        assert_eq!(effects, [Effect::Demoted { from, cause: Cause::Refusals }]);
    }
}

#[test]
fn dismissals_that_rise_lead_back_to_shadow() {
    let (say, effects) = after(set(Mode::Live), &[Command::Dismissed; 14]);
    assert_eq!(say.mode(), Mode::Shadow);
    assert_eq!(effects, [Effect::Demoted { from: Mode::Live, cause: Cause::Harm }]);
}

#[test]
fn what_is_usual_does_not_add_up() {
    // One in twenty refused, one in five dismissed, ten thousand times.
    let mut say = set(Mode::Live);
    for n in 0..10_000u32 {
        let answer = if n % 20 == 0 { Command::Refused } else { Command::Passed };
        let end = if n % 5 == 0 { Command::Dismissed } else { Command::Borne };
        let (next, effects) = after(say, &[answer, end]);
        assert_eq!(effects, [], "{n}");
        say = next;
    }
}

#[test]
fn setting_a_mode_counts_afresh() {
    let (say, _) = after(set(Mode::Live), &[Command::Refused; 6]);
    let (say, effects) = after(say, &[Command::Set(Mode::Live), Command::Refused]);
    assert_eq!((say.mode(), effects), (Mode::Live, Vec::new()));
}

fn command() -> impl Strategy<Value = Command> {
    prop::sample::select(vec![
        Command::Passed,
        Command::Refused,
        Command::Borne,
        Command::Dismissed,
    ])
}

proptest! {
    #[test]
    fn only_a_person_gives_it_more_say(
        mode in prop::sample::select(&MODES[..]), commands in prop::collection::vec(command(), 0..200),
    ) {
        let mut say = set(mode);
        for command in commands {
            let (next, effects) = step(say, command);
            prop_assert!(next.mode() <= say.mode());
            prop_assert!(next.mode() == say.mode() || next.mode() == Mode::Shadow);
            prop_assert_eq!(effects.len(), usize::from(next.mode() != say.mode()));
            say = next;
        }
    }

    #[test]
    fn a_say_can_be_kept(commands in prop::collection::vec(command(), 0..50)) {
        let (say, _) = after(set(Mode::Canary), &commands);
        let text = serde_json::to_string(&say).expect("written");
        prop_assert_eq!(serde_json::from_str::<Say>(&text).expect("read"), say);
    }
}
