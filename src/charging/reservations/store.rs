//! Reservations in the database; every query of an integrator is bounded by the organization.

use std::collections::BTreeMap;

use diesel::prelude::*;

use super::model::{Reservation, ReservationFilter, ReservationStatus};
use crate::each;
use crate::fetch_page;
use crate::http::query::ListQuery;
use crate::http::{ApiResult, Reach};
use crate::sites::stations;
use crate::store::query::{contains, lower};
use crate::store::schema::reservations;
use crate::store::{Conn, StoreResult, counters};
use kernel::{OrganizationId, Page, RawId, ReservationId, StationId, Timestamp};

pub(super) fn insert(conn: &mut Conn, reservation: &Reservation) -> StoreResult<()> {
    diesel::insert_into(reservations::table).values(reservation).execute(conn)?;
    Ok(())
}

pub(super) fn update(conn: &mut Conn, reservation: &Reservation) -> StoreResult<()> {
    diesel::update(reservations::table.find(reservation.id)).set(reservation).execute(conn)?;
    Ok(())
}

pub(super) fn delete(conn: &mut Conn, id: ReservationId) -> StoreResult<()> {
    diesel::delete(reservations::table.find(id)).execute(conn)?;
    Ok(())
}

pub(super) fn find(conn: &mut Conn, organization: OrganizationId, id: ReservationId) -> StoreResult<Reservation> {
    Ok(reservations::table
        .filter(reservations::organization_id.eq(organization).and(reservations::id.eq(id)))
        .select(Reservation::as_select())
        .first(conn)?)
}

/// The reservations of a station that still keep others away, oldest first.
pub(super) fn open_at(conn: &mut Conn, station: StationId, now: Timestamp) -> StoreResult<Vec<Reservation>> {
    Ok(each!(conn, |conn| reservations::table
        .filter(reservations::chargestation_id.eq(station))
        // No list: a statement with one is parsed anew each time, and this one is run at each start of a transaction.
        .filter(
            reservations::status
                .eq(ReservationStatus::Requested)
                .or(reservations::status.eq(ReservationStatus::Active)),
        )
        .filter(reservations::expires_at.gt(now))
        .order(reservations::created_at)
        .select(Reservation::as_select())
        .load(conn))?)
}

/// Open reservations whose time is over.
pub(super) fn overdue(conn: &mut Conn, now: Timestamp) -> StoreResult<Vec<Reservation>> {
    Ok(reservations::table
        .filter(reservations::status.eq_any(ReservationStatus::OPEN))
        .filter(reservations::expires_at.le(now))
        .limit(100)
        .select(Reservation::as_select())
        .load(conn)?)
}

/// How many of the organization's reservations are open, by their status.
pub fn count_open(
    conn: &mut Conn,
    organization: OrganizationId,
    reach: &Reach,
) -> StoreResult<BTreeMap<ReservationStatus, i64>> {
    let mut counts = BTreeMap::new();
    for status in ReservationStatus::OPEN {
        let rows = reservations::table.filter(reservations::organization_id.eq(organization)).into_boxed();
        let rows = rows.filter(reservations::status.eq(status));
        let rows = match reach.locations() {
            Some(within) => rows.filter(reservations::chargestation_id.eq_any(stations::ids_at_any(within.to_vec()))),
            None => rows,
        };
        counts.insert(status, rows.count().get_result(conn)?);
    }
    Ok(counts)
}

/// Numbers that stations may have got since a backup was made. OCPP 1.6 has 2^31.
const SKIPPED: i64 = 1_000_000;

/// Leaves out numbers by which stations may know reservations that were made since the backup of which this store was made.
pub fn skip_numbers(conn: &mut Conn) -> StoreResult<()> {
    counters::skip(conn, "reservation", SKIPPED)
}

/// The next number by which a station knows a reservation: from 1, never used twice.
pub(super) fn next_number(conn: &mut Conn) -> StoreResult<i64> {
    counters::next(conn, "reservation")
}

pub(super) fn list(
    conn: &mut Conn,
    organization: OrganizationId,
    query: &ListQuery<ReservationFilter>,
) -> ApiResult<Page<Reservation>> {
    let filter = &query.filter;
    let filtered = || {
        let mut rows = reservations::table.filter(reservations::organization_id.eq(organization)).into_boxed();
        if let Some(within) = query.reach.locations() {
            rows = rows.filter(reservations::chargestation_id.eq_any(stations::ids_at_any(within.to_vec())));
        }
        if let Some(station) = filter.chargestation {
            rows = rows.filter(reservations::chargestation_id.eq(station));
        }
        if let Some(evse) = filter.evse {
            rows = rows.filter(reservations::evse_id.eq(evse));
        }
        if let Some(connector) = filter.connector {
            rows = rows.filter(reservations::connector_id.eq(connector));
        }
        if let Some(user) = filter.user {
            rows = rows.filter(reservations::user_id.eq(user));
        }
        if let Some(status) = filter.status {
            rows = rows.filter(reservations::status.eq(status));
        }
        if let Some(from) = filter.from {
            rows = rows.filter(reservations::expires_at.ge(from));
        }
        if let Some(to) = filter.to {
            rows = rows.filter(reservations::created_at.le(to));
        }
        if let Some(text) = &query.search {
            rows = rows.filter(lower(reservations::id_tag.nullable()).like(contains(text)).escape('\\'));
        }
        rows
    };
    let (rows, total) = fetch_page!(conn, query, reservations, filtered(), {
        "status" => reservations::status,
        "expires_at" => reservations::expires_at,
    });
    Ok(Page { rows: rows.select(Reservation::as_select()).load(conn)?, total, request: query.page })
}

/// Of those of some ids that are of reservations: the station.
pub fn stations_of(conn: &mut Conn, ids: &[RawId]) -> StoreResult<Vec<(RawId, StationId)>> {
    let ids = ids.iter().copied().map(ReservationId::from);
    let found: Vec<(ReservationId, StationId)> = reservations::table
        .filter(reservations::id.eq_any(ids))
        .select((reservations::id, reservations::chargestation_id))
        .load(conn)?;
    Ok(found.into_iter().map(|(id, station)| (id.raw(), station)).collect())
}
