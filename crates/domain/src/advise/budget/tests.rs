//! That no cap is ever passed, by books that are kept beside the governor; and what the governor says.

use proptest::prelude::*;

use super::*;
use crate::time::Millis;

const NOON: Timestamp = Timestamp::from_millis(1_795_348_800_000);

fn provider(name: &str) -> ProviderId {
    ProviderId::new(name).expect("an identifier")
}

fn usd(micros: u64) -> MicroUsd {
    MicroUsd::new(micros)
}

fn month_of(micros: u64) -> Caps {
    Caps { month: usd(micros), ..Caps::default() }
}

/// A governor with a clock.
struct Bench {
    ledger: Ledger,
    caps: Caps,
    now: Timestamp,
}

impl Bench {
    fn new(caps: Caps) -> Self {
        Self { ledger: Ledger::default(), caps, now: NOON }
    }

    fn step(&mut self, command: Command) -> Vec<Effect> {
        let ledger = std::mem::take(&mut self.ledger);
        let (ledger, effects) = step(ledger, &self.caps, command, self.now);
        self.ledger = ledger;
        effects
    }

    fn reserve(&mut self, name: &str, worst: u64) -> Result<Reservation, Denial> {
        let until = self.now + Millis::minutes(1);
        let command = Command::Reserve { provider: provider(name), worst: usd(worst), until };
        let effects = self.step(command);
        let mut answers = effects.into_iter().filter_map(|effect| match effect {
            Effect::Granted(id) => Some(Ok(id)),
            Effect::Denied(denial) => Some(Err(denial)),
            _ => None,
        });
        let answer = answers.next().expect("an answer");
        assert!(answers.next().is_none());
        answer
    }
}

#[test]
fn room_is_taken_by_reservations_and_given_back() {
    let mut bench = Bench::new(month_of(100));
    let first = bench.reserve("a", 60).expect("room");
    assert_eq!(bench.reserve("a", 41), Err(Denial::Month));
    let second = bench.reserve("a", 40).expect("exactly the rest");
    assert_eq!(bench.step(Command::Settle(first, usd(10)))[0], Effect::Charged(usd(10)));
    bench.step(Command::Release(second));
    assert_eq!((bench.ledger.spent_in_month(), bench.ledger.reserved()), (usd(10), usd(0)));
    assert!(bench.reserve("a", 90).is_ok());
}

#[test]
fn each_cap_denies_by_its_name() {
    let caps = Caps {
        day: Some(usd(50)),
        month: usd(80),
        providers: BTreeMap::from([(provider("dear"), usd(10))]),
    };
    let mut bench = Bench::new(caps);
    assert_eq!(bench.reserve("dear", 11), Err(Denial::Provider));
    assert_eq!(bench.reserve("other", 51), Err(Denial::Day));
    let id = bench.reserve("other", 50).expect("room");
    bench.step(Command::Settle(id, usd(50)));
    bench.now = bench.now + Millis::days(1);
    assert_eq!(bench.reserve("other", 31), Err(Denial::Month));
    assert!(bench.reserve("other", 30).is_ok());
    assert_eq!(Bench::new(Caps::default()).reserve("any", 1), Err(Denial::Month));
    assert!(Bench::new(Caps::default()).reserve("free", 0).is_ok());
}

#[test]
fn a_new_day_and_month_begin_empty_but_for_what_is_reserved() {
    let mut bench = Bench::new(Caps { day: Some(usd(100)), ..month_of(120) });
    let spent = bench.reserve("a", 60).expect("room");
    bench.step(Command::Settle(spent, usd(60)));
    // 2026-11-22 23:59:30, then half a minute after midnight.
    bench.now = NOON + Millis::hours(12) - Millis::seconds(30);
    let under_way = bench.reserve("a", 40).expect("room");
    bench.now = bench.now + Millis::minutes(1) - Millis::new(1);
    assert_eq!(bench.reserve("a", 61), Err(Denial::Day));
    bench.step(Command::Settle(under_way, usd(40)));
    assert_eq!((bench.ledger.spent_in_day(), bench.ledger.spent_in_month()), (usd(40), usd(100)));
    bench.now = bench.now + Millis::days(9);
    bench.step(Command::Look);
    assert_eq!(bench.ledger.spent_in_month(), usd(0));
    assert_eq!(bench.ledger.spent_with(&provider("a")), usd(0));
}

#[test]
fn a_clock_that_goes_back_gives_nothing_back() {
    let mut bench = Bench::new(Caps { day: Some(usd(10)), ..month_of(10) });
    let id = bench.reserve("a", 10).expect("room");
    bench.step(Command::Settle(id, usd(10)));
    for back in [Millis::days(1), Millis::days(60)] {
        bench.now = NOON - back;
        assert_eq!(bench.reserve("a", 1), Err(Denial::Day));
    }
}

#[test]
fn nobodys_reservation_lapses_into_spent_money() {
    let mut bench = Bench::new(month_of(100));
    let lost = bench.reserve("a", 70).expect("room");
    bench.now = bench.now + Millis::minutes(1);
    let effects = bench.step(Command::Settle(lost, usd(1)));
    assert_eq!(effects, [Effect::Lapsed(lost, usd(70)), Effect::Unknown(lost)]);
    assert_eq!(bench.ledger.spent_in_month(), usd(70));
}

#[test]
fn nothing_is_settled_or_released_twice() {
    let mut bench = Bench::new(month_of(100));
    let id = bench.reserve("a", 10).expect("room");
    bench.step(Command::Settle(id, usd(5)));
    assert_eq!(bench.step(Command::Settle(id, usd(5))), [Effect::Unknown(id)]);
    assert_eq!(bench.step(Command::Release(id)), [Effect::Unknown(id)]);
    assert_eq!(bench.ledger.spent_in_month(), usd(5));
}

#[test]
fn a_bill_beyond_the_worst_case_is_counted_and_told() {
    let mut bench = Bench::new(month_of(100));
    let id = bench.reserve("a", 10).expect("room");
    let effects = bench.step(Command::Settle(id, usd(13)));
    assert_eq!(effects, [Effect::Charged(usd(13)), Effect::Overrun(usd(3))]);
    assert_eq!(bench.ledger.spent_in_month(), usd(13));
}

#[test]
fn levels_are_told_as_they_change() {
    let mut bench = Bench::new(month_of(100));
    let mut levels = Vec::new();
    for cost in [69, 1, 19, 1, 9, 1] {
        let id = bench.reserve("a", cost).expect("room");
        bench.step(Command::Settle(id, usd(cost)));
        levels.push(bench.ledger.level());
    }
    let (plenty, sparing, head) = (Level::Plenty, Level::Sparing, Level::HeadOnly);
    assert_eq!(levels, [plenty, sparing, sparing, head, head, Level::Spent]);
    bench.now = bench.now + Millis::days(30);
    assert_eq!(bench.step(Command::Look), [Effect::Reached(plenty)]);
    let (until, worst) = (bench.now + Millis::minutes(1), usd(95));
    let command = Command::Reserve { provider: provider("a"), worst, until };
    assert_eq!(bench.step(command).last(), Some(&Effect::Reached(head)));
    let mut day = Bench::new(Caps { day: Some(usd(10)), ..month_of(100) });
    day.reserve("a", 7).expect("room");
    assert_eq!(day.ledger.level(), Level::Sparing);
}

#[test]
fn the_row_stays_small() {
    let mut bench = Bench::new(month_of(u64::MAX));
    for _ in 0..MOST_HELD {
        bench.reserve("a", 1).expect("room");
    }
    assert_eq!(bench.reserve("a", 1), Err(Denial::Crowded));
    let kept = serde_json::to_vec(&bench.ledger).expect("written");
    assert!(kept.len() < 100 * MOST_HELD, "{}", kept.len());
    assert_eq!(serde_json::from_slice::<Ledger>(&kept).expect("read"), bench.ledger);
}

/// What a worker does next; the numbers choose among what is possible.
#[derive(Debug, Clone)]
enum Move {
    Reserve {
        provider: usize,
        worst: u64,
    },
    Settle {
        which: prop::sample::Index,
        share: f64,
    },
    Release {
        which: prop::sample::Index,
    },
    /// The worker dies after it was billed: nobody ever settles.
    Die {
        which: prop::sample::Index,
        share: f64,
    },
    Pass {
        ms: u64,
    },
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let which = any::<prop::sample::Index>;
    let some = prop_oneof![
        6 => (0usize..3, 0u64..400).prop_map(|(provider, worst)| Move::Reserve { provider, worst }),
        3 => (which(), 0.0..=1.0f64).prop_map(|(which, share)| Move::Settle { which, share }),
        2 => which().prop_map(|which| Move::Release { which }),
        1 => (which(), 0.0..=1.0f64).prop_map(|(which, share)| Move::Die { which, share }),
        2 => prop_oneof![0u64..20_000, 0u64..90_000_000, Just(31 * 86_400_000)]
            .prop_map(|ms| Move::Pass { ms }),
    ];
    prop::collection::vec(some, 0..160)
}

/// What the providers bill, by day and by month, as they themselves would count it: kept without the governor.
#[derive(Default)]
struct Books {
    bills: Vec<(Timestamp, usize, u64)>,
}

impl Books {
    fn sum(&self, now: Timestamp, same: fn(Timestamp) -> i64, only: Option<usize>) -> u64 {
        let counted = self.bills.iter().filter(|(at, provider, _)| {
            same(*at) == same(now) && only.is_none_or(|only| only == *provider)
        });
        counted.map(|(_, _, cost)| cost).sum()
    }
}

const NAMES: [&str; 3] = ["a", "b", "c"];

fn caps() -> Caps {
    let own = BTreeMap::from([(provider("a"), usd(500)), (provider("b"), usd(0))]);
    Caps { day: Some(usd(1_000)), month: usd(2_500), providers: own }
}

/// A call under way: who bills it, the most that it costs, and until when it may be settled.
type Call = (Reservation, usize, u64, Timestamp);

fn play(moves: Vec<Move>) -> Result<(), TestCaseError> {
    let mut bench = Bench::new(caps());
    let (mut books, mut calls) = (Books::default(), Vec::<Call>::new());
    for one in moves {
        let part = |worst: u64, share: f64| (worst as f64 * share) as u64;
        match one {
            Move::Pass { ms } => bench.now = bench.now + Millis::new(ms),
            Move::Reserve { provider, worst } => {
                if let Ok(id) = bench.reserve(NAMES[provider], worst) {
                    calls.push((id, provider, worst, bench.now + Millis::minutes(1)));
                }
            }
            Move::Settle { which, share } if !calls.is_empty() => {
                let (id, provider, worst, until) = calls.swap_remove(which.index(calls.len()));
                let cost = part(worst, share);
                // A worker gives up its call before the reservation lapses; what it reports later was billed before.
                let at = bench.now.min(until - Millis::new(1));
                books.bills.push((at, provider, cost));
                bench.step(Command::Settle(id, usd(cost)));
            }
            Move::Release { which } if !calls.is_empty() => {
                let (id, ..) = calls.swap_remove(which.index(calls.len()));
                bench.step(Command::Release(id));
            }
            Move::Die { which, share } if !calls.is_empty() => {
                let (_, provider, worst, until) = calls.swap_remove(which.index(calls.len()));
                let at = bench.now.min(until - Millis::new(1));
                books.bills.push((at, provider, part(worst, share)));
            }
            _ => {}
        }
        let (day, month) = (calendar::day as fn(_) -> _, calendar::month as fn(_) -> _);
        prop_assert!(books.sum(bench.now, day, None) <= 1_000);
        prop_assert!(books.sum(bench.now, month, None) <= 2_500);
        prop_assert!(books.sum(bench.now, month, Some(0)) <= 500);
        prop_assert!(books.sum(bench.now, month, Some(1)) == 0);
        let ledger = &bench.ledger;
        prop_assert!(ledger.spent_in_month().plus(ledger.reserved()) <= usd(2_500));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    /// Many workers, in any interleaving, some of which fail or die: never over by a micro-dollar, by day, month or provider.
    #[test]
    fn no_cap_is_ever_passed(moves in moves()) {
        play(moves)?;
    }

    /// Room that is free is given: the governor is not safe by denying everything.
    #[test]
    fn what_fits_is_granted(worsts in prop::collection::vec(0u64..400, 1..40)) {
        let mut bench = Bench::new(month_of(1_000));
        let mut used = 0;
        for worst in worsts {
            let fits = used + worst <= 1_000;
            prop_assert_eq!(bench.reserve("a", worst).is_ok(), fits);
            used += if fits { worst } else { 0 };
        }
    }
}
