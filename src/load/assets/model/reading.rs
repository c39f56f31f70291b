//! A reading in integer units, and what the times of readings teach.

use std::time::Duration;

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::clock::MeterClock;
use super::peaks::Peaks;
use crate::http::quantities::shown;
use crate::store::Json;
use crate::store::schema::assets;
use kernel::*;

/// Data is never stale sooner than this after a reading.
const SHORTEST_FRESHNESS: Duration = Duration::from_secs(60);
/// Usual spacings that have to pass without a reading until data is stale.
const SPACINGS: u64 = 3;
/// The longest spacing that is learnt: the quarter of an hour of billing meters. A gap of days teaches nothing.
const LONGEST_INTERVAL: i64 = 900;
/// A spacing up to this is believed at once; a longer one counts as twice what was known at most, so that one outage
/// does not keep old data fresh.
const BELIEVED_INTERVAL: i64 = 60;

/// What an asset measured at one instant, in integer units. Signs are those of the asset's type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// When it was measured, by the meter's clock.
    pub at: Timestamp,
    /// The power of all phases together.
    pub power: Watts,
    /// The power of each phase, where known; of one phase, or DC, the first.
    pub phase_power: [Option<Watts>; 3],
    /// The current of each phase, where known.
    pub current: [Option<Milliamps>; 3],
    /// The voltage of each phase to neutral, where known.
    pub voltage: [Option<Millivolts>; 3],
    /// The energy register.
    pub energy: Option<WattHours>,
}

/// What readings showed of an asset. They are no change of the asset, so its version stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = assets, treat_none_as_null = true)]
pub struct Measured {
    /// The latest reading.
    pub latest: Option<Json<Reading>>,
    /// When it was measured by our clock; never after it came.
    pub latest_at: Option<Timestamp>,
    /// From then on the data is stale.
    pub fresh_until: Option<Timestamp>,
    /// How far apart readings usually are.
    pub interval_seconds: Option<i64>,
    /// When `asset.reading.created` was last reported.
    pub reported_at: Option<Timestamp>,
    /// When the latest reading was received.
    pub received_at: Option<Timestamp>,
    /// The highest loads of its last days, of smart meters; noted by balancing, which knows what the chargers drew of them.
    pub peaks: Option<Json<Peaks>>,
    /// What its meter's clock is known to be behind.
    pub meter_clock: Option<Json<MeterClock>>,
    /// What was refused since its latest reading, because no hardware gives it.
    pub refused: Option<Json<RefusedReading>>,
}

impl Measured {
    /// Learns from when the latest reading of a request came; answers whether anything was new.
    pub fn hear(&mut self, at: Timestamp, now: Timestamp) -> bool {
        let mut clock = self.clock();
        clock.hear(at, now);
        let known = self.clock();
        if clock == known {
            return false;
        }
        if clock.behind() > known.behind()
            && let (Some(Json(latest)), Some(received_at)) = (&self.latest, self.received_at)
        {
            // The reading before came live, too.
            self.latest_at = self.latest_at.max(Some(clock.ours(latest.at, received_at)));
        }
        self.meter_clock = Some(Json(clock));
        true
    }

    fn clock(&self) -> MeterClock {
        let known = self.meter_clock.as_ref();
        known.map(|clock| clock.0.clone()).unwrap_or_default()
    }

    /// How far its meter's clock is ahead of ours, negative where it is behind, by what its readings showed.
    pub fn clock_offset_seconds(&self) -> Option<i64> {
        let (latest, received_at) = (&self.latest.as_ref()?.0, self.received_at?);
        let behind = i64::try_from(self.clock().behind().as_secs()).unwrap_or(i64::MAX);
        Some(latest.at.seconds_since(received_at).max(-behind))
    }

    /// Keeps a reading that no hardware gives as refused, unless a later one is known.
    pub fn refuse(&mut self, refused: RefusedReading) -> bool {
        let latest = self.latest.as_ref();
        let is_latest = latest.is_none_or(|latest| refused.at >= latest.0.at);
        if is_latest {
            self.refused = Some(Json(refused));
        }
        is_latest
    }

    /// Takes in a reading; false when a later one is known. One that lies ahead counts as measured when it came: a wrong
    /// clock makes nothing fresh for longer.
    pub fn follow(&mut self, reading: &Reading, now: Timestamp) -> bool {
        let counted = self.clock().ours(reading.at, now);
        if let Some(latest_at) = self.latest_at {
            if counted < latest_at {
                return false;
            }
            self.interval_seconds = learn(self.interval_seconds, counted.since(latest_at));
        }
        self.latest = Some(Json(reading.clone()));
        self.latest_at = Some(counted);
        self.received_at = Some(now);
        self.refused = None;
        self.fresh_until = Some(counted + freshness(self.interval_seconds));
        true
    }
}

/// A moving estimate of the spacing of readings: a quarter of each new one.
fn learn(known: Option<i64>, gap: Duration) -> Option<i64> {
    let gap = i64::try_from(gap.as_millis().div_ceil(1_000)).unwrap_or(i64::MAX);
    if gap == 0 {
        return known; // two that came together say nothing
    }
    let believed = known.map_or(BELIEVED_INTERVAL, |known| BELIEVED_INTERVAL.max(2 * known)).min(LONGEST_INTERVAL);
    let gap = gap.min(believed);
    let next = known.map_or(gap, |known| known + (gap - known).signum() * step(gap - known));
    Some(next.clamp(1, LONGEST_INTERVAL))
}

/// A quarter, rounded up, so that it never stands still short of the gap.
fn step(difference: i64) -> i64 {
    (difference.abs() + 3) / 4
}

/// How long a reading stays fresh.
fn freshness(interval_seconds: Option<i64>) -> Duration {
    let interval = u64::try_from(interval_seconds.unwrap_or(0)).unwrap_or(0);
    SHORTEST_FRESHNESS.max(Duration::from_secs(SPACINGS * interval))
}

/// The last reading of an asset that was refused because no hardware gives it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RefusedReading {
    /// When it was measured, by the meter's clock.
    pub at: Timestamp,
    /// Which of its fields.
    #[schema(example = "power")]
    pub field: String,
    /// What it says, what can be, and what would be right.
    pub message: String,
}

/// A reading as clients see it; or, where a resolution was asked for, the readings of one span.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct ReadingView {
    /// When it was measured, by the meter's clock; or the beginning of the span.
    pub at: Timestamp,
    /// The power of all phases together, in kW; or its mean. Signs are those of the asset's type.
    pub power: f64,
    /// The lowest power of the span, in kW.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minimum_power: Option<f64>,
    /// The highest power of the span, in kW.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maximum_power: Option<f64>,
    /// How many readings the span has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub readings: Option<i64>,
    /// The power of each phase, in kW; of one phase, or DC, the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase_power: Option<Vec<Option<f64>>>,
    /// The current of each phase, in A.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current: Option<Vec<Option<f64>>>,
    /// The voltage of each phase to neutral, in V.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub voltage: Option<Vec<Option<f64>>>,
    /// The energy register, in Wh.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub energy: Option<i64>,
}

impl From<Reading> for ReadingView {
    fn from(reading: Reading) -> Self {
        fn each(phases: [Option<i64>; 3]) -> Option<Vec<Option<f64>>> {
            let known = phases.iter().any(Option::is_some);
            known.then(|| phases.map(|one| one.map(shown)).to_vec())
        }
        let Reading { at, power, phase_power, current, voltage, energy } = reading;
        Self {
            at,
            power: power.kilowatts(),
            minimum_power: None,
            maximum_power: None,
            readings: None,
            phase_power: each(phase_power.map(|one| one.map(Watts::get))),
            current: each(current.map(|one| one.map(Milliamps::get))),
            voltage: each(voltage.map(|one| one.map(Millivolts::get))),
            energy: energy.map(WattHours::get),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn the_usual_spacing_is_learnt() {
        let mut known = None;
        for _ in 0..20 {
            known = learn(known, seconds(10));
        }
        assert_eq!(known, Some(10));
        for _ in 0..40 {
            known = learn(known, seconds(300));
        }
        assert_eq!(known, Some(300));
        for _ in 0..40 {
            known = learn(known, seconds(2));
        }
        assert_eq!(known, Some(2));
    }

    #[test]
    fn an_outage_of_days_keeps_nothing_fresh_for_hours() {
        let known = learn(Some(10), seconds(3 * 24 * 3_600));
        assert!(freshness(known) <= seconds(90), "{known:?}");
        let mut known = None;
        for _ in 0..100 {
            known = learn(known, seconds(24 * 3_600));
        }
        assert_eq!(freshness(known), seconds(2_700));
    }

    #[test]
    fn readings_at_one_instant_teach_nothing() {
        assert_eq!(learn(Some(7), Duration::ZERO), Some(7));
        assert_eq!(freshness(None), SHORTEST_FRESHNESS);
    }
}
