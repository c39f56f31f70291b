//! What a group drew over time: meter values averaged over equal spans, summed over its members.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::charging::sessions;
use crate::load::groups;
use crate::store::{Conn, StoreResult};
use kernel::*;

/// Readings one answer is made of at most; later ones are left out.
const MOST_READINGS: usize = 200_000;

/// What a group drew in one span.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct PowerView {
    /// The beginning of the span.
    pub at: Timestamp,
    /// The sum of its members' average draws, in kW.
    pub power: f64,
    /// How many of them had readings.
    pub members: usize,
}

/// The stretch of time that is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stretch {
    pub from: Timestamp,
    pub to: Timestamp,
    /// The length of one span.
    pub seconds: i64,
}

/// What everything below a group drew.
pub(super) fn series(conn: &mut Conn, group: GroupId, stretch: Stretch) -> StoreResult<Vec<PowerView>> {
    let tree: Vec<GroupId> = groups::tree_of(conn, group)?.iter().map(|group| group.id).collect();
    let members: Vec<ConnectorId> = groups::members_of(conn, &tree)?.iter().map(|member| member.connector_id).collect();
    let rows = sessions::powers(conn, &members, (stretch.from, stretch.to), MOST_READINGS)?;
    Ok(sum_up(&rows, stretch))
}

fn sum_up(rows: &[(ConnectorId, Timestamp, Option<Watts>)], stretch: Stretch) -> Vec<PowerView> {
    let mut spans: BTreeMap<i64, BTreeMap<ConnectorId, (i64, i64)>> = BTreeMap::new();
    for (connector, at, power) in rows {
        let span = at.seconds_since(stretch.from).div_euclid(stretch.seconds.max(1));
        let entry = spans.entry(span).or_default().entry(*connector).or_default();
        *entry = (entry.0 + power.unwrap_or_default().get(), entry.1 + 1);
    }
    spans
        .into_iter()
        .map(|(span, draws)| PowerView {
            at: Timestamp::from_micros(stretch.from.micros() + span * stretch.seconds.max(1) * 1_000_000),
            power: Watts(draws.values().map(|(sum, count)| sum / count.max(&1)).sum()).kilowatts(),
            members: draws.len(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readings_are_averaged_per_member_and_summed() {
        let id = |number| ConnectorId::from(RawId::from_bytes([number; 12]));
        let at = Timestamp::from_unix_seconds;
        let rows = [
            (id(1), at(0), Some(Watts(4_000))),
            (id(1), at(30), Some(Watts(6_000))),
            (id(2), at(59), Some(Watts(1_000))),
            (id(2), at(60), Some(Watts(2_000))),
        ];
        let stretch = Stretch { from: at(0), to: at(120), seconds: 60 };
        let series: Vec<_> =
            sum_up(&rows, stretch).iter().map(|one| (one.at.unix_seconds(), one.power, one.members)).collect();
        assert_eq!(series, [(0, 6.0, 2), (60, 2.0, 1)]);
    }
}
