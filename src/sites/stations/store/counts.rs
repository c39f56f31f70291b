//! How many stations and connectors of an organization are doing what; each number is that of a list with one filter.

use std::collections::BTreeMap;

use diesel::dsl::count_star;
use diesel::prelude::*;

use super::answers::ids_at_any;
use super::memberships::{in_groups, with_member_that};
use crate::http::Reach;
use crate::sites::stations::model::condition::ConnectorStatus;
use crate::store::schema::{chargestations, connectors};
use crate::store::{Conn, StoreResult};
use kernel::{OrganizationId, Timestamp};

/// How many stations are doing what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StationCounts {
    /// Those whose socket is open.
    pub online: i64,
    /// Those whose socket is not.
    pub offline: i64,
    /// Of those that are connected: silent for too long.
    pub late: i64,
    /// Those that never connected.
    pub never_connected: i64,
    /// Those with a connector that is broken.
    pub faulted: i64,
    /// Those that do not keep the limits of their load-management group.
    pub not_obeying: i64,
}

/// How many of the organization's stations are doing what.
pub fn count_stations(
    conn: &mut Conn,
    organization: OrganizationId,
    reach: &Reach,
    now: Timestamp,
) -> StoreResult<StationCounts> {
    let own = || {
        let rows = chargestations::table.filter(chargestations::organization_id.eq(organization)).into_boxed();
        match reach.locations() {
            Some(within) => rows.filter(chargestations::location_id.eq_any(within)),
            None => rows,
        }
    };
    // Of one count, so that a station that connects meanwhile is counted once.
    let all: i64 = own().count().get_result(conn)?;
    let offline: i64 = own().filter(chargestations::online.eq(false)).count().get_result(conn)?;
    let late = own().filter(chargestations::online.eq(true)).filter(chargestations::late_at.lt(now));
    let never = own().filter(chargestations::last_connect_at.is_null());
    let broken = connectors::table
        .filter(connectors::organization_id.eq(organization))
        .filter(connectors::status.eq(ConnectorStatus::Faulted))
        .select(connectors::chargestation_id);
    let faulted = own().filter(chargestations::id.eq_any(broken));
    let disobeying =
        own().filter(chargestations::id.eq_any(in_groups())).filter(chargestations::id.eq_any(with_member_that(false)));
    Ok(StationCounts {
        online: (all - offline).max(0),
        offline,
        late: late.count().get_result(conn)?,
        never_connected: never.count().get_result(conn)?,
        faulted: faulted.count().get_result(conn)?,
        not_obeying: disobeying.count().get_result(conn)?,
    })
}

/// How many of the organization's connectors have each status; statuses that none has are left out.
pub fn count_connectors(
    conn: &mut Conn,
    organization: OrganizationId,
    reach: &Reach,
) -> StoreResult<BTreeMap<ConnectorStatus, i64>> {
    let own = connectors::table.filter(connectors::organization_id.eq(organization));
    let each = (connectors::status, count_star());
    let counts: Vec<(ConnectorStatus, i64)> = match reach.locations() {
        Some(within) => own
            .filter(connectors::chargestation_id.eq_any(ids_at_any(within.to_vec())))
            .group_by(connectors::status)
            .select(each)
            .load(conn)?,
        None => own.group_by(connectors::status).select(each).load(conn)?,
    };
    Ok(counts.into_iter().collect())
}
