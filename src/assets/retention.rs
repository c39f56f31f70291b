//! Thinning old readings of assets: of each quarter of an hour the last one stays.

use std::time::Duration;

use diesel::prelude::*;

use crate::db::schema::{asset_readings, assets};
use crate::db::{Conn, StoreResult};
use crate::events::{Forgotten, Horizon};
use crate::kernel::*;

/// What one reading stays of.
const QUARTER_SECONDS: i64 = 900;
/// Readings of an asset that are looked at in one go.
const AT_ONCE: i64 = 2_000;
/// How far back readings are looked at that came late.
const LATE: Duration = Duration::from_secs(7 * 24 * 3_600);

fn quarter(at: Timestamp) -> i64 {
    at.unix_seconds().div_euclid(QUARTER_SECONDS)
}

/// Thins the readings of the next asset.
pub fn thin(conn: &mut Conn, horizon: Horizon, after: Option<RawId>) -> StoreResult<Forgotten> {
    let first = after.map(|id| id.to_string()).unwrap_or_default();
    let next: Option<(AssetId, OrganizationId)> = assets::table
        .filter(assets::id.gt(first))
        .order(assets::id)
        .select((assets::id, assets::organization_id))
        .first(conn)
        .optional()?;
    let mut forgotten = Forgotten::default();
    let Some((asset, organization)) = next else {
        return Ok(forgotten);
    };
    let mut from = horizon.from - LATE;
    loop {
        let times: Vec<Timestamp> = asset_readings::table
            .filter(asset_readings::asset_id.eq(asset))
            .filter(asset_readings::at.ge(from))
            .filter(asset_readings::at.lt(horizon.to))
            .order(asset_readings::at)
            .limit(AT_ONCE)
            .select(asset_readings::at)
            .load(conn)?;
        let is_last = i64::try_from(times.len()).unwrap_or(i64::MAX) < AT_ONCE;
        let followed = times.iter().zip(times.iter().skip(1));
        let needless: Vec<Timestamp> = followed
            .filter(|(one, next)| quarter(**one) == quarter(**next))
            .map(|(one, _)| *one)
            .collect();
        for some in needless.chunks(500) {
            let rows = asset_readings::table
                .filter(asset_readings::asset_id.eq(asset))
                .filter(asset_readings::at.eq_any(some));
            forgotten.count(organization, diesel::delete(rows).execute(conn)?);
        }
        match times.last() {
            Some(last) if !is_last => from = *last,
            _ => break,
        }
    }
    forgotten.next = asset.to_string().parse().ok();
    Ok(forgotten)
}
