//! Keeps calls away from a provider that is ill, one breaker for each provider and model. Must be asked before a call, and
//! must not count what says nothing about health.

use std::collections::VecDeque;

use crate::time::{Millis, Timestamp};

/// Calls are looked at for so long.
const WINDOW: Millis = Millis::seconds(30);
/// The newest calls that are looked at.
const MOST_KEPT: usize = 256;
/// Fewer calls than this say nothing by their share.
const LEAST_CALLS: usize = 10;
/// So many failures in a row are enough.
const IN_A_ROW: u32 = 5;
/// How long a breaker stays open at first, and at most; it doubles with each probe that fails.
const FIRST_PAUSE: Millis = Millis::seconds(30);
const LONGEST_PAUSE: Millis = Millis::minutes(10);
/// A probe that has not reported by then counts as failed: whoever made it may be gone.
const PROBE_LIFE: Millis = Millis::seconds(60);

/// A breaker.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Breaker {
    phase: Phase,
    /// Counts the times it opened or closed: a call that began in another one says nothing any more.
    epoch: u64,
    /// The newest calls of this epoch, oldest first: when they ended, and how.
    calls: VecDeque<(Timestamp, Health)>,
    failures_in_a_row: u32,
    /// Probes that failed since it was last closed.
    failed_probes: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Phase {
    #[default]
    Closed,
    Open {
        until: Timestamp,
    },
    /// One call is on its way to find out.
    HalfOpen {
        probe_ends: Timestamp,
    },
}

/// What a breaker looks like from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Light {
    /// Calls go through.
    Closed,
    /// No call goes through.
    Open,
    /// One probe is on its way.
    HalfOpen,
}

/// What a call says about the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// It answered; also with a refusal, or with a 429.
    Well,
    /// It did not: `Transport::is_ill`.
    Ill,
}

/// The leave to make one call; reported back with its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leave {
    epoch: u64,
}

/// What happens to a breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Somebody would make a call.
    Ask,
    /// A call that had leave has ended.
    Ended(Leave, Health),
}

/// What comes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// The call may be made.
    Go(Leave),
    /// It may not.
    Stop {
        /// When it is worth asking again. While a probe is under way that may come sooner: when it has ended.
        until: Timestamp,
    },
    /// It opened: calls are kept away from now on.
    Opened,
    /// It closed: the provider is well again.
    Closed,
}

impl Breaker {
    /// What it looks like.
    pub const fn light(&self) -> Light {
        match self.phase {
            Phase::Closed => Light::Closed,
            Phase::Open { .. } => Light::Open,
            Phase::HalfOpen { .. } => Light::HalfOpen,
        }
    }

    fn open(&mut self, now: Timestamp) -> Vec<Effect> {
        let doubled = 1u64.checked_shl(self.failed_probes).unwrap_or(u64::MAX);
        let until = now + FIRST_PAUSE.times(doubled, LONGEST_PAUSE);
        self.turn(Phase::Open { until });
        vec![Effect::Opened]
    }

    fn close(&mut self) -> Vec<Effect> {
        self.failed_probes = 0;
        self.turn(Phase::Closed);
        vec![Effect::Closed]
    }

    fn turn(&mut self, phase: Phase) {
        self.phase = phase;
        self.epoch = self.epoch.wrapping_add(1);
        self.calls.clear();
        self.failures_in_a_row = 0;
    }

    fn count(&mut self, health: Health, now: Timestamp) {
        self.failures_in_a_row = match health {
            Health::Well => 0,
            Health::Ill => self.failures_in_a_row.saturating_add(1),
        };
        self.calls.push_back((now, health));
        let past = |(at, _): &(Timestamp, Health)| now.since(*at) >= WINDOW;
        while self.calls.len() > MOST_KEPT || self.calls.front().is_some_and(past) {
            self.calls.pop_front();
        }
    }

    fn is_ill(&self) -> bool {
        let ill = self.calls.iter().filter(|(_, health)| *health == Health::Ill).count();
        let half = self.calls.len() >= LEAST_CALLS && 2 * ill >= self.calls.len();
        half || self.failures_in_a_row >= IN_A_ROW
    }
}

/// The next breaker, and what comes of the command. For `Ask` that is exactly one of `Go` and `Stop`, after what changed on
/// the way.
pub fn step(mut breaker: Breaker, command: Command, now: Timestamp) -> (Breaker, Vec<Effect>) {
    let mut effects = Vec::new();
    if let Phase::HalfOpen { probe_ends } = breaker.phase
        && now >= probe_ends
    {
        breaker.failed_probes = breaker.failed_probes.saturating_add(1);
        effects.extend(breaker.open(now));
    }
    effects.extend(match command {
        Command::Ask => vec![asked(&mut breaker, now)],
        Command::Ended(leave, _) if leave.epoch != breaker.epoch => Vec::new(),
        Command::Ended(_, health) => ended(&mut breaker, health, now),
    });
    (breaker, effects)
}

fn asked(breaker: &mut Breaker, now: Timestamp) -> Effect {
    match breaker.phase {
        Phase::Closed => {}
        Phase::Open { until } if now >= until => {
            breaker.turn(Phase::HalfOpen { probe_ends: now + PROBE_LIFE });
        }
        Phase::Open { until } | Phase::HalfOpen { probe_ends: until } => {
            return Effect::Stop { until };
        }
    }
    Effect::Go(Leave { epoch: breaker.epoch })
}

fn ended(breaker: &mut Breaker, health: Health, now: Timestamp) -> Vec<Effect> {
    match (breaker.phase, health) {
        (Phase::Closed, _) => {
            breaker.count(health, now);
            if breaker.is_ill() { breaker.open(now) } else { Vec::new() }
        }
        (Phase::HalfOpen { .. }, Health::Well) => breaker.close(),
        (Phase::HalfOpen { .. }, Health::Ill) => {
            breaker.failed_probes = breaker.failed_probes.saturating_add(1);
            breaker.open(now)
        }
        // Nobody has leave in this epoch.
        (Phase::Open { .. }, _) => Vec::new(),
    }
}

#[cfg(test)]
mod tests;
