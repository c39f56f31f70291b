//! External limits in the database.

use diesel::prelude::*;

use crate::sites::stations::model::external_limit::ExternalLimit;
use crate::store::schema::{evses, external_limits as limits};
use crate::store::{Conn, StoreResult};
use kernel::StationId;

/// Limits that are kept of one station; the oldest go first.
const MOST_LIMITS: i64 = 64;

/// Keeps a limit instead of what the same source reported before of the same part; false where we know no such EVSE.
pub fn keep_external_limit(conn: &mut Conn, mut limit: ExternalLimit) -> StoreResult<bool> {
    if limit.evse_number != 0 {
        limit.evse_id = evses::table
            .filter(evses::chargestation_id.eq(limit.chargestation_id))
            .filter(evses::number.eq(limit.evse_number))
            .select(evses::id)
            .first(conn)
            .optional()?;
        if limit.evse_id.is_none() {
            return Ok(false);
        }
    }
    let station = limit.chargestation_id;
    clear_external_limits(conn, station, Some(limit.evse_number), &limit.source)?;
    diesel::insert_into(limits::table).values(limit).execute(conn)?;
    let too_old: Vec<(i32, String)> = limits::table
        .filter(limits::chargestation_id.eq(station))
        .order(limits::told_at.desc())
        .offset(MOST_LIMITS)
        .limit(MOST_LIMITS)
        .select((limits::evse_number, limits::source))
        .load(conn)?;
    for (evse, source) in too_old {
        diesel::delete(limits::table.find((station, evse, source))).execute(conn)?;
    }
    Ok(true)
}

/// Forgets what a source limited: of one part, or of every part.
pub fn clear_external_limits(conn: &mut Conn, station: StationId, evse: Option<i32>, source: &str) -> StoreResult<()> {
    let of_source = limits::chargestation_id.eq(station).and(limits::source.eq(source));
    match evse {
        Some(evse) => {
            diesel::delete(limits::table.filter(of_source)).filter(limits::evse_number.eq(evse)).execute(conn)?
        }
        None => diesel::delete(limits::table.filter(of_source)).execute(conn)?,
    };
    Ok(())
}

/// The external limits on these stations and their EVSEs.
pub fn external_limits_of(conn: &mut Conn, stations: &[StationId]) -> StoreResult<Vec<ExternalLimit>> {
    Ok(limits::table
        .filter(limits::chargestation_id.eq_any(stations))
        .order((limits::chargestation_id, limits::evse_number, limits::source))
        .select(ExternalLimit::as_select())
        .load(conn)?)
}
