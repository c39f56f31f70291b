//! Reading the log.

use diesel::prelude::*;
use serde_json::value::RawValue;

use super::actor::{PARTS, STATION, number_of};
use super::veil::veil;
use super::{Sight, Wanted};
use crate::store::cause::ActorKind;
use crate::store::limit::in_time;
use crate::store::schema::events;
use crate::store::{Conn, StoreResult};
use kernel::{EventId, OrganizationId, StationId, Timestamp};

/// So few types are looked for one by one; among more, some are common.
const FEW_TYPES: usize = 16;

/// A line of the log.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = events)]
pub(super) struct Row {
    pub cursor: i64,
    pub id: EventId,
    pub organization_id: OrganizationId,
    pub type_: String,
    pub object: String,
    pub chargestation_id: Option<StationId>,
    pub data: String,
    pub created_at: Timestamp,
    pub actor: Option<i16>,
    pub actor_id: Option<String>,
    pub actor_name: Option<String>,
}

define_sql_function! {
    /// Of PostgreSQL, see `events` in its baseline migration.
    fn events_settled() -> BigInt;
}

/// The cursor up to which the log is whole: nothing is committed before it any more. To be asked before reading. What it says
/// stays true, but a later answer may be lower: a writer that announces itself only knows what was taken a moment ago.
pub(super) fn settled_cursor(conn: &mut Conn) -> StoreResult<i64> {
    match conn {
        Conn::Pg(conn) => Ok(diesel::select(events_settled()).get_result(conn)?),
        Conn::Sqlite(conn) => {
            let newest: Option<i64> = events::table.select(diesel::dsl::max(events::cursor)).first(conn)?;
            Ok(newest.unwrap_or(0))
        }
    }
}

/// Events after a cursor, oldest first.
pub(super) fn list_after(
    conn: &mut Conn,
    organization: OrganizationId,
    after: i64,
    wanted: &Wanted,
    limit: i64,
) -> StoreResult<Vec<Row>> {
    let settled = settled_cursor(conn)?;
    list_between(conn, organization, (after, settled), wanted, limit)
}

/// Events before a cursor, or of the whole log where that is 0; newest first.
pub(super) fn list_before(
    conn: &mut Conn,
    organization: OrganizationId,
    before: i64,
    wanted: &Wanted,
    limit: i64,
) -> StoreResult<Vec<Row>> {
    let settled = settled_cursor(conn)?;
    let until = if before == 0 { settled } else { settled.min(before.saturating_sub(1)) };
    list(conn, organization, (0, until), wanted, (limit, Direction::Back))
}

/// In which order the log is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Forward,
    Back,
}

/// Events after a cursor and up to another that was settled, oldest first.
pub(super) fn list_between(
    conn: &mut Conn,
    organization: OrganizationId,
    (after, until): (i64, i64),
    wanted: &Wanted,
    limit: i64,
) -> StoreResult<Vec<Row>> {
    list(conn, organization, (after, until), wanted, (limit, Direction::Forward))
}

fn list(
    conn: &mut Conn,
    organization: OrganizationId,
    (after, until): (i64, i64),
    wanted: &Wanted,
    (limit, direction): (i64, Direction),
) -> StoreResult<Vec<Row>> {
    let names: Option<Vec<String>> = wanted.types.as_ref().map(|types| types.names().map(str::to_owned).collect());
    let actor = wanted.actor.map(|id| id.to_string());
    let itself = match (&actor, wanted.actor_type) {
        (Some(_), Some(kind)) => kind == ActorKind::Station,
        (Some(id), None) => !is_named(conn, organization, id)?,
        (None, _) => false,
    };
    let rows = || {
        let mut rows = events::table
            .filter(events::organization_id.eq(organization))
            .filter(events::cursor.gt(after).and(events::cursor.le(until)))
            .filter(in_time())
            .limit(limit)
            .select(Row::as_select())
            .into_boxed();
        if let Some(kind) = wanted.actor_type {
            let number = events::actor.eq(number_of(kind));
            rows = match kind {
                ActorKind::Server => rows.filter(number.or(events::actor.ge(PARTS))),
                _ => rows.filter(number),
            };
        }
        if let Some(id) = &actor {
            let named = events::actor_id.eq(id.clone());
            rows = match itself {
                true => rows.filter(named.or(events::actor.eq(STATION).and(events::chargestation_id.eq(id.clone())))),
                false => rows.filter(named),
            };
        }
        if let Some(station) = wanted.station {
            rows = rows.filter(events::chargestation_id.eq(station));
        }
        match direction {
            Direction::Forward => rows.order(events::cursor.asc()),
            Direction::Back => rows.order(events::cursor.desc()),
        }
    };
    match names {
        None => Ok(rows().load(conn)?),
        // Each by its index, however rare it is.
        Some(names) if names.len() <= FEW_TYPES => {
            let mut found: Vec<Row> = Vec::new();
            for name in names {
                found.extend(rows().filter(events::type_.eq(name)).load::<Row>(conn)?);
            }
            found.sort_by_key(|row| row.cursor);
            if direction == Direction::Back {
                found.reverse();
            }
            found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
            Ok(found)
        }
        Some(names) => Ok(rows().filter(events::type_.eq_any(names)).load(conn)?),
    }
}

/// Whether an event names this actor by its id, and not as the station that it is about: few do, and an index has them.
fn is_named(conn: &mut Conn, organization: OrganizationId, actor: &str) -> StoreResult<bool> {
    let named =
        events::table.filter(events::organization_id.eq(organization)).filter(events::actor_id.eq(actor.to_owned()));
    let other = named.filter(events::actor.ne(STATION));
    Ok(diesel::select(diesel::dsl::exists(other)).get_result(conn)?)
}

/// The cursor of the newest event of an organization that can be read, 0 when there is none.
pub fn latest_cursor(conn: &mut Conn, organization: OrganizationId) -> StoreResult<i64> {
    let settled = settled_cursor(conn)?;
    let newest: Option<i64> = events::table
        .filter(events::organization_id.eq(organization))
        .filter(events::cursor.le(settled))
        .select(diesel::dsl::max(events::cursor))
        .first(conn)?;
    Ok(newest.unwrap_or(0))
}

/// Events of all organizations between two cursors, oldest first.
pub(super) fn list_all_between(conn: &mut Conn, (after, until): (i64, i64), limit: i64) -> StoreResult<Vec<Row>> {
    Ok(events::table
        .filter(events::cursor.gt(after).and(events::cursor.le(until)))
        .order(events::cursor.asc())
        .limit(limit)
        .select(Row::as_select())
        .load(conn)?)
}

impl Row {
    /// The same as somebody with this sight may have it.
    pub(super) fn seen(mut self, sight: Sight) -> Self {
        if !sight.cards
            && let Some(data) = veil(&self.type_, &self.data)
        {
            self.data = data;
        }
        self.actor_name = self.actor_name.filter(|_| sight.names);
        self
    }

    /// The stored object as it goes into an answer, without parsing it again.
    pub(super) fn raw_data(&self) -> Box<RawValue> {
        RawValue::from_string(self.data.clone()).unwrap_or_default()
    }
}
