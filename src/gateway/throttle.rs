//! How much one station may say: a bucket of tokens for its messages and one for its connections, kept while it comes and goes.
//!
//! A message without a token waits for one, and with it all that the station says next: its socket is not read meanwhile. A station
//! that keeps on for longer than [`Limits::patience`] is refused: each call is answered with a CALLERROR, and nothing is stored,
//! until it was quiet enough for half a bucket. What belongs to a transaction only ever waits: stations repeat it until
//! it is accepted, and a queue of days offline must arrive.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use kernel::StationId;

/// How often a flood is reported at most.
const REPORTED_EVERY: Duration = Duration::from_secs(60);
/// How long a connection waits before it is refused.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// Stations that are remembered before those that have been quiet are looked for.
const TIDY_AT: usize = 1_000;

/// How much a station may say; documented in `default.toml`.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Messages a second, on average.
    pub messages_per_second: NonZeroU32,
    /// Messages at once.
    pub messages_burst: NonZeroU32,
    /// Connections a minute, on average.
    pub connects_per_minute: NonZeroU32,
    /// Connections at once.
    pub connects_burst: NonZeroU32,
    /// How long messages only wait before they are refused.
    pub patience: Duration,
}

/// Tokens that come back with time.
#[derive(Debug)]
struct Bucket {
    tokens: f64,
    most: f64,
    per_second: f64,
    looked: Instant,
}

impl Bucket {
    fn full(most: u32, per_second: f64, now: Instant) -> Self {
        let most = f64::from(most);
        Self { tokens: most, most, per_second, looked: now }
    }

    fn fill(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.looked).as_secs_f64();
        self.tokens = (self.tokens + passed * self.per_second).min(self.most);
        self.looked = now;
    }

    /// Takes a token, which may be one that is still to come: how long until then.
    fn take(&mut self, now: Instant) -> Duration {
        self.fill(now);
        self.tokens -= 1.0;
        Duration::from_secs_f64((-self.tokens).max(0.0) / self.per_second)
    }

    fn give_back(&mut self) {
        self.tokens += 1.0;
    }
}

/// What becomes of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// How long it waits.
    pub wait: Duration,
    /// Whether it is refused then.
    pub refused: bool,
}

/// What one station did lately.
#[derive(Debug)]
struct Station {
    messages: Bucket,
    connects: Bucket,
    /// Since when it has been waiting without a break.
    waiting_since: Option<Instant>,
    is_refused: bool,
    /// What was throttled since it was last reported.
    waited: u64,
    refused: u64,
    reported: Option<Instant>,
}

impl Station {
    fn new(limits: &Limits, now: Instant) -> Self {
        let connects = f64::from(limits.connects_per_minute.get()) / 60.0;
        let messages = f64::from(limits.messages_per_second.get());
        Self {
            messages: Bucket::full(limits.messages_burst.get(), messages, now),
            connects: Bucket::full(limits.connects_burst.get(), connects, now),
            waiting_since: None,
            is_refused: false,
            waited: 0,
            refused: 0,
            reported: None,
        }
    }

    fn message(&mut self, must_arrive: bool, limits: &Limits, now: Instant) -> Verdict {
        let wait = self.messages.take(now);
        if wait.is_zero() {
            self.waiting_since = None;
            self.is_refused &= self.messages.tokens < self.messages.most / 2.0;
        } else {
            let since = *self.waiting_since.get_or_insert(now);
            self.is_refused |= now.duration_since(since) >= limits.patience;
            self.waited += 1;
        }
        let refused = self.is_refused && !must_arrive;
        self.refused += u64::from(refused);
        Verdict { wait, refused }
    }

    fn connect(&mut self, now: Instant) -> Result<Duration, Duration> {
        let wait = self.connects.take(now);
        if wait.is_zero() {
            return Ok(wait);
        }
        self.waited += 1;
        if wait <= CONNECT_WITHIN {
            return Ok(wait);
        }
        self.connects.give_back();
        self.refused += 1;
        Err(wait)
    }

    /// What was throttled, where it is time to report it.
    fn unreported(&mut self, now: Instant) -> Option<Throttled> {
        let is_due = self.reported.is_none_or(|reported| now.duration_since(reported) >= REPORTED_EVERY);
        if self.waited + self.refused == 0 || !is_due {
            return None;
        }
        self.reported = Some(now);
        let (waited, refused) = (std::mem::take(&mut self.waited), std::mem::take(&mut self.refused));
        Some(Throttled { waited, refused })
    }

    fn is_quiet(&mut self, now: Instant) -> bool {
        self.messages.fill(now);
        self.connects.fill(now);
        let is_full = |bucket: &Bucket| bucket.tokens >= bucket.most;
        is_full(&self.messages) && is_full(&self.connects) && self.waited + self.refused == 0
    }
}

/// How much was throttled of what one station sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Throttled {
    /// Messages and connections that had to wait.
    pub waited: u64,
    /// Messages and connections that were refused.
    pub refused: u64,
}

/// The buckets of all stations; cheap to clone.
#[derive(Debug, Clone)]
pub struct Throttle {
    limits: Limits,
    stations: Arc<Mutex<HashMap<StationId, Station>>>,
}

impl Throttle {
    /// Full buckets for everybody.
    pub fn new(limits: Limits) -> Self {
        Self { limits, stations: Arc::default() }
    }

    fn stations(&self) -> MutexGuard<'_, HashMap<StationId, Station>> {
        self.stations.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(&self, id: StationId, now: Instant, work: impl FnOnce(&mut Station) -> T) -> T {
        let mut stations = self.stations();
        if stations.len() >= TIDY_AT && stations.len().is_power_of_two() && !stations.contains_key(&id) {
            stations.retain(|_, station| !station.is_quiet(now));
        }
        work(stations.entry(id).or_insert_with(|| Station::new(&self.limits, now)))
    }

    /// A message came; `must_arrive` where it belongs to a transaction.
    pub fn message(&self, id: StationId, must_arrive: bool, now: Instant) -> (Verdict, Option<Throttled>) {
        self.with(id, now, |station| {
            let verdict = station.message(must_arrive, &self.limits, now);
            (verdict, station.unreported(now))
        })
    }

    /// A station connects: how long it waits for that, or how long it should stay away.
    pub fn connect(&self, id: StationId, now: Instant) -> (Result<Duration, Duration>, Option<Throttled>) {
        self.with(id, now, |station| (station.connect(now), station.unreported(now)))
    }
}

/// Whether a message belongs to a transaction, in any version: a station repeats it until it is accepted.
pub fn must_arrive(action: &str) -> bool {
    matches!(action, "StartTransaction" | "StopTransaction" | "MeterValues" | "TransactionEvent")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(value: u32) -> NonZeroU32 {
        NonZeroU32::new(value).expect("not zero")
    }

    fn throttle() -> Throttle {
        Throttle::new(Limits {
            messages_per_second: number(10),
            messages_burst: number(100),
            connects_per_minute: number(60),
            connects_burst: number(5),
            patience: Duration::from_secs(10),
        })
    }

    const STATION: fn() -> StationId = || kernel::RawId::from_bytes([1; 12]).into();

    #[test]
    fn a_burst_passes_then_each_waits_for_its_token() {
        let (throttle, now) = (throttle(), Instant::now());
        let wait = || throttle.message(STATION(), false, now).0.wait.as_millis();
        assert!((0..100).all(|_| wait() == 0));
        assert_eq!((wait(), wait(), wait()), (100, 200, 300));
    }

    #[test]
    fn who_goes_on_is_refused_but_for_transactions_until_quiet() {
        let (throttle, start) = (throttle(), Instant::now());
        let say = |seconds: u64, must| {
            let now = start + Duration::from_secs(seconds);
            throttle.message(STATION(), must, now).0.refused
        };
        assert!((0..250).all(|_| !say(0, false)), "a burst, then waiting");
        assert!(!say(9, false));
        assert!(say(10, false), "ten seconds of waiting are over");
        assert!(!say(10, true), "a transaction only waits");
        assert!(say(16, false), "a token is there, but not half a bucket");
        assert!(!say(40, false), "quiet for long enough");
    }

    #[test]
    fn a_flood_is_reported_once_a_minute_with_its_count() {
        let (throttle, start) = (throttle(), Instant::now());
        let reported = |millis: u64| throttle.message(STATION(), false, start + Duration::from_millis(millis)).1;
        let first: Vec<Throttled> = (0..200).filter_map(|_| reported(0)).collect();
        assert_eq!(first, [Throttled { waited: 1, refused: 0 }]);
        let later: Vec<Throttled> = (0..10).filter_map(|_| reported(60_000)).collect();
        assert_eq!(later, [Throttled { waited: 99, refused: 0 }], "60 s gave back the 100 tokens of debt and 500 more");
    }

    #[test]
    fn connections_wait_and_then_are_refused() {
        let (throttle, now) = (throttle(), Instant::now());
        let connect = || throttle.connect(STATION(), now).0;
        assert!((0..5).all(|_| connect() == Ok(Duration::ZERO)));
        let waits: Vec<_> = (0..5).map(|_| connect()).collect();
        assert_eq!(waits, [1, 2, 3, 4, 5].map(|seconds| Ok(Duration::from_secs(seconds))));
        assert_eq!(connect(), Err(Duration::from_secs(6)));
        assert_eq!(connect(), Err(Duration::from_secs(6)), "a refused one takes no token");
    }
}
