//! Old readings of assets: of each quarter of an hour one stays, with the means of what was measured and the last state of the
//! energy register; these go in their turn after years.

use std::time::Duration;

use diesel::prelude::*;

use super::model::reading::Reading;
use crate::events::{Forgotten, Horizon, Mark};
use crate::store::schema::{asset_readings, assets};
use crate::store::{Conn, Json, StoreResult};
use kernel::*;

/// What one reading stays of.
const QUARTER_SECONDS: i64 = 900;
/// Readings that are looked at in one go, so that others can write in between.
const AT_ONCE: i64 = 2_000;
/// How far back readings are looked at that came late.
const LATE: Duration = Duration::from_secs(7 * 24 * 3_600);

fn quarter(at: Timestamp) -> i64 {
    at.unix_seconds().div_euclid(QUARTER_SECONDS)
}

fn start_of_quarter(at: Timestamp) -> Timestamp {
    Timestamp::from_unix_seconds(quarter(at) * QUARTER_SECONDS)
}

/// When the oldest asset was created, before which hardly anything was measured.
pub fn oldest(conn: &mut Conn) -> StoreResult<Option<Timestamp>> {
    Ok(assets::table.order(assets::id).select(assets::created_at).first(conn).optional()?)
}

/// The asset at a mark or after it.
fn asset_at(conn: &mut Conn, mark: &Mark) -> StoreResult<Option<(AssetId, OrganizationId)>> {
    Ok(assets::table
        .filter(assets::id.ge(mark.id.clone()))
        .order(assets::id)
        .select((assets::id, assets::organization_id))
        .first(conn)
        .optional()?)
}

/// Thins some readings of the next asset.
pub fn thin(conn: &mut Conn, horizon: Horizon, after: Option<Mark>) -> StoreResult<Forgotten> {
    let mark = after.unwrap_or_default();
    let mut forgotten = Forgotten::default();
    let Some((asset, organization)) = asset_at(conn, &mark)? else {
        return Ok(forgotten);
    };
    let from = start_of_quarter(horizon.from - LATE).max(mark.instant());
    let mut some: Vec<(Timestamp, Json<Reading>)> = asset_readings::table
        .filter(asset_readings::asset_id.eq(asset))
        .filter(asset_readings::at.ge(from))
        .filter(asset_readings::at.lt(start_of_quarter(horizon.to)))
        .order(asset_readings::at)
        .limit(AT_ONCE)
        .select((asset_readings::at, asset_readings::reading))
        .load(conn)?;
    forgotten.next = Some(Mark::after(asset));
    if i64::try_from(some.len()) == Ok(AT_ONCE)
        && let Some((last, _)) = some.last()
    {
        // The last quarter of an hour goes on after these, unless they are all of one.
        let begun = start_of_quarter(*last);
        let whole = some.partition_point(|(at, _)| *at < begun);
        forgotten.next = Some(match whole {
            0 => Mark::at(asset, *last),
            _ => Mark::at(asset, begun),
        });
        some.truncate(if whole == 0 { some.len() } else { whole });
    }
    for readings in some.chunk_by(|(one, _), (next, _)| quarter(*one) == quarter(*next)) {
        forgotten.count(organization, join(conn, asset, readings)?);
    }
    Ok(forgotten)
}

/// Keeps the last of these readings, with the means of all; answers how many went.
fn join(conn: &mut Conn, asset: AssetId, readings: &[(Timestamp, Json<Reading>)]) -> StoreResult<usize> {
    let Some(((at, Json(last)), others)) = readings.split_last() else {
        return Ok(0);
    };
    if others.is_empty() {
        return Ok(0);
    }
    let all: Vec<&Reading> = readings.iter().map(|(_, Json(one))| one).collect();
    let joined = mean(last, &all);
    diesel::update(asset_readings::table.find((asset, *at)))
        .set((asset_readings::power.eq(joined.power), asset_readings::reading.eq(Json(joined))))
        .execute(conn)?;
    let others: Vec<Timestamp> = others.iter().map(|(at, _)| *at).collect();
    let mut rows = 0;
    for some in others.chunks(500) {
        let some =
            asset_readings::table.filter(asset_readings::asset_id.eq(asset)).filter(asset_readings::at.eq_any(some));
        rows += diesel::delete(some).execute(conn)?;
    }
    Ok(rows)
}

/// The last reading with the means of all; its time and its energy register are its own.
fn mean(last: &Reading, all: &[&Reading]) -> Reading {
    let of = |value: &dyn Fn(&Reading) -> Option<i64>| {
        let values: Vec<i64> = all.iter().filter_map(|one| value(one)).collect();
        let count = i64::try_from(values.len()).unwrap_or(i64::MAX);
        values.iter().sum::<i64>().checked_div_euclid(count)
    };
    fn at<T: Copy>(phases: &[Option<T>; 3], phase: usize) -> Option<T> {
        phases.get(phase).copied().flatten()
    }
    let phases = [0, 1, 2];
    Reading {
        at: last.at,
        power: of(&|one| Some(one.power.get())).map_or(last.power, Watts),
        phase_power: phases.map(|phase| of(&|one| at(&one.phase_power, phase).map(Watts::get)).map(Watts)),
        current: phases.map(|phase| of(&|one| at(&one.current, phase).map(Milliamps::get)).map(Milliamps)),
        voltage: phases.map(|phase| of(&|one| at(&one.voltage, phase).map(Millivolts::get)).map(Millivolts)),
        energy: last.energy,
    }
}

/// Deletes some readings of the next asset whatever they are.
pub fn forget(conn: &mut Conn, horizon: Horizon, after: Option<Mark>) -> StoreResult<Forgotten> {
    let mut forgotten = Forgotten::default();
    let Some((asset, organization)) = asset_at(conn, &after.unwrap_or_default())? else {
        return Ok(forgotten);
    };
    let old =
        || asset_readings::table.filter(asset_readings::asset_id.eq(asset)).filter(asset_readings::at.lt(horizon.to));
    let last: Option<Timestamp> =
        old().order(asset_readings::at).offset(AT_ONCE - 1).select(asset_readings::at).first(conn).optional()?;
    let last_of_all = last.unwrap_or(horizon.to);
    let some = old().filter(asset_readings::at.le(last_of_all));
    forgotten.count(organization, diesel::delete(some).execute(conn)?);
    forgotten.next = Some(match last {
        Some(last) => Mark::at(asset, last),
        None => Mark::after(asset),
    });
    Ok(forgotten)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_quarter_of_an_hour_the_means_stay_and_the_last_register() {
        let reading = |seconds, watts, phase, register| Reading {
            at: Timestamp::from_unix_seconds(seconds),
            power: Watts(watts),
            phase_power: [phase, None, None],
            current: [None; 3],
            voltage: [Some(Millivolts(230_000)), None, None],
            energy: Some(WattHours(register)),
        };
        let readings = [
            reading(0, 1_000, Some(Watts(400)), 7_000),
            reading(300, -500, None, 7_010),
            reading(899, 2_500, Some(Watts(600)), 7_100),
        ];
        let all: Vec<&Reading> = readings.iter().collect();
        let [.., last] = &readings;
        // (1,000 - 500 + 2,500) / 3 = 1,000 and (400 + 600) / 2 = 500.
        assert_eq!(mean(last, &all), reading(899, 1_000, Some(Watts(500)), 7_100));
    }
}
