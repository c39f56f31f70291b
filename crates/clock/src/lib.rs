//! What time it is, and ids that nobody else makes: the only place that reads the machine's clock or draws by chance.
//!
//! The pure crates take `now` as an argument and ids from an [`IdSource`]; the shell holds a [`Clock`]; tests hold a
//! [`ManualClock`].

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::time::Duration;

use chrono::Utc;
use kernel::{IdSource, RawId, Timestamp, compose};

/// Shows the time. A trait because tests move the clock themselves.
pub trait Clock: Send + Sync {
    /// This instant.
    fn now(&self) -> Timestamp;
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
}

/// A clock that stands still until a test moves it.
#[derive(Debug, Clone)]
pub struct ManualClock(Arc<AtomicI64>);

impl ManualClock {
    /// A clock that shows this instant.
    pub fn at(start: Timestamp) -> Self {
        Self(Arc::new(AtomicI64::new(start.micros())))
    }
    /// Moves it forward.
    pub fn advance(&self, span: Duration) {
        self.0.fetch_add(i64::try_from(span.as_micros()).unwrap_or(0), Ordering::SeqCst);
    }
    /// Sets it, also backwards.
    pub fn set(&self, to: Timestamp) {
        self.0.store(to.micros(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
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
        Self { process: rand::random(), counter: AtomicU32::new(rand::random::<u32>() & 0x7f_ffff) }
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
