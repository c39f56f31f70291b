//! Events of the log that somebody names: a stretch of time, or ids.

use std::time::Duration;

use diesel::prelude::*;

use super::frequent::{self, Choice};
use super::store::Stretch;
use super::{EventTypes, Wanted, WebhookPayload, packs, store};
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

impl Selection {
    fn has(&self, row: &store::Row) -> bool {
        match self {
            Self::Ids(ids) => ids.contains(&row.id),
            Self::Times(from, to) => (*from..=*to).contains(&row.created_at),
        }
    }

    /// From when to when its events are.
    fn spans(&self) -> Vec<(Timestamp, Timestamp)> {
        match self {
            Self::Ids(ids) => ids.iter().map(|id| second_of(*id)).collect(),
            Self::Times(from, to) => vec![(*from, *to)],
        }
    }
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
    let mut cursors: Vec<i64> = rows.limit(most).select(events::cursor).load(conn)?;
    let wanted = Wanted::from(types.cloned());
    if let Some(choice) = Choice::of(&wanted, true) {
        let fit = |row: &store::Row| selection.has(row) && choice.fit(row);
        let all = Stretch { after: 0, until: i64::MAX, limit: i64::MAX, is_back: false };
        let young = frequent::list(conn, Some(organization), all, &choice)?;
        cursors.extend(young.iter().filter(|row| fit(row)).map(|row| row.cursor));
        let limit = usize::try_from(most).unwrap_or(usize::MAX);
        let packed = packs::in_times(conn, organization, &selection.spans(), limit, fit)?;
        cursors.extend(packed.iter().map(|row| row.cursor));
        cursors.sort_unstable();
        cursors.dedup();
        cursors.truncate(limit);
    }
    Ok(cursors)
}

/// The events with these cursors, oldest first; with the names of actors or without.
pub fn payloads_at(
    conn: &mut Conn,
    organization: OrganizationId,
    cursors: &[i64],
    names: bool,
) -> StoreResult<Vec<WebhookPayload>> {
    let mut rows: Vec<store::Row> = events::table
        .filter(events::organization_id.eq(organization))
        .filter(events::cursor.eq_any(cursors))
        .order(events::cursor)
        .select(store::Row::as_select())
        .load(conn)?;
    let mut sorted = cursors.to_vec();
    sorted.sort_unstable();
    // In this order: what is packed meanwhile is found twice, and not never.
    rows.extend(frequent::at(conn, organization, cursors)?);
    rows.extend(packs::at(conn, organization, &sorted)?);
    rows.sort_by_key(|row| row.cursor);
    rows.dedup_by_key(|row| row.cursor);
    rows.into_iter().map(|row| WebhookPayload::new(row, names)).collect()
}

/// Ids begin with the second in which they were made; this one is before all of that second.
fn first_id(at: Timestamp) -> EventId {
    let seconds = u32::try_from(at.unix_seconds().max(0)).unwrap_or(u32::MAX);
    let [a, b, c, d] = seconds.to_be_bytes();
    RawId::from_bytes([a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0]).into()
}

/// The second in which an id was made.
fn second_of(id: EventId) -> (Timestamp, Timestamp) {
    let [a, b, c, d, ..] = *id.raw().as_bytes();
    let from = Timestamp::from_unix_seconds(i64::from(u32::from_be_bytes([a, b, c, d])));
    (from, from + Duration::from_secs(1))
}
