//! One job, from its first call to advice or none: tries, one repair, and the next provider where one fails. Must not wait or
//! call by itself: it says what is to be done.

use super::refusal::{Fault, Refusal, Rung};
use crate::time::{Millis, Timestamp};

/// A job is over after so long, whatever it waits for.
pub const JOB_LIFE: Millis = Millis::seconds(20);
/// A provider is called so often at most, repairs apart.
pub const MOST_TRIES: u32 = 3;
/// The longest first wait; it doubles with each try.
const FIRST_WAIT: Millis = Millis::new(250);
/// Less time than this is not worth a call.
const LEAST_CALL: Millis = Millis::new(500);

/// A job under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asking {
    providers: usize,
    /// When it is over, whatever it waits for.
    ends: Timestamp,
    /// The provider's place in the order of the settings.
    at: usize,
    /// When its turn is over: what a provider leaves unused is the next one's.
    turn_ends: Timestamp,
    tries: u32,
    repaired: bool,
    /// What the next call repairs.
    repairs: Option<Rung>,
    /// The last refusal.
    last: Option<Refusal>,
    /// The earliest moment at which a provider said that it would answer again.
    back: Option<Timestamp>,
    over: bool,
}

/// What happens to a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// It begins, or a wait is over.
    Go,
    /// The provider may not be called now: its breaker is open until then, or there is no money or no price for it.
    Barred(Option<Timestamp>),
    /// The ladder passed the answer.
    Passed,
    /// It refused the answer.
    Refused {
        /// What is wrong.
        refusal: Refusal,
        /// The pause that the provider asks for.
        retry_after: Option<Millis>,
        /// 32 random bits, for the length of the wait.
        draw: u32,
    },
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Call this provider, if breaker and budget let it.
    Call {
        /// Its place in the order of the settings.
        provider: usize,
        /// The code of the last refusal, to be told to the model, where this call is the repair.
        repair: Option<Rung>,
        /// Give up the call after so long.
        within: Millis,
    },
    /// Say `Go` after so long.
    Wait(Millis),
    /// Advice has arrived from this provider.
    Done {
        /// Its place in the order of the settings.
        provider: usize,
    },
    /// There is none. What stands in for it: the last good advice, else the parent's, else nothing.
    GaveUp {
        /// The last refusal; `None` where no provider could be called.
        last: Option<Refusal>,
        /// Not to be tried before, where a provider said so.
        not_before: Option<Timestamp>,
    },
}

impl Asking {
    /// A job for so many providers.
    pub fn new(providers: usize, now: Timestamp) -> Self {
        Self::within(JOB_LIFE, providers, now)
    }

    /// A job that is over after that time, for what nobody serves meanwhile.
    pub fn within(life: Millis, providers: usize, now: Timestamp) -> Self {
        let mut asking = Self {
            providers,
            ends: now + life,
            at: 0,
            turn_ends: now,
            tries: 0,
            repaired: false,
            repairs: None,
            last: None,
            back: None,
            over: false,
        };
        asking.begin_turn(now);
        asking
    }

    fn left(&self, now: Timestamp) -> Millis {
        self.ends.since(now)
    }

    /// An even part of the job's time for each provider that is left, so that one that hangs does not cost the others
    /// theirs.
    fn begin_turn(&mut self, now: Timestamp) {
        let left = self.providers.saturating_sub(self.at).max(1) as u64;
        self.turn_ends = now + Millis::new(self.left(now).get() / left);
    }

    /// The call that is next, or the end.
    fn call(&mut self, now: Timestamp) -> Effect {
        if self.at >= self.providers || self.left(now) < LEAST_CALL {
            return self.give_up();
        }
        let within = self.turn_ends.since(now);
        if within < LEAST_CALL {
            return self.next_provider(now);
        }
        Effect::Call { provider: self.at, repair: self.repairs.take(), within }
    }

    fn next_provider(&mut self, now: Timestamp) -> Effect {
        self.at += 1;
        self.tries = 0;
        self.repairs = None;
        self.begin_turn(now);
        self.call(now)
    }

    fn give_up(&mut self) -> Effect {
        self.over = true;
        Effect::GaveUp { last: self.last.take(), not_before: self.back }
    }

    fn comes_back(&mut self, at: Timestamp) {
        self.back = Some(self.back.map_or(at, |known| known.min(at)));
    }

    fn refused(
        &mut self,
        fault: Fault,
        retry_after: Option<Millis>,
        draw: u32,
        now: Timestamp,
    ) -> Effect {
        if let Some(pause) = retry_after {
            self.comes_back(now + pause);
        }
        match fault {
            Fault::Transport(transport) if transport.is_retryable() => {
                self.try_again(retry_after, draw, now)
            }
            fault if fault.rung().is_repairable() && !self.repaired => {
                self.repaired = true;
                self.repairs = Some(fault.rung());
                self.call(now)
            }
            _ => self.next_provider(now),
        }
    }

    /// Waits as long as the provider asks for, and never less; else for a random part of a growing bound. Where that is
    /// longer than its turn, another provider may do.
    fn try_again(&mut self, retry_after: Option<Millis>, draw: u32, now: Timestamp) -> Effect {
        let bound = FIRST_WAIT.get() << self.tries.min(8);
        self.tries += 1;
        let jitter = Millis::new((bound * u64::from(draw)) >> 32);
        let wait = retry_after.map_or(jitter, |asked| asked.max(jitter));
        let left = self.turn_ends.since(now).get().saturating_sub(LEAST_CALL.get());
        if self.tries >= MOST_TRIES || wait.get() > left {
            return self.next_provider(now);
        }
        Effect::Wait(wait)
    }
}

/// The job after that, and what is to be done. A job that is over asks for nothing more.
pub fn step(mut asking: Asking, command: Command, now: Timestamp) -> (Asking, Option<Effect>) {
    if asking.over {
        return (asking, None);
    }
    let effect = match command {
        Command::Go => asking.call(now),
        Command::Barred(until) => {
            if let Some(until) = until {
                asking.comes_back(until);
            }
            asking.next_provider(now)
        }
        Command::Passed => {
            asking.over = true;
            Effect::Done { provider: asking.at }
        }
        Command::Refused { refusal, retry_after, draw } => {
            let fault = refusal.fault;
            asking.last = Some(refusal);
            asking.refused(fault, retry_after, draw, now)
        }
    };
    (asking, Some(effect))
}

#[cfg(test)]
mod tests;
