//! Reading the log: most events are rows of a table with indexes, those that stations cause with every charge are in `frequent` and
//! `packs`, of the same cursors.

use diesel::prelude::*;
use diesel::sql_types::BigInt;
use serde_json::value::RawValue;

use super::actor::{PARTS, STATION, number_of};
use super::frequent::{self, Choice};
use super::veil::veil;
use super::{Sight, Wanted, packs};
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
            let newest = diesel::dsl::sql::<BigInt>("(SELECT cursor FROM events_newest_taken)");
            Ok(diesel::select(newest).get_result(conn)?)
        }
    }
}

/// Cursors that readers may have seen since a backup was made: more than any server gives out in years, and far from what a number in
/// JSON or the lock of [`events_settled`] can hold.
const SKIPPED: i64 = 1_000_000_000;

/// Leaves out cursors that readers may have seen since the backup of which this store was made: they would wait there for events that
/// come under lower ones.
pub fn skip_cursors(conn: &mut Conn) -> StoreResult<()> {
    match conn {
        Conn::Pg(conn) => {
            let skip = format!("SELECT setval('events_cursor_seq', events_newest_taken() + {SKIPPED})");
            diesel::sql_query(skip).execute(conn)?;
        }
        Conn::Sqlite(conn) => {
            let newest = format!("(SELECT cursor FROM events_newest_taken) + {SKIPPED}");
            let known = format!("UPDATE sqlite_sequence SET seq = {newest} WHERE name = 'events'");
            if diesel::sql_query(known).execute(conn)? == 0 {
                let first = format!("INSERT INTO sqlite_sequence (name, seq) VALUES ('events', {newest})");
                diesel::sql_query(first).execute(conn)?;
            }
        }
    }
    Ok(())
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
    list(conn, organization, Stretch { after: 0, until, limit, is_back: true }, wanted)
}

/// A stretch of the log.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stretch {
    /// Events after this cursor,
    pub after: i64,
    /// up to and with this one,
    pub until: i64,
    /// so many at most,
    pub limit: i64,
    /// newest first or oldest first.
    pub is_back: bool,
}

impl Stretch {
    /// Whether it has a cursor.
    pub(super) const fn has(&self, cursor: i64) -> bool {
        self.after < cursor && cursor <= self.until
    }

    /// How many events at most.
    pub(super) fn most(&self) -> usize {
        usize::try_from(self.limit).unwrap_or(usize::MAX)
    }

    /// The part of it in which the first events of all are, where these are the first of some of them.
    fn beside(mut self, rows: &[Row]) -> Self {
        if let Some(last) = rows.last().filter(|_| rows.len() >= self.most()) {
            match self.is_back {
                false => self.until = self.until.min(last.cursor),
                true => self.after = self.after.max(last.cursor.saturating_sub(1)),
            }
        }
        self
    }

    /// The first of these events, each once and in order.
    fn first_of(&self, mut rows: Vec<Row>) -> Vec<Row> {
        rows.sort_by_key(|row| row.cursor);
        rows.dedup_by_key(|row| row.cursor);
        if self.is_back {
            rows.reverse();
        }
        rows.truncate(self.most());
        rows
    }
}

/// Events after a cursor and up to another that was settled, oldest first.
pub(super) fn list_between(
    conn: &mut Conn,
    organization: OrganizationId,
    (after, until): (i64, i64),
    wanted: &Wanted,
    limit: i64,
) -> StoreResult<Vec<Row>> {
    list(conn, organization, Stretch { after, until, limit, is_back: false }, wanted)
}

fn list(conn: &mut Conn, organization: OrganizationId, stretch: Stretch, wanted: &Wanted) -> StoreResult<Vec<Row>> {
    let own = match wanted.actor {
        None => true,
        Some(_) if wanted.actor_type.is_some() => wanted.actor_type == Some(ActorKind::Station),
        Some(id) => !is_named(conn, organization, &id.to_string())?,
    };
    let mut rows = list_indexed(conn, organization, stretch, (wanted, own))?;
    if let Some(choice) = Choice::of(wanted, own) {
        let stretch = stretch.beside(&rows);
        // In this order: what is packed meanwhile is found twice, and not never.
        rows.extend(frequent::list(conn, Some(organization), stretch, &choice)?);
        rows.extend(packs::list(conn, Some(organization), stretch, &choice)?);
    }
    Ok(stretch.first_of(rows))
}

/// Those of the table with indexes.
fn list_indexed(
    conn: &mut Conn,
    organization: OrganizationId,
    stretch: Stretch,
    (wanted, own): (&Wanted, bool),
) -> StoreResult<Vec<Row>> {
    let names: Option<Vec<String>> = wanted.types.as_ref().map(|types| types.names().map(str::to_owned).collect());
    let rows = || {
        let mut rows = events::table
            .filter(events::organization_id.eq(organization))
            .filter(events::cursor.gt(stretch.after).and(events::cursor.le(stretch.until)))
            .filter(in_time())
            .limit(stretch.limit)
            .select(Row::as_select())
            .into_boxed();
        if let Some(kind) = wanted.actor_type {
            let number = events::actor.eq(number_of(kind));
            rows = match kind {
                ActorKind::Server => rows.filter(number.or(events::actor.ge(PARTS))),
                _ => rows.filter(number),
            };
        }
        if let Some(id) = wanted.actor.map(|id| id.to_string()) {
            let named = events::actor_id.eq(id.clone());
            rows = match own {
                true => rows.filter(named.or(events::actor.eq(STATION).and(events::chargestation_id.eq(id)))),
                false => rows.filter(named),
            };
        }
        if let Some(station) = wanted.station {
            rows = rows.filter(events::chargestation_id.eq(station));
        }
        match stretch.is_back {
            false => rows.order(events::cursor.asc()),
            true => rows.order(events::cursor.desc()),
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
            Ok(stretch.first_of(found))
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
    let until = settled_cursor(conn)?;
    let indexed: Option<i64> = events::table
        .filter(events::organization_id.eq(organization))
        .filter(events::cursor.le(until))
        .select(diesel::dsl::max(events::cursor))
        .first(conn)?;
    let newest = Stretch { after: 0, until, limit: 1, is_back: true };
    let frequent = frequent::list(conn, Some(organization), newest, &Choice::ALL)?;
    let packed = packs::newest(conn, organization, until)?;
    Ok([indexed, frequent.first().map(|row| row.cursor), packed].into_iter().flatten().max().unwrap_or(0))
}

/// Events of all organizations between two cursors, oldest first.
pub(super) fn list_all_between(conn: &mut Conn, (after, until): (i64, i64), limit: i64) -> StoreResult<Vec<Row>> {
    let stretch = Stretch { after, until, limit, is_back: false };
    let mut rows: Vec<Row> = events::table
        .filter(events::cursor.gt(after).and(events::cursor.le(until)))
        .order(events::cursor.asc())
        .limit(limit)
        .select(Row::as_select())
        .load(conn)?;
    let beside = stretch.beside(&rows);
    rows.extend(frequent::list(conn, None, beside, &Choice::ALL)?);
    rows.extend(packs::list(conn, None, beside, &Choice::ALL)?);
    Ok(stretch.first_of(rows))
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
