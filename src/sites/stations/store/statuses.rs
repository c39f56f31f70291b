//! How connectors are doing and how they were.

use diesel::prelude::*;
use serde::Serialize;

use crate::sites::stations::model::condition::ConnectorStatus;
use crate::store::schema::{connector_statuses as history, connectors};
use crate::store::{Conn, StoreResult};
use kernel::{ConnectorId, Timestamp};

/// Entries that are shown.
const MOST_SHOWN: i64 = 1_000;

/// How a connector was doing from an instant on.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Serialize, utoipa::ToSchema)]
pub(crate) struct StatusChange {
    /// From when.
    pub at: Timestamp,
    /// How.
    pub status: ConnectorStatus,
    /// What was wrong, in OCPP's words.
    pub error_code: Option<String>,
}

/// Notes how a connector is doing since `at`, which was heard at `heard_at`; a change is kept in its history.
pub fn set_connector_status(
    conn: &mut Conn,
    id: ConnectorId,
    status: ConnectorStatus,
    error_code: Option<&str>,
    (at, heard_at): (Timestamp, Timestamp),
) -> StoreResult<()> {
    let row = connectors::table.find(id);
    let before: (ConnectorStatus, Option<String>, Option<Timestamp>) =
        row.select((connectors::status, connectors::error_code, connectors::status_at)).first(conn)?;
    let same = before.2.is_some() && before.0 == status && before.1.as_deref() == error_code;
    diesel::update(row)
        .set((
            connectors::status.eq(status),
            connectors::error_code.eq(error_code.map(str::to_owned)),
            connectors::status_at.eq(at),
            connectors::status_heard_at.eq(heard_at),
        ))
        .execute(conn)?;
    if before.2.is_none() || before.0 != status {
        diesel::update(row).set(connectors::status_changed_at.eq(heard_at)).execute(conn)?;
    }
    if same {
        return Ok(());
    }
    diesel::insert_into(history::table)
        .values((
            history::connector_id.eq(id),
            history::at.eq(at),
            history::status.eq(status),
            history::error_code.eq(error_code.map(str::to_owned)),
        ))
        .execute(conn)?;
    Ok(())
}

/// How a connector was doing, the newest first; of one instant, what was reported last.
pub(crate) fn statuses_of(conn: &mut Conn, id: ConnectorId) -> StoreResult<Vec<StatusChange>> {
    Ok(history::table
        .filter(history::connector_id.eq(id))
        .order((history::at.desc(), history::id.desc()))
        .limit(MOST_SHOWN)
        .select((history::at, history::status, history::error_code))
        .load(conn)?)
}
