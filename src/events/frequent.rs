//! The newest of the events that stations cause with every charge: a table without any index, which costs one page a commit. What is
//! some minutes old of it is in packs, see `packs`.

use std::borrow::Cow;

use diesel::prelude::*;

use super::actor::STATION;
use super::change::NewEvent;
use super::packs::Head;
use super::store::{Row, Stretch};
use super::{EventKind, Wanted};
use crate::cached_insert;
use crate::store::cause::ActorKind;
use crate::store::limit::in_time;
use crate::store::schema::frequent_events;
use crate::store::{Conn, StoreResult};
use kernel::{EventId, OrganizationId, StationId, Timestamp};

/// Which frequent events somebody wants.
#[derive(Debug, Clone)]
pub(super) struct Choice {
    /// Their types; none: all.
    types: Option<Vec<Cow<'static, str>>>,
    station: Option<StationId>,
}

impl Choice {
    /// All of them.
    pub(super) const ALL: Self = Self { types: None, station: None };

    /// Those of them that fit what is wanted of all events, where any can. `own` says that the actor who is asked for is known from
    /// events that stations caused about themselves, as all frequent ones are.
    pub(super) fn of(wanted: &Wanted, own: bool) -> Option<Self> {
        let Wanted { types, actor_type, actor, station } = wanted;
        let named = EventKind::all().filter(|kind| kind.is_frequent()).map(EventKind::name);
        let types = types.as_ref().map(|types| named.filter(|name| types.fit(name)).collect::<Vec<_>>());
        let by_station = actor_type.is_none_or(|kind| kind == ActorKind::Station);
        let itself = actor.map(StationId::from);
        let is_one = station.is_none() || itself.is_none() || *station == itself;
        let is_possible =
            by_station && is_one && (itself.is_none() || own) && types.as_ref().is_none_or(|some| !some.is_empty());
        is_possible.then(|| Self { types, station: station.or(itself) })
    }

    /// Whether an event is one of them.
    pub(super) fn fit(&self, row: &Row) -> bool {
        let Self { types, station } = self;
        types.as_ref().is_none_or(|types| types.iter().any(|one| *one == row.type_))
            && (station.is_none() || *station == row.chargestation_id)
    }

    /// Whether a pack can have any.
    pub(super) fn may_be_in(&self, head: &Head) -> bool {
        let Self { types, station } = self;
        types.as_ref().is_none_or(|types| types.iter().any(|one| head.types.split(',').any(|known| known == one)))
            && station.is_none_or(|station| head.has_station(station))
    }
}

/// A row of the table.
#[derive(Queryable, Selectable)]
#[diesel(table_name = frequent_events)]
pub(super) struct Frequent {
    cursor: i64,
    id: EventId,
    organization_id: OrganizationId,
    type_: String,
    object: String,
    chargestation_id: Option<StationId>,
    data: String,
    created_at: Timestamp,
}

impl From<Frequent> for Row {
    fn from(row: Frequent) -> Self {
        let Frequent { cursor, id, organization_id, type_, object, chargestation_id, data, created_at } = row;
        let (actor, actor_id, actor_name) = (Some(STATION), None, None);
        Self {
            cursor,
            id,
            organization_id,
            type_,
            object,
            chargestation_id,
            data,
            created_at,
            actor,
            actor_id,
            actor_name,
        }
    }
}

cached_insert! {
    /// Stores a frequent event behind all others.
    InsertFrequent of NewEvent in frequent_events by id: [
        organization_id, type_, object, chargestation_id, data, created_at,
    ], cursor on SQLite: "SELECT cursor + 1 FROM events_newest_taken"
}

/// Stores one that a station caused about itself.
pub(super) fn insert(conn: &mut Conn, event: &NewEvent) -> StoreResult<()> {
    InsertFrequent(event).save(conn)
}

/// Events of an organization or of all, in their order.
pub(super) fn list(
    conn: &mut Conn,
    organization: Option<OrganizationId>,
    stretch: Stretch,
    choice: &Choice,
) -> StoreResult<Vec<Row>> {
    let mut rows = frequent_events::table
        .filter(frequent_events::cursor.gt(stretch.after).and(frequent_events::cursor.le(stretch.until)))
        .filter(in_time())
        .limit(stretch.limit)
        .select(Frequent::as_select())
        .into_boxed();
    if let Some(organization) = organization {
        rows = rows.filter(frequent_events::organization_id.eq(organization));
    }
    if let Some(types) = &choice.types {
        rows = rows.filter(frequent_events::type_.eq_any(types.clone()));
    }
    if let Some(station) = choice.station {
        rows = rows.filter(frequent_events::chargestation_id.eq(station));
    }
    let rows = match stretch.is_back {
        false => rows.order(frequent_events::cursor.asc()),
        true => rows.order(frequent_events::cursor.desc()),
    };
    let found: Vec<Frequent> = rows.load(conn)?;
    Ok(found.into_iter().map(Row::from).collect())
}

/// The events of an organization with these cursors.
pub(super) fn at(conn: &mut Conn, organization: OrganizationId, cursors: &[i64]) -> StoreResult<Vec<Row>> {
    let found: Vec<Frequent> = frequent_events::table
        .filter(frequent_events::cursor.eq_any(cursors))
        .filter(frequent_events::organization_id.eq(organization))
        .select(Frequent::as_select())
        .load(conn)?;
    Ok(found.into_iter().map(Row::from).collect())
}

/// When the oldest of them was recorded.
pub(super) fn oldest(conn: &mut Conn) -> StoreResult<Option<Timestamp>> {
    let oldest = frequent_events::table.order(frequent_events::cursor).select(frequent_events::created_at);
    Ok(oldest.first(conn).optional()?)
}

/// Deletes those up to a cursor.
pub(super) fn delete_until(conn: &mut Conn, until: i64) -> StoreResult<()> {
    diesel::delete(frequent_events::table.filter(frequent_events::cursor.le(until))).execute(conn)?;
    Ok(())
}
