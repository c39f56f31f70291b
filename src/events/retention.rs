//! Forgetting old events, and saying so to whoever asks for them.

use std::collections::BTreeMap;

use diesel::prelude::*;

use super::horizon::{Forgotten, Mark};
use super::{frequent, packs};
use crate::http::{ApiError, ApiResult, Code};
use crate::store::schema::events;
use crate::store::{Conn, StoreResult, counters};
use kernel::{OrganizationId, Timestamp};

/// Events that are deleted in one go, so that others can write in between.
const DELETED_AT_ONCE: i64 = 500;

/// The counter with the cursor of the last event of an organization that was deleted.
fn counter(organization: OrganizationId) -> String {
    format!("events_forgotten:{organization}")
}

/// When the oldest event that is kept was recorded.
pub fn oldest(conn: &mut Conn) -> StoreResult<Option<Timestamp>> {
    let indexed: Option<Timestamp> =
        events::table.order(events::cursor).select(events::created_at).first(conn).optional()?;
    Ok([indexed, packs::oldest(conn)?, frequent::oldest(conn)?].into_iter().flatten().min())
}

/// Deletes some events of all organizations that are older than an instant, going on after a cursor; what comes after an
/// organization's cursor in `needed` stays.
pub fn forget(
    conn: &mut Conn,
    before: Timestamp,
    needed: &BTreeMap<OrganizationId, i64>,
    after: Option<Mark>,
) -> StoreResult<Forgotten> {
    let after = after.unwrap_or_default();
    let some: Vec<(i64, OrganizationId, Timestamp)> = events::table
        .filter(events::cursor.gt(after.number))
        .order(events::cursor)
        .limit(DELETED_AT_ONCE)
        .select((events::cursor, events::organization_id, events::created_at))
        .load(conn)?;
    let (mut forgotten, mut last) = (Forgotten::default(), BTreeMap::new());
    for (organization, cursor, events) in packs::forget(conn, before, needed)? {
        last.insert(organization, cursor);
        forgotten.count(organization, events);
        forgotten.next = Some(after.clone());
    }
    // Where all of them are young, so are those after them.
    if let Some((number, ..)) = some.last()
        && some.iter().any(|(_, _, at)| *at < before)
    {
        forgotten.next = Some(Mark { number: *number, ..Mark::default() });
    }
    let over = some.into_iter().filter(|(cursor, organization, at)| {
        *at < before && needed.get(organization).is_none_or(|taken| cursor <= taken)
    });
    let mut cursors = Vec::new();
    for (cursor, organization, _) in over {
        cursors.push(cursor);
        let newest = last.entry(organization).or_insert(cursor);
        *newest = cursor.max(*newest);
        forgotten.count(organization, 1);
    }
    diesel::delete(events::table.filter(events::cursor.eq_any(&cursors))).execute(conn)?;
    for (organization, cursor) in last {
        let name = counter(organization);
        let known = counters::find(conn, &name)?;
        counters::keep(conn, &name, known.map_or(cursor, |known| known.max(cursor)))?;
    }
    Ok(forgotten)
}

/// Refuses to go on after a cursor when events that came after it were deleted; 0 asks for all that are kept.
pub(super) fn require_kept(conn: &mut Conn, organization: OrganizationId, after: i64) -> ApiResult<()> {
    match counters::find(conn, &counter(organization))? {
        Some(forgotten) if 0 < after && after < forgotten => Err(ApiError::new(
            Code::EventsGone,
            format!(
                "Events after cursor {after} are no longer kept; go on with after={forgotten}, where what is kept begins"
            ),
        )),
        _ => Ok(()),
    }
}
