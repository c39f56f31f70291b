//! Events as webhooks carry them.

use serde::Serialize;
use serde_json::value::RawValue;

use super::actor::{Actor, ActorView};
use super::{EventKind, Sight, Wanted, store};
use crate::store::{Conn, StoreError, StoreResult, cause};
use kernel::{EventId, Moment, OrganizationId, Timestamp};

/// An event with the text that is sent of it.
#[derive(Debug, Clone)]
pub struct WebhookPayload {
    /// Its place in the log.
    pub cursor: i64,
    /// The event's id.
    pub id: EventId,
    /// Its name.
    pub kind: String,
    /// Events of one key must be sent in order: those of a station, or of a kind of objects that are at no station.
    pub ordering: String,
    /// `{_id, type, object, data, actor, createdAt}` as JSON.
    pub body: String,
}

#[derive(Serialize)]
struct Body<'a> {
    #[serde(rename = "_id")]
    id: EventId,
    #[serde(rename = "type")]
    kind: &'a str,
    object: &'a str,
    data: &'a RawValue,
    actor: Option<ActorView>,
    #[serde(rename = "createdAt")]
    created_at: Timestamp,
}

fn text(value: &impl Serialize) -> StoreResult<String> {
    serde_json::to_string(value).map_err(|error| StoreError::Failed(error.to_string()))
}

impl WebhookPayload {
    /// Numbers of cards are masked; the endpoint gets names of actors or does not.
    pub(super) fn new(row: store::Row, names: bool) -> StoreResult<Self> {
        let row = row.seen(Sight { cards: false, names });
        let body = text(&Body {
            id: row.id,
            kind: &row.type_,
            object: &row.object,
            data: &row.raw_data(),
            actor: row.actor(),
            created_at: row.created_at,
        })?;
        Ok(Self {
            cursor: row.cursor,
            id: row.id,
            kind: row.type_,
            ordering: row.chargestation_id.map_or(row.object, |station| station.to_string()),
            body,
        })
    }

    /// An event that is in no log, caused by whoever writes here.
    pub fn alone(
        conn: &mut Conn,
        kind: EventKind,
        data: &impl Serialize,
        (moment, names): (&Moment, bool),
    ) -> StoreResult<Self> {
        let actor = Actor::here(conn, cause::here().as_ref(), None)?;
        let actor = ActorView::new(actor.number, actor.id, actor.name.filter(|_| names));
        let data = RawValue::from_string(text(data)?);
        let data = data.map_err(|error| StoreError::Failed(error.to_string()))?;
        let (id, name) = (moment.id(), kind.name());
        let body = text(&Body {
            id,
            kind: &name,
            object: kind.object(),
            data: &data,
            actor: Some(actor),
            created_at: moment.now,
        })?;
        Ok(Self { cursor: 0, id, kind: name.clone().into_owned(), ordering: name.into_owned(), body })
    }
}

/// What happened in an organization after a cursor, oldest first; with the names of actors or without.
pub fn payloads_after(
    conn: &mut Conn,
    organization: OrganizationId,
    (after, limit): (i64, i64),
    names: bool,
) -> StoreResult<Vec<WebhookPayload>> {
    let rows = store::list_after(conn, organization, after, &Wanted::default(), limit)?;
    rows.into_iter().map(|row| WebhookPayload::new(row, names)).collect()
}
