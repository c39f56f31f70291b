//! What a replay was worth: energy, fairness, messages, safety, speed.

use std::time::Duration;

use serde::Serialize;

use super::sessions::{PERIOD_SECONDS, Recorded};
use super::world::Outcome;

/// The figures of one replay. Satisfaction is the part of its energy that a session was given.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Metrics {
    /// How many sessions.
    pub sessions: usize,
    /// Energy of all sessions together, in percent of what they took when they were recorded.
    pub demand_met_pct: f64,
    /// Jain's index of the satisfactions: 1 when all are the same, 1/n when one has all.
    pub jain: f64,
    /// The satisfaction that one session in twenty does not reach.
    pub p05: f64,
    /// The lowest satisfaction.
    pub worst: f64,
    /// Limits that changed, each of them a message, in an hour of one connected car.
    pub limit_changes_per_ev_hour: f64,
    /// How often a session was started.
    pub starts_per_session: f64,
    /// Limits between zero and the minimum; must be 0.
    pub in_dead_band: u64,
    /// Plans that gave more than there was; must be 0.
    pub over_capacity: u64,
    /// Microseconds that a plan took.
    pub plan_us_mean: f64,
    /// Microseconds that one plan in a hundred exceeded.
    pub plan_us_p99: f64,
}

impl Metrics {
    pub(super) fn of(record: &[Recorded], outcome: &Outcome) -> Self {
        let wanted: i64 = record.iter().map(|one| one.energy).sum();
        let given: i64 = outcome.fates.iter().map(|fate| fate.delivered).sum();
        let mut satisfied: Vec<f64> =
            record.iter().zip(&outcome.fates).map(|(recorded, fate)| part(fate.delivered, recorded.energy)).collect();
        satisfied.sort_by(f64::total_cmp);
        let sum: f64 = satisfied.iter().sum();
        let squares: f64 = satisfied.iter().map(|one| one * one).sum();
        let count = as_f64(record.len());
        let connected: i64 = record.iter().map(|one| one.departure - one.arrival).sum();
        let changes: u64 = outcome.fates.iter().map(|fate| u64::from(fate.changes)).sum();
        let starts: u64 = outcome.fates.iter().map(|fate| u64::from(fate.starts)).sum();
        let mut times: Vec<f64> = outcome.plan_times.iter().map(micros).collect();
        times.sort_by(f64::total_cmp);
        Self {
            sessions: record.len(),
            demand_met_pct: 100.0 * part(given, wanted),
            jain: if squares > 0.0 { sum * sum / (count * squares) } else { 0.0 },
            p05: quantile(&satisfied, 0.05),
            worst: quantile(&satisfied, 0.0),
            limit_changes_per_ev_hour: ratio(changes, connected) * 3_600.0 / as_f64(PERIOD_SECONDS),
            starts_per_session: ratio(starts, record.len()),
            in_dead_band: outcome.in_dead_band,
            over_capacity: outcome.over_capacity,
            plan_us_mean: times.iter().sum::<f64>() / as_f64(times.len().max(1)),
            plan_us_p99: quantile(&times, 0.99),
        }
    }
}

/// Whoever wanted nothing got all of it.
fn part(given: i64, wanted: i64) -> f64 {
    if wanted > 0 { as_f64(given) / as_f64(wanted) } else { 1.0 }
}

fn ratio<C, P>(counted: C, per: P) -> f64
where
    C: TryInto<u64>,
    P: TryInto<u64>,
{
    as_f64(counted) / as_f64(per).max(1.0)
}

/// Between the two neighbours where it falls between them; the list is sorted.
fn quantile(sorted: &[f64], part: f64) -> f64 {
    let at = part * (as_f64(sorted.len()) - 1.0).max(0.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index of the list")]
    let below = at.floor() as usize;
    let (Some(low), high) = (sorted.get(below), sorted.get(below + 1)) else {
        return 0.0;
    };
    low + (high.unwrap_or(low) - low) * at.fract()
}

fn micros(time: &Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn as_f64(count: impl TryInto<u64>) -> f64 {
    count.try_into().unwrap_or_default() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_between_their_neighbours() {
        assert_eq!(quantile(&[1.0, 2.0, 4.0], 0.5), 2.0);
        assert_eq!(quantile(&[1.0, 2.0, 4.0], 0.75), 3.0);
        assert_eq!(quantile(&[1.0, 2.0], 1.0), 2.0);
        assert_eq!(quantile(&[], 0.5), 0.0);
    }
}
