//! How connectors are doing and how they were.

use diesel::prelude::*;
use serde::Serialize;

use crate::cached_update;
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

/// How a connector is doing, in its row.
#[derive(Queryable, Selectable)]
#[diesel(table_name = connectors)]
struct State {
    id: ConnectorId,
    status: ConnectorStatus,
    error_code: Option<String>,
    status_at: Option<Timestamp>,
    status_heard_at: Option<Timestamp>,
    status_changed_at: Option<Timestamp>,
}

cached_update! {
    /// Writes how a connector is doing.
    SaveState of State in connectors by id: [status, error_code, status_at, status_heard_at, status_changed_at]
}

/// Notes how a connector is doing since `at`, which was heard at `heard_at`; a change is kept in its history.
pub fn set_connector_status(
    conn: &mut Conn,
    id: ConnectorId,
    status: ConnectorStatus,
    error_code: Option<&str>,
    (at, heard_at): (Timestamp, Timestamp),
) -> StoreResult<()> {
    let before: State = connectors::table.find(id).select(State::as_select()).first(conn)?;
    let is_other = before.status_at.is_none() || before.status != status;
    let is_news = is_other || before.error_code.as_deref() != error_code;
    let state = State {
        id,
        status,
        error_code: error_code.map(str::to_owned),
        status_at: Some(at),
        status_heard_at: Some(heard_at),
        status_changed_at: if is_other { Some(heard_at) } else { before.status_changed_at },
    };
    SaveState(&state).save(conn)?;
    if !is_news {
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
