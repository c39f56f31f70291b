//! How connectors are doing and how they were.

use diesel::prelude::*;
use serde::Serialize;

use crate::sites::stations::model::condition::ConnectorStatus;
use crate::sites::stations::model::connector::Connector;
use crate::store::schema::{connector_statuses, connectors};
use crate::store::{Conn, StoreResult};
use crate::{cached_insert, cached_update};
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

cached_update! {
    /// Writes how a connector is doing.
    SaveState of Connector in connectors by id: [status, error_code, status_at, status_heard_at, status_changed_at]
}

/// What is kept of it when it changes.
struct NewStatus {
    connector_id: ConnectorId,
    at: Timestamp,
    status: ConnectorStatus,
    error_code: Option<String>,
}

cached_insert! {
    /// Keeps how a connector is doing from now on.
    InsertStatus of NewStatus in connector_statuses by connector_id: [at, status, error_code]
}

/// Notes how a connector, which is as it is stored, is doing since `at`, which was heard at `heard_at`; a change is kept in its history.
pub fn set_connector_status(
    conn: &mut Conn,
    connector: &Connector,
    (status, error_code): (ConnectorStatus, Option<&str>),
    (at, heard_at): (Timestamp, Timestamp),
) -> StoreResult<()> {
    let is_other = connector.status_at.is_none() || connector.status != status;
    let is_news = is_other || connector.error_code.as_deref() != error_code;
    let mut connector = connector.clone();
    connector.status = status;
    connector.error_code = error_code.map(str::to_owned);
    (connector.status_at, connector.status_heard_at) = (Some(at), Some(heard_at));
    if is_other {
        connector.status_changed_at = Some(heard_at);
    }
    SaveState(&connector).save(conn)?;
    if !is_news {
        return Ok(());
    }
    let kept = NewStatus { connector_id: connector.id, at, status, error_code: connector.error_code };
    InsertStatus(&kept).save(conn)
}

/// How a connector was doing, the newest first; of one instant, what was reported last.
pub(crate) fn statuses_of(conn: &mut Conn, id: ConnectorId) -> StoreResult<Vec<StatusChange>> {
    Ok(connector_statuses::table
        .filter(connector_statuses::connector_id.eq(id))
        .order((connector_statuses::at.desc(), connector_statuses::id.desc()))
        .limit(MOST_SHOWN)
        .select((connector_statuses::at, connector_statuses::status, connector_statuses::error_code))
        .load(conn)?)
}
