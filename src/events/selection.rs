//! Events of the log that somebody names: a stretch of time, or ids.

use std::time::Duration;

use diesel::prelude::*;

use super::{EventTypes, WebhookPayload, store};
use crate::store::schema::events;
use crate::store::{Conn, StoreResult};
use kernel::{EventId, OrganizationId, RawId, Timestamp};

/// Which events.
#[derive(Debug, Clone)]
pub enum Selection {
    /// Those of these ids.
    Ids(Vec<EventId>),
    /// Those from one instant to another, both included.
    Times(Timestamp, Timestamp),
}

/// The cursors of an organization's events, in no order; at most `most`.
pub fn cursors_of(
    conn: &mut Conn,
    organization: OrganizationId,
    (selection, types): (&Selection, Option<&EventTypes>),
    most: i64,
) -> StoreResult<Vec<i64>> {
    let mut rows = events::table.filter(events::organization_id.eq(organization)).into_boxed();
    rows = match selection {
        Selection::Ids(ids) => rows.filter(events::id.eq_any(ids)),
        Selection::Times(from, to) => rows
            .filter(events::id.ge(first_id(*from)))
            .filter(events::id.lt(first_id(*to + Duration::from_secs(1))))
            .filter(events::created_at.between(from, to)),
    };
    if let Some(types) = types {
        let names: Vec<String> = types.names().map(str::to_owned).collect();
        rows = rows.filter(events::type_.eq_any(names));
    }
    // An order would have the log read from its beginning.
    Ok(rows.limit(most).select(events::cursor).load(conn)?)
}

/// The events with these cursors, oldest first; with the names of actors or without.
pub fn payloads_at(
    conn: &mut Conn,
    organization: OrganizationId,
    cursors: &[i64],
    names: bool,
) -> StoreResult<Vec<WebhookPayload>> {
    let rows: Vec<store::Row> = events::table
        .filter(events::organization_id.eq(organization))
        .filter(events::cursor.eq_any(cursors))
        .order(events::cursor)
        .select(store::Row::as_select())
        .load(conn)?;
    rows.into_iter().map(|row| WebhookPayload::new(row, names)).collect()
}

/// Ids begin with the second in which they were made; this one is before all of that second.
fn first_id(at: Timestamp) -> EventId {
    let seconds = u32::try_from(at.unix_seconds().max(0)).unwrap_or(u32::MAX);
    let [a, b, c, d] = seconds.to_be_bytes();
    RawId::from_bytes([a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0]).into()
}
