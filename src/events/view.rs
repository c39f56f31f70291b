//! An event as clients see it.

use serde::Serialize;
use serde_json::value::RawValue;

use super::actor::ActorView;
use super::store::Row;
use kernel::{EventId, Timestamp};

/// An event, in the form in which webhooks carry it, with its cursor.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct EventView {
    /// The event's id.
    #[serde(rename = "_id")]
    id: EventId,
    /// Its place in the log; pass it as `after` to go on from here.
    pub cursor: i64,
    /// What happened.
    #[serde(rename = "type")]
    #[schema(example = "session.started")]
    kind: String,
    /// The kind of object in `data`.
    #[schema(example = "session")]
    object: String,
    /// The whole affected object.
    #[schema(value_type = Object)]
    data: Box<RawValue>,
    /// Who caused it; null for an event from before this was recorded.
    actor: Option<ActorView>,
    /// When it happened.
    #[serde(rename = "createdAt")]
    created_at: Timestamp,
}

impl From<Row> for EventView {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            cursor: row.cursor,
            data: row.raw_data(),
            actor: row.actor(),
            kind: row.type_,
            object: row.object,
            created_at: row.created_at,
        }
    }
}
