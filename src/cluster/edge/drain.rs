//! Giving stations away: sockets are closed a few at a time, so that the other nodes are not run over.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, sleep};

/// Sockets that are closed in a second at most.
const FASTEST: u32 = 200;
/// Sockets that are closed in a second at least.
const SLOWEST: u32 = 20;
/// Seconds over which sockets are closed, unless there are too many.
const SPREAD_SECONDS: u32 = 60;
/// How long a socket may wait for the answer to a call.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);
/// How often some are let go.
const STEP: Duration = Duration::from_millis(100);

/// Lets sockets go one after the other.
#[derive(Debug, Clone)]
pub(super) struct Drain {
    begun: Arc<watch::Sender<bool>>,
    turns: Arc<Semaphore>,
}

impl Default for Drain {
    fn default() -> Self {
        Self { begun: Arc::new(watch::Sender::new(false)), turns: Arc::new(Semaphore::new(0)) }
    }
}

impl Drain {
    /// Waits until a socket is to be closed.
    pub(super) async fn turn(&self) {
        let mut begun = self.begun.subscribe();
        if begun.wait_for(|begun| *begun).await.is_err() {
            std::future::pending::<()>().await;
        }
        if let Ok(turn) = self.turns.acquire().await {
            turn.forget();
        }
    }

    /// Lets all go that are open, which `open` counts.
    pub(super) async fn run(&self, open: impl Fn() -> u32) {
        self.begun.send_replace(true);
        let rate = rate(open());
        let until = Instant::now() + Duration::from_secs(u64::from(open().div_ceil(rate)));
        let mut owed = 0.0;
        while open() > 0 && Instant::now() < until {
            owed += f64::from(rate) * STEP.as_secs_f64();
            while owed >= 1.0 {
                self.turns.add_permits(1);
                owed -= 1.0;
            }
            sleep(STEP).await;
        }
        self.turns.close(); // whoever is still here goes now
        let until = Instant::now() + PATIENCE;
        while open() > 0 && Instant::now() < until {
            sleep(STEP).await;
        }
    }
}

/// Sockets a second: few are gone within seconds, and many within a minute.
fn rate(open: u32) -> u32 {
    open.div_ceil(SPREAD_SECONDS).clamp(SLOWEST, FASTEST)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[test]
    fn few_go_within_seconds_and_many_within_a_minute() {
        assert_eq!((rate(10), rate(3_000), rate(12_000), rate(100_000)), (20, 50, 200, 200));
    }

    #[tokio::test]
    async fn nobody_goes_before_it_begins_and_all_in_the_end() {
        let (drain, open) = (Drain::default(), Arc::new(AtomicU32::new(3)));
        let early = drain.clone();
        let early = tokio::spawn(async move { early.turn().await });
        tokio::task::yield_now().await;
        assert!(!early.is_finished());
        for _ in 0..2 {
            let (drain, open) = (drain.clone(), Arc::clone(&open));
            tokio::spawn(async move {
                drain.turn().await;
                open.fetch_sub(1, Ordering::Relaxed);
            });
        }
        let (counted, last) = (Arc::clone(&open), Arc::clone(&open));
        tokio::join!(drain.run(move || counted.load(Ordering::Relaxed)), async {
            early.await.expect("its turn came");
            last.fetch_sub(1, Ordering::Relaxed);
        });
        assert_eq!(open.load(Ordering::Relaxed), 0);
    }
}
