//! When a breaker opens and closes, and that nothing gets through an open one.

use proptest::prelude::*;

use super::*;
use crate::rules::fixture::t;

/// A breaker with a clock.
struct Bench {
    breaker: Breaker,
    ms: u64,
}

impl Bench {
    fn new() -> Self {
        Self { breaker: Breaker::default(), ms: 0 }
    }

    fn step(&mut self, command: Command) -> Vec<Effect> {
        let (breaker, effects) = step(std::mem::take(&mut self.breaker), command, t(self.ms));
        self.breaker = breaker;
        effects
    }

    fn ask(&mut self) -> Result<Leave, Timestamp> {
        match self.step(Command::Ask).last() {
            Some(Effect::Go(leave)) => Ok(*leave),
            Some(Effect::Stop { until }) => Err(*until),
            other => panic!("neither leave nor stop: {other:?}"),
        }
    }

    /// A call that ends at once.
    fn call(&mut self, health: Health) -> Vec<Effect> {
        let leave = self.ask().expect("leave");
        self.step(Command::Ended(leave, health))
    }

    fn opened() -> Self {
        let mut bench = Self::new();
        (0..5).for_each(|_| drop(bench.call(Health::Ill)));
        assert_eq!(bench.breaker.light(), Light::Open);
        bench
    }
}

#[test]
fn five_failures_in_a_row_open_it() {
    let mut bench = Bench::new();
    (0..4).for_each(|_| assert_eq!(bench.call(Health::Ill), []));
    assert_eq!(bench.call(Health::Well), []);
    (0..4).for_each(|_| assert_eq!(bench.call(Health::Ill), []));
    assert_eq!(bench.call(Health::Ill), [Effect::Opened]);
}

#[test]
fn half_of_ten_calls_open_it() {
    let mut bench = Bench::new();
    let calls = [Health::Ill, Health::Well].repeat(5);
    let (last, first) = calls.split_last().expect("ten");
    first.iter().for_each(|health| assert_eq!(bench.call(*health), []));
    assert_eq!(*last, Health::Well);
    assert_eq!(bench.call(*last), [Effect::Opened]);
}

#[test]
fn calls_of_the_last_thirty_seconds_count() {
    let mut bench = Bench::new();
    for health in [Health::Ill, Health::Well].repeat(4) {
        assert_eq!(bench.call(health), []);
    }
    bench.ms = 30_000;
    for health in [Health::Ill, Health::Well, Health::Well].repeat(8) {
        assert_eq!(bench.call(health), []);
    }
}

#[test]
fn an_open_breaker_stops_calls_until_a_probe() {
    let mut bench = Bench::opened();
    assert_eq!(bench.ask(), Err(t(30_000)));
    bench.ms = 29_999;
    assert_eq!(bench.ask(), Err(t(30_000)));
    bench.ms = 30_000;
    let probe = bench.ask().expect("a probe");
    assert_eq!(bench.breaker.light(), Light::HalfOpen);
    assert_eq!(bench.ask(), Err(t(90_000)));
    assert_eq!(bench.step(Command::Ended(probe, Health::Well)), [Effect::Closed]);
    assert!(bench.ask().is_ok() && bench.ask().is_ok());
}

#[test]
fn each_failed_probe_doubles_the_pause_up_to_ten_minutes() {
    let mut bench = Bench::opened();
    let mut pauses = Vec::new();
    for _ in 0..7 {
        let until = bench.ask().expect_err("open");
        pauses.push(until.since(t(bench.ms)).to_string());
        bench.ms += until.since(t(bench.ms)).get();
        assert_eq!(bench.call(Health::Ill), [Effect::Opened]);
    }
    assert_eq!(pauses, ["30s", "1m", "2m", "4m", "8m", "10m", "10m"]);
}

#[test]
fn a_probe_that_never_reports_counts_as_failed() {
    let mut bench = Bench::opened();
    bench.ms = 30_000;
    let lost = bench.ask().expect("a probe");
    bench.ms = 90_000;
    assert_eq!(bench.step(Command::Ask), [Effect::Opened, Effect::Stop { until: t(150_000) }]);
    assert_eq!(bench.step(Command::Ended(lost, Health::Well)), []);
    assert_eq!(bench.breaker.light(), Light::Open);
}

#[test]
fn a_call_from_before_says_nothing_about_the_probe() {
    let mut bench = Bench::new();
    let slow = bench.ask().expect("leave");
    (0..5).for_each(|_| drop(bench.call(Health::Ill)));
    bench.ms = 30_000;
    let probe = bench.ask().expect("a probe");
    assert_eq!(bench.step(Command::Ended(slow, Health::Well)), []);
    assert_eq!(bench.breaker.light(), Light::HalfOpen);
    assert_eq!(bench.step(Command::Ended(probe, Health::Ill)), [Effect::Opened]);
}

#[derive(Debug, Clone, Copy)]
enum Move {
    Ask,
    End(prop::sample::Index, Health),
    Pass(u64),
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let health = prop::sample::select(vec![Health::Well, Health::Ill, Health::Ill]);
    let end = (any::<prop::sample::Index>(), health).prop_map(|(i, h)| Move::End(i, h));
    let moved =
        prop_oneof![3 => Just(Move::Ask), 3 => end, 1 => (0u64..40_000).prop_map(Move::Pass)];
    prop::collection::vec(moved, 0..200)
}

proptest! {
    #[test]
    fn one_probe_at_a_time_and_none_before_its_time(moves in moves()) {
        let mut bench = Bench::new();
        let mut under_way: Vec<Leave> = Vec::new();
        let mut until = t(0);
        for one in moves {
            match one {
                Move::Pass(ms) => bench.ms += ms,
                Move::Ask => {
                    let before = bench.breaker.light();
                    match bench.ask() {
                        Ok(leave) => {
                            prop_assert!(before != Light::Open || t(bench.ms) >= until);
                            prop_assert!(before != Light::HalfOpen, "a second probe");
                            under_way.push(leave);
                        }
                        Err(stop) => {
                            prop_assert!(stop > t(bench.ms));
                            if bench.breaker.light() == Light::Open {
                                until = stop;
                            }
                        }
                    }
                }
                Move::End(place, health) if !under_way.is_empty() => {
                    let leave = under_way.swap_remove(place.index(under_way.len()));
                    bench.step(Command::Ended(leave, health));
                }
                Move::End(..) => {}
            }
            prop_assert!(bench.breaker.calls.len() <= MOST_KEPT);
        }
    }
}
