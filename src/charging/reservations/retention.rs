//! Forgetting old reservations that are over.

use diesel::prelude::*;

use super::model::ReservationStatus;
use crate::events::{Forgotten, Horizon, Mark};
use crate::forget_found;
use crate::store::schema::reservations;
use crate::store::{Conn, StoreResult};
use kernel::{RawId, ReservationId, Timestamp};

/// So many are deleted in one go, so that others can write in between.
const AT_ONCE: i64 = 500;

/// When the oldest of them was made.
pub fn oldest(conn: &mut Conn) -> StoreResult<Option<Timestamp>> {
    Ok(reservations::table.order(reservations::id).select(reservations::created_at).first(conn).optional()?)
}

/// Deletes some that are over.
pub fn forget(conn: &mut Conn, horizon: Horizon, _: Option<Mark>) -> StoreResult<Forgotten> {
    let old = reservations::table
        .filter(reservations::id.lt(RawId::first_of(horizon.to).to_string()))
        .filter(reservations::status.ne_all(ReservationStatus::OPEN))
        .order(reservations::id)
        .limit(AT_ONCE);
    forget_found!(conn, reservations, ReservationId, old)
}
