//! What time it is, waits for it to pass, and ids that nobody else makes: the only place that reads the machine's clock or
//! draws by chance.
//!
//! The pure crates take `now` as an argument and ids from an [`IdSource`]; the shell holds a [`Clock`]; tests hold a
//! [`ManualClock`]. What waits for a socket, such as the timeout of a write, waits for the machine and not here.

pub mod chance;
mod manual;
#[cfg(test)]
mod manual_tests;
mod timer;

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use chrono::Utc;
use kernel::{IdSource, RawId, Timestamp, compose};

pub use manual::ManualClock;
pub use timer::{Ticks, Timer};

/// A wait that can be stored and passed around.
pub type Wait = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Shows the time, and waits. A trait because tests move the clock themselves.
pub trait Clock: Send + Sync {
    /// This instant.
    fn now(&self) -> Timestamp;

    /// What a task waits with, again and again.
    fn timer(&self) -> Timer;

    /// Waits once, until so much time has passed.
    fn sleep(&self, span: Duration) -> Wait {
        let mut timer = self.timer();
        timer.set(span);
        Box::pin(async move { timer.due().await })
    }

    /// Waits once, for this instant (see [`Timer::sleep_until`]).
    fn sleep_until(&self, instant: Timestamp) -> Wait {
        self.sleep(instant.since(self.now()))
    }

    /// Wakes a task at once, and then again and again after so much time.
    fn ticks(&self, period: Duration) -> Ticks {
        Ticks { timer: self.timer(), period, begun: false }
    }
}

/// The clock as it is passed around.
pub type SharedClock = Arc<dyn Clock>;

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    fn now(&self) -> Timestamp {
        Utc::now().into()
    }

    fn timer(&self) -> Timer {
        Timer::of_the_system()
    }
}

/// The production source: unique across processes by 5 random bytes drawn once.
#[derive(Debug)]
pub struct RandomIds {
    process: [u8; 5],
    counter: AtomicU32,
}

impl RandomIds {
    /// Draws the bytes that distinguish this process from others.
    pub fn new() -> Self {
        let start = u32::from_ne_bytes(chance::bytes()) & 0x7f_ffff;
        Self { process: chance::bytes(), counter: AtomicU32::new(start) }
    }
}

impl Default for RandomIds {
    fn default() -> Self {
        Self::new()
    }
}

impl IdSource for RandomIds {
    fn next_raw(&self, now: Timestamp) -> RawId {
        compose(now, self.process, self.counter.fetch_add(1, Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_made_later_sort_later_and_none_is_made_twice() {
        let ids = RandomIds::new();
        let now = Timestamp::from_unix_seconds(1_700_000_000);
        let made: Vec<RawId> = (0..1_000).map(|_| ids.next_raw(now)).collect();
        assert!(made.is_sorted() && made.windows(2).all(|pair| pair[0] != pair[1]));
        assert!(ids.next_raw(now + Duration::from_secs(1)) > made[999]);
    }
}
