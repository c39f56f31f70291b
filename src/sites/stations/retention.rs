//! Forgetting how connectors were long ago. The newest entry of each stays, which shows how it has been since.

use diesel::prelude::*;

use crate::events::{Forgotten, Horizon, Mark};
use crate::store::schema::{connector_statuses as history, connectors};
use crate::store::{Conn, StoreResult};
use kernel::{ConnectorId, OrganizationId, Timestamp};

/// Connectors that are looked at in one go.
const CONNECTORS_AT_ONCE: i64 = 100;
/// Entries that are deleted in one go, so that others can write in between.
const AT_ONCE: usize = 2_000;

/// Since when the oldest entry applies.
pub fn oldest(conn: &mut Conn) -> StoreResult<Option<Timestamp>> {
    Ok(history::table.order(history::id).select(history::at).first(conn).optional()?)
}

/// Deletes some entries.
pub fn forget(conn: &mut Conn, horizon: Horizon, after: Option<Mark>) -> StoreResult<Forgotten> {
    let some: Vec<(ConnectorId, OrganizationId)> = connectors::table
        .filter(connectors::id.ge(after.unwrap_or_default().id))
        .order(connectors::id)
        .limit(CONNECTORS_AT_ONCE)
        .select((connectors::id, connectors::organization_id))
        .load(conn)?;
    let (mut forgotten, mut deleted) = (Forgotten::default(), 0);
    for (connector, organization) in some {
        let rows = forget_of(conn, connector, horizon.to)?;
        forgotten.count(organization, rows);
        deleted += rows;
        if deleted >= AT_ONCE {
            forgotten.next = Some(Mark::at(connector, Timestamp::default()));
            return Ok(forgotten);
        }
        forgotten.next = Some(Mark::after(connector));
    }
    Ok(forgotten)
}

fn forget_of(conn: &mut Conn, connector: ConnectorId, before: Timestamp) -> StoreResult<usize> {
    let own = || history::table.filter(history::connector_id.eq(connector));
    let newest: Option<i64> =
        own().order((history::at.desc(), history::id.desc())).select(history::id).first(conn).optional()?;
    let old: Vec<i64> = own()
        .filter(history::at.lt(before))
        .filter(history::id.ne(newest.unwrap_or_default()))
        .order(history::at)
        .limit(i64::try_from(AT_ONCE).unwrap_or(i64::MAX))
        .select(history::id)
        .load(conn)?;
    let mut rows = 0;
    for some in old.chunks(500) {
        let some = history::table.filter(history::id.eq_any(some));
        rows += diesel::delete(some).execute(conn)?;
    }
    Ok(rows)
}
