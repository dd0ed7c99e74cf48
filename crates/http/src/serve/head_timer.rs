//! The time that a request's head may take: one timer for a connection, wound up for each head. Must not outlive its runtime.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use hyper::rt::{Sleep, Timer};

/// The runtime's timer, in a place of its own in memory for as long as it counts.
type Clock = Pin<Box<tokio::time::Sleep>>;

/// Where the clock waits between two heads.
type Shelf = Arc<Mutex<Option<Clock>>>;

/// hyper asks for a new sleep with every head and throws it away with the head: to make one and to enter it among all
/// timers of the process costs as much as reading the head. This hands out the same one again.
#[derive(Default)]
pub(super) struct HeadTimer {
    shelf: Shelf,
}

impl Timer for HeadTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(Instant::now() + duration)
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        let deadline = deadline.into();
        let clock = match take(&self.shelf) {
            Some(mut clock) => {
                clock.as_mut().reset(deadline);
                clock
            }
            None => Box::pin(tokio::time::sleep_until(deadline)),
        };
        Box::pin(Borrowed { clock: Some(clock), shelf: Arc::clone(&self.shelf) })
    }
}

fn take(shelf: &Shelf) -> Option<Clock> {
    shelf.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// The clock while it counts; it goes back when this is dropped.
struct Borrowed {
    clock: Option<Clock>,
    shelf: Shelf,
}

impl Future for Borrowed {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        match &mut self.clock {
            Some(clock) => clock.as_mut().poll(context),
            None => Poll::Ready(()),
        }
    }
}

impl Sleep for Borrowed {}

impl Drop for Borrowed {
    fn drop(&mut self) {
        *self.shelf.lock().unwrap_or_else(PoisonError::into_inner) = self.clock.take();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_sleep_lasts_as_long_as_it_was_asked_to() {
        let timer = HeadTimer::default();
        let lasted = async |ms| {
            let began = Instant::now();
            timer.sleep(Duration::from_millis(ms)).await;
            began.elapsed()
        };
        assert!(lasted(40).await >= Duration::from_millis(40));
        drop(timer.sleep(Duration::from_secs(600)));
        assert!(lasted(20).await < Duration::from_secs(300), "a shorter one after a longer one");
        drop(timer.sleep(Duration::from_millis(1)));
        assert!(lasted(60).await >= Duration::from_millis(60), "a longer one after a shorter one");
    }

    #[tokio::test]
    async fn one_clock_is_kept_however_many_sleeps_there_are_at_a_time() {
        let timer = HeadTimer::default();
        let both = [timer.sleep(Duration::ZERO), timer.sleep(Duration::from_secs(600))];
        assert!(take(&timer.shelf).is_none(), "both count");
        drop(both);
        assert!(take(&timer.shelf).is_some());
        assert!(take(&timer.shelf).is_none());
    }
}
