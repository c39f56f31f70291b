//! What a task waits with. Waits are spans of time that passes: a step of the machine's clock neither shortens nor lengthens one.

use std::time::Duration;

use kernel::Timestamp;
use tokio::time::Instant;

use super::manual::Waiter;
use super::{Clock, SystemClock};

/// What a task waits with, again and again.
///
/// For a [`ManualClock`](super::ManualClock) the task that owns it is at work but while it awaits its timer.
#[derive(Debug)]
pub struct Timer(Kind);

#[derive(Debug)]
enum Kind {
    /// When it is due by the machine's monotonic clock; `None`: never.
    System(Option<Instant>),
    Manual(Waiter),
}

impl Timer {
    pub(super) const fn of_the_system() -> Self {
        Self(Kind::System(None))
    }

    pub(super) const fn of_a_test(waiter: Waiter) -> Self {
        Self(Kind::Manual(waiter))
    }

    /// It is due when so much time has passed.
    pub fn set(&mut self, span: Duration) {
        match &mut self.0 {
            Kind::System(due) => *due = Instant::now().checked_add(span),
            Kind::Manual(waiter) => waiter.set(Some(span)),
        }
    }

    /// It is never due, until it is set again.
    pub fn clear(&mut self) {
        match &mut self.0 {
            Kind::System(due) => *due = None,
            Kind::Manual(waiter) => waiter.set(None),
        }
    }

    /// Waits until it is due. Given up it may be awaited again, and then is due no later.
    pub async fn due(&mut self) {
        match &mut self.0 {
            Kind::System(Some(due)) => tokio::time::sleep_until(*due).await,
            Kind::System(None) => std::future::pending().await,
            Kind::Manual(waiter) => waiter.due().await,
        }
    }

    /// Waits until so much time has passed.
    pub async fn sleep(&mut self, span: Duration) {
        self.set(span);
        self.due().await;
    }

    /// Waits as long as it is until this instant by what the clock shows now. Where the clock is set meanwhile the wait ends
    /// earlier or later than the clock shows the instant: whoever waits for one looks at the clock again.
    pub async fn sleep_until(&mut self, instant: Timestamp) {
        let now = match &self.0 {
            Kind::System(_) => SystemClock.now(),
            Kind::Manual(waiter) => waiter.now(),
        };
        self.sleep(instant.since(now)).await;
    }
}

/// Wakes a task again and again. A tick that was missed is not made up for: the next one is a whole period after it was awaited.
#[derive(Debug)]
pub struct Ticks {
    pub(super) timer: Timer,
    pub(super) period: Duration,
    pub(super) begun: bool,
}

impl Ticks {
    /// Waits for the next tick; the first one comes at once. Given up it may be awaited again, and comes no later.
    pub async fn tick(&mut self) {
        if self.begun {
            self.timer.due().await;
        }
        self.begun = true;
        self.timer.set(self.period);
    }
}
