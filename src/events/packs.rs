//! Frequent events in packs: some hundred of an organization, without the names of their fields and compressed together. A pack says
//! of which types and stations it has some, so that others are passed over, and no event has an index of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::actor::STATION;
use super::frequent::{self, Choice};
use super::store::{Row, Stretch, settled_cursor};
use crate::each;
use crate::store::limit::in_time;
use crate::store::packing::{Effort, compressed, decoded, decompressed, encoded};
use crate::store::schema::event_packs;
use crate::store::{Conn, Db, StoreResult};
use kernel::{EventId, OrganizationId, RawId, StationId, Timestamp};

/// Events of a full pack.
const FULL: usize = 500;
/// Events that are packed in one go: stations wait for the transaction that deletes their rows.
const AT_ONCE: i64 = 1_000;
/// Events are packed when there are so many that are no longer young, or when the oldest is this old.
const MANY: usize = 1_000;
const OLD: Duration = Duration::from_secs(600);
/// Streams and webhooks still look for younger ones.
const YOUNG: Duration = Duration::from_secs(120);
/// Packs that are looked for at once.
const HEADS_AT_ONCE: i64 = 64;

/// A pack without its events.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = event_packs)]
pub(super) struct Head {
    organization_id: OrganizationId,
    first: i64,
    last: i64,
    since: Timestamp,
    until: Timestamp,
    events: i32,
    /// With commas between.
    pub types: String,
    /// Twelve bytes each, sorted.
    stations: Vec<u8>,
}

impl Head {
    pub(super) fn has_station(&self, station: StationId) -> bool {
        self.stations.chunks_exact(12).any(|id| id == station.raw().as_bytes())
    }
}

/// An event as it is packed.
#[derive(Serialize, Deserialize)]
struct Packed {
    cursor: i64,
    id: [u8; 12],
    kind: String,
    object: String,
    station: Option<[u8; 12]>,
    created_at: i64,
    data: String,
}

impl Packed {
    fn of(row: &Row) -> Self {
        Self {
            cursor: row.cursor,
            id: *row.id.raw().as_bytes(),
            kind: row.type_.clone(),
            object: row.object.clone(),
            station: row.chargestation_id.map(|id| *id.raw().as_bytes()),
            created_at: row.created_at.micros(),
            data: row.data.clone(),
        }
    }

    fn row(self, organization: OrganizationId) -> Row {
        Row {
            cursor: self.cursor,
            id: EventId::from(RawId::from_bytes(self.id)),
            organization_id: organization,
            type_: self.kind,
            object: self.object,
            chargestation_id: self.station.map(|id| StationId::from(RawId::from_bytes(id))),
            data: self.data,
            created_at: Timestamp::from_micros(self.created_at),
            actor: Some(STATION),
            actor_id: None,
            actor_name: None,
        }
    }
}

/// A pack of an organization's events, oldest first; none of no events.
fn packed(organization: OrganizationId, rows: &[Row]) -> StoreResult<Option<(Head, Vec<u8>)>> {
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return Ok(None) };
    let times = || rows.iter().map(|row| row.created_at);
    let types: BTreeSet<&str> = rows.iter().map(|row| row.type_.as_str()).collect();
    let stations: BTreeSet<StationId> = rows.iter().filter_map(|row| row.chargestation_id).collect();
    let head = Head {
        organization_id: organization,
        first: first.cursor,
        last: last.cursor,
        since: times().min().unwrap_or_default(),
        until: times().max().unwrap_or_default(),
        events: i32::try_from(rows.len()).unwrap_or(i32::MAX),
        types: types.into_iter().collect::<Vec<_>>().join(","),
        stations: stations.iter().flat_map(|id| *id.raw().as_bytes()).collect(),
    };
    let events: Vec<Packed> = rows.iter().map(Packed::of).collect();
    Ok(Some((head, compressed(&encoded(&events)?, Effort::More)?)))
}

/// The events of a pack, oldest first; none where it is gone, deleted or packed anew with those after them. One that cannot be read is
/// named, left as it is, and has no events.
fn events_of(conn: &mut Conn, head: &Head) -> StoreResult<Option<Vec<Row>>> {
    let (organization, last) = (head.organization_id, head.last);
    let body = event_packs::table.find((organization, last)).select(event_packs::body);
    let body: Option<Vec<u8>> = body.first(conn).optional()?;
    Ok(body.map(|body| match decompressed(&body).and_then(|bytes| decoded::<Vec<Packed>>(&bytes)) {
        Ok(events) => events.into_iter().map(|one| one.row(organization)).collect(),
        Err(error) => {
            tracing::error!(%error, %organization, last, "a pack of events cannot be read and is left as it is");
            Vec::new()
        }
    }))
}

/// Packs with cursors of a stretch, in its order, of an organization or of all.
fn heads(conn: &mut Conn, organization: Option<OrganizationId>, stretch: Stretch) -> StoreResult<Vec<Head>> {
    let mut heads = event_packs::table
        .filter(event_packs::last.gt(stretch.after).and(event_packs::first.le(stretch.until)))
        .filter(in_time())
        .limit(HEADS_AT_ONCE)
        .select(Head::as_select())
        .into_boxed();
    if let Some(organization) = organization {
        heads = heads.filter(event_packs::organization_id.eq(organization));
    }
    let heads = match stretch.is_back {
        false => heads.order(event_packs::last.asc()),
        true => heads.order(event_packs::last.desc()),
    };
    Ok(heads.load(conn)?)
}

/// Events of a stretch, in no order: of one organization the first of it, as many as are asked for and what is packed with them; of
/// all organizations all of it, where it is read forwards.
pub(super) fn list(
    conn: &mut Conn,
    organization: Option<OrganizationId>,
    stretch: Stretch,
    choice: &Choice,
) -> StoreResult<Vec<Row>> {
    let (mut rest, mut found) = (stretch, Vec::new());
    'read: loop {
        let heads = heads(conn, organization, rest)?;
        let is_end = i64::try_from(heads.len()) != Ok(HEADS_AT_ONCE);
        for head in heads {
            if choice.may_be_in(&head) {
                // What was packed anew since its head was read is looked for again.
                let Some(mut rows) = events_of(conn, &head)? else { continue 'read };
                rows.retain(|row| stretch.has(row.cursor) && choice.fit(row));
                found.extend(rows);
            }
            match stretch.is_back {
                false => rest.after = head.last,
                true => rest.until = head.first.saturating_sub(1),
            }
            if organization.is_some() && found.len() >= stretch.most() {
                return Ok(found);
            }
        }
        if is_end {
            return Ok(found);
        }
    }
}

/// Packs of an organization with events from one instant to another, both included.
fn heads_in_time(
    conn: &mut Conn,
    organization: OrganizationId,
    (from, to): (Timestamp, Timestamp),
) -> StoreResult<Vec<Head>> {
    Ok(event_packs::table
        .filter(event_packs::organization_id.eq(organization))
        .filter(event_packs::until.ge(from).and(event_packs::since.le(to)))
        .filter(in_time())
        .select(Head::as_select())
        .load(conn)?)
}

/// Events of an organization from any of some spans of time that fit, in no order, until there are `most`.
pub(super) fn in_times(
    conn: &mut Conn,
    organization: OrganizationId,
    spans: &[(Timestamp, Timestamp)],
    most: usize,
    fit: impl Fn(&Row) -> bool,
) -> StoreResult<Vec<Row>> {
    let (mut seen, mut found) = (BTreeSet::new(), Vec::new());
    for span in spans {
        for head in heads_in_time(conn, organization, *span)? {
            if found.len() < most && seen.insert(head.last) {
                found.extend(events_of(conn, &head)?.unwrap_or_default().into_iter().filter(&fit));
            }
        }
    }
    Ok(found)
}

/// The events of an organization with these cursors, which are sorted.
pub(super) fn at(conn: &mut Conn, organization: OrganizationId, cursors: &[i64]) -> StoreResult<Vec<Row>> {
    let (mut found, mut rest) = (Vec::new(), cursors);
    while let Some(cursor) = rest.first() {
        let stretch = Stretch { after: cursor.saturating_sub(1), until: *cursor, limit: 1, is_back: false };
        let head = heads(conn, Some(organization), stretch)?.into_iter().next();
        let last = head.as_ref().map_or(*cursor, |head| head.last);
        let (here, after) = rest.split_at(rest.partition_point(|cursor| *cursor <= last));
        if let Some(head) = head {
            let Some(mut rows) = events_of(conn, &head)? else { continue };
            rows.retain(|row| here.binary_search(&row.cursor).is_ok());
            found.extend(rows);
        }
        rest = after;
    }
    Ok(found)
}

/// The newest cursor of an organization that is in a pack, up to another.
pub(super) fn newest(conn: &mut Conn, organization: OrganizationId, until: i64) -> StoreResult<Option<i64>> {
    let all =
        event_packs::table.filter(event_packs::organization_id.eq(organization)).filter(event_packs::last.le(until));
    Ok(all.select(diesel::dsl::max(event_packs::last)).first(conn)?)
}

/// When the oldest that is packed was recorded.
pub(super) fn oldest(conn: &mut Conn) -> StoreResult<Option<Timestamp>> {
    Ok(event_packs::table.order(event_packs::last).select(event_packs::since).first(conn).optional()?)
}

/// Deletes some packs of which all events are older than an instant; those with what comes after an organization's cursor in `needed`
/// stay. The last cursor and the number of events of each.
pub(super) fn forget(
    conn: &mut Conn,
    before: Timestamp,
    needed: &BTreeMap<OrganizationId, i64>,
) -> StoreResult<Vec<(OrganizationId, i64, usize)>> {
    let mut forgotten = Vec::new();
    let mut after = 0;
    while forgotten.is_empty() {
        let stretch = Stretch { after, until: i64::MAX, limit: HEADS_AT_ONCE, is_back: false };
        let heads = heads(conn, None, stretch)?;
        let Some(newest) = heads.last() else { break };
        after = newest.last;
        // Where all of them are young, so are those after them.
        if heads.iter().all(|head| head.until >= before) {
            break;
        }
        for head in heads {
            let is_taken = needed.get(&head.organization_id).is_none_or(|taken| head.last <= *taken);
            if head.until < before && is_taken {
                diesel::delete(event_packs::table.find((head.organization_id, head.last))).execute(conn)?;
                let events = usize::try_from(head.events).unwrap_or_default();
                forgotten.push((head.organization_id, head.last, events));
            }
        }
    }
    Ok(forgotten)
}

/// What becomes packs in one transaction.
struct Packing {
    packs: Vec<(Head, Vec<u8>)>,
    /// Packs that are part of new ones.
    replaced: Vec<(OrganizationId, i64)>,
    /// The cursor up to which all events are packed.
    until: i64,
}

impl Packing {
    /// What is to be packed now, if anything is; so many events in each.
    fn prepared(conn: &mut Conn, now: Timestamp, full: usize) -> StoreResult<Option<Self>> {
        let until = settled_cursor(conn)?;
        let stretch = Stretch { after: 0, until, limit: AT_ONCE, is_back: false };
        // A clock that was put back makes nothing young for ever.
        let is_older = |row: &Row, than: Duration| now.since(row.created_at) >= than || row.created_at > now;
        let mut rows = frequent::list(conn, None, stretch, &Choice::ALL)?;
        rows.truncate(rows.iter().take_while(|row| is_older(row, YOUNG)).count());
        let is_due = rows.len() >= MANY || rows.first().is_some_and(|row| is_older(row, OLD));
        let Some(last) = rows.last().filter(|_| is_due) else { return Ok(None) };
        let mut packing = Self { packs: Vec::new(), replaced: Vec::new(), until: last.cursor };
        let mut by_organization: BTreeMap<OrganizationId, Vec<Row>> = BTreeMap::new();
        for row in rows {
            by_organization.entry(row.organization_id).or_default().push(row);
        }
        for (organization, mut rows) in by_organization {
            let newest = Stretch { after: 0, until: i64::MAX, limit: 1, is_back: true };
            let last = heads(conn, Some(organization), newest)?.into_iter().next();
            if let Some(head) = last.filter(|head| usize::try_from(head.events).is_ok_and(|events| events < full / 2))
                && let Some(mut events) = events_of(conn, &head)?.filter(|events| !events.is_empty())
            {
                events.append(&mut rows);
                rows = events;
                packing.replaced.push((organization, head.last));
            }
            for some in rows.chunks(full) {
                packing.packs.extend(packed(organization, some)?);
            }
        }
        Ok(Some(packing))
    }

    fn store(&self, conn: &mut Conn) -> StoreResult<()> {
        for pack in &self.replaced {
            diesel::delete(event_packs::table.find(*pack)).execute(conn)?;
        }
        for (head, body) in &self.packs {
            let row = (head, event_packs::body.eq(body));
            each!(conn, |conn| diesel::insert_into(event_packs::table).values(row).execute(conn))?;
        }
        frequent::delete_until(conn, self.until)
    }
}

/// Packs frequent events that are no longer young. They are compressed before the transaction.
pub async fn pack(db: &Db, now: Timestamp) -> StoreResult<()> {
    while let Some(packing) = db.read(move |conn| Packing::prepared(conn, now, FULL)).await? {
        db.write(move |conn| packing.store(conn)).await?;
    }
    Ok(())
}

#[cfg(test)]
#[path = "packs_tests.rs"]
mod tests;
