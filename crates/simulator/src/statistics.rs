//! How long answers take and how often they fail, counted so cheaply that counting does not slow a load test.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Buckets between two powers of two: every latency is known to 6 %.
const STEPS: u64 = 16;
/// Powers of two that are distinguished: up to 2^36 µs, 19 hours.
const POWERS: u64 = 36;

/// Latencies of one kind of call, in buckets that grow with them.
#[derive(Debug, Clone)]
pub struct Histogram {
    buckets: Vec<u64>,
    count: u64,
    longest: Duration,
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            buckets: vec![0; usize::try_from(STEPS * (POWERS + 1)).unwrap_or_default()],
            count: 0,
            longest: Duration::ZERO,
        }
    }
}

impl Histogram {
    /// Counts one.
    pub fn add(&mut self, took: Duration) {
        let place = bucket_of(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
        let place = place.min(self.buckets.len().saturating_sub(1));
        if let Some(bucket) = self.buckets.get_mut(place) {
            *bucket += 1;
        }
        self.count += 1;
        self.longest = self.longest.max(took);
    }

    /// How many were counted.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The longest.
    pub const fn longest(&self) -> Duration {
        self.longest
    }

    /// The latency that this share of them, in percent, did not exceed.
    pub fn percentile(&self, percent: u64) -> Duration {
        let rank = (self.count * percent).div_ceil(100).max(1);
        let mut seen = 0;
        for (place, count) in self.buckets.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return Duration::from_micros(end_of(place)).min(self.longest);
            }
        }
        self.longest
    }

    /// Adds all of another one.
    pub fn merge(&mut self, other: &Self) {
        for (to, from) in self.buckets.iter_mut().zip(&other.buckets) {
            *to += from;
        }
        self.count += other.count;
        self.longest = self.longest.max(other.longest);
    }
}

/// Up to 16 µs each microsecond has its bucket, above that each power of two has 16.
fn bucket_of(micros: u64) -> usize {
    let power = u64::from(micros.max(1).ilog2());
    let place = match power.checked_sub(u64::from(STEPS.ilog2())) {
        None => micros,
        Some(shift) => (shift + 1) * STEPS + ((micros >> shift) - STEPS),
    };
    usize::try_from(place).unwrap_or(usize::MAX)
}

/// The longest latency, in microseconds, that falls into a bucket.
fn end_of(place: usize) -> u64 {
    let place = place as u64;
    match (place / STEPS).checked_sub(1) {
        None => place,
        Some(shift) => ((place % STEPS + STEPS + 1) << shift) - 1,
    }
}

/// What is known of one action.
#[derive(Debug, Clone, Default)]
pub struct ActionStatistics {
    /// Latencies of the answers.
    pub latency: Histogram,
    /// Calls without a result.
    pub failures: u64,
}

/// What a fleet saw so far.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    /// By action.
    pub actions: BTreeMap<&'static str, ActionStatistics>,
    /// Latencies of connecting, up to the finished handshake.
    pub connects: Histogram,
    /// Attempts to connect that failed.
    pub failed_connects: u64,
    /// Why the last one failed.
    pub last_failure: Option<String>,
    /// Connections that ended.
    pub disconnects: u64,
    /// Calls of the server that were answered, by action.
    pub obeyed: BTreeMap<String, u64>,
}

impl Summary {
    /// How many calls were answered.
    pub fn calls(&self) -> u64 {
        self.actions.values().map(|one| one.latency.count()).sum()
    }

    /// All actions together.
    pub fn total(&self) -> ActionStatistics {
        let mut total = ActionStatistics::default();
        for one in self.actions.values() {
            total.latency.merge(&one.latency);
            total.failures += one.failures;
        }
        total
    }
}

/// Where all stations of a fleet count.
#[derive(Debug, Default)]
pub struct Statistics(Mutex<Summary>);

impl Statistics {
    fn with<T>(&self, change: impl FnOnce(&mut Summary) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What was counted so far.
    pub fn summary(&self) -> Summary {
        self.with(|summary| summary.clone())
    }

    /// What was counted since the last time; counting begins again.
    pub fn take(&self) -> Summary {
        self.with(std::mem::take)
    }

    /// How many calls are over, those that failed included.
    pub fn calls(&self) -> u64 {
        self.with(|summary| summary.calls() + summary.actions.values().map(|one| one.failures).sum::<u64>())
    }

    /// Counts a call that is over.
    pub fn called(&self, action: &'static str, took: Duration, fine: bool) {
        self.with(|summary| {
            let one = summary.actions.entry(action).or_default();
            if fine {
                one.latency.add(took);
            } else {
                one.failures += 1;
            }
        });
    }

    /// Counts a call of the server.
    pub fn obeyed(&self, action: String) {
        self.with(|summary| *summary.obeyed.entry(action).or_default() += 1);
    }

    /// Counts a connection that was opened.
    pub fn connected(&self, took: Duration) {
        self.with(|summary| summary.connects.add(took));
    }

    /// Counts an attempt that failed.
    pub fn connect_failed(&self, why: String) {
        self.with(|summary| {
            summary.failed_connects += 1;
            summary.last_failure = Some(why);
        });
    }

    /// Counts a connection that ended.
    pub fn disconnected(&self) {
        self.with(|summary| summary.disconnects += 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_right_to_six_percent() {
        let mut histogram = Histogram::default();
        for micros in 1..=10_000 {
            histogram.add(Duration::from_micros(micros));
        }
        for percent in [1, 50, 99] {
            let (seen, exact) = (histogram.percentile(percent).as_micros(), percent * 100);
            let exact = u128::from(exact);
            assert!(seen >= exact && seen * 100 <= exact * 107, "{percent}: {seen}");
        }
        assert_eq!(histogram.percentile(100), Duration::from_micros(10_000));
    }

    #[test]
    fn every_latency_lies_within_its_bucket() {
        for micros in (0..5_000).chain([1 << 20, u64::MAX >> 30]) {
            let place = bucket_of(micros);
            assert!(micros <= end_of(place));
            assert!(place == 0 || micros > end_of(place - 1), "{micros}");
        }
    }
}
