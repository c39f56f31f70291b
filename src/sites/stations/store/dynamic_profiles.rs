//! What applies now in charging profiles whose limits are changed or asked for one by one, so that stations can be answered after
//! a restart, too.

use diesel::prelude::*;
use serde_json::Value;

use crate::store::schema::dynamic_profiles as profiles;
use crate::store::{Conn, Json, StoreResult};
use kernel::{StationId, Timestamp};

/// Profiles that are kept of one station; the oldest go first.
const MOST_PROFILES: i64 = 64;

/// Keeps what applies in a profile, instead of what applied before.
pub fn keep_dynamic_profile(
    conn: &mut Conn,
    (station, profile): (StationId, i64),
    holding: &Value,
    now: Timestamp,
) -> StoreResult<()> {
    forget_dynamic_profile(conn, (station, profile))?;
    diesel::insert_into(profiles::table)
        .values((
            profiles::chargestation_id.eq(station),
            profiles::profile_id.eq(profile),
            profiles::holding.eq(Json(holding.clone())),
            profiles::updated_at.eq(now),
        ))
        .execute(conn)?;
    let too_old: Vec<i64> = profiles::table
        .filter(profiles::chargestation_id.eq(station))
        .order(profiles::updated_at.desc())
        .offset(MOST_PROFILES)
        .limit(MOST_PROFILES)
        .select(profiles::profile_id)
        .load(conn)?;
    for profile in too_old {
        forget_dynamic_profile(conn, (station, profile))?;
    }
    Ok(())
}

/// Forgets a profile.
pub fn forget_dynamic_profile(conn: &mut Conn, (station, profile): (StationId, i64)) -> StoreResult<()> {
    diesel::delete(profiles::table.find((station, profile))).execute(conn)?;
    Ok(())
}

/// What applies in a profile, where it is known.
pub fn dynamic_profile(conn: &mut Conn, (station, profile): (StationId, i64)) -> StoreResult<Option<Value>> {
    let found: Option<Json<Value>> =
        profiles::table.find((station, profile)).select(profiles::holding).first(conn).optional()?;
    Ok(found.map(|holding| holding.0))
}
